"""`xtsync expression`: tries one expression, or many as JSON lines, without a tenant, a setting or a sync.yaml."""

from __future__ import annotations

import json
from argparse import Namespace
from collections.abc import Mapping
from datetime import UTC, datetime

from ..mapping.expressions import evaluate_lines, iso_time
from ..model import Json
from ..ops.errors import UsageError
from .command import Commands, Reach, add_command
from .screen import Screen, warning
from .world import Exit, World

_DESCRIPTION = """\
Evaluates an expression in Entra's mapping language for one source user, and contacts nobody.
Without EXPR it reads JSON lines from standard input, one request each, and answers with one
JSON line each:

  {"expression": "...", "source": {"mail": "..."}, "now": "<ISO>", "context": {}}
  {"value": ...} or {"flow": "ignore"} or {"error": "..."}

Exit code 0: evaluated (with JSON lines: all answered). 1: the expression is wrong."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "expression",
        run,
        reach=Reach.FILES,
        summary="evaluate a mapping expression",
        description=_DESCRIPTION,
        examples=("""expression 'ToUpper([city])' --source '{"city": "Oslo"}'""", "expression"),
    )
    parser.add_argument("expression", nargs="?", metavar="EXPR", help="default: JSON lines from standard input")
    parser.add_argument("--source", metavar="JSON", default="{}", help="the source user's attributes")
    parser.add_argument("--now", metavar="TIME", help="what Now() says; default: the time")
    parser.add_argument("--seed", type=int, default=0, metavar="N", help="for Guid and RandomString; default: 0")


async def run(args: Namespace, world: World) -> int:
    now = _time(args.now) or datetime.now(UTC)
    if args.expression is None:
        if world.stdin.isatty():
            raise UsageError("there is no expression", hint="Give one in quotes, or JSON lines on standard input.")
        for each in evaluate_lines(world.stdin, now_default=now, seed=args.seed):
            world.stdout.write(f"{each}\n")
            world.stdout.flush()
        return Exit.DONE
    line = json.dumps({"expression": args.expression, "source": _source(args.source)})
    text = next(evaluate_lines([line], now_default=now, seed=args.seed))
    answer: Mapping[str, Json] = json.loads(text)
    if args.json:
        world.stdout.write(f"{text}\n")
    elif "error" in answer:
        world.errors.line(warning(f"error: {answer['error']}"))
    else:
        _show(world.screen, answer)
    return Exit.FAULT if "error" in answer else Exit.DONE


def _time(text: str | None) -> datetime | None:
    try:
        return None if text is None else iso_time(text)
    except ValueError as error:
        raise UsageError(f"--now {error}", hint="Without an offset it is UTC.") from None


def _source(text: str) -> Json:
    try:
        source: Json = json.loads(text)
    except (ValueError, RecursionError):
        source = None
    if not isinstance(source, dict):
        raise UsageError("--source is no JSON object", hint="""For example: --source '{"city": "Oslo"}'""")
    return source


def _show(screen: Screen, answer: Mapping[str, Json]) -> None:
    match answer:
        case {"flow": "ignore-object"}:
            screen.line("the whole user is skipped")
        case {"flow": _}:
            screen.line("nothing is written")
        case {"value": str(value)}:
            screen.line(value)
        case {"value": value}:
            screen.line(json.dumps(value, ensure_ascii=False))

"""`xtsync history`: what happened to one person, or to everybody of a sync, newest first."""

from __future__ import annotations

from argparse import ArgumentTypeError, Namespace
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from functools import partial

from ..assembly import Runtime
from ..model import Kind, is_object_id
from ..ops.documents import Activity, ActivityEvent
from ..ops.errors import UsageError
from ..ops.history import MOST, all_events, everybody, history, people, question
from ..ops.people import Pair, names
from ..ops.sentences import of_value
from ..ops.words import at_second, many
from ..ports import Asked
from .command import Commands, Reach, add_command, add_no_names
from .screen import Screen
from .world import Exit, World

_DESCRIPTION = f"""\
The record of what happened, newest first, from the table `activity`. A person is found by name at this moment; of one
who is gone, give the object id. Names are read for the table alone: the record, --json and --csv have object ids.
Kinds: {", ".join(Kind)}."""
_HEADERS = (
    *("at", "sync", "user", "kind", "text", "why", "reason", "scope", "scope_reason", "attributes", "refused"),
    *("target_id", "graph_request_ids", "operator", "latency_ms", "attempt", "next_try_at", "values"),
)


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "history",
        run,
        reach=Reach.APP,
        summary="show what happened to a person or in a sync",
        description=_DESCRIPTION,
        examples=(
            "history adele@contoso.example",
            "history --sync contoso-to-fabrikam --since 7d --kind disabled,held --csv",
        ),
    )
    parser.add_argument("user", metavar="USER", nargs="?", help="object id or user principal name in the source tenant")
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    parser.add_argument("--kind", metavar="KINDS", help="only these kinds, parted by commas")
    parser.add_argument("--since", metavar="TIME", help="7d, 24h or 30m ago, or a time such as 2026-11-29T08:00 (UTC)")
    parser.add_argument("--until", metavar="TIME", help="before this time, given like --since")
    parser.add_argument(
        "--limit", metavar="N", type=_count, help=f"the newest N, at most {MOST} without --csv (default: 100; CSV: all)"
    )
    parser.add_argument("--after", metavar="TOKEN", default="", help="go on where a list with --json ended (`more`)")
    parser.add_argument(
        "--csv", action="store_true", help="print CSV that a spreadsheet opens without running formulas"
    )
    add_no_names(parser)


def _count(text: str) -> int:
    if not text.isdecimal() or not int(text):
        raise ArgumentTypeError("a number from 1 on")
    return int(text)


async def run(args: Namespace, world: World) -> int:
    if world.url(args):
        return await _there(args, world)
    # Names are read from Graph; nothing is written.
    async with world.runtime(read_only=True) as runtime:
        asked = await _asked(args, runtime)
        if args.csv:

            async def read(limit: int, after: str) -> Activity:
                return await history(runtime, replace(asked, limit=limit, after=after))

            await _write(world.screen, all_events(read, asked.after, args.limit))
            return Exit.DONE
        found = await history(runtime, asked)
        named = await names(runtime, _people(args, found))
    world.answer(found, partial(_show, named=named), json=args.json)
    return Exit.DONE


async def _there(args: Namespace, world: World) -> int:
    async with world.app(args) as app:
        user = args.user
        if user is not None and not is_object_id(user.lower()):
            ids = {each.user for each in await app.find(user, args.sync)}
            if len(ids) > 1:
                raise UsageError("the name is that of several users", hint="Give the object id: xtsync why USER")
            (user,) = ids
        query = {"sync": args.sync, "user": user, "kind": args.kind, "since": args.since, "until": args.until}
        if args.csv:

            async def read(limit: int, after: str) -> Activity:
                return await app.ask("activity", Activity, query={**query, "limit": limit, "after": after or None})

            await _write(world.screen, all_events(read, args.after, args.limit))
            return Exit.DONE
        query |= {"limit": min(args.limit or 100, MOST), "after": args.after or None}
        found = await app.ask("activity", Activity, query=query)
        named = await app.names(_people(args, found))
    world.answer(found, partial(_show, named=named), json=args.json)
    return Exit.DONE


def _people(args: Namespace, found: Activity) -> set[Pair]:
    """Those whose names are shown."""
    shown = [] if args.json or args.no_names else found.events
    return {pair for each in shown if (pair := _pair(each))}


async def _asked(args: Namespace, runtime: Runtime) -> Asked:
    if args.user is not None:
        of = await people(runtime, args.user, args.sync)
    else:
        of = await everybody(runtime, args.sync)
    return question(
        of,
        runtime.clock.now(),
        kinds=args.kind,
        since=args.since,
        until=args.until,
        limit=min(args.limit or 100, MOST),
        after=args.after,
    )


async def _write(screen: Screen, events: AsyncIterator[ActivityEvent]) -> None:
    screen.csv(_HEADERS)
    async for event in events:
        decision = event.decision
        screen.csv(
            (
                *(event.at, event.sync, event.user, event.kind, event.text, event.why),
                *(decision.reason, decision.scope, decision.scope_reason, event.attributes, event.refused),
                *(event.target_id, event.graph_request_ids, event.operator, event.latency_ms, event.attempt),
                *(event.next_try_at, "; ".join(map(of_value, event.values))),
            )
        )


def _pair(event: ActivityEvent) -> Pair | None:
    return None if event.user is None else Pair(sync=event.sync, source_id=event.user, target_id=event.target_id)


def _show(screen: Screen, found: Activity, *, named: Mapping[Pair, str]) -> None:
    if not found.events:
        screen.line("Nothing is on record.")
        return
    screen.table(
        ("when", "sync", "user", *(("name",) if named else ()), "kind", "what"),
        [_cells(event, named) for event in found.events],
    )
    screen.line(
        f"{many(len(found.events), 'event')}" + ("; there are older ones: --limit, --until" if found.more else "")
    )


def _cells(event: ActivityEvent, named: Mapping[Pair, str]) -> Sequence[str]:
    pair = _pair(event)
    name = (named.get(pair, "-") if pair else "-",) if named else ()
    what = "; ".join((event.text, *map(of_value, event.values)))
    return at_second(event.at), event.sync, event.user or "-", *name, event.kind, what

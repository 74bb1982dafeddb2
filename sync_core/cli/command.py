"""The declaration of a command: the options that all share, and an example in every --help."""

from __future__ import annotations

import getpass
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter, _SubParsersAction
from collections.abc import Callable, Coroutine
from enum import StrEnum
from typing import Any

from ..ops.errors import UsageError
from .world import World

USER = "6b1d4c62-4c0f-4a55-9a53-0c4d1a3b7e11"  # of examples

type Commands = _SubParsersAction[ArgumentParser]


class Reach(StrEnum):
    """Where a command works: on files, with the settings of the app, or also against a deployed app."""

    FILES = "files"
    HERE = "here"
    APP = "app"


type Run = Callable[[Namespace, World], Coroutine[Any, Any, int]]


def add_command(
    commands: Commands,
    name: str,
    run: Run,
    *,
    summary: str,
    description: str = "",
    examples: tuple[str, ...],
    nested: bool = False,
    reach: Reach = Reach.HERE,
) -> ArgumentParser:
    """`nested`: an action of a command. Options that were given before its name keep their values."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{description}".rstrip(),
        epilog="examples:\n" + "\n".join(f"  xtsync {example}" for example in examples),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run, reach=reach)
    default = SUPPRESS if nested else False
    parser.add_argument("--json", action="store_true", default=default, help="print JSON for programs")
    parser.add_argument("--debug", action="store_true", default=default, help="show logs, and tracebacks of errors")
    if reach is not Reach.FILES:
        where = SUPPRESS if nested else None
        parser.add_argument("--url", metavar="URL", default=where, help="ask this deployed app, with your own sign-in")
        parser.add_argument("--audience", metavar="ID", default=where, help="with --url: the output OPERATORS_AUDIENCE")
    return parser


def add_no_names(parser: ArgumentParser, *, nested: bool = False) -> None:
    """For a list of people. JSON has object ids alone."""
    default = SUPPRESS if nested else False
    parser.add_argument("--no-names", action="store_true", default=default, help="object ids alone; no name is read")


def add_by(parser: ArgumentParser) -> None:
    """For an action that goes on record."""
    parser.add_argument("--by", metavar="WHO", help="who does it, for the record (default: who is logged in here)")


def check_reach(args: Namespace, world: World) -> None:
    """Raises UsageError where a command without an endpoint is for a deployed app."""
    if args.reach is Reach.HERE and world.url(args):
        raise no_endpoint("this command has no endpoint")


def no_endpoint(message: str) -> UsageError:
    return UsageError(message, hint="Run it where the app's settings are, without --url and XTSYNC_URL.")


def check_nobody_is_named(args: Namespace) -> None:
    """Raises UsageError for --by: a deployed app records the caller's object id."""
    if args.by is not None:
        raise UsageError("--by is for a command that runs here", hint="The app records who you are; leave it out.")


def operator(args: Namespace) -> str:
    """Raises UsageError where nobody is known to be logged in, as in a container."""
    try:
        return str(args.by or getpass.getuser())
    except (OSError, KeyError, ImportError) as error:
        raise UsageError("cannot tell who decides", hint="Say it with --by NAME.") from error

"""The declaration of a command: the options that all share, and an example in every --help."""

from __future__ import annotations

import getpass
from argparse import SUPPRESS, ArgumentParser, Namespace, RawDescriptionHelpFormatter, _SubParsersAction
from collections.abc import Callable, Coroutine
from typing import Any

from ..ops.errors import UsageError
from .world import World

USER = "6b1d4c62-4c0f-4a55-9a53-0c4d1a3b7e11"  # of examples

type Commands = _SubParsersAction[ArgumentParser]
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
    parser.set_defaults(run=run)
    default = SUPPRESS if nested else False
    parser.add_argument("--json", action="store_true", default=default, help="print JSON for programs")
    parser.add_argument("--debug", action="store_true", default=default, help="show logs, and tracebacks of errors")
    return parser


def add_no_names(parser: ArgumentParser, *, nested: bool = False) -> None:
    """For a list of people. JSON has object ids alone."""
    default = SUPPRESS if nested else False
    parser.add_argument("--no-names", action="store_true", default=default, help="object ids alone; no name is read")


def add_by(parser: ArgumentParser) -> None:
    """For an action that goes on record."""
    parser.add_argument("--by", metavar="WHO", help="who does it, for the record (default: who is logged in here)")


def operator(args: Namespace) -> str:
    """Raises UsageError where nobody is known to be logged in, as in a container."""
    try:
        return str(args.by or getpass.getuser())
    except (OSError, KeyError, ImportError) as error:
        raise UsageError("cannot tell who decides", hint="Say it with --by NAME.") from error

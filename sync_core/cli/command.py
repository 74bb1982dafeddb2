"""How a command is declared: what all of them share, and an example in every --help."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from argparse import _SubParsersAction

    from .world import World

    type Commands = _SubParsersAction[ArgumentParser]

type Run = Callable[[Namespace, World], Coroutine[Any, Any, int]]


def add_command(
    commands: Commands, name: str, run: Run, *, summary: str, description: str = "", examples: tuple[str, ...]
) -> ArgumentParser:
    parser = commands.add_parser(
        name,
        help=summary,
        description=f"{summary[0].upper()}{summary[1:]}.\n\n{description}".rstrip(),
        epilog="examples:\n" + "\n".join(f"  xtsync {example}" for example in examples),
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.set_defaults(run=run)
    parser.add_argument("--json", action="store_true", help="print JSON for programs")
    parser.add_argument("--debug", action="store_true", help="show logs, and tracebacks of errors")
    return parser

"""`xtsync`: parses the arguments, calls one command, and turns what comes out into an exit code."""

from __future__ import annotations

import asyncio
import logging
import sys
import traceback
from argparse import Action, ArgumentParser, Namespace, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module

from ..model.errors import ConfigError, SyncError
from ..ops.documents import Error, ErrorDetail
from ..ops.errors import UsageError
from .command import check_reach
from .screen import warning
from .world import Exit, World

# The module of each command, in the order of the help. Only that of the command that was typed is imported: each start
# waits for its libraries.
COMMANDS = {
    "validate": "validate",
    "doctor": "doctor",
    "preflight": "preflight",
    "plan": "plan",
    "verify": "verify",
    "status": "status",
    "sync": "sync",
    "why": "why",
    "history": "history",
    "report": "report",
    "creations": "creations",
    "holds": "holds",
    "pause": "pause",
    "resume": "resume",
    "due": "due",
    "drift": "drift",
    "keep": "keep",
    "adopt": "adopt",
    "links": "links",
    "link": "pairs",
    "unlink": "pairs",
    "redeem": "pairs",
    "notify": "notify",
    "poison": "poison",
    "resync": "resync",
    "rename": "syncs",
    "move": "syncs",
    "remove": "syncs",
    "expression": "expression",
    "test-mapping": "mapping_cases",
    "import-schema": "import_schema",
    "export-schema": "export_schema",
}

_DESCRIPTION = "Cross-tenant synchronization of Microsoft Entra B2B users: see how it stands, and act on it."
_EPILOG = """\
settings come from the environment, else from "Values" in local.settings.json in the current folder. With --url, or
XTSYNC_URL, a command asks a deployed app with your own sign-in (az login), and needs no settings but XTSYNC_AUDIENCE.

exit codes: 0 done, 1 fault, 2 wrong usage or configuration, 3 needs approval (xtsync holds, xtsync adopt),
130 interrupted.

examples:
  xtsync status
  xtsync plan
  xtsync sync adele@contoso.example --dry-run
  xtsync COMMAND --help"""


def build_parser(command: str = "") -> ArgumentParser:
    """With this command alone, or with all of them if it is none."""
    parser = ArgumentParser(
        prog="xtsync",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action=_ShowVersion, nargs=0, help="show program's version number and exit")
    commands = parser.add_subparsers(metavar="COMMAND", title="commands", required=True)
    for module in dict.fromkeys([COMMANDS[command]] if command in COMMANDS else COMMANDS.values()):
        import_module(f".{module}", __package__).add_parser(commands)
    return parser


def main(argv: Sequence[str] | None = None, world: World | None = None) -> int:
    argv = sys.argv[1:] if argv is None else argv
    try:
        args = build_parser(argv[0] if argv else "").parse_args(argv)
    except SystemExit as stop:  # argparse's own way out: --help, --version, wrong usage
        return int(stop.code or 0)
    world = world or World.of_process()
    logging.basicConfig(stream=world.stderr, level=logging.INFO if args.debug else logging.CRITICAL)
    try:
        check_reach(args, world)
        code: int = asyncio.run(args.run(args, world))
        return code
    except KeyboardInterrupt:
        world.errors.line("interrupted")
        return Exit.INTERRUPTED
    except SyncError as error:
        _report(args, world, error)
        return Exit.USAGE if isinstance(error, ConfigError | UsageError) else Exit.FAULT
    except Exception as error:  # noqa: BLE001 - the edge: a person gets a line, not our stack
        _unexpected(args, world, error)
        return Exit.FAULT


def _report(args: Namespace, world: World, error: SyncError) -> None:
    if args.debug:
        traceback.print_exception(error, file=world.stderr)
    messages = [str(fault) for fault in error.faults] if isinstance(error, ConfigError) else [str(error) or error.code]
    for message in messages:
        world.errors.line(warning(f"error: {message}"))
    if error.hint:
        world.errors.line(f"hint: {error.hint}")
    if args.json:
        world.screen.json(Error(error=ErrorDetail(code=error.code, messages=messages, hint=error.hint or None)))


def _unexpected(args: Namespace, world: World, error: Exception) -> None:
    """The text of a foreign error may quote anything: without --debug only its kind is shown."""
    if args.debug:
        traceback.print_exception(error, file=world.stderr)
    name = type(error).__name__
    hint = "This is a fault of the program. Run the command with --debug for the traceback."
    world.errors.line(warning(f"error: unexpected {name}"))
    world.errors.line(f"hint: {hint}")
    if args.json:
        world.screen.json(Error(error=ErrorDetail(code=name, messages=[f"unexpected {name}"], hint=hint)))


class _ShowVersion(Action):
    """As argparse's own, but the version is looked up only when somebody asks for it."""

    def __call__(self, parser: ArgumentParser, *_: object) -> None:
        sys.stdout.write(f"xtsync {import_module('.version', __package__).version()}\n")
        parser.exit()


if __name__ == "__main__":
    sys.exit(main())

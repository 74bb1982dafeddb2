"""`xtsync report`: who has access to which target because of us, since when, and in which state."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import datetime

from ..assembly import Runtime
from ..ops.documents import AccessEntry, AccessReport
from ..ops.names import find_syncs
from ..ops.people import Pair, names
from ..ops.report import access
from ..ops.spreadsheet import Cell
from ..ops.words import at_second, many
from .command import Commands, add_command
from .screen import Screen
from .world import Exit, World

_DESCRIPTION = """\
One row for each person and target, by the stored pairs; nobody is read for it. --names reads the names of people from
Graph while the report is made, and --redeemed asks the targets who has accepted the invitation, fifteen people in each
request. Without it, or where a target does not say, that stays empty."""
_HEADERS = ("sync", "source user", "name", "target", "target user", "access", "since", "redeemed")


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "report",
        run,
        summary="list who has access to which target",
        description=_DESCRIPTION,
        examples=("report", "report --sync contoso-to-fabrikam --names --redeemed --csv"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    parser.add_argument("--names", action="store_true", help="read names while the report is made; not with --json")
    parser.add_argument("--redeemed", action="store_true", help="ask the targets who has accepted the invitation")
    parser.add_argument(
        "--csv", action="store_true", help="print CSV that a spreadsheet opens without running formulas"
    )


async def run(args: Namespace, world: World) -> int:
    screen = world.screen
    rows: list[Sequence[str]] = []
    entries: list[AccessEntry] = []
    async with world.runtime(read_only=True) as runtime:
        now, syncs = runtime.clock.now(), find_syncs(runtime.config, args.sync)
        if args.csv and not args.json:
            screen.csv(_headers(args.names))
        async for some in access(runtime, syncs, redeemed=args.redeemed):
            if args.json:
                entries += some
                continue
            named = await _named(runtime, some) if args.names else None
            if args.csv:
                for entry in some:
                    screen.csv(_cells(entry, named))
            else:
                rows += [_in_words(_cells(entry, named)) for entry in some]
    if args.json:
        screen.json(AccessReport(at=now, entries=entries))
    elif not args.csv:
        _show(screen, rows, names=args.names)
    return Exit.DONE


def _show(screen: Screen, rows: Sequence[Sequence[str]], *, names: bool) -> None:
    if not rows:
        screen.line("Nobody has access because of a sync.")
        return
    screen.table(_headers(names), rows)
    screen.line(many(len(rows), "pair"))


async def _named(runtime: Runtime, some: Sequence[AccessEntry]) -> Mapping[Pair, str]:
    return await names(runtime, [_pair(entry) for entry in some])


def _pair(entry: AccessEntry) -> Pair:
    return Pair(sync=entry.sync, source_id=entry.source_id, target_id=entry.target_id)


def _headers(names: bool) -> list[str]:
    return [header for header in _HEADERS if names or header != "name"]


def _cells(entry: AccessEntry, named: Mapping[Pair, str] | None) -> list[Cell]:
    redeemed = None if entry.redeemed is None else ("yes" if entry.redeemed else "no")
    name = [] if named is None else [named.get(_pair(entry))]
    return [
        *(entry.sync, entry.source_id, *name, entry.target, entry.target_id),
        *(entry.access, entry.since, redeemed),
    ]


def _in_words(cells: Sequence[Cell]) -> list[str]:
    return ["-" if cell is None else at_second(cell) if isinstance(cell, datetime) else str(cell) for cell in cells]

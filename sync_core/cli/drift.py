"""`xtsync drift`: whom somebody edited or blocked in the target."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..ops.documents import DriftedUser, DriftedUsers
from ..ops.drift import drifted_users
from ..ops.names import find_syncs
from ..ops.people import Pair, names
from ..ops.words import at_second
from .command import Commands, Reach, add_command, add_no_names
from .screen import Screen
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
The target users whom somebody else edited or blocked (`drift` in sync.yaml): which attributes differ, since when, and
what comes of it. "listed" stays until the source changes, "waits" is written again as soon as the sync may, "fought" is
not written for a day, since another value came back each time. `xtsync why USER` reads the user afresh. With --json a
page of at most 1000; `more` of a page, given to --after, asks for the next one."""
_PAGE = 1000
_HEADERS = ("sync", "source user", "target user", "attribute", "since", "policy", "state")

type _Shown = tuple[DriftedUsers, Mapping[Pair, str]]


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "drift",
        run,
        reach=Reach.APP,
        summary="list whom somebody edited or blocked in the target",
        description=_DESCRIPTION,
        examples=("drift", "drift --sync contoso-to-fabrikam --csv"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    parser.add_argument("--after", metavar="MORE", default="", help="go on after the page that gave this")
    parser.add_argument(
        "--csv", action="store_true", help="print CSV that a spreadsheet opens without running formulas"
    )
    add_no_names(parser)


async def run(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> _Shown:
        async def read(after: str) -> DriftedUsers:
            return await drifted_users(runtime, find_syncs(runtime.config, args.sync), limit=_PAGE, after=after)

        page = await _read(args, read)
        return page, await names(runtime, _people(args, page))

    async def there(app: App) -> _Shown:
        async def read(after: str) -> DriftedUsers:
            return await app.ask(
                "drift", DriftedUsers, query={"sync": args.sync, "limit": _PAGE, "after": after or None}
            )

        page = await _read(args, read)
        return page, await app.names(_people(args, page))

    page, named = await world.ask(args, here, there, read_only=True)
    world.answer(page, partial(_csv if args.csv else _show, named=named), json=args.json)
    return Exit.DONE


async def _read(args: Namespace, read: Callable[[str], Awaitable[DriftedUsers]]) -> DriftedUsers:
    """One page; for CSV, which has no place for `more`, all that follow as well."""
    page = await read(args.after)
    while args.csv and not args.json and page.more is not None:
        rest = await read(page.more)
        page = replace(rest, users=[*page.users, *rest.users])
    return page


def _people(args: Namespace, page: DriftedUsers) -> Sequence[Pair]:
    """Those whose names are shown."""
    return [] if args.json or args.csv or args.no_names else [_pair(each) for each in page.users]


def _show(screen: Screen, page: DriftedUsers, *, named: Mapping[Pair, str]) -> None:
    if not page.users:
        screen.line("Nobody is known to be otherwise in the target than the sync left them.")
        return
    rows = [(each, row) for each in page.users for row in _rows(each)]
    if named:
        screen.table(("name", *_HEADERS), [(named.get(_pair(each), "-"), *row) for each, row in rows])
    else:
        screen.table(_HEADERS, [row for _, row in rows])
    if page.more is not None:
        screen.line(f"and more: xtsync drift --after {page.more}")


def _csv(screen: Screen, page: DriftedUsers, *, named: Mapping[Pair, str]) -> None:  # noqa: ARG001
    screen.csv(_HEADERS)
    for each in page.users:
        for row in _rows(each):
            screen.csv(row)


def _rows(each: DriftedUser) -> Sequence[tuple[str, ...]]:
    return [
        (each.sync, each.source_id, each.target_id, of.name, at_second(of.since), of.policy, each.state)
        for of in each.attributes
    ]


def _pair(each: DriftedUser) -> Pair:
    return Pair(sync=each.sync, source_id=each.source_id, target_id=each.target_id)

"""`xtsync due`: who leaves in stages, and when the next stage comes."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..ops.documents import DueUser, DueUsers
from ..ops.leaving import due_users
from ..ops.names import find_syncs
from ..ops.people import Pair, names
from ..ops.words import ahead, at_second
from .command import Commands, Reach, add_command, add_no_names
from .screen import Cell, Screen
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
The users who leave in stages (`deprovision` in sync.yaml), of each sync in the order of time: the stage that was
reached, the next one and when it comes, and whether a person keeps them. A list, not a verdict: the next look decides
by a fresh read. With --json a page of at most 1000; `more` of a page, given to --after, asks for the next one."""
_PAGE = 1000

type _Shown = tuple[DueUsers, datetime, Mapping[Pair, str]]


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "due",
        run,
        reach=Reach.APP,
        summary="list who leaves in stages, and when",
        description=_DESCRIPTION,
        examples=("due", "due --sync contoso-to-fabrikam --json"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    parser.add_argument("--after", metavar="MORE", default="", help="go on after the page that gave this")
    add_no_names(parser)


async def run(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> _Shown:
        page = await due_users(runtime, find_syncs(runtime.config, args.sync), limit=_PAGE, after=args.after)
        return page, runtime.clock.now(), await names(runtime, _people(args, page))

    async def there(app: App) -> _Shown:
        query = {"sync": args.sync, "limit": _PAGE, "after": args.after or None}
        page = await app.ask("due", DueUsers, query=query)
        return page, datetime.now(UTC), await app.names(_people(args, page))

    page, now, named = await world.ask(args, here, there, read_only=True)
    world.answer(page, partial(_show, now=now, named=named), json=args.json)
    return Exit.DONE


def _people(args: Namespace, page: DueUsers) -> Sequence[Pair]:
    """Those whose names are shown."""
    return [] if args.json or args.no_names else [_pair(each) for each in page.due]


def _show(screen: Screen, page: DueUsers, *, now: datetime, named: Mapping[Pair, str]) -> None:
    if not page.due:
        screen.line("Nobody leaves in stages now.")
        return
    show_due(screen, page.due, now, named)
    if page.more is not None:
        screen.line(f"and more: xtsync due --after {page.more}")


def show_due(screen: Screen, due: Sequence[DueUser], now: datetime, named: Mapping[Pair, str] | None = None) -> None:
    headers = ("sync", "source user", *(("name",) if named else ()), "stage", "since", "then", "comes", "kept")
    screen.table(headers, [_cells(each, now, named) for each in due])


def _cells(each: DueUser, now: datetime, named: Mapping[Pair, str] | None) -> Sequence[Cell]:
    return (
        each.sync,
        each.source_id,
        *((named.get(_pair(each), "-"),) if named else ()),
        each.stage,
        at_second(each.since),
        each.then,
        ahead(each.due_at, now),
        f"by {each.keep.by}: {each.keep.reason}" if each.keep else "-",
    )


def _pair(each: DueUser) -> Pair:
    return Pair(sync=each.sync, source_id=each.source_id, target_id=each.target_id)

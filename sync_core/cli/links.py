"""`xtsync links`: the stored pairs of source and target users."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..ops.documents import PairEntry, Pairs
from ..ops.names import find_syncs
from ..ops.pairs import pairs
from ..ops.people import Pair, names
from ..ops.words import at_second
from .command import Commands, Reach, add_command
from .screen import Screen
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
Every pair by sync and source user, from storage alone: whose target user is which, in which state, since when, and what
a person asked for that is not done yet. "deleted" is a target user whom the sync deleted, "lost" one whom somebody else
deleted. `xtsync report` lists those who have access. --names reads the names of people from Graph. A page has at most
1000 pairs; `more` of a page, given to --after, asks for the next one."""
_PAGE = 1000
_HEADERS = ("sync", "source user", "target", "target user", "state", "since", "asked for")

type _Shown = tuple[Pairs, Mapping[Pair, str]]


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "links",
        run,
        reach=Reach.APP,
        summary="list the pairs of source and target users",
        description=_DESCRIPTION,
        examples=("links", "links --sync contoso-to-fabrikam --csv"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    parser.add_argument("--after", metavar="MORE", default="", help="go on after the page that gave this")
    parser.add_argument("--names", action="store_true", help="read names now; not with --json")
    parser.add_argument(
        "--csv", action="store_true", help="print CSV that a spreadsheet opens without running formulas"
    )


async def run(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> _Shown:
        page = await pairs(runtime, find_syncs(runtime.config, args.sync), limit=_PAGE, after=args.after)
        return page, await names(runtime, _people(args, page))

    async def there(app: App) -> _Shown:
        query = {"sync": args.sync, "limit": _PAGE, "after": args.after or None}
        page = await app.ask("links", Pairs, query=query)
        return page, await app.names(_people(args, page))

    page, named = await world.ask(args, here, there, read_only=True)
    world.answer(page, partial(_csv if args.csv else _show, named=named), json=args.json)
    return Exit.DONE


def _people(args: Namespace, page: Pairs) -> Sequence[Pair]:
    return [_pair(each) for each in page.pairs] if args.names and not args.json else []


def _show(screen: Screen, page: Pairs, *, named: Mapping[Pair, str]) -> None:
    if not page.pairs:
        screen.line("There are no pairs.")
        return
    screen.table(_headers(named), [_cells(each, named) for each in page.pairs])
    if page.more is not None:
        screen.line(f"and more: xtsync links --after {page.more}")


def _csv(screen: Screen, page: Pairs, *, named: Mapping[Pair, str]) -> None:
    screen.csv(_headers(named))
    for each in page.pairs:
        screen.csv(_cells(each, named))
    if page.more is not None:
        screen.line(f"# and more: xtsync links --csv --after {page.more}")


def _headers(named: Mapping[Pair, str]) -> Sequence[str]:
    return ("name", *_HEADERS) if named else _HEADERS


def _cells(each: PairEntry, named: Mapping[Pair, str]) -> Sequence[str]:
    name = (named.get(_pair(each), "-"),) if named else ()
    since = "-" if each.since is None else at_second(each.since)
    return (*name, each.sync, each.source_id, each.target, each.target_id, each.state, since, each.asked or "-")


def _pair(each: PairEntry) -> Pair:
    return Pair(sync=each.sync, source_id=each.source_id, target_id=each.target_id)

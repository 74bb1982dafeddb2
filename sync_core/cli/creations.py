"""`xtsync creations`: the newcomers who wait for the creation guard, and a person's word that lets them in."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..ops.creations import approve, list_creations
from ..ops.documents import CreationApproval, CreationList, CreationRequest, CreationStatus
from ..ops.names import find_syncs
from ..ops.words import ago, many, span
from .command import Commands, Reach, add_by, add_command, check_nobody_is_named, operator
from .screen import Cell, Screen, warning
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
Newcomers beyond the ceiling of the creation guard wait: nobody is lost, and as the window moves on they come in by
themselves. The list says how many wait, and a CODE for each sync that stands for so many: `approve CODE` lets them in
at once."""
_APPROVE = """\
Lets in as many newcomers as CODE stands for: those who have waited the longest. If more wait by now, the others wait
on. Each is read again before the invitation. The code is used once, and an edit of the sync in sync.yaml voids it,
and ends an approval of which somebody has not come in yet. A full round of the source tenant starts now."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "creations",
        run_list,
        reach=Reach.APP,
        summary="list newcomers who wait, and let them in",
        description=_DESCRIPTION,
        examples=("creations", "creations --sync contoso-to-fabrikam --json", "creations approve 4500-3f9a07c1"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    actions = parser.add_subparsers(metavar="ACTION", title="actions")
    listing = add_command(
        actions,
        "list",
        run_list,
        reach=Reach.APP,
        summary="list them (the default)",
        examples=("creations list",),
        nested=True,
    )
    listing.add_argument("--sync", metavar="NAME", default=SUPPRESS, help="only this sync")
    action = add_command(
        actions,
        "approve",
        run_approve,
        reach=Reach.APP,
        summary="let in as many as the code says",
        description=_APPROVE,
        examples=("creations approve 4500-3f9a07c1", "creations approve 4500-3f9a07c1 --by anna"),
        nested=True,
    )
    action.add_argument("code", metavar="CODE", help="as `xtsync creations` shows it")
    add_by(action)


async def run_list(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> tuple[CreationList, datetime]:
        return await list_creations(runtime, find_syncs(runtime.config, args.sync)), runtime.clock.now()

    async def there(app: App) -> tuple[CreationList, datetime]:
        return await app.ask("creations", CreationList, query={"sync": args.sync}), datetime.now(UTC)

    listed, now = await world.ask(args, here, there)
    world.answer(listed, partial(_show, now=now), json=args.json)
    return Exit.DONE


async def run_approve(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> CreationApproval:
        return await approve(runtime, find_syncs(runtime.config, args.sync), args.code, by=operator(args))

    async def there(app: App) -> CreationApproval:
        check_nobody_is_named(args)
        return await app.ask("approve_creations", CreationApproval, body=CreationRequest(code=args.code))

    done = await world.ask(args, here, there)
    world.answer(done, _show_approval, json=args.json)
    return Exit.DONE


def _show(screen: Screen, listed: CreationList, *, now: datetime) -> None:
    screen.table(
        ("sync", "waiting", "since", "approved, on their way", "last approval", "invited in the window"),
        [_cells(each, now) for each in listed.syncs],
    )
    for each in listed.syncs:
        if each.code is not None:
            screen.line(f"{many(each.waiting, 'newcomer')} of {each.sync} waiting. CODE {each.code} lets so many in:")
            screen.line(f"  xtsync creations approve {each.code}")


def _cells(each: CreationStatus, now: datetime) -> Sequence[Cell]:
    return (
        each.sync,
        warning(str(each.waiting)) if each.waiting else "0",
        ago(each.since, now),
        str(each.approved),
        "-" if each.approved_by is None else f"{each.approved_by}, {ago(each.approved_at, now)}",
        invited(each),
    )


def invited(each: CreationStatus) -> str:
    """The invitations of the window, and its ceiling."""
    return "no ceiling" if each.window_s is None else f"{each.used} of {each.limit} in {span(each.window_s)}"


def _show_approval(screen: Screen, done: CreationApproval) -> None:
    screen.line(f"{done.sync}: {many(done.approved, 'newcomer')} approved by {done.by}")
    if done.waiting:
        screen.line(f"{many(done.waiting, 'newcomer')} more came to wait meanwhile; see `xtsync creations`")
    if done.error is not None:
        screen.line(warning(f"the next poll begins a full round; not now: {done.error}"))
    screen.line("Each is read again before the invitation. Follow it with: xtsync status")

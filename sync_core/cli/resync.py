"""`xtsync resync`: start the feeds of users over, from the very beginning."""

from __future__ import annotations

from argparse import Namespace
from functools import partial
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..ops.documents import Rounds, Status
from ..ops.resync import feeds_of, start_rounds
from .command import Commands, Reach, add_by, add_command, check_nobody_is_named, operator
from .screen import Screen, warning
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
Starts a full round of each tenant's feed of users, in sources and in targets; the function app reads it. A round
in progress starts over.
Every user is read and compared, and only what differs is written. Deletions pass the guard as always.
Needed rarely: after a change of sync.yaml, or when Graph gives up a delta link, a full round starts by itself."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "resync",
        run,
        reach=Reach.APP,
        summary="read every user of the tenants again",
        description=_DESCRIPTION,
        examples=("resync", "resync --tenant contoso --json"),
    )
    parser.add_argument("--tenant", metavar="NAME", help="only this tenant, by its name in sync.yaml")
    add_by(parser)


async def run(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> Rounds:
        return await start_rounds(runtime, feeds_of(runtime, args.tenant), by=operator(args))

    started = await world.ask(args, here, partial(_there, args))
    world.answer(started, _show, json=args.json)
    return Exit.FAULT if started.failed else Exit.DONE


async def _there(args: Namespace, app: App) -> Rounds:
    check_nobody_is_named(args)
    tenants = [args.tenant]
    if args.tenant is None:
        tenants = sorted({feed.tenant for feed in (await app.ask("status", Status)).feeds})
    started = [await app.ask("resync", Rounds, tenant=tenant) for tenant in tenants]
    return Rounds(rounds=[each for rounds in started for each in rounds.rounds])


def _show(screen: Screen, started: Rounds) -> None:
    for each in started.rounds:
        if each.error is not None:
            screen.line(warning(f"{each.tenant}/{each.feed}: not started: {each.error}"))
            screen.line(f"  hint: {each.hint}")
        else:
            screen.line(f"{each.tenant}/{each.feed}: a full round of the feed starts now")
    if any(each.error is None for each in started.rounds):
        screen.line("Every user is read; only what differs is written; deletions pass the guard.")
        screen.line("Follow it with: xtsync status")

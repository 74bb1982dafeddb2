"""`xtsync status`: how everything stands, from stored state alone; Graph is not asked."""

from __future__ import annotations

from argparse import Namespace

from ..ops.documents import Status
from ..ops.status import status
from .command import Commands, Reach, add_command
from .status_view import show
from .world import Exit, World

_DESCRIPTION = """\
Syncs, feeds, subscriptions, queues, held deletions and parked users, as stored. No call to Graph is made.
Queues also count the messages whose time is still to come: a parked user's next try is one."""


def add_parser(commands: Commands) -> None:
    add_command(
        commands,
        "status",
        run,
        reach=Reach.APP,
        summary="show how everything stands",
        description=_DESCRIPTION,
        examples=("status", "status --json"),
    )


async def run(args: Namespace, world: World) -> int:
    now = await world.ask(args, status, lambda app: app.ask("status", Status))
    world.answer(now, show, json=args.json)
    return Exit.DONE

"""`xtsync status`: how everything stands, from stored state alone; Graph is not asked."""

from __future__ import annotations

from argparse import Namespace

from ..ops.status import status as read_status
from .command import Commands, add_command
from .status_view import show
from .world import Exit, World

_DESCRIPTION = """\
Syncs, feeds, subscriptions, queues, held deletions and parked users, as stored. No call to Graph is made.
Queues count the messages whose time is still to come, too: a parked user's next try is one."""


def add_parser(commands: Commands) -> None:
    add_command(
        commands,
        "status",
        run,
        summary="show how everything stands",
        description=_DESCRIPTION,
        examples=("status", "status --json"),
    )


async def run(args: Namespace, world: World) -> int:
    async with world.runtime() as runtime:
        status = await read_status(runtime)
        now = runtime.clock.now()
    if args.json:
        world.screen.json(status)
    else:
        show(world.screen, status, now)
    return Exit.DONE

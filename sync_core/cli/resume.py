"""`xtsync resume`: let paused syncs go on."""

from __future__ import annotations

from argparse import Namespace

from ..model import Control
from .command import Commands, Reach, add_by, add_command
from .pause import say
from .world import World

_DESCRIPTION = """\
Lets paused syncs go on, and starts a full round of their source tenants: everybody is looked at again, and what is to
be done by now is done. Deletions pass the guard as always."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "resume",
        run,
        reach=Reach.APP,
        summary="let paused syncs go on",
        description=_DESCRIPTION,
        examples=("resume", "resume --sync contoso-to-fabrikam --json"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync (default: all of them)")
    add_by(parser)


async def run(args: Namespace, world: World) -> int:
    return await say(args, world, Control.RUNNING, "")

"""`xtsync holds`: the deletions that the guard stopped, and a person's decision about exactly those listed."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from collections.abc import Sequence
from datetime import datetime

from ...guard.deletions import waiting
from ...ops.holds import code, holds_as_json, open_holds, read_holds
from ...ports import HoldRecord
from ..command import Commands, add_command
from ..find import find_syncs
from ..screen import Screen
from ..words import many
from ..world import Exit, World
from .decide import run_approve, run_reject
from .table import show_holds

_DESCRIPTION = """\
A deletion over the deletion guard's limit is held until a person decides. The list ends with a CODE that stands for
exactly the holds listed: `approve CODE` and `reject CODE` are refused when the list has changed since. An approval
lasts 24 hours, and every user is read again before anything is deleted. A rejected user stays as it is; name the
user to decide anew."""
_APPROVE = """\
Approves all that wait, or only the users named, and has exactly these looked at again: whoever is still to be
deleted then is deleted. Refused when the list is no longer the one that CODE stands for."""
_REJECT = """\
Rejects all that wait, or only the users named: they keep their access. Nobody is looked at again.
Refused when the list is no longer the one that CODE stands for."""
_USER = "6b1d4c62-4c0f-4a55-9a53-0c4d1a3b7e11"


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "holds",
        run_list,
        summary="list, approve or reject held deletions",
        description=_DESCRIPTION,
        examples=("holds", "holds --sync contoso-to-fabrikam --json", "holds approve 2-3f9a07c1"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    actions = parser.add_subparsers(metavar="ACTION", title="actions")
    listing = add_command(
        actions, "list", run_list, summary="list them (the default)", examples=("holds list",), nested=True
    )
    listing.add_argument("--sync", metavar="NAME", default=SUPPRESS, help="only this sync")
    for name, run, description in (("approve", run_approve, _APPROVE), ("reject", run_reject, _REJECT)):
        action = add_command(
            actions,
            name,
            run,
            summary=f"{name} exactly the holds listed",
            description=description,
            examples=(f"holds {name} 2-3f9a07c1", f"holds {name} 2-3f9a07c1 {_USER} --yes --by anna"),
            nested=True,
        )
        action.add_argument("code", metavar="CODE", help="as `xtsync holds` shows it")
        action.add_argument("users", nargs="*", metavar="USER", help="only these source users of the list")
        action.add_argument("--sync", metavar="NAME", default=SUPPRESS, help="as given to `xtsync holds`")
        action.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        action.add_argument("--by", metavar="WHO", help="who decides (default: who is logged in here)")


async def run_list(args: Namespace, world: World) -> int:
    async with world.runtime() as runtime:
        holds = await read_holds(runtime, find_syncs(runtime, args.sync))
        now = runtime.clock.now()
    listed = open_holds(holds, now)
    if args.json:
        world.screen.json(holds_as_json(holds, now))
    elif not holds:
        world.screen.line("No deletion is held.")
    else:
        show_holds(world.screen, holds, now)
        _show_way_on(world.screen, listed, args.sync, now)
    return Exit.DONE


def _show_way_on(screen: Screen, listed: Sequence[HoldRecord], sync: str | None, now: datetime) -> None:
    screen.line()
    if not listed:
        screen.line("Nothing is left to decide: what is approved is on its way.")
        return
    tail = code(listed) + (f" --sync {sync}" if sync else "")
    count = sum(waiting(hold, now) for hold in listed)
    if not count:
        screen.line("Nothing is waiting. Decide anew about somebody rejected by name:")
        screen.line(f"  xtsync holds approve {tail} USER")
        return
    screen.line(f"{many(count, 'deletion')} waiting. CODE {code(listed)} stands for exactly these {len(listed)}:")
    screen.line(f"  xtsync holds approve {tail}")
    screen.line(f"  xtsync holds reject {tail}")
    screen.line("Add USER ids after the code to decide about some of them only.")

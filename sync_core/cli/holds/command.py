"""`xtsync holds`: the deletions that the guard stopped, and a person's decision about exactly those listed."""

from __future__ import annotations

from argparse import SUPPRESS, Namespace
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING

from ...assembly import Runtime
from ...guard.deletions import Standing
from ...ops.documents import Decisions, Holds
from ...ops.holds import list_holds, past_decisions
from ...ops.names import find_syncs
from ...ops.people import Pair, names
from ...ops.words import many
from ..command import USER, Commands, Reach, add_by, add_command, add_no_names
from ..screen import Screen
from ..world import Exit, World
from .decide import run_approve, run_reject
from .table import pair_of, show_decisions, show_holds

if TYPE_CHECKING:
    from ..app import App

_DESCRIPTION = """\
A deletion over the deletion guard's limit is held until a person decides. The list ends with a CODE that stands for
exactly the holds listed: `approve CODE` and `reject CODE` are refused when the list has changed since. An approval
lasts 24 hours, and every user is read again before anything is deleted. A rejected user stays as it is; name the
user to decide anew."""
_APPROVE = """\
Approves all that wait, or only the users named, and has exactly these looked at again: each who is still to be
deleted then is deleted. Refused when the list is no longer the one that CODE stands for."""
_REJECT = """\
Rejects all that wait, or only the users named: they keep their access. Nobody is looked at again.
Refused when the list is no longer the one that CODE stands for."""


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "holds",
        run_list,
        reach=Reach.APP,
        summary="list, approve or reject held deletions",
        description=_DESCRIPTION,
        examples=("holds", "holds --sync contoso-to-fabrikam --json", "holds approve 2-3f9a07c1"),
    )
    parser.add_argument("--sync", metavar="NAME", help="only this sync")
    add_no_names(parser)
    actions = parser.add_subparsers(metavar="ACTION", title="actions")
    listing = add_command(
        actions,
        "list",
        run_list,
        reach=Reach.APP,
        summary="list them (the default)",
        examples=("holds list",),
        nested=True,
    )
    listing.add_argument("--sync", metavar="NAME", default=SUPPRESS, help="only this sync")
    add_no_names(listing, nested=True)
    past = add_command(
        actions,
        "decisions",
        run_decisions,
        reach=Reach.APP,
        summary="list who decided what, also what was carried out",
        examples=("holds decisions",),
        nested=True,
    )
    past.add_argument("--sync", metavar="NAME", default=SUPPRESS, help="only this sync")
    _add_decisions(actions)


def _add_decisions(actions: Commands) -> None:
    for name, run, description in (("approve", run_approve, _APPROVE), ("reject", run_reject, _REJECT)):
        action = add_command(
            actions,
            name,
            run,
            reach=Reach.APP,
            summary=f"{name} exactly the holds listed",
            description=description,
            examples=(f"holds {name} 2-3f9a07c1", f"holds {name} 2-3f9a07c1 {USER} --yes --by anna"),
            nested=True,
        )
        action.add_argument("code", metavar="CODE", help="as `xtsync holds` shows it")
        action.add_argument(
            "users", nargs="*", metavar="USER", help="only these source users of the list, by object id or name"
        )
        action.add_argument("--sync", metavar="NAME", default=SUPPRESS, help="as given to `xtsync holds`")
        action.add_argument("--yes", action="store_true", help="do not ask for confirmation")
        add_by(action)


async def run_list(args: Namespace, world: World) -> int:
    def pairs(held: Holds) -> list[Pair]:
        return [] if args.json or args.no_names else [pair_of(each) for each in held.holds]

    async def here(runtime: Runtime) -> tuple[Holds, datetime, Mapping[Pair, str]]:
        held, now = await list_holds(runtime, find_syncs(runtime.config, args.sync)), runtime.clock.now()
        return held, now, await names(runtime, pairs(held))

    async def there(app: App) -> tuple[Holds, datetime, Mapping[Pair, str]]:
        held = await app.ask("holds", Holds, query={"sync": args.sync})
        return held, datetime.now(UTC), await app.names(pairs(held))

    held, now, named = await world.ask(args, here, there)
    world.answer(held, partial(_show, now=now, sync=args.sync, named=named), json=args.json)
    return Exit.DONE


async def run_decisions(args: Namespace, world: World) -> int:
    async def here(runtime: Runtime) -> tuple[Decisions, datetime]:
        return await past_decisions(runtime, find_syncs(runtime.config, args.sync)), runtime.clock.now()

    async def there(app: App) -> tuple[Decisions, datetime]:
        return await app.ask("decisions", Decisions, query={"sync": args.sync}), datetime.now(UTC)

    past, now = await world.ask(args, here, there)
    world.answer(past, partial(show_decisions, now=now), json=args.json)
    return Exit.DONE


def _show(screen: Screen, held: Holds, *, now: datetime, sync: str | None, named: Mapping[Pair, str]) -> None:
    if not held.holds:
        screen.line("No deletion is held.")
        return
    show_holds(screen, held.holds, now, named)
    states = [hold.state for hold in held.holds]
    waiting, approved = sum(state.waiting for state in states), states.count(Standing.APPROVED)
    if approved == len(states):
        screen.line("Nothing is left to decide: what is approved is on its way.")
        return
    tail = held.code + (f" --sync {sync}" if sync else "")
    if not waiting:
        screen.line("Nothing is waiting. Decide anew about a rejected user by id:")
        screen.line(f"  xtsync holds approve {tail} USER")
        return
    listed = len(states) - approved
    screen.line(f"{many(waiting, 'deletion')} waiting. CODE {held.code} stands for exactly these {listed}:")
    screen.line(f"  xtsync holds approve {tail}")
    screen.line(f"  xtsync holds reject {tail}")
    screen.line("Add USERs after the code, by object id or user principal name, to decide about some of them only.")

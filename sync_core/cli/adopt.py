"""`xtsync adopt`: the users who wait for an adoption, and a person's approval of one."""

from __future__ import annotations

from argparse import Namespace
from datetime import datetime
from functools import partial

from ..assembly import Runtime
from ..model.messages import format_time
from ..ops.adoptions import Offer, approve, offer, waiting_users
from ..ops.documents import ApprovedAdoption, WaitingUsers
from ..ops.errors import UsageError
from ..ops.names import find_syncs
from ..ops.words import ahead, many
from .command import USER, Commands, add_command
from .screen import Screen
from .world import Exit, World

_DESCRIPTION = """\
Without USER: the users who are parked because the target has a user who may be theirs. With USER: reads the user and
the target now, shows who would be adopted, and asks. The approval stands for exactly that target user and for the next
look, which is taken at once by the function app: adopting makes the guest ours, to be updated, disabled and deleted
with the source user. An internal user, or one linked to another source user, is adopted under no policy."""
_TARGET = "c2a5f0de-9a37-4f0c-8a52-1a4c3d2e9b70"


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "adopt",
        run,
        summary="approve the adoption of a guest who is there already",
        description=_DESCRIPTION,
        examples=(
            "adopt",
            "adopt adele@contoso.example",
            f"adopt {USER} --target {_TARGET} --yes",
        ),
    )
    parser.add_argument("user", metavar="USER", nargs="?", help="object id or user principal name in the source tenant")
    parser.add_argument("--sync", metavar="NAME", help="default: every sync; with USER the one in which it waits")
    parser.add_argument("--target", metavar="ID", help="the target user to adopt, where there are several")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


async def run(args: Namespace, world: World) -> int:
    # Graph is only read: the function app adopts.
    async with world.runtime(read_only=True) as runtime:
        if args.user is None:
            return await _list(args, world, runtime)
        offered = await offer(runtime, args.user, args.sync, args.target)
        if not args.yes:
            _confirm(world, offered)
        approved = await approve(runtime, offered)
    world.answer(approved, _show_approved, json=args.json)
    return Exit.DONE


def _show_approved(screen: Screen, approved: ApprovedAdoption) -> None:
    screen.line(
        f"{approved.sync}: {approved.source_id} may adopt {approved.target_id}."
        " It is looked at now; follow it with: xtsync status"
    )


async def _list(args: Namespace, world: World, runtime: Runtime) -> int:
    if args.target is not None:
        raise UsageError("--target needs a USER", hint="Say whose B2B user it is to be.")
    found, now = await waiting_users(runtime, find_syncs(runtime.config, args.sync)), runtime.clock.now()
    world.answer(found, partial(_show_waiting, now=now), json=args.json)
    return Exit.DONE


def _show_waiting(screen: Screen, found: WaitingUsers, *, now: datetime) -> None:
    if not found.waiting:
        screen.line("Nobody waits for an adoption.")
        return
    headers = ("sync", "source user", "why", "next look")
    cells = [(user.sync, user.source_id, user.reason, ahead(user.next_try_at, now)) for user in found.waiting]
    screen.table(headers, cells)
    screen.line()
    screen.line(f"{many(len(cells), 'user')} waiting. To see one and decide: xtsync adopt USER")


def _confirm(world: World, offered: Offer) -> None:
    created_at = offered.target.created_at
    world.errors.line(f"{offered.sync.name}: source user {offered.source.id}, {offered.source.state}")
    world.errors.line(
        f"target user {offered.target.id}, a B2B user, created at {format_time(created_at) if created_at else '?'}"
    )
    world.errors.line("From now on it would be updated, disabled and deleted with the source user.")
    world.confirm("Adopt it?")

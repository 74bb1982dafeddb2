"""`xtsync adopt`: the users who wait for an adoption, and a person's approval of one."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from ..assembly import Runtime
from ..model.messages import format_time
from ..ops.adoption_rows import read_rows
from ..ops.adoptions import Offer, approve, approve_all, offer, offers, waiting_users
from ..ops.documents import (
    AdoptionChoice,
    AdoptionChoices,
    AdoptionRequest,
    ApprovedAdoption,
    ApprovedAdoptions,
    WaitingUser,
    WaitingUsers,
)
from ..ops.errors import RefusedError, UsageError
from ..ops.names import find_syncs
from ..ops.people import Pair, names
from ..ops.words import ahead, many
from .command import (
    USER,
    Commands,
    Reach,
    add_by,
    add_command,
    add_no_names,
    check_nobody_is_named,
    no_endpoint,
    operator,
)
from .groups import grouped, show_groups
from .screen import Cell, Screen, warning
from .world import Exit, World

if TYPE_CHECKING:
    from .app import App

_DESCRIPTION = """\
Without USER: the users who are parked because the target has a user who may be theirs. With USER: reads the user and
the target now, shows who would be adopted, and asks. The approval stands for exactly that target user and for the next
look, which is taken at once by the function app: adopting makes the guest ours, to be updated, disabled and deleted
with the source user. An internal user, or one linked to another source user, is adopted under no policy.
With --from FILE: all of a file at once. Where one row cannot be adopted, nobody is. What `xtsync preflight --csv`
wrote is such a file, once somebody has said yes in its column "adopt": a row whose users have changed since is refused,
with its line."""
_TARGET = "c2a5f0de-9a37-4f0c-8a52-1a4c3d2e9b70"


def add_parser(commands: Commands) -> None:
    parser = add_command(
        commands,
        "adopt",
        run,
        reach=Reach.APP,
        summary="approve the adoption of a guest who is there already",
        description=_DESCRIPTION,
        examples=(
            "adopt",
            "adopt adele@contoso.example",
            f"adopt {USER} --target {_TARGET} --yes",
            "adopt --from reviewed.csv --sync contoso-to-fabrikam",
        ),
    )
    parser.add_argument("user", metavar="USER", nargs="?", help="object id or user principal name in the source tenant")
    parser.add_argument("--sync", metavar="NAME", help="default: every sync; with USER the one in which it waits")
    parser.add_argument(
        "--from", dest="file", metavar="FILE", help="CSV with rows USER or USER,TARGET, or that of `xtsync preflight`"
    )
    parser.add_argument("--target", metavar="ID", help="the target user to adopt, where there are several")
    add_no_names(parser)
    add_by(parser)
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


async def run(args: Namespace, world: World) -> int:
    if world.url(args):
        return await _there(args, world)
    # Graph is only read: the function app adopts.
    async with world.runtime(read_only=True) as runtime:
        if args.file is not None:
            return await _of_file(args, world, runtime)
        if args.user is None:
            return await _list(args, world, runtime)
        offered = await offer(runtime, args.user, args.sync, args.target)
        if not args.yes:
            world.errors.line(f"{offered.sync.name}: source user {offered.source.id}, {offered.source.state}")
            _confirm(world, offered.target.id, offered.target.created_at)
        approved = await approve(runtime, offered, by=operator(args))
    world.answer(approved, _show_approved, json=args.json)
    return Exit.DONE


async def _there(args: Namespace, world: World) -> int:
    check_nobody_is_named(args)
    if args.file is not None:
        raise no_endpoint("a file of adoptions has no endpoint")
    async with world.app(args) as app:
        if args.user is None:
            found = await app.ask("adoptions", WaitingUsers, query={"sync": args.sync})
            named = await app.names([] if args.json or args.no_names else [_pair(user) for user in found.waiting])
            world.answer(found, partial(_show_waiting, now=datetime.now(UTC), named=named), json=args.json)
            return Exit.DONE
        offered, choice = await _choice(args, app)
        if not args.yes:
            world.errors.line(f"{offered.sync}: source user {offered.source_id}")
            _confirm(world, choice.target_id, choice.created_at)
        body = AdoptionRequest(target_id=choice.target_id)
        approved = await app.ask("adopt", ApprovedAdoption, body=body, sync=offered.sync, user=offered.source_id)
    world.answer(approved, _show_approved, json=args.json)
    return Exit.DONE


async def _choice(args: Namespace, app: App) -> tuple[AdoptionChoices, AdoptionChoice]:
    """As ops.adoptions.offer: the one user of one sync that is meant. Raises RefusedError, and UsageError."""
    users = await app.find(args.user, args.sync)
    looks = [await app.ask("adoption", AdoptionChoices, sync=each.sync, user=each.user) for each in users]
    meant = [each for each in looks if each.choices] or looks
    if len(meant) > 1:
        raise UsageError("more than one sync may be meant", hint=f"--sync: {', '.join(each.sync for each in meant)}.")
    (offered,) = meant
    found = [each for each in offered.choices if args.target in (None, each.target_id)]
    if len(found) > 1:
        ids = ", ".join(sorted(each.target_id for each in found))
        raise RefusedError("several target users may be meant; nothing was decided", hint=f"Add --target ID: {ids}.")
    if not found or found[0].refused is not None:
        why = found[0].refused if found else offered.decision
        raise RefusedError("nobody is there to adopt; nothing was decided", hint=f"What the next look does: {why}.")
    return offered, found[0]


def _show_approved(screen: Screen, approved: ApprovedAdoption) -> None:
    screen.line(
        f"{approved.sync}: {approved.source_id} may adopt {approved.target_id}."
        " It is looked at now; follow it with: xtsync status"
    )


async def _of_file(args: Namespace, world: World, runtime: Runtime) -> int:
    if args.user is not None or args.target is not None:
        raise UsageError("--from stands alone", hint="Name users and targets in the file.")
    made, faults = await offers(runtime, read_rows(_read(world.folder / args.file)), args.sync)
    if faults:
        raise RefusedError("; ".join(faults), hint="Nobody was adopted: correct the rows, or take them out.")
    named = await names(runtime, [] if args.no_names else [_offered(each) for each in made])
    for each in made:
        whom = " ".join(filter(None, (each.source.id, named.get(_offered(each)))))
        world.errors.line(f"{each.sync.name}: {whom} adopts {each.target.id} <{each.target.mail}>")
    if not args.yes:
        world.errors.line("From now on they would be updated, disabled and deleted with the source users.")
        world.confirm(f"Adopt {many(len(made), 'user')}?")
    done = await approve_all(runtime, made, by=operator(args))
    world.answer(done, _show_all, json=args.json)
    return Exit.FAULT if done.changed else Exit.DONE


def _read(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"{file} cannot be read: {error}", hint="A text file in UTF-8.") from error


def _offered(each: Offer) -> Pair:
    return Pair(sync=each.sync.name, source_id=each.source.id)


def _show_all(screen: Screen, done: ApprovedAdoptions) -> None:
    for each in done.approved:
        _show_approved(screen, each)
    for user in done.changed:
        screen.line(warning(f"{user.sync}: {user.user} was looked at by somebody else at this moment: try again"))


async def _list(args: Namespace, world: World, runtime: Runtime) -> int:
    if args.target is not None:
        raise UsageError("--target needs a USER", hint="Say whose B2B user it is to be.")
    found, now = await waiting_users(runtime, find_syncs(runtime.config, args.sync)), runtime.clock.now()
    named = await names(runtime, [] if args.json or args.no_names else [_pair(user) for user in found.waiting])
    world.answer(found, partial(_show_waiting, now=now, named=named), json=args.json)
    return Exit.DONE


def _pair(user: WaitingUser) -> Pair:
    return Pair(sync=user.sync, source_id=user.source_id)


def _show_waiting(screen: Screen, found: WaitingUsers, *, now: datetime, named: Mapping[Pair, str]) -> None:
    if not found.waiting:
        screen.line("Nobody waits for an adoption.")
        return
    headers = ("sync", "source user", *(("name",) if named else ()), "next look")

    def cells(user: WaitingUser) -> Sequence[Cell]:
        name = (named.get(_pair(user), "-"),) if named else ()
        return user.sync, user.source_id, *name, ahead(user.next_try_at, now)

    show_groups(screen, grouped(found.waiting, lambda user: user.reason), headers, cells)
    screen.line(f"{many(len(found.waiting), 'user')} waiting. To see one and decide: xtsync adopt USER")


def _confirm(world: World, target: str, created_at: datetime | None) -> None:
    world.errors.line(f"target user {target}, a B2B user, created at {format_time(created_at) if created_at else '?'}")
    world.errors.line("From now on it would be updated, disabled and deleted with the source user.")
    world.confirm("Adopt it?")

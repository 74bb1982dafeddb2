"""`xtsync adopt`: who waits for a person to say that a guest of the target is theirs, and that person's word.

The word is kept on the user's link and stands for one target user. The next look uses it up: finds it somebody else,
or nobody, it adopted nobody.
"""

from __future__ import annotations

from argparse import Namespace
from typing import Any

from ..assembly import Runtime
from ..decision.look import Look, if_approved
from ..model import Adopt, Link, Nomination, Parked, Reason, Sync, TargetUser, Why
from ..model.errors import ConflictError
from ..ops.looks import change_as_json
from ..ops.times import iso
from .command import Commands, add_command
from .find import find_syncs, find_user
from .looks import change_text
from .words import ahead, many
from .world import Exit, RefusedError, UsageError, World

_DESCRIPTION = """\
Without USER: the users who are parked because the target has a user who may be theirs. With USER: reads the user and
the target now, shows who would be adopted, and asks. The approval stands for exactly that target user and for the next
look, which is taken at once by the function app: adopting makes the guest ours, to be updated, disabled and deleted
with the source user. Somebody internal, or linked to another source user, is never adopted, whatever the policy."""
_USER = "6b1d4c62-4c0f-4a55-9a53-0c4d1a3b7e11"
_TARGET = "c2a5f0de-9a37-4f0c-8a52-1a4c3d2e9b70"
_WAITS = frozenset({Reason.NEEDS_APPROVAL, Reason.UNADOPTED, Reason.AMBIGUOUS})

type Json = dict[str, Any]


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
            f"adopt {_USER} --target {_TARGET} --yes",
        ),
    )
    parser.add_argument("user", metavar="USER", nargs="?", help="object id or user principal name in the source tenant")
    parser.add_argument("--sync", metavar="NAME", help="default: every sync; with USER the one in which it waits")
    parser.add_argument("--target", metavar="ID", help="the target user to adopt, where there are several")
    parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")


async def run(args: Namespace, world: World) -> int:
    # Graph is only read: the adoption itself is the worker's.
    async with world.runtime(read_only=True) as runtime:
        if args.user is None:
            return await _list(args, world, runtime)
        decided = await _decided(runtime, args.user, args.sync)
        target = _target(decided, args.target)
        if not args.yes:
            _confirm(world, decided, target)
        await _approve(runtime, decided, target)
    sync, user = decided.sync.name, decided.source.id
    if args.json:
        world.screen.json({"sync": sync, "source_id": user, "target_id": target.id, "result": "approved"})
    else:
        world.screen.line(f"{sync}: {user} may adopt {target.id}. It is looked at now; follow it with: xtsync status")
    return Exit.DONE


async def _list(args: Namespace, world: World, runtime: Runtime) -> int:
    if args.target is not None:
        raise UsageError("--target needs a USER", hint="Say whose B2B user it is to be.")
    now = runtime.clock.now()
    links = [link for sync in find_syncs(runtime, args.sync) for link in await runtime.storage.links.parked(sync.name)]
    waiting = [(link, link.parked) for link in links if link.parked and link.parked.reason in _WAITS]
    if args.json:
        world.screen.json({"waiting": [_as_json(link, parked) for link, parked in waiting]})
    elif not waiting:
        world.screen.line("Nobody waits for an adoption.")
    else:
        headers = ("sync", "source user", "why", "next look")
        cells = [(link.sync, link.source_id, each.reason, ahead(each.until, now)) for link, each in waiting]
        world.screen.table(headers, cells)
        world.screen.line()
        world.screen.line(f"{many(len(waiting), 'user')} waiting. To see one and decide: xtsync adopt USER")
    return Exit.DONE


def _as_json(link: Link, parked: Parked) -> Json:
    return {
        "sync": link.sync,
        "source_id": link.source_id,
        "reason": parked.reason,
        "next_try_at": iso(parked.until),
    }


async def _decided(runtime: Runtime, user: str, sync: str | None) -> Look:
    """A fresh look at the user, in the one sync that is meant."""
    looks = [await _look(runtime, each, source_id) for each, source_id in await find_user(runtime, user, sync)]
    meant = [decided for decided in looks if decided.candidates] or looks
    if len(meant) > 1:
        names = ", ".join(decided.sync.name for decided in meant)
        raise UsageError("more than one sync may be meant", hint=f"Name it with --sync: {names}.")
    return meant[0]


async def _look(runtime: Runtime, sync: Sync, source_id: str) -> Look:
    return await runtime.engine.preview(sync, source_id)


def _target(decided: Look, wanted: str | None) -> TargetUser:
    """The candidate whom the decision would adopt once a person approved it. Raises RefusedError, saying why not."""
    found = [user for user in decided.candidates if wanted is None or user.id.lower() == wanted.lower()]
    if wanted is None and len(found) > 1:
        ids = ", ".join(sorted(user.id for user in found))
        raise RefusedError("several target users may be meant; nothing was decided", hint=f"Add --target ID: {ids}.")
    if not found:
        text = change_text(change_as_json(decided.change))
        whom = "nobody is there to adopt" if wanted is None else f"{wanted} is not among those who may be adopted"
        raise RefusedError(f"{whom}; nothing was decided", hint=f"What the next look does: {text}.")
    approved = if_approved(decided, found[0].id)
    if not isinstance(approved, Adopt):
        shown = change_as_json(approved)
        raise RefusedError(
            f"{found[0].id} cannot be adopted: {change_text(shown)}; nothing was decided", hint=shown.get("hint") or ""
        )
    return found[0]


def _confirm(world: World, decided: Look, target: TargetUser) -> None:
    world.errors.line(f"{decided.sync.name}: source user {decided.source.id}, {decided.source.state}")
    world.errors.line(f"target user {target.id}, a B2B user, created at {iso(target.created_at) or '?'}")
    world.errors.line("From now on it would be updated, disabled and deleted with the source user.")
    if not world.confirm("Adopt it?"):
        raise RefusedError("not confirmed; nothing was decided", hint="Answer y, or add --yes.")


async def _approve(runtime: Runtime, decided: Look, target: TargetUser) -> None:
    sync, user = decided.sync.name, decided.source.id
    try:
        await runtime.storage.links.save(decided.link.approved(target.id))
    except ConflictError as error:
        raise RefusedError(
            "the user was looked at by somebody else at this moment; nothing was decided", hint="Try again."
        ) from error
    nomination = Nomination(sync=sync, user=user, why=Why.APPROVED, at=runtime.clock.now())
    await runtime.storage.queues.nominate([nomination])

"""`xtsync holds approve` and `reject`: a person's decision goes to the guard, and the approved are looked at again."""

from __future__ import annotations

import getpass
from argparse import Namespace
from collections.abc import Sequence
from dataclasses import dataclass, field

from ..bootstrap import Runtime
from ..errors import ConflictError
from ..model import Nomination, Why
from ..ports import HoldRecord
from .approval import check, choose, open_holds
from .held import read_holds, show_holds
from .screen import warning
from .words import many
from .world import Exit, RefusedError, UsageError, World


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    done: list[HoldRecord] = field(default_factory=list)
    changed: list[HoldRecord] = field(default_factory=list)  # somebody else was faster


async def run_approve(args: Namespace, world: World) -> int:
    return await _run(args, world, approve=True)


async def run_reject(args: Namespace, world: World) -> int:
    return await _run(args, world, approve=False)


async def _run(args: Namespace, world: World, *, approve: bool) -> int:
    by = args.by or _whoami()
    async with world.runtime() as runtime:
        holds = await read_holds(runtime, args.sync)
        now = runtime.clock.now()
        check(open_holds(holds, now), args.code)
        chosen = choose(holds, args.users, now)
        if not chosen:
            raise RefusedError("no deletion is waiting", hint="What was rejected is decided anew by naming its users.")
        if not args.yes:
            _confirm(world, runtime, chosen, approve=approve)
        decided = await _decide(runtime, chosen, approve=approve, by=by)
    _report(args, world, decided, approve=approve, by=by)
    return Exit.FAULT if decided.changed else Exit.DONE


def _confirm(world: World, runtime: Runtime, chosen: Sequence[HoldRecord], *, approve: bool) -> None:
    show_holds(world.errors, chosen, runtime.clock.now())
    verb = "Approve" if approve else "Reject"
    what = "this deletion" if len(chosen) == 1 else f"these {len(chosen)} deletions"
    if not world.confirm(f"{verb} {what}?"):
        raise RefusedError("not confirmed; nothing was decided", hint="Answer y, or add --yes.")


async def _decide(runtime: Runtime, chosen: Sequence[HoldRecord], *, approve: bool, by: str) -> Decided:
    decided = Decided()
    try:
        for hold in chosen:
            try:
                decided.done.extend(await runtime.guard.decide([hold], approve=approve, by=by))
            except ConflictError:
                decided.changed.append(hold)
    finally:
        # Also after an error in between: nobody may be left approved without a look.
        if approve:
            await _nominate(runtime, decided.done)
    return decided


async def _nominate(runtime: Runtime, approved: Sequence[HoldRecord]) -> None:
    now = runtime.clock.now()
    await runtime.storage.queues.nominate(
        [Nomination(sync=hold.sync, user=hold.source_id, why=Why.APPROVED, at=now) for hold in approved]
    )


def _report(args: Namespace, world: World, decided: Decided, *, approve: bool, by: str) -> None:
    word = "approved" if approve else "rejected"
    if args.json:
        users = [{"sync": hold.sync, "source_id": hold.source_id} for hold in decided.done]
        changed = [{"sync": hold.sync, "source_id": hold.source_id} for hold in decided.changed]
        world.screen.json({"decision": word, "by": by, "users": users, "changed": changed})
        return
    screen = world.screen
    screen.line(f"{many(len(decided.done), 'deletion')} {word} by {by}")
    if approve and decided.done:
        screen.line(
            "Each user is read again now, and loses access only if that still stands. Follow it with: xtsync status"
        )
    for hold in decided.changed:
        screen.line(warning(f"{hold.source_id}: not {word}: the hold changed meanwhile; see `xtsync holds`"))


def _whoami() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise UsageError("cannot tell who decides", hint="Say it with --by NAME.") from error

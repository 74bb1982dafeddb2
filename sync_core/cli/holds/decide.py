"""`xtsync holds approve` and `reject`: a person's decision goes to the guard, and the approved are looked at again."""

from __future__ import annotations

import getpass
from argparse import Namespace
from collections.abc import Sequence

from ...assembly import Runtime
from ...ops.holds import Decided, decide, decision_as_json, open_holds, read_holds
from ...ports import HoldRecord
from ..find import find_syncs
from ..screen import warning
from ..words import many
from ..world import Exit, RefusedError, UsageError, World
from .code import check, choose
from .table import show_holds


async def run_approve(args: Namespace, world: World) -> int:
    return await _run(args, world, approve=True)


async def run_reject(args: Namespace, world: World) -> int:
    return await _run(args, world, approve=False)


async def _run(args: Namespace, world: World, *, approve: bool) -> int:
    by = args.by or _whoami()
    async with world.runtime() as runtime:
        holds = await read_holds(runtime, find_syncs(runtime, args.sync))
        now = runtime.clock.now()
        check(open_holds(holds, now), args.code)
        chosen = choose(holds, args.users, now)
        if not chosen:
            raise RefusedError("no deletion is waiting", hint="What was rejected is decided anew by naming its users.")
        if not args.yes:
            _confirm(world, runtime, chosen, approve=approve)
        decided = await decide(runtime, chosen, approve=approve, by=by)
    _report(args, world, decided, approve=approve, by=by)
    return Exit.FAULT if decided.changed else Exit.DONE


def _confirm(world: World, runtime: Runtime, chosen: Sequence[HoldRecord], *, approve: bool) -> None:
    show_holds(world.errors, chosen, runtime.clock.now())
    verb = "Approve" if approve else "Reject"
    what = "this deletion" if len(chosen) == 1 else f"these {len(chosen)} deletions"
    if not world.confirm(f"{verb} {what}?"):
        raise RefusedError("not confirmed; nothing was decided", hint="Answer y, or add --yes.")


def _report(args: Namespace, world: World, decided: Decided, *, approve: bool, by: str) -> None:
    word = "approved" if approve else "rejected"
    if args.json:
        world.screen.json(decision_as_json(decided, approve=approve, by=by))
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

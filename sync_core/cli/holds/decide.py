"""`xtsync holds approve` and `reject`: a person's decision about the deletions listed."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence

from ...assembly import Runtime
from ...ops import documents
from ...ops.documents import Decided
from ...ops.holds import choose, decide, shown_hold
from ...ops.names import find_syncs
from ...ops.words import many
from ...ports import HoldRecord
from ..command import operator
from ..screen import Screen, warning
from ..world import Exit, World
from .table import show_holds

_VERBS = {Decided.APPROVED: "Approve", Decided.REJECTED: "Reject"}


async def run_approve(args: Namespace, world: World) -> int:
    return await _run(args, world, Decided.APPROVED)


async def run_reject(args: Namespace, world: World) -> int:
    return await _run(args, world, Decided.REJECTED)


async def _run(args: Namespace, world: World, decision: Decided) -> int:
    by = operator(args)
    async with world.runtime() as runtime:
        chosen = await choose(runtime, find_syncs(runtime.config, args.sync), args.code, args.users)
        if not args.yes:
            _confirm(world, runtime, chosen, _VERBS[decision])
        decided = await decide(runtime, chosen, decision, by=by)
    world.answer(decided, _show, json=args.json)
    return Exit.FAULT if decided.changed else Exit.DONE


def _confirm(world: World, runtime: Runtime, chosen: Sequence[HoldRecord], verb: str) -> None:
    now = runtime.clock.now()
    show_holds(world.errors, [shown_hold(hold, now) for hold in chosen], now)
    world.confirm(f"{verb} {'this deletion' if len(chosen) == 1 else f'these {len(chosen)} deletions'}?")


def _show(screen: Screen, decided: documents.Decision) -> None:
    screen.line(f"{many(len(decided.users), 'deletion')} {decided.decision} by {decided.by}")
    if decided.users and decided.decision is Decided.APPROVED:
        screen.line(
            "Each user is read again now, and loses access only if that still stands. Follow it with: xtsync status"
        )
    for user in decided.changed:
        screen.line(
            warning(f"{user.source_id}: not {decided.decision}: the hold changed meanwhile; see `xtsync holds`")
        )

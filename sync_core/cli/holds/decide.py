"""`xtsync holds approve` and `reject`: a person's decision about the deletions listed."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from ...model import is_object_id
from ...ops import documents
from ...ops.documents import Decided
from ...ops.errors import RefusedError
from ...ops.holds import choose, decide, shown_hold
from ...ops.names import find_syncs
from ...ops.words import many
from ..command import check_nobody_is_named, operator
from ..screen import Screen, warning
from ..world import Exit, World
from .table import show_holds

if TYPE_CHECKING:
    from ..app import App

_VERBS = {Decided.APPROVED: "Approve", Decided.REJECTED: "Reject"}


async def run_approve(args: Namespace, world: World) -> int:
    return await _run(args, world, Decided.APPROVED)


async def run_reject(args: Namespace, world: World) -> int:
    return await _run(args, world, Decided.REJECTED)


async def _run(args: Namespace, world: World, decision: Decided) -> int:
    if world.url(args):
        async with world.app(args) as app:
            decided = await _there(args, world, app, decision)
        world.answer(decided, _show, json=args.json)
        return Exit.FAULT if decided.changed else Exit.DONE
    by = operator(args)
    async with world.runtime() as runtime:
        chosen = await choose(runtime, find_syncs(runtime.config, args.sync), args.code, args.users)
        if not args.yes:
            now = runtime.clock.now()
            _confirm(world, [shown_hold(hold, now) for hold in chosen], now, _VERBS[decision])
        decided = await decide(runtime, chosen, decision, by=by)
    world.answer(decided, _show, json=args.json)
    return Exit.FAULT if decided.changed else Exit.DONE


async def _there(args: Namespace, world: World, app: App, decision: Decided) -> documents.Decision:
    """The app checks the code against the list as it is then, whatever is chosen here."""
    check_nobody_is_named(args)
    held = await app.ask("holds", documents.Holds, query={"sync": args.sync})
    wanted = {each.user for user in args.users for each in await _found(app, user, held.holds)}
    chosen = [each for each in held.holds if (each.source_id in wanted if args.users else each.state.waiting)]
    if not args.yes and chosen:
        _confirm(world, chosen, datetime.now(UTC), _VERBS[decision])
    users = [documents.HeldUser(sync=each.sync, source_id=each.source_id) for each in chosen]
    if not users:
        raise RefusedError("no deletion is waiting", hint="What was rejected is decided anew by naming its users.")
    word: Literal["approve", "reject"] = "approve" if decision is Decided.APPROVED else "reject"
    body = documents.ListDecisionRequest(decision=word, code=args.code, users=users, sync=args.sync)
    return await app.ask("decide_listed", documents.Decision, body=body)


async def _found(app: App, user: str, held: Sequence[documents.HeldDeletion]) -> Sequence[documents.User]:
    """The user under the syncs of the list. Raises RefusedError for somebody who is not held."""
    ids = {user.lower()} if is_object_id(user.lower()) else {each.user for each in await app.find(user, None)}
    found = [documents.User(sync=each.sync, user=each.source_id) for each in held if each.source_id.lower() in ids]
    if not found:
        raise RefusedError(
            f"not held: {', '.join(sorted(ids))}; nothing was decided",
            hint="Name source users as `xtsync holds` lists them.",
        )
    return found


def _confirm(world: World, chosen: Sequence[documents.HeldDeletion], now: datetime, verb: str) -> None:
    show_holds(world.errors, chosen, now)
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

"""Held deletions, and a person's decision about exactly those that this person has seen.

Between looking and deciding, another user may be held. The code is a digest over the holds listed, so that a decision
never covers a user that its author has not seen. (octodns binds a plan by a checksum in the same way.)
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ..assembly import Runtime
from ..guard.deletions import Standing, standing
from ..model import Kind, Nomination, Sync, Why, fingerprint
from ..model.errors import ConflictError
from ..ports import HoldRecord
from . import documents
from .documents import Decided
from .errors import RefusedError, UsageError
from .kept import keep
from .names import source_ids
from .words import many

_MOST_DECISIONS = 1000
_WORDS = {"SoftDelete": "deletion", "Disable": "disabling"}  # a kind of change, as the record has it


async def list_holds(runtime: Runtime, syncs: Iterable[Sync]) -> documents.Holds:
    holds, now = await _read(runtime, syncs), runtime.clock.now()
    return documents.Holds(code=_code(_open(holds, now)), holds=[shown_hold(hold, now) for hold in holds])


def shown_hold(hold: HoldRecord, now: datetime) -> documents.HeldDeletion:
    return documents.HeldDeletion(
        sync=hold.sync,
        source_id=hold.source_id,
        target_id=hold.target_id,
        change=hold.change,
        cause=hold.cause or None,
        reason=hold.reason,
        held_at=hold.held_at,
        state=standing(hold, now),
        decided_at=hold.decided_at,
        decided_by=hold.decided_by or None,
    )


async def past_decisions(runtime: Runtime, syncs: Iterable[Sync]) -> documents.Decisions:
    """The newest of each sync, whether they were carried out or not."""
    decided = [each for sync in syncs for each in await runtime.storage.guards.decisions(sync.name, _MOST_DECISIONS)]
    shown = [
        documents.PastDecision(
            sync=each.sync,
            source_id=each.source_id,
            target_id=each.target_id,
            change=each.change,
            cause=each.cause or None,
            decision=Standing(each.state),
            decided_at=each.decided_at or each.held_at,
            decided_by=each.decided_by,
        )
        for each in decided
    ]
    return documents.Decisions(decisions=sorted(shown, key=lambda each: each.decided_at, reverse=True))


async def choose(runtime: Runtime, syncs: Iterable[Sync], code: str, users: Sequence[str]) -> list[HoldRecord]:
    """The holds to decide: those that wait, or those of exactly the users named, decided before or not.

    Raises RefusedError, saying what changed, unless the code stands for the holds that there are now.
    """
    holds, now = await _read(runtime, syncs), runtime.clock.now()
    _check(_open(holds, now), code)
    if not users:
        chosen = [hold for hold in holds if standing(hold, now).waiting]
        if not chosen:
            raise RefusedError("no deletion is waiting", hint="What was rejected is decided anew by naming its users.")
        return chosen
    wanted = {source_id for user in users for source_id in await source_ids(runtime, user)}
    unknown = wanted - {hold.source_id.lower() for hold in holds}
    if unknown:
        raise RefusedError(
            f"not held: {', '.join(sorted(unknown))}; nothing was decided",
            hint="Name source users as `xtsync holds` lists them.",
        )
    return [hold for hold in holds if hold.source_id.lower() in wanted]


async def decide(runtime: Runtime, chosen: Sequence[HoldRecord], decision: Decided, *, by: str) -> documents.Decision:
    """The guard records the decision, and the approved are looked at again."""
    approve = decision is Decided.APPROVED
    kind = Kind.APPROVED if approve else Kind.REJECTED
    done: list[HoldRecord] = []
    changed: list[HoldRecord] = []
    try:
        for hold in chosen:
            try:
                done += await runtime.guard.decide([hold], approve=approve, by=by)
            except ConflictError:
                changed.append(hold)
                continue
            reason = _WORDS.get(hold.change, hold.change) + (f" ({hold.cause})" if hold.cause else "")
            await keep(runtime, kind, [(hold.sync, hold.source_id)], by=by, reason=reason, target_id=hold.target_id)
    finally:
        # Also after an error in between: nobody may be left approved without a look.
        if approve:
            await _nominate(runtime, done)
    return documents.Decision(decision=decision, by=by, users=_users(done), changed=_users(changed))


async def _nominate(runtime: Runtime, approved: Sequence[HoldRecord]) -> None:
    now = runtime.clock.now()
    await runtime.storage.queues.nominate(
        [Nomination(sync=hold.sync, user=hold.source_id, why=Why.APPROVED, at=now) for hold in approved]
    )


def _users(holds: Sequence[HoldRecord]) -> list[documents.HeldUser]:
    return [documents.HeldUser(sync=hold.sync, source_id=hold.source_id) for hold in holds]


async def _read(runtime: Runtime, syncs: Iterable[Sync]) -> list[HoldRecord]:
    """Oldest first."""
    holds = [hold for sync in syncs for hold in await runtime.storage.guards.holds(sync.name)]
    return sorted(holds, key=lambda hold: (hold.held_at, hold.sync, hold.source_id))


def _open(holds: Sequence[HoldRecord], now: datetime) -> list[HoldRecord]:
    """Those that a decision can change. An approved hold leaves the list by itself, which must not void the code."""
    return [hold for hold in holds if standing(hold, now) is not Standing.APPROVED]


def _code(holds: Sequence[HoldRecord]) -> str:
    """`12-3f9a07c1`: how many holds it stands for, and a digest of them."""
    listed = sorted([hold.sync, hold.source_id, hold.change, *([hold.cause] if hold.cause else [])] for hold in holds)
    return f"{len(listed)}-{fingerprint([[*each] for each in listed])[:8]}"


def _check(holds: Sequence[HoldRecord], given: str) -> None:
    """Raise RefusedError, saying what changed, unless the code stands for these holds."""
    if given == _code(holds):
        return
    stood_for = given.partition("-")[0]
    if not stood_for.isdecimal():
        raise UsageError(
            f"'{given}' is no code", hint="`xtsync holds` shows the code of the list, such as 12-3f9a07c1."
        )
    raise RefusedError(
        f"the list changed: {given} stands for {many(int(stood_for), 'hold')}, and the list has {len(holds)} now"
        f"{_newcomers(holds, given)}; nothing was decided",
        hint="Look at the list again with `xtsync holds` (and the same --sync), then use its code.",
    )


def _newcomers(holds: Sequence[HoldRecord], given: str) -> str:
    """The users held since, where the list without the newest is the one that the code stands for."""
    newest = sorted(holds, key=lambda hold: hold.held_at, reverse=True)
    for count in range(1, len(newest) + 1):
        if _code(newest[count:]) == given:
            return f" (new: {', '.join(hold.source_id for hold in newest[:count])})"
    return " (some were decided, released or held anew)"

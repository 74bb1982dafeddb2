"""What the guard holds, and a person's decision: it goes to the guard, and the approved are looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from ..assembly import Runtime
from ..guard.deletions import standing
from ..model import Nomination, Sync, Why, fingerprint
from ..model.errors import ConflictError
from ..ports import HoldRecord, HoldState
from .times import iso

type Json = dict[str, object]


async def read_holds(runtime: Runtime, syncs: Iterable[Sync]) -> list[HoldRecord]:
    """Oldest first."""
    holds = [hold for sync in syncs for hold in await runtime.storage.guards.holds(sync.name)]
    return sorted(holds, key=lambda hold: (hold.held_at, hold.sync, hold.source_id))


def holds_as_json(holds: Sequence[HoldRecord], now: datetime) -> Json:
    return {"code": code(open_holds(holds, now)), "holds": [_as_json(hold, now) for hold in holds]}


def _as_json(hold: HoldRecord, now: datetime) -> Json:
    return {
        "sync": hold.sync,
        "source_id": hold.source_id,
        "target_id": hold.target_id,
        "change": hold.change,
        "reason": hold.reason,
        "held_at": iso(hold.held_at),
        "state": standing(hold, now),
        "decided_at": iso(hold.decided_at),
        "decided_by": hold.decided_by or None,
    }


def open_holds(holds: Sequence[HoldRecord], now: datetime) -> list[HoldRecord]:
    """Those that a decision can change. What is approved leaves the list by itself, which must not void the code."""
    return [hold for hold in holds if standing(hold, now) != HoldState.APPROVED]


def code(holds: Sequence[HoldRecord]) -> str:
    """`12-3f9a07c1`: how many holds it stands for, and a digest of them."""
    listed = sorted([hold.sync, hold.source_id, hold.change] for hold in holds)
    return f"{len(listed)}-{fingerprint([[*each] for each in listed])[:8]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Decided:
    done: list[HoldRecord] = field(default_factory=list)
    changed: list[HoldRecord] = field(default_factory=list)  # somebody else was faster


async def decide(runtime: Runtime, chosen: Sequence[HoldRecord], *, approve: bool, by: str) -> Decided:
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


def decision_as_json(decided: Decided, *, approve: bool, by: str) -> Json:
    return {
        "decision": "approved" if approve else "rejected",
        "by": by,
        "users": [{"sync": hold.sync, "source_id": hold.source_id} for hold in decided.done],
        "changed": [{"sync": hold.sync, "source_id": hold.source_id} for hold in decided.changed],
    }

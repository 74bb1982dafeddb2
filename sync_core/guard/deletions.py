"""The deletion guard at work: counts deletions in the stored windows, holds those over a limit, asks a person.

ledger.py does the counting. A hold is about one user, one kind of change and its cause. An approval or rejection ends
with the cause that it was about; an approval also runs out after a day. A look that cannot decide ends nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ..model import Change, Guarded, Hold, Link, Reason, Refuse, Stay, Sync
from ..model.errors import ConflictError
from ..ports import Clock, GuardHistory, Guards, HoldRecord, HoldState
from .ledger import Filled, Ledger

APPROVAL_LASTS = timedelta(hours=24)


class Standing(StrEnum):
    """The state of a hold at one time: the stored one, or the end of an approval that was not used."""

    HELD = "held"
    APPROVED = "approved"
    REJECTED = "rejected"
    EXPIRED = "approval expired"

    @property
    def waiting(self) -> bool:
        """A person is to decide."""
        return self in {Standing.HELD, Standing.EXPIRED}


def standing(hold: HoldRecord, now: datetime) -> Standing:
    if hold.state is HoldState.APPROVED and (hold.decided_at is None or now - hold.decided_at >= APPROVAL_LASTS):
        return Standing.EXPIRED
    return Standing(hold.state)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletionGuard:
    guards: Guards
    history: GuardHistory
    ledger: Ledger
    clock: Clock

    async def judge(self, sync: Sync, link: Link, change: Change, *, cause: str = "", dry_run: bool = False) -> Change:
        """The change, or a Hold in its place. A change that removes nothing releases an earlier hold.

        `cause` says why access would be taken away. An undecided look releases nothing: it knows nothing new.
        """
        if not change.removes:
            undecided = isinstance(change, Refuse) and change.reason is Reason.UNDECIDED
            if link.guarded is Guarded.HELD and not undecided and not dry_run:
                await self.release(link.sync, link.source_id, put_off=isinstance(change, Stay))
            return change
        if link.guarded == change.name and not await self.ledger.knows(sync, link.source_id):
            return change  # a person approved it, or version 0.1 counted it, and it was interrupted
        held = await self.guards.hold(sync.name, link.source_id)
        if held is None:
            return await self._count(sync, link, change, cause, dry_run=dry_run)
        stands, same_cause = standing(held, self.clock.now()), held.cause in ("", cause)
        if held.change != change.name or not (stands.waiting or same_cause):
            if stands is not Standing.APPROVED and (same_cause or _kind(held.cause) == _kind(cause)):
                return await self._asked_anew(sync, held, change, cause, dry_run=dry_run)
            return await self._count(sync, link, change, cause, dry_run=dry_run)
        if stands is Standing.APPROVED:
            if not dry_run:
                await self.ledger.forget(sync, link.source_id)
            return change
        if held.cause != cause and not dry_run:
            await self.guards.save_hold(replace(held, cause=cause))
        return (await self._fullest(sync)).hold(change)

    async def _asked_anew(self, sync: Sync, held: HoldRecord, change: Change, cause: str, *, dry_run: bool) -> Change:
        """A person said no, or has yet to decide, and another removal is due for a cause of the same kind.

        The scope gives another reason, if only in other words, or the policy takes more than before.
        """
        if not dry_run:
            asked = replace(held, change=change.name, state=HoldState.HELD, cause=cause, decided_at=None, decided_by="")
            await self.guards.save_hold(replace(asked, held_at=self.clock.now()))
        return (await self._fullest(sync)).hold(change)

    async def release(self, sync: str, source_id: str, *, put_off: bool = False) -> None:
        """`put_off`: the removal comes later, for the same cause or another one. So what was said of it stands."""
        held = await self.guards.hold(sync, source_id)
        if held is not None and not put_off:
            await self.guards.drop_hold(held)

    async def decide(self, holds: Sequence[HoldRecord], *, approve: bool, by: str) -> list[HoldRecord]:
        """Approve or reject exactly these holds. ConflictError when one of them changed since it was listed.

        The decision is kept first: it must not be carried out before it is known who made it.
        """
        state = HoldState.APPROVED if approve else HoldState.REJECTED
        now = self.clock.now()
        return [await self._decided(replace(held, state=state, decided_at=now, decided_by=by)) for held in holds]

    async def _decided(self, decided: HoldRecord) -> HoldRecord:
        await self.history.keep_decision(decided)
        try:
            return await self.guards.save_hold(decided)
        except ConflictError:
            await self.history.drop_decision(decided)
            raise

    async def _count(self, sync: Sync, link: Link, change: Change, cause: str, *, dry_run: bool) -> Change:
        full = await self.ledger.count(sync, link.source_id, dry_run=dry_run)
        if full is None:
            return change
        judged = full.hold(change)
        if not dry_run:
            # Not tried again: a hold that another worker stored first may be decided by now.
            await self._hold(link, judged, cause)
        return judged

    async def _hold(self, link: Link, stopped: Hold, cause: str) -> None:
        existing = await self.guards.hold(link.sync, link.source_id)
        await self.guards.save_hold(
            HoldRecord(
                sync=link.sync,
                source_id=link.source_id,
                target_id=link.target_id or "",
                change=stopped.held.name,
                reason=met(stopped),
                cause=cause,
                held_at=self.clock.now(),
                etag=existing.etag if existing else None,
            )
        )

    async def _fullest(self, sync: Sync) -> Filled:
        """The window that is full, or closest to it."""
        return min(await self.ledger.windows(sync), key=lambda each: each.limit - each.used)


def _kind(cause: str) -> str:
    """A cause without its details: out of scope, or deleted or disabled in the source."""
    return cause.partition(":")[0]


def met(hold: Hold) -> str:
    """The window that was full, in words."""
    return f"{hold.used} of at most {hold.limit} deletions{hold.counts.into} in {_span(hold.window)} were used"


def _span(window: timedelta) -> str:
    minutes = window // timedelta(minutes=1)
    for size, unit in ((24 * 60, "days"), (60, "h")):
        if minutes >= 2 * size and minutes % size == 0:
            return f"{minutes // size} {unit}"
    return f"{minutes} min"

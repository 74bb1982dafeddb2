"""The deletion guard at work: counts deletions in the stored window, holds those over the limit, asks a person.

window.py has the arithmetic. An approval is bound to one user and one kind of change, and runs out after a day.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

from ..model import Change, Guarded, Hold, Link, Sync
from ..ports import Clock, Guards, GuardWindow, HoldRecord, HoldState, Links
from ..ports.swap import until_saved
from . import window

APPROVAL_LASTS = timedelta(hours=24)
# The number of links behind the percentage is counted anew this often. In between it drifts by allowed removals.
_COUNT_AGAIN = timedelta(minutes=15)


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
    links: Links
    clock: Clock

    async def judge(self, sync: Sync, link: Link, change: Change, *, dry_run: bool = False) -> Change:
        """The change, or a Hold in its place. A change that removes nothing releases an earlier hold."""
        if not change.removes:
            if link.guarded is Guarded.HELD and not dry_run:
                await self.release(link.sync, link.source_id)
            return change
        if link.guarded == change.name:
            return change  # counted before it was interrupted
        held = await self.guards.hold(sync.name, link.source_id)
        if held is not None and held.change == change.name:
            if standing(held, self.clock.now()) is Standing.APPROVED:
                return change
            return window.hold(change, await self._window(sync), sync.guard, self.clock.now())
        return await self._count(sync, link, change, dry_run=dry_run)

    async def release(self, sync: str, source_id: str) -> None:
        held = await self.guards.hold(sync, source_id)
        if held is not None:
            await self.guards.drop_hold(held)

    async def decide(self, holds: Sequence[HoldRecord], *, approve: bool, by: str) -> list[HoldRecord]:
        """Approve or reject exactly these holds. ConflictError when one of them changed since it was listed."""
        state = HoldState.APPROVED if approve else HoldState.REJECTED
        now = self.clock.now()
        return [
            await self.guards.save_hold(replace(held, state=state, decided_at=now, decided_by=by)) for held in holds
        ]

    async def _count(self, sync: Sync, link: Link, change: Change, *, dry_run: bool) -> Change:
        async def attempt() -> Change:
            now = self.clock.now()
            seen = await self._window(sync)
            counted = window.count(seen, sync.guard, now)
            if counted is None:
                return window.hold(change, seen, sync.guard, now)
            if not dry_run:
                await self.guards.save_window(counted)
            return change

        judged = await until_saved(attempt)
        if isinstance(judged, Hold) and not dry_run:
            # Not tried again: a hold that another worker stored first may be decided by now.
            await self._hold(link, judged)
        return judged

    async def _hold(self, link: Link, stopped: Hold) -> None:
        existing = await self.guards.hold(link.sync, link.source_id)
        await self.guards.save_hold(
            HoldRecord(
                sync=link.sync,
                source_id=link.source_id,
                target_id=link.target_id or "",
                change=stopped.held.name,
                reason=f"{stopped.used} of at most {stopped.limit} deletions in the window were used",
                held_at=self.clock.now(),
                etag=existing.etag if existing else None,
            )
        )

    async def _window(self, sync: Sync) -> GuardWindow:
        stored = await self.guards.window(sync.name)
        now = self.clock.now()
        if stored.counted_at is not None and now - stored.counted_at < _COUNT_AGAIN:
            return stored
        return replace(stored, linked=await self.links.count(sync.name), counted_at=now)

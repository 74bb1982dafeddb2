"""Tells of each week once, on its Monday: what happened in each sync, and who waits for something."""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..model import Finding, Kind, Occasion, Receiver, Week
from ..model.errors import SyncError
from ..ports import Activity, Asked, Clock, NoticeRecord, Notices, Telling
from .delivery import Delivery

log = logging.getLogger("xtsync.notices")

WEEK = timedelta(days=7)
# UTC, on Monday: the first poll from then on tells of the week before.
_HOUR = timedelta(hours=6)
_TOLD_OF = (
    *(Kind.INVITED, Kind.ADOPTED, Kind.UPDATED, Kind.DISABLED, Kind.ENABLED, Kind.RESTORED, Kind.SOFT_DELETED),
    *(Kind.UNLINKED, Kind.HELD, Kind.APPROVED, Kind.REJECTED, Kind.PARKED),
)
# Events of one kind and sync that are counted: these are ten pages of a table.
MOST_COUNTED = 10_000
_PAGE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Weekly:
    receivers: Sequence[Receiver]
    records: Notices
    activity: Activity
    syncs: Collection[str]
    delivery: Delivery
    clock: Clock
    new_id: Callable[[], str]

    async def tell(self, findings: Sequence[Finding]) -> None:
        """If a week is over that a receiver was not told of. A receiver that fails stops no other."""
        hear = [each for each in self.receivers if Occasion.WEEKLY in each.occasions]
        known = {record.receiver: record for record in await self.records.all()} if self.receivers else {}
        end = _last_monday(self.clock.now())
        for receiver in hear:
            try:
                await self._one(receiver, known.pop(receiver.address, None), end, findings)
            except SyncError as error:
                log.warning("notice.failed receiver=%s error=%s", receiver.address, error.code)
        for record in known.values():  # of a receiver that does not hear of it any more
            await self.records.drop(record)

    async def _one(
        self, receiver: Receiver, record: NoticeRecord | None, end: datetime, findings: Sequence[Finding]
    ) -> None:
        since = end - WEEK
        if record is None:
            # A new receiver: its first message is of the week that runs.
            new = NoticeRecord(
                receiver=receiver.address, occasion=Occasion.WEEKLY, about="", id="", since=since, telling=Telling.TOLD
            )
            await self.records.save(new)
            return
        if record.since < since:
            record = replace(record, id=self.new_id(), since=since, telling=Telling.BEGUN, sending_at=None)
        if record.telling is Telling.BEGUN:
            syncs = [name for name in sorted(self.syncs) if not receiver.syncs or name in receiver.syncs]
            weeks = [await self._week(name, since, findings) for name in syncs]
            await self.delivery.send(self.records, receiver, record, weeks=weeks)

    async def _week(self, sync: str, since: datetime, findings: Sequence[Finding]) -> Week:
        events = {kind: await self._count(sync, kind, since) for kind in _TOLD_OF}
        return Week(
            sync=sync,
            events={kind: count for kind, count in events.items() if count},
            waiting={each.occasion: each.count for each in findings if each.about == sync and each.count},
        )

    async def _count(self, sync: str, kind: Kind, since: datetime) -> int:
        asked = Asked(of=[(sync, "")], kinds=frozenset({kind}), since=since, until=since + WEEK, limit=_PAGE)
        count = 0
        while count < MOST_COUNTED:
            page = await self.activity.page(asked)
            count += len(page.events)
            if not page.more:
                break
            asked = replace(asked, after=page.more)
        return count


def _last_monday(now: datetime) -> datetime:
    """The newest Monday that began, at _HOUR."""
    day = (now - _HOUR).replace(hour=0, minute=0, second=0, microsecond=0)
    return day - timedelta(days=day.weekday()) + _HOUR

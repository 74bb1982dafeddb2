"""Tells people once when something begins to stand in the way, and once when it is over.

How a message is sent, and not sent twice, `delivery` says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from ..model import Finding, Notice, Occasion, Receiver
from ..model.errors import SyncError
from ..ports import Clock, NoticeRecord, Notices, Telling
from .delivery import Delivery

log = logging.getLogger("xtsync.notices")

type _Key = tuple[str, Occasion, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticing:
    receivers: Sequence[Receiver]
    records: Notices
    delivery: Delivery
    clock: Clock
    new_id: Callable[[], str]

    async def tell(self, findings: Sequence[Finding]) -> None:
        """Of all that begins or ends with these findings. A receiver that fails stops no other."""
        if not self.receivers:
            return
        known = {_key(record): record for record in await self.records.all()}
        for receiver in self.receivers:
            for finding in findings:
                record = known.pop((receiver.address, finding.occasion, finding.about), None)
                if receiver.hears(finding.occasion, finding.syncs):
                    try:
                        await self._one(receiver, finding, record)
                    except SyncError as error:
                        log.warning("notice.failed receiver=%s error=%s", receiver.address, error.code)
                elif record is not None:
                    await self.records.drop(record)
        for record in known.values():  # of a receiver or a sync that is configured no more
            await self.records.drop(record)

    async def try_out(self, receiver: Receiver) -> None:
        """Send a message of which nothing follows. Raises what the messenger raises."""
        now = self.clock.now()
        occasion = min(receiver.occasions)
        notice = Notice(id=self.new_id(), occasion=occasion, about="test", over=False, count=0, since=now, at=now)
        await self.delivery.messenger.send(receiver, notice)

    async def _one(self, receiver: Receiver, finding: Finding, record: NoticeRecord | None) -> None:
        stands = finding.stands
        if finding.occasion is Occasion.PARKED and stands:
            stands = finding.count > receiver.parked_over
        if record is None:
            if not stands:
                return
            record = NoticeRecord(
                receiver=receiver.address,
                occasion=finding.occasion,
                about=finding.about,
                id=self.new_id(),
                since=self.clock.now(),
            )
        elif record.telling is Telling.BEGUN and record.sending_at is None and stands is False:
            await self.records.drop(record)  # it is over before anybody heard of it
            return
        elif record.telling is Telling.TOLD:
            if stands is not False:
                return
            record = replace(record, telling=Telling.OVER)
        await self.delivery.send(self.records, receiver, record, count=finding.count)


def _key(record: NoticeRecord) -> _Key:
    return record.receiver, record.occasion, record.about

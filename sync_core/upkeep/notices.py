"""Tells people once when something begins to stand in the way, and once when it is over.

A message is noted before it is sent. If nobody knows whether it arrived, a webhook gets it again with the same id, by
which its receiver knows it. A Teams channel would show it twice, so there it counts as told.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..model import Finding, Notice, Occasion, Receiver, ReceiverKind
from ..model.errors import ConflictError, NotDeliveredError, SyncError
from ..ports import Clock, Messenger, NoticeRecord, Notices, Telling

log = logging.getLogger("xtsync.notices")

# A message whose sender died is sent again after this long.
_AGAIN = timedelta(minutes=10)

type _Key = tuple[str, Occasion, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Noticing:
    receivers: Sequence[Receiver]
    records: Notices
    messenger: Messenger
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
        await self.messenger.send(receiver, notice)

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
        await self._send(receiver, finding, record)

    async def _send(self, receiver: Receiver, finding: Finding, record: NoticeRecord) -> None:
        now = self.clock.now()
        if record.sending_at is not None:
            if receiver.kind is ReceiverKind.TEAMS:
                await self._sent(record)
                return
            if now - record.sending_at < _AGAIN:
                return
        try:
            record = await self.records.save(replace(record, sending_at=now))
        except ConflictError:
            return  # another instance tells of it
        over = record.telling is Telling.OVER
        notice = Notice(
            id=f"{record.id}-{'over' if over else 'began'}",
            occasion=record.occasion,
            about=record.about,
            over=over,
            count=finding.count,
            since=record.since,
            at=now,
        )
        try:
            await self.messenger.send(receiver, notice)
        except NotDeliveredError:
            await self.records.save(replace(record, sending_at=None))
            raise
        await self._sent(record)
        log.info("notice.sent receiver=%s occasion=%s about=%s over=%s", *_key(record), over)

    async def _sent(self, record: NoticeRecord) -> None:
        if record.telling is Telling.OVER:
            await self.records.drop(record)
        else:
            await self.records.save(replace(record, telling=Telling.TOLD, sending_at=None))


def _key(record: NoticeRecord) -> _Key:
    return record.receiver, record.occasion, record.about

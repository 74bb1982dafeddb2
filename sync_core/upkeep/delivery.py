"""Sends one message to one receiver, and does not send it twice.

It is noted before it is sent. If nobody knows whether it arrived, a webhook gets it again with the same id, by which
its receiver knows it. A Teams channel would show it twice, so there it counts as told.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..model import Notice, Receiver, ReceiverKind, Week
from ..model.errors import ConflictError, NotDeliveredError
from ..ports import Clock, Messenger, NoticeRecord, Notices, Telling

log = logging.getLogger("xtsync.notices")

# A message whose sender died is sent again after this long.
_AGAIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    messenger: Messenger
    clock: Clock

    async def send(
        self, records: Notices, receiver: Receiver, record: NoticeRecord, *, count: int = 0, weeks: Sequence[Week] = ()
    ) -> None:
        """What the record says is to be told. Raises the errors of ports.Messenger."""
        now = self.clock.now()
        if record.sending_at is not None:
            if receiver.kind is ReceiverKind.TEAMS:
                await _sent(records, record)
                return
            if now - record.sending_at < _AGAIN:
                return
        try:
            record = await records.save(replace(record, sending_at=now))
        except ConflictError:
            return  # another instance tells of it
        over = record.telling is Telling.OVER
        notice = Notice(
            id=f"{record.id}-{'over' if over else 'began'}",
            occasion=record.occasion,
            about=record.about,
            over=over,
            count=count,
            since=record.since,
            at=now,
            weeks=weeks,
        )
        try:
            await self.messenger.send(receiver, notice)
        except NotDeliveredError:
            await records.save(replace(record, sending_at=None))
            raise
        await _sent(records, record)
        log.info(
            "notice.sent receiver=%s occasion=%s about=%s over=%s", record.receiver, record.occasion, record.about, over
        )


class Nobody:
    """ports.Messenger where nobody is to be told: of a simulation, or of a command."""

    async def send(self, receiver: Receiver, notice: Notice) -> None:
        pass


async def _sent(records: Notices, record: NoticeRecord) -> None:
    if record.telling is Telling.OVER:
        await records.drop(record)
    else:
        await records.save(replace(record, telling=Telling.TOLD, sending_at=None))

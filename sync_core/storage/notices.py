"""The record of what each receiver was told. Table `guards`: PK notice:, RK <receiver>:<occasion>:<sync or tenant>.

Those of occasions that came later are in a partition of their own, and so is that of the weekly message: a version
before knows no such occasion. No sync's partition can have such a name, because `key` never yields a colon.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..model import Occasion
from ..ports import NoticeRecord, Telling
from .columns import columns, is_newer, time, time_or_none
from .table import Row, Table, key, unkey

NOTICES = "notice:"
LATER = "notice-later:"
WEEKLY = "weekly:"

_LATER = {Occasion.SCOPE_EMPTIED}


class TableNotices:
    """ports.Notices. A row that a newer version wrote is left to it."""

    def __init__(self, table: Table, *partitions: str) -> None:
        """`partitions`: that of the first occasions, and that of those that came later, where it may have some."""
        self._table = table
        self._partitions = partitions

    async def all(self) -> Sequence[NoticeRecord]:
        return [
            _record(row)
            for partition in self._partitions
            async for row in self._table.query(partition)
            if not is_newer(row)
        ]

    async def save(self, record: NoticeRecord) -> NoticeRecord:
        values = columns(
            {
                "id": record.id,
                "since": record.since,
                "telling": record.telling.value,
                "sending_at": record.sending_at,
            }
        )
        row = Row(pk=self._partition(record), rk=_row_key(record), values=values)
        etag = await (self._table.insert(row) if record.etag is None else self._table.replace(row, record.etag))
        return replace(record, etag=etag)

    async def drop(self, record: NoticeRecord) -> None:
        await self._table.delete(self._partition(record), _row_key(record), record.etag)

    def _partition(self, record: NoticeRecord) -> str:
        return self._partitions[-1 if record.occasion in _LATER else 0]


def _row_key(record: NoticeRecord) -> str:
    return f"{key(record.receiver)}:{record.occasion.value}:{key(record.about)}"


def _record(row: Row) -> NoticeRecord:
    receiver, occasion, about = row.rk.split(":")
    return NoticeRecord(
        receiver=unkey(receiver),
        occasion=Occasion(occasion),
        about=unkey(about),
        id=row.text("id"),
        since=time(row, "since"),
        telling=Telling(row.text("telling")),
        sending_at=time_or_none(row, "sending_at"),
        etag=row.etag,
    )

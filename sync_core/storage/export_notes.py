"""What of the record is still to be copied to append blobs: a note for each event, in the table `activity`.

    wanted    PK export:       RK on
    note      PK export:note   RK <sync>:<row key of the listing>

A note is written before its event and dropped after its copy, so whoever dies in between loses none. It has keys alone.
The app says at each poll that it copies, and every writer knows it by that: a command at a laptop, too. A process
that does not copy, beside one that does, ends nothing within `_LASTS`. Version 0.1 knows no notes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from .columns import columns, time
from .concurrency import for_each
from .table import Row, Table

_WANTED, _ON, _NOTES = "export:", "on", "export:note"
_LASTS = timedelta(days=7)  # since the app last said so
_FRESH = timedelta(minutes=1)  # so long a writer trusts what it read
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """The keys of one event in the listing."""

    pk: str
    rk: str


class ExportNotes:
    def __init__(self, table: Table) -> None:
        self._table = table
        self._read: tuple[datetime, bool] | None = None

    async def wanted(self, now: datetime) -> bool:
        if self._read is None or abs(now - self._read[0]) >= _FRESH:
            row = await self._table.get(_WANTED, _ON)
            self._read = now, row is not None and now - time(row, "seen") < _LASTS
        return self._read[1]

    async def add(self, listed: Row) -> None:
        await self._table.upsert(Row(pk=_NOTES, rk=f"{listed.pk}:{listed.rk}", values=columns({})))

    async def goes_on(self, now: datetime) -> None:
        """Called at every poll of an app that copies."""
        await self._table.upsert(Row(pk=_WANTED, rk=_ON, values=columns({"seen": now})))

    async def ended(self, now: datetime) -> None:
        """Drop the notes, a thousand at a time, once no writer makes any more: no app copies."""
        row = await self._table.get(_WANTED, _ON)
        if row is None or now - time(row, "seen") < _LASTS + 2 * _FRESH:
            return
        left = await self.oldest()
        await self.drop(left)
        if len(left) < _AT_ONCE:
            await self._table.delete(_WANTED, _ON)

    async def oldest(self) -> list[Note]:
        """At most a thousand notes."""
        rows = self._table.query(_NOTES, select=("v",), limit=_AT_ONCE)
        return [Note(pk=pk, rk=rk) async for row in rows for pk, _, rk in (row.rk.partition(":"),)]

    async def drop(self, notes: list[Note]) -> None:
        async def forget(note: Note) -> None:
            await self._table.delete(_NOTES, f"{note.pk}:{note.rk}")

        await for_each(notes, forget)

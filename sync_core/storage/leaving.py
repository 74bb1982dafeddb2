"""The notes of who is due, and whom people keep. Table `guards`.

PK due:<sync>, RK <time>:<source id>; PK keep:<sync>, RK <source id>.
A version without them neither reads nor writes these rows. That of a kept user is none of the link, which every
version rewrites as a whole.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime

from ..model.messages import format_time, parse_time
from ..ports import Due, KeepRecord
from .columns import check_version, columns, is_newer, time
from .table import Row, Table, after_prefix, key, unkey


class TableDueNotes:
    """ports.DueNotes."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def note(self, due: Due) -> None:
        await self._table.upsert(Row(pk=_notes(due.sync), rk=_row_key(due), values=columns({})))

    async def drop(self, due: Due) -> None:
        await self._table.delete(_notes(due.sync), _row_key(due))

    async def before(self, sync: str, at: datetime, limit: int) -> Sequence[Due]:
        end = after_prefix(f"{_time_key(at)}:")
        return [_due(sync, row) async for row in self._table.query(_notes(sync), rk_to=end, limit=limit)]

    async def page(self, sync: str, limit: int, after: Due | None = None) -> Sequence[Due]:
        start = _row_key(after) if after is not None else ""
        rows = self._table.query(_notes(sync), rk_from=start, limit=limit + 1)
        return [_due(sync, row) async for row in rows if row.rk != start][:limit]

    async def forget(self, sync: str) -> None:
        async for row in self._table.query(_notes(sync)):
            await self._table.delete(row.pk, row.rk)


class TableKeeps:
    """ports.Keeps."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, sync: str, source_id: str) -> KeepRecord | None:
        row = await self._table.get(_kept(sync), key(source_id))
        if row is None:
            return None
        check_version(row, "keep")
        return _keep(sync, row)

    async def save(self, record: KeepRecord) -> KeepRecord:
        values = columns({"until": record.until, "by": record.by, "at": record.at, "reason": record.reason})
        row = Row(pk=_kept(record.sync), rk=key(record.source_id), values=values)
        etag = await (self._table.insert(row) if record.etag is None else self._table.replace(row, record.etag))
        return replace(record, etag=etag)

    async def drop(self, record: KeepRecord) -> None:
        await self._table.delete(_kept(record.sync), key(record.source_id), record.etag)

    async def all(self, sync: str) -> Sequence[KeepRecord]:
        return [_keep(sync, row) async for row in self._table.query(_kept(sync)) if not is_newer(row)]


def _notes(sync: str) -> str:
    return f"due:{key(sync)}"


def _kept(sync: str) -> str:
    return f"keep:{key(sync)}"


def _row_key(due: Due) -> str:
    return f"{_time_key(due.at)}:{key(due.source_id)}"


def _time_key(at: datetime) -> str:
    return key(format_time(at))


def _due(sync: str, row: Row) -> Due:
    at, _, source_id = row.rk.partition(":")
    return Due(sync=sync, source_id=unkey(source_id), at=parse_time(unkey(at)))


def _keep(sync: str, row: Row) -> KeepRecord:
    return KeepRecord(
        sync=sync,
        source_id=unkey(row.rk),
        until=time(row, "until"),
        by=row.text("by"),
        at=time(row, "at"),
        reason=row.text("reason"),
        etag=row.etag,
    )

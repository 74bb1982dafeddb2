"""The target users that are not as we left them. Table `guards`: PK drift:<sync>, RK <source id>.

A version without them neither reads nor writes these rows.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

from ..model.messages import format_time, parse_time
from ..ports import DriftRecord
from .columns import check_version, columns, is_newer
from .table import Row, Table, key, unkey


class TableDrifts:
    """ports.Drifts."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, sync: str, source_id: str) -> DriftRecord | None:
        row = await self._table.get(_partition(sync), key(source_id))
        if row is None:
            return None
        check_version(row, "drift")
        return _record(sync, row)

    async def save(self, record: DriftRecord) -> DriftRecord:
        differs = {name: format_time(at) for name, at in record.differs.items()}
        values = columns(
            {
                "target_id": record.target_id,
                "differs": json.dumps(differs, sort_keys=True),
                "repairs": " ".join(format_time(at) for at in record.repairs),
            }
        )
        row = Row(pk=_partition(record.sync), rk=key(record.source_id), values=values)
        etag = await (self._table.insert(row) if record.etag is None else self._table.replace(row, record.etag))
        return replace(record, etag=etag)

    async def drop(self, record: DriftRecord) -> None:
        await self._table.delete(_partition(record.sync), key(record.source_id), record.etag)

    async def forget(self, sync: str) -> None:
        async for row in self._table.query(_partition(sync)):
            await self._table.delete(row.pk, row.rk)

    async def end(self, sync: str, source_id: str) -> None:
        await self._table.delete(_partition(sync), key(source_id))

    async def page(self, sync: str, limit: int, after: str = "") -> tuple[Sequence[DriftRecord], str | None]:
        found = self._table.query(_partition(sync), rk_from=key(after), limit=limit + 1)
        rows = [row async for row in found if row.rk != key(after)][:limit]
        more = unkey(rows[-1].rk) if len(rows) == limit else None
        return [_record(sync, row) for row in rows if not is_newer(row)], more


def _partition(sync: str) -> str:
    return f"drift:{key(sync)}"


def _record(sync: str, row: Row) -> DriftRecord:
    return DriftRecord(
        sync=sync,
        source_id=unkey(row.rk),
        target_id=row.text("target_id"),
        differs={name: parse_time(text) for name, text in json.loads(row.text("differs") or "{}").items()},
        repairs=[parse_time(text) for text in row.text("repairs").split()],
        etag=row.etag,
    )

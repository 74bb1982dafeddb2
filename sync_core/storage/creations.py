"""What the creation guard knows of each sync. Table `guards`: PK <sync>, RK creations.

A version without that guard neither reads nor writes this row.
"""

from __future__ import annotations

import json
from dataclasses import replace

from ..ports import CreationApproval, CreationRecord, GuardWindow
from .columns import check_version, columns, mapping_text, number, time, time_or_none
from .table import Row, Table, key

_ROW = "creations"


class TableCreations:
    """ports.Creations."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, sync: str) -> CreationRecord:
        row = await self._table.get(key(sync), _ROW)
        if row is None:
            return CreationRecord(window=GuardWindow(of=sync))
        check_version(row, "creation guard")
        return CreationRecord(
            window=GuardWindow(
                of=sync,
                slices=json.loads(row.text("slices")),
                linked=number(row, "linked"),
                counted_at=time_or_none(row, "counted_at"),
            ),
            put_off_at=time_or_none(row, "put_off_at"),
            approval=_approval(row),
            etag=row.etag,
        )

    async def save(self, record: CreationRecord) -> CreationRecord:
        window, approval = record.window, record.approval
        values = columns(
            {
                "slices": mapping_text(window.slices),
                "linked": window.linked,
                "counted_at": window.counted_at,
                "put_off_at": record.put_off_at,
                "approved_at": approval.at if approval else None,
                "approved_by": approval.by if approval else None,
                "approved_people": approval.people if approval else None,
                "approved_config": approval.config if approval else None,
                "approved_since": approval.last[0] if approval else None,
                "approved_user": approval.last[1] if approval else None,
            }
        )
        row = Row(pk=key(record.sync), rk=_ROW, values=values)
        etag = await (self._table.insert(row) if record.etag is None else self._table.replace(row, record.etag))
        return replace(record, etag=etag)


def _approval(row: Row) -> CreationApproval | None:
    at = time_or_none(row, "approved_at")
    if at is None:
        return None
    return CreationApproval(
        last=(time(row, "approved_since"), row.text("approved_user")),
        config=row.text("approved_config"),
        people=number(row, "approved_people"),
        by=row.text("approved_by"),
        at=at,
    )

"""What people said about each sync as a whole. Table `controls`: PK <sync>, RK control.

A deployment whose templates are older has no such table: then nobody has said anything.
"""

from __future__ import annotations

from dataclasses import replace

from ..model import Control
from ..ports import ControlRecord
from .columns import check_version, columns, time_or_none
from .errors import StorageRefusedError
from .table import Row, Table, key

_ROW = "control"
# https://learn.microsoft.com/rest/api/storageservices/table-service-error-codes
_NO_TABLE = "TableNotFound"


class TableControls:
    """ports.Controls."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, sync: str) -> ControlRecord:
        try:
            row = await self._table.get(key(sync), _ROW)
        except StorageRefusedError as error:
            if error.storage_code != _NO_TABLE:
                raise
            row = None
        if row is None:
            return ControlRecord(sync=sync)
        check_version(row, "control")
        return ControlRecord(
            sync=sync,
            control=Control(row.text("control")),
            by=row.text("by"),
            at=time_or_none(row, "at"),
            reason=row.text("reason"),
            since=time_or_none(row, "since"),
            etag=row.etag,
        )

    async def save(self, record: ControlRecord) -> ControlRecord:
        values = columns(
            {
                "control": record.control.value,
                "by": record.by,
                "at": record.at,
                "reason": record.reason,
                "since": record.since,
            }
        )
        row = Row(pk=key(record.sync), rk=_ROW, values=values)
        etag = await (self._table.insert(row) if record.etag is None else self._table.replace(row, record.etag))
        return replace(record, etag=etag)

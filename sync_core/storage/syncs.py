"""The configuration that leads, and the rules that each sync was last judged by. Table `guards`: PK sync:.

The row key is :configuration, or the name of a sync. `key` yields no colon, so neither key is that of a sync's own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from ..ports import ConfigurationRecord, SyncRecord
from .columns import check_version, columns, flag, pair_or_none, time, time_or_none
from .table import Row, Table, Value, key, unkey

_PARTITION = "sync:"
_CONFIGURATION = ":configuration"


class TableSyncRecords:
    """ports.SyncRecords."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def all(self) -> tuple[ConfigurationRecord, Mapping[str, SyncRecord]]:
        rows = {row.rk: row async for row in self._table.query(_PARTITION)}
        configuration = rows.pop(_CONFIGURATION, None)
        return _configuration(configuration), {unkey(row.rk): _sync(row) for row in rows.values()}

    async def save(self, record: SyncRecord) -> SyncRecord:
        values = columns(
            {
                "tenants": " ".join(record.tenants),
                "config": record.config,
                "since": record.since,
                "removing": record.removing,
            }
        )
        return replace(record, etag=await self._save(key(record.name), values, record.etag))

    async def drop(self, record: SyncRecord) -> None:
        await self._table.delete(_PARTITION, key(record.name), record.etag)

    async def lead(self, record: ConfigurationRecord) -> ConfigurationRecord:
        values = columns({"configs": " ".join(record.configs), "led_at": record.led_at, "seen_at": record.seen_at})
        return replace(record, etag=await self._save(_CONFIGURATION, values, record.etag))

    async def _save(self, rk: str, values: Mapping[str, Value], etag: str | None) -> str:
        row = Row(pk=_PARTITION, rk=rk, values=values)
        return await (self._table.insert(row) if etag is None else self._table.replace(row, etag))


def _configuration(row: Row | None) -> ConfigurationRecord:
    if row is None:
        return ConfigurationRecord()
    check_version(row, "configuration")
    return ConfigurationRecord(
        configs=tuple(row.text("configs").split()),
        led_at=time(row, "led_at"),
        seen_at=time(row, "seen_at"),
        etag=row.etag,
    )


def _sync(row: Row) -> SyncRecord:
    check_version(row, "sync")
    return SyncRecord(
        name=unkey(row.rk),
        tenants=pair_or_none(row, "tenants") or ("", ""),
        config=row.text("config"),
        since=time_or_none(row, "since"),
        removing=flag(row, "removing"),
        etag=row.etag,
    )

"""The deletions of each sync within the guard's window, and the holds that wait for a person. Table `guards`.

window  PK <sync>  RK window
hold    PK <sync>  RK hold:<source id>
"""

from __future__ import annotations

import json
from dataclasses import replace

from ..ports import GuardWindow, HoldRecord, HoldState
from .columns import check_version, columns, mapping_text, number, time, time_or_none
from .table import Row, Table, after_prefix, key, unkey

_WINDOW = "window"
_HOLD = "hold:"


class TableGuards:
    """ports.Guards."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def window(self, sync: str) -> GuardWindow:
        row = await self._table.get(key(sync), _WINDOW)
        return GuardWindow(sync=sync) if row is None else _window(row)

    async def save_window(self, window: GuardWindow) -> GuardWindow:
        return replace(window, etag=await self._save(_window_row(window), window.etag))

    async def hold(self, sync: str, source_id: str) -> HoldRecord | None:
        row = await self._table.get(key(sync), _HOLD + key(source_id))
        return None if row is None else _hold(row)

    async def save_hold(self, hold: HoldRecord) -> HoldRecord:
        return replace(hold, etag=await self._save(_hold_row(hold), hold.etag))

    async def drop_hold(self, hold: HoldRecord) -> None:
        await self._table.delete(key(hold.sync), _HOLD + key(hold.source_id), hold.etag)

    async def holds(self, sync: str) -> list[HoldRecord]:
        rows = self._table.query(key(sync), rk_from=_HOLD, rk_to=after_prefix(_HOLD))
        return [_hold(row) async for row in rows]

    async def _save(self, row: Row, etag: str | None) -> str:
        return await (self._table.insert(row) if etag is None else self._table.replace(row, etag))


def _window_row(window: GuardWindow) -> Row:
    values = columns({"slices": mapping_text(window.slices), "linked": window.linked, "counted_at": window.counted_at})
    return Row(pk=key(window.sync), rk=_WINDOW, values=values)


def _window(row: Row) -> GuardWindow:
    check_version(row, "guard window")
    return GuardWindow(
        sync=unkey(row.pk),
        slices=json.loads(row.text("slices")),
        linked=number(row, "linked"),
        counted_at=time_or_none(row, "counted_at"),
        etag=row.etag,
    )


def _hold_row(hold: HoldRecord) -> Row:
    values = columns(
        {
            "target_id": hold.target_id,
            "change": hold.change,
            "reason": hold.reason,
            "held_at": hold.held_at,
            "state": hold.state.value,
            "decided_at": hold.decided_at,
            "decided_by": hold.decided_by,
        }
    )
    return Row(pk=key(hold.sync), rk=_HOLD + key(hold.source_id), values=values)


def _hold(row: Row) -> HoldRecord:
    check_version(row, "hold")
    return HoldRecord(
        sync=unkey(row.pk),
        source_id=unkey(row.rk.removeprefix(_HOLD)),
        target_id=row.text("target_id"),
        change=row.text("change"),
        reason=row.text("reason"),
        held_at=time(row, "held_at"),
        state=HoldState(row.text("state")),
        decided_at=time_or_none(row, "decided_at"),
        decided_by=row.text("decided_by"),
        etag=row.etag,
    )

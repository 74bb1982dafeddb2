"""The deletions within the guard's windows, the holds that wait for a person, and decisions. Table `guards`.

window    PK <sync> or target:<tenant id>  RK window, or window:month
hold      PK <sync>                        RK hold:<source id>
person    PK target:<tenant id>            RK counted:<source id>
decision  PK decided:<sync>                RK <inverted time>~<source id>

No sync's partition can have such a name, because `key` never yields a colon. Version 0.1 knows the window of a sync and
its holds, and writes rows back without the columns that it does not know.
"""

from __future__ import annotations

import json
from contextlib import suppress
from dataclasses import replace
from datetime import datetime

from ..model.errors import ConflictError
from ..model.messages import format_time, parse_time
from ..ports import CountedPerson, GuardWindow, HoldRecord, HoldState
from .columns import check_version, columns, mapping_text, newest_first, number, time, time_or_none
from .concurrency import for_each
from .table import Row, Table, after_prefix, key, unkey

_WINDOWS = {False: "window", True: "window:month"}  # by GuardWindow.month
_HOLD = "hold:"
_COUNTED = "counted:"
_TARGET = "target:"


class TableGuards:
    """ports.Guards."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def window(self, of: str, *, month: bool = False) -> GuardWindow:
        row = await self._table.get(_partition(of), _WINDOWS[month])
        return GuardWindow(of=of, month=month) if row is None else _window(row, of, month=month)

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

    async def counted(self, target_tenant: str, source_id: str) -> CountedPerson:
        row = await self._table.get(_TARGET + key(target_tenant), _COUNTED + key(source_id))
        nobody = CountedPerson(target_tenant=target_tenant, source_id=source_id)
        return nobody if row is None else replace(nobody, at=_counted_at(row), etag=row.etag)

    async def save_counted(self, person: CountedPerson) -> CountedPerson:
        at = mapping_text({sync: format_time(at) for sync, at in person.at.items()})
        pk, rk = _TARGET + key(person.target_tenant), _COUNTED + key(person.source_id)
        return replace(person, etag=await self._save(Row(pk=pk, rk=rk, values=columns({"at": at})), person.etag))

    async def prune_counted(self, target_tenant: str, before: datetime, limit: int) -> int:
        rows = self._table.query(_TARGET + key(target_tenant), rk_from=_COUNTED, rk_to=after_prefix(_COUNTED))
        old = [row async for row in rows if max(_counted_at(row).values(), default=before) <= before][:limit]
        await for_each(old, self._drop)
        return len(old)

    async def keep_decision(self, decided: HoldRecord) -> None:
        await self._table.upsert(replace(_hold_row(decided), pk=_decided(decided.sync), rk=_decision_key(decided)))

    async def drop_decision(self, decided: HoldRecord) -> None:
        await self._table.delete(_decided(decided.sync), _decision_key(decided))

    async def decisions(self, sync: str, limit: int) -> list[HoldRecord]:
        return [_decision(sync, row) async for row in self._table.query(_decided(sync), limit=limit)]

    async def prune_decisions(self, sync: str, before: datetime, limit: int) -> int:
        rows = self._table.query(_decided(sync), rk_from=after_prefix(newest_first(before)), limit=limit)
        old = [row async for row in rows]
        await for_each(old, self._drop)
        return len(old)

    async def _drop(self, row: Row) -> None:
        """Unless it was changed meanwhile: then it is not old."""
        with suppress(ConflictError):
            await self._table.delete(row.pk, row.rk, row.etag)

    async def _save(self, row: Row, etag: str | None) -> str:
        return await (self._table.insert(row) if etag is None else self._table.replace(row, etag))


def _window_row(window: GuardWindow) -> Row:
    values = columns({"slices": mapping_text(window.slices), "linked": window.linked, "counted_at": window.counted_at})
    return Row(pk=_partition(window.of), rk=_WINDOWS[window.month], values=values)


def _partition(of: str) -> str:
    target, colon, tenant = of.rpartition(":")
    return f"{target}{colon}{key(tenant)}"


def _window(row: Row, of: str, *, month: bool) -> GuardWindow:
    check_version(row, "guard window")
    return GuardWindow(
        of=of,
        month=month,
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
            "cause": hold.cause or None,
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
        cause=row.text("cause"),
        held_at=time(row, "held_at"),
        state=HoldState(row.text("state")),
        decided_at=time_or_none(row, "decided_at"),
        decided_by=row.text("decided_by"),
        etag=row.etag,
    )


def _counted_at(row: Row) -> dict[str, datetime]:
    check_version(row, "counted person")
    return {sync: parse_time(at) for sync, at in json.loads(row.text("at")).items()}


def _decided(sync: str) -> str:
    return f"decided:{key(sync)}"


def _decision_key(decided: HoldRecord) -> str:
    return f"{newest_first(decided.decided_at or decided.held_at)}~{key(decided.source_id)}"


def _decision(sync: str, row: Row) -> HoldRecord:
    return replace(_hold(row), sync=sync, source_id=unkey(row.rk.partition("~")[2]), etag=None)

"""The users that a worker has in hand, and who was taken over from one that died. Table `guards`.

PK hand:<sync>, RK <source id>; PK over:<sync>, RK <source id>; PK over:, RK <key of the source tenant>.
The partition of a sync cannot have such a name, because `key` never yields a colon.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime

from ..model import Nomination, Why
from ..model.errors import ConflictError, SyncError
from ..ports import LeftBehind
from .columns import check_version, columns, number, time
from .table import Row, Table, key, unkey

log = logging.getLogger("xtsync.in_hand")


class TableInHand:
    """ports.InHand."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def take(self, nomination: Nomination, at: datetime) -> None:
        values = columns({"why": nomination.why.stored, "attempt": nomination.attempt, "at": at})
        await self._table.upsert(Row(pk=_partition(nomination.sync), rk=key(nomination.user), values=values))

    async def finish(self, sync: str, user: str) -> None:
        await self._table.delete(_partition(sync), key(user))

    async def left(self, sync: str, before: datetime) -> list[LeftBehind]:
        rows = [row async for row in self._table.query(_partition(sync))]
        found = [each for row in rows if (each := _left(sync, row)) is not None]
        return [each for each in found if each.nomination.at < before]

    async def drop(self, left: LeftBehind) -> None:
        with suppress(ConflictError):
            await self._table.delete(_partition(left.nomination.sync), key(left.nomination.user), left.etag)

    async def taken_over(self, of: str) -> Mapping[str, datetime]:
        return {unkey(row.rk): time(row, "at") async for row in self._table.query(_over(of))}

    async def note(self, of: str, name: str, at: datetime) -> None:
        await self._table.upsert(Row(pk=_over(of), rk=key(name), values=columns({"at": at})))

    async def forget(self, of: str, name: str) -> None:
        await self._table.delete(_over(of), key(name))


def _left(sync: str, row: Row) -> LeftBehind | None:
    """None for a row of a newer version: that version takes it over, and the queue delivers its message anyway."""
    try:
        check_version(row, "row of what is in hand")
        nomination = Nomination(
            sync=sync,
            user=unkey(row.rk),
            why=Why(row.text("why")),
            at=time(row, "at"),
            attempt=number(row, "attempt"),
        )
    except (SyncError, ValueError):
        log.warning("in_hand.unreadable sync=%s", sync)
        return None
    return LeftBehind(nomination=nomination, etag=row.etag)


def _partition(sync: str) -> str:
    return f"hand:{key(sync)}"


def _over(of: str) -> str:
    return f"over:{key(of)}"

"""The users that a worker has in hand. Table `guards`: PK hand:<sync>, RK <source id>.

The partition of a sync cannot have such a name, because `key` never yields a colon.
"""

from __future__ import annotations

from datetime import datetime

from ..model import Nomination, Why
from .columns import check_version, columns, time
from .table import Row, Table, key, unkey


class TableInHand:
    """ports.InHand."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def take(self, nomination: Nomination, at: datetime) -> None:
        values = columns({"why": nomination.why.value, "attempt": nomination.attempt, "at": at})
        await self._table.upsert(Row(pk=_partition(nomination.sync), rk=key(nomination.user), values=values))

    async def finish(self, sync: str, user: str) -> None:
        await self._table.delete(_partition(sync), key(user))

    async def left(self, sync: str, before: datetime) -> list[Nomination]:
        rows = [row async for row in self._table.query(_partition(sync))]
        return [found for found in (_nomination(sync, row) for row in rows) if found.at < before]


def _nomination(sync: str, row: Row) -> Nomination:
    check_version(row, "row of what is in hand")
    return Nomination(
        sync=sync,
        user=unkey(row.rk),
        why=Why(row.text("why")),
        at=time(row, "at"),
        attempt=int(row.values.get("attempt", 0)),
    )


def _partition(sync: str) -> str:
    return f"hand:{key(sync)}"

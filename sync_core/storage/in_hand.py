"""The users that a worker has in hand, and who was taken over from one that died. Table `guards`.

PK hand:<sync>, RK <source id>; PK over:<sync>, RK <source id>; PK over:, RK <key of the source tenant>.
The partition of a sync cannot have such a name, because `key` never yields a colon.
"""

from __future__ import annotations

from datetime import datetime, timedelta

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

    async def user_due(self, sync: str, user: str, at: datetime, every: timedelta) -> bool:
        return await self._due(f"over:{key(sync)}", key(user), at, every)

    async def source_due(self, tenant: str, at: datetime, every: timedelta) -> bool:
        return await self._due("over:", key(tenant), at, every)

    async def _due(self, pk: str, rk: str, at: datetime, every: timedelta) -> bool:
        row = await self._table.get(pk, rk)
        if row is not None and at - time(row, "at") < every:
            return False
        await self._table.upsert(Row(pk=pk, rk=rk, values=columns({"at": at})))
        return True


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

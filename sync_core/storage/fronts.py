"""Which message of each work queue is next, and since when: one that stays next means that nobody takes any.

Table `guards`: PK front:, RK <queue>. A depth tells nothing, because it counts messages that are delayed for hours.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from .columns import columns, time
from .queue import Queue
from .table import Row, Table

_PARTITION = "front:"


class TableFronts:
    """ports.Fronts."""

    def __init__(self, table: Table, queues: Mapping[str, Queue]) -> None:
        self._table = table
        self._queues = queues  # by name

    async def stood(self, queue: str, at: datetime) -> timedelta:
        message = await self._next(queue)
        return await self._since(queue, message, at) if message else timedelta()

    async def watch(self, queue: str, at: datetime) -> timedelta:
        message = await self._next(queue)
        if not message:
            return timedelta()
        stood = await self._since(queue, message, at)
        if not stood:
            values = columns({"message": message, "at": at})
            await self._table.upsert(Row(pk=_PARTITION, rk=queue, values=values))
        return stood

    async def _next(self, queue: str) -> str:
        """A try that failed makes another one of it: somebody took it."""
        visible = await self._queues[queue].peek()
        return f"{visible[0].id}#{visible[0].dequeue_count}" if visible else ""

    async def _since(self, queue: str, message: str, at: datetime) -> timedelta:
        row = await self._table.get(_PARTITION, queue)
        return at - time(row, "at") if row is not None and row.text("message") == message else timedelta()

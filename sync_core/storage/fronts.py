"""Which messages of each work queue are next, and since when: one that stays means that nobody takes any.

Table `guards`: PK front:, RK <queue>. A depth tells nothing, because it counts messages that are delayed for hours.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime, timedelta

from ..model.messages import format_time, parse_time
from .columns import columns, mapping_text
from .queue import MAX_BATCH, Queue
from .table import Row, Table

_PARTITION = "front:"


class TableFronts:
    """ports.Fronts."""

    def __init__(self, table: Table, queues: Mapping[str, Queue]) -> None:
        self._table = table
        self._queues = queues  # by name

    async def stood(self, queue: str, at: datetime) -> timedelta:
        _, stood = await self._seen(queue, at)
        return stood

    async def watch(self, queue: str, at: datetime) -> timedelta:
        since, stood = await self._seen(queue, at)
        if since:
            values = columns({"since": mapping_text({name: format_time(when) for name, when in since.items()})})
            await self._table.upsert(Row(pk=_PARTITION, rk=queue, values=values))
        return stood

    async def _seen(self, queue: str, at: datetime) -> tuple[Mapping[str, datetime], timedelta]:
        """Since when each visible message is, and the longest of these times."""
        visible = await self._visible(queue)
        if not visible:
            return {}, timedelta()
        row = await self._table.get(_PARTITION, queue)
        known: Mapping[str, str] = json.loads(row.text("since")) if row is not None else {}
        since = {name: parse_time(known[name]) if name in known else at for name in visible}
        return since, at - min(since.values())

    async def _visible(self, queue: str) -> list[str]:
        """All where they are few, since the service does not promise their order; of a long queue only the next.

        A try that failed makes another message of it: somebody took it.
        """
        visible = [f"{each.id}#{each.dequeue_count}" for each in await self._queues[queue].peek()]
        return visible if len(visible) < MAX_BATCH else visible[:1]

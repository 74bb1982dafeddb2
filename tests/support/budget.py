"""The record that all workers share the write budget in."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from itertools import count

from sync_core.model.errors import ConflictError, UnavailableError
from sync_core.ports import BudgetRecord


class SharedRecord:
    """A compare-and-swap on one record that takes its time and fails on demand."""

    def __init__(self, latency: float = 0.0) -> None:
        self.record: BudgetRecord | None = None
        self.reads = self.saves = self.lost = 0
        self.broken = False
        self._latency = latency
        self._etags = count(1)

    async def get(self, tenant_id: str) -> BudgetRecord | None:
        self.reads += 1
        await asyncio.sleep(self._latency)
        return self.record

    async def save(self, record: BudgetRecord) -> BudgetRecord:
        await asyncio.sleep(self._latency)
        if self.broken:
            raise UnavailableError("storage")
        if record.etag != (self.record.etag if self.record else None):
            self.lost += 1
            raise ConflictError("lost")
        self.saves += 1
        self.record = replace(record, etag=str(next(self._etags)))
        return self.record

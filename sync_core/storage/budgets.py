"""The shared write budget of each target tenant. Table `guards`: PK budget:<tenant id>, RK tokens.

The partition of a sync cannot have such a name, because `key` never yields a colon.
"""

from __future__ import annotations

from dataclasses import replace

from ..ports import BudgetRecord
from .columns import check_version, columns, time
from .table import Row, Table, key

_TOKENS = "tokens"


class TableBudgets:
    """ports.Budgets."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, tenant_id: str) -> BudgetRecord | None:
        row = await self._table.get(_partition(tenant_id), _TOKENS)
        if row is None:
            return None
        check_version(row, "budget")
        return BudgetRecord(tenant_id=tenant_id, tokens=float(row.values["tokens"]), at=time(row, "at"), etag=row.etag)

    async def save(self, record: BudgetRecord) -> BudgetRecord:
        values = columns({"tokens": float(record.tokens), "at": record.at})
        row = Row(pk=_partition(record.tenant_id), rk=_TOKENS, values=values)
        etag = await (self._table.insert(row) if record.etag is None else self._table.replace(row, record.etag))
        return replace(record, etag=etag)


def _partition(tenant_id: str) -> str:
    return f"budget:{key(tenant_id)}"

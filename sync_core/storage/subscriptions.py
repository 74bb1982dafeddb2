"""Our records of the Graph subscriptions. Table `subscriptions`: PK <tenant>, RK <resource>.

The webhook reads this table through a Functions input binding, as JSON and without this code. The columns
`subscription_id`, `client_state_hash`, `tenant_id` and `expires_at` are its contract, and must keep their names.
"""

from __future__ import annotations

from dataclasses import replace

from ..ports import SubscriptionRecord
from .columns import check_version, columns, time_or_none
from .table import Row, Table, key, unkey


class TableSubscriptions:
    """ports.Subscriptions."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, tenant: str, resource: str = "users") -> SubscriptionRecord | None:
        row = await self._table.get(key(tenant), key(resource))
        return None if row is None else _record(row)

    async def save(self, record: SubscriptionRecord) -> SubscriptionRecord:
        row = _row(record)
        etag = await (self._table.insert(row) if record.etag is None else self._table.replace(row, record.etag))
        return replace(record, etag=etag)

    async def all(self) -> list[SubscriptionRecord]:
        return [_record(row) async for row in self._table.query(None)]


def _row(record: SubscriptionRecord) -> Row:
    values = columns(
        {
            "tenant_id": record.tenant_id,
            "subscription_id": record.subscription_id,
            "client_state_hash": record.client_state_hash,
            "expires_at": record.expires_at,
            "kept_at": record.kept_at,
        }
    )
    return Row(pk=key(record.tenant), rk=key(record.resource), values=values)


def _record(row: Row) -> SubscriptionRecord:
    check_version(row, "subscription")
    return SubscriptionRecord(
        tenant=unkey(row.pk),
        resource=unkey(row.rk),
        tenant_id=row.text("tenant_id"),
        subscription_id=row.text("subscription_id"),
        client_state_hash=row.text("client_state_hash"),
        expires_at=time_or_none(row, "expires_at"),
        kept_at=time_or_none(row, "kept_at"),
        etag=row.etag,
    )

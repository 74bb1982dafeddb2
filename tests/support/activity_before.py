"""The table `activity` as the version before kinds of events used it: what it wrote, read and dropped.

It runs beside today's version during an upgrade, and on today's rows after a rollback.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta

from sync_core.storage.columns import check_version, columns, flag, newest_first
from sync_core.storage.table import Row, Table, Value, after_prefix, key


async def record(table: Table, *, sync: str, user: str, at: datetime, **values: Value) -> None:
    """A look that ended at `at`, two seconds after its nomination. `values` are further columns."""
    pk, newest = key(sync), newest_first(at)
    written = columns(
        {
            "sync": sync,
            "user": user,
            "changes": "",
            "attributes": "",
            "reason": "",
            "why": "feed",
            "refused": "",
            "error": "",
            "nominated_at": at - timedelta(seconds=2),
            "done_at": at,
            "latency_ms": 2000,
            **values,
        }
    )
    for row in (
        Row(pk=pk, rk=f"{newest}~{key(user)}", values=written),
        Row(pk=f"{pk}:{key(user)}", rk=newest, values=written),
    ):
        await table.upsert(row)


async def prune(table: Table, sync: str, before: datetime) -> int:
    pk = key(sync)
    old = [row.rk async for row in table.query(pk, rk_from=after_prefix(newest_first(before)), select=("v",))]
    for rk in old:
        newest, _, user = rk.partition("~")
        await table.delete(f"{pk}:{user}", newest)
        await table.delete(pk, rk)
    return len(old)


async def recent(table: Table, sync: str) -> list[Mapping[str, object]]:
    rows = [row async for row in table.query(key(sync))]
    for row in rows:
        check_version(row, "activity")
    return [row.values for row in rows]


async def tally(table: Table, sync: str, since: datetime) -> tuple[int, int, list[int]]:
    """How many changed something, how many parked their user, and how late notified changes were."""
    rows = [row async for row in table.query(key(sync), rk_to=after_prefix(newest_first(since)))]
    changed = [row for row in rows if row.text("changes")]
    late = sorted(int(row.values.get("latency_ms", 0)) for row in changed if row.text("why") == "notification")
    return len(changed), sum(bool(row.text("error")) and not flag(row, "again") for row in rows), late

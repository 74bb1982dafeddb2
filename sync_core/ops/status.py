"""How everything stands: syncs, feeds, subscriptions, queues, held deletions and parked users, as stored."""

from __future__ import annotations

from collections import Counter
from datetime import datetime

from ..assembly import Runtime
from ..guard import window as guard
from ..guard.deletions import standing
from ..model import Link, Parked, Sync
from ..model.messages import WORK_QUEUES, poison_queue
from .times import iso, seconds_between

type Json = dict[str, object]


async def status(runtime: Runtime) -> Json:
    """From stored state alone; Graph is not asked."""
    now = runtime.clock.now()
    syncs = list(runtime.config.syncs.values())
    return {
        "at": iso(now),
        "syncs": [await _sync(runtime, sync, now) for sync in syncs],
        "feeds": [
            await _feed(runtime, tenant, name, now)
            for tenant in sorted(runtime.config.source_tenants)
            for name in runtime.feeds.of(tenant)
        ],
        "subscriptions": await _subscriptions(runtime, now),
        "queues": await _queues(runtime),
        "poisoned": await runtime.storage.activity.poison_count(),
        "holds": [await _holds(runtime, sync, now) for sync in syncs],
        "parked": [user for sync in syncs for user in await _parked(runtime, sync, now)],
    }


async def _sync(runtime: Runtime, sync: Sync, now: datetime) -> Json:
    window = await runtime.storage.guards.window(sync.name)
    recent = await runtime.storage.activity.recent(sync.name, 1)
    return {
        "name": sync.name,
        "source": sync.source.key,
        "target": sync.target.key,
        "deletions_in_window": guard.used(window, sync.guard, now),
        "last_activity_at": recent[0].get("done_at") if recent else None,
    }


async def _feed(runtime: Runtime, tenant: str, name: str, now: datetime) -> Json:
    state = await runtime.storage.feeds.get(tenant, name)
    return {
        "tenant": tenant,
        "feed": state.feed,
        "phase": state.phase.value,
        "full": state.full,
        "started_at": iso(state.started_at),
        "progress_at": iso(state.progress_at),
        "completed_at": iso(state.completed_at),
        "completed_age_s": seconds_between(state.completed_at, now),
        "entries": state.entries,
        "nominated": state.nominated,
        "error": state.error or None,
    }


async def _subscriptions(runtime: Runtime, now: datetime) -> list[Json]:
    """One for each feed of each source tenant, whether stored or missing, and what is left over of others."""
    records = {(record.tenant, record.resource): record for record in await runtime.storage.subscriptions.all()}
    wanted = {(tenant, name) for tenant in runtime.config.source_tenants for name in runtime.feeds.of(tenant)}
    rows: list[Json] = []
    for tenant, resource in sorted({*records, *wanted}):
        record = records.get((tenant, resource))
        expires_at = record.expires_at if record else None
        alive = expires_at is not None and expires_at > now
        rows.append(
            {
                "tenant": tenant,
                "resource": resource,
                "id": record.subscription_id if record else None,
                "state": "live" if alive else "expired" if expires_at else "missing",
                "expires_at": iso(expires_at),
                "expires_in_s": seconds_between(now, expires_at),
            }
        )
    return rows


async def _queues(runtime: Runtime) -> list[Json]:
    poison = set(map(poison_queue, WORK_QUEUES))
    depths = await runtime.storage.queues.depths()
    return [{"name": name, "depth": depth, "poison": name in poison} for name, depth in sorted(depths.items())]


async def _holds(runtime: Runtime, sync: Sync, now: datetime) -> Json:
    counts = Counter(standing(hold, now) for hold in await runtime.storage.guards.holds(sync.name))
    approved, rejected = counts["approved"], counts["rejected"]
    return {
        "sync": sync.name,
        "waiting": counts.total() - approved - rejected,
        "approved": approved,
        "rejected": rejected,
    }


async def _parked(runtime: Runtime, sync: Sync, now: datetime) -> list[Json]:
    links = await runtime.storage.links.parked(sync.name)
    return [_parked_as_json(link, link.parked, now) for link in links if link.parked is not None]


def _parked_as_json(link: Link, parked: Parked, now: datetime) -> Json:
    return {
        "sync": link.sync,
        "source_id": link.source_id,
        "reason": parked.reason,
        "next_try_at": iso(parked.until),
        "next_try_in_s": seconds_between(now, parked.until),
        "tries": parked.tries,
    }

"""How everything stands: syncs, feeds, subscriptions, queues, held deletions and parked users, as stored."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import datetime

from ..assembly import Runtime
from ..guard.deletions import Standing, standing
from ..guard.ledger import Filled
from ..model import Sync
from ..model.errors import OtherTenantError
from ..model.messages import WORK_QUEUES, poison_queue
from ..ports import Asked, SubscriptionRecord
from . import documents
from .adoptions import WAITS_FOR_ADOPTION
from .creations import shown_creations
from .documents import SubscriptionState
from .leaving import leaving_status
from .parked import parked_users, refused_users
from .times import seconds_between


async def status(runtime: Runtime) -> documents.Status:
    """From stored state alone; Graph is not asked."""
    now = runtime.clock.now()
    syncs = list(runtime.config.syncs.values())
    feeds = sorted(runtime.feeds.every(), key=lambda each: each[0])
    # All at once: somebody waits for it, and storage answers each part in milliseconds.
    (shown, holds, read, creations), (parked, refused, leaving), (subscriptions, queues, poison) = await asyncio.gather(
        asyncio.gather(
            asyncio.gather(*(_sync(runtime, sync) for sync in syncs)),
            asyncio.gather(*(_holds(runtime, sync, now) for sync in syncs)),
            asyncio.gather(*(_feed(runtime, tenant, name, now) for tenant, name in feeds)),
            asyncio.gather(*(shown_creations(runtime, sync) for sync in syncs)),
        ),
        asyncio.gather(
            parked_users(runtime.storage.links, syncs, now),
            refused_users(runtime.storage.links, syncs),
            asyncio.gather(*(leaving_status(runtime, sync) for sync in syncs)),
        ),
        asyncio.gather(
            _subscriptions(runtime, now),
            _queues(runtime),
            runtime.storage.activity.poison_count(),
        ),
    )
    return documents.Status(
        at=now,
        syncs=shown,
        feeds=read,
        subscriptions=subscriptions,
        queues=queues,
        poisoned=poison,
        holds=holds,
        creations=creations,
        leaving=leaving,
        parked=parked,
        adoptions=sum(user.reason in WAITS_FOR_ADOPTION for user in parked),
        refused=refused,
    )


async def _sync(runtime: Runtime, sync: Sync) -> documents.SyncStatus:
    windows = [_window(each) for each in await runtime.guard.ledger.windows(sync, recount=False)]
    newest = await runtime.storage.activity.page(Asked(of=[(sync.name, "")], limit=1))
    stopped, removing = await _judged(runtime, sync)
    said = await runtime.pauses.read(sync.name)
    return documents.SyncStatus(
        name=sync.name,
        source=sync.source.key,
        target=sync.target.key,
        mode=sync.mode,
        control=said.control,
        controlled_by=said.by or None,
        controlled_at=said.at,
        control_reason=said.reason or None,
        deletions_in_window=windows[0].used,
        windows=windows,
        last_activity_at=newest.events[0].at if newest.events else None,
        stopped=stopped,
        removing=removing,
    )


def _window(filled: Filled) -> documents.WindowStatus:
    known = filled.window.counted_at is not None
    return documents.WindowStatus(
        counts=filled.counts,
        window_s=filled.limits.window.total_seconds(),
        used=filled.used,
        limit=filled.limit if known else None,
    )


async def _judged(runtime: Runtime, sync: Sync) -> tuple[documents.Stopped | None, bool]:
    """Whether it is stopped, and whether it is being removed."""
    try:
        return None, await runtime.configurations.check(sync) != sync
    except OtherTenantError as error:
        return documents.Stopped(reason=str(error), hint=error.hint), False


async def _feed(runtime: Runtime, tenant: str, name: str, now: datetime) -> documents.FeedStatus:
    state = await runtime.storage.feeds.get(tenant, name)
    return documents.FeedStatus(
        tenant=tenant,
        feed=state.feed,
        phase=state.phase,
        full=state.full,
        started_at=state.started_at,
        progress_at=state.progress_at,
        completed_at=state.completed_at,
        completed_age_s=None if state.completed_at is None else seconds_between(state.completed_at, now),
        entries=state.entries,
        nominated=state.nominated,
        error=state.error or None,
    )


async def _subscriptions(runtime: Runtime, now: datetime) -> list[documents.SubscriptionStatus]:
    """One for each resource of which Graph is to tell us, stored or missing, and those left over of former ones."""
    records = {(record.tenant, record.resource): record for record in await runtime.storage.subscriptions.all()}
    wanted = runtime.feeds.resources()
    return [_subscription(*key, records.get(key), now) for key in sorted({*records, *wanted})]


def _subscription(
    tenant: str, resource: str, record: SubscriptionRecord | None, now: datetime
) -> documents.SubscriptionStatus:
    expires_at = record.expires_at if record else None
    state = SubscriptionState.MISSING
    if expires_at is not None:
        state = SubscriptionState.LIVE if expires_at > now else SubscriptionState.EXPIRED
    return documents.SubscriptionStatus(
        tenant=tenant,
        resource=resource,
        id=record.subscription_id if record else None,
        state=state,
        expires_at=expires_at,
        expires_in_s=None if expires_at is None else seconds_between(now, expires_at),
    )


async def _queues(runtime: Runtime) -> list[documents.QueueStatus]:
    poison = set(map(poison_queue, WORK_QUEUES))
    depths = await runtime.storage.queues.depths()
    return [
        documents.QueueStatus(
            name=name,
            depth=depth,
            poison=name in poison,
            unreadable=sum(not each.readable for each in await runtime.storage.queues_by_name[name].peek())
            if depth
            else 0,
        )
        for name, depth in sorted(depths.items())
    ]


async def _holds(runtime: Runtime, sync: Sync, now: datetime) -> documents.HoldCounts:
    counts = Counter(standing(hold, now) for hold in await runtime.storage.guards.holds(sync.name))
    return documents.HoldCounts(
        sync=sync.name,
        waiting=sum(count for state, count in counts.items() if state.waiting),
        approved=counts[Standing.APPROVED],
        rejected=counts[Standing.REJECTED],
    )

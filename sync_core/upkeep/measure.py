"""The figures on which the alerts rest, logged at every poll from stored state.

A line may be lost on its way: an alert looks at the newest measurement of several polls, and counts no lines. Two
alerts also tell of missing measurements.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from ..guard.creations import CreationGuard
from ..guard.deletions import standing
from ..guard.pauses import Pauses
from ..model import Control, Finding, Occasion, Reason, Sync
from ..model.errors import SyncError
from ..model.messages import USERS, WORK_QUEUES
from ..nominate.rounds import FeedReader
from ..nominate.subscriptions import LIFETIME, kept_at
from ..ports import Activity, Clock, Fronts, Guards, Links, Poison, Subscriptions
from ..telemetry.metrics import (
    FEED,
    FEED_BEHIND,
    POISON_WAITING,
    QUEUE,
    QUEUE_STOOD,
    SUBSCRIPTION_UNKEPT,
    SYNC,
    TENANT,
    USERS_HELD,
    USERS_LINKED,
    USERS_PARKED,
    USERS_WAITING,
)
from ..telemetry.port import measured

log = logging.getLogger("xtsync.measure")

# Outcomes of this time are tallied; of a busy sync the newest of them, which are five pages of a table.
TALLIED = timedelta(minutes=30)
_MOST_TALLIED = 5000
# A feed that was never begun is as late as one can be: the poll that measures it tried to begin it.
_NEVER = timedelta(days=1)
# People are told from here on; the alerts have the same limits (infra/queries).
FEED_LATE = timedelta(minutes=30)
SUBSCRIPTION_DEAD = timedelta(hours=3)
PAUSED_LONG = timedelta(days=1)
_OF_A_SYNC = (
    Occasion.HELD,
    Occasion.PARKED,
    Occasion.CREATIONS_WAIT,
    Occasion.ADOPTION_WAITS,
    Occasion.PAUSED_LONG,
    Occasion.SYNC_STOPPED,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    syncs: Mapping[str, Sync]
    feeds: FeedReader
    pauses: Pauses
    subscriptions: Subscriptions
    links: Links
    guards: Guards
    creations: CreationGuard
    poison: Poison
    fronts: Fronts
    activity: Activity
    clock: Clock

    async def run(self) -> Sequence[Finding]:
        """Write one line for each feed, each subscription, each sync and its outcomes, and each work queue.

        What people are told of is returned. Logs storage errors.
        """
        found = [each for tenant, feed in self.feeds.every() for each in await self._feed(tenant, feed)]
        found += await self.subscriptions_kept()
        for name in sorted(self.syncs):
            found += await self._sync(name)
            await self._outcomes(name)
        for queue in WORK_QUEUES:
            await self._queue(queue)
            await self._poison(queue)
        return found

    async def subscriptions_kept(self) -> Sequence[Finding]:
        """One line for each subscription; also told after each keeping, so that a new one ends the alert at once."""
        return [await self._subscription(tenant, resource) for tenant, resource in self.feeds.resources()]

    def _of_tenant(
        self, occasion: Occasion, tenant: str, name: str, *, feeds: Collection[str], stands: bool | None
    ) -> Finding:
        """`name` is that of a feed or a resource."""
        return Finding(
            occasion=occasion,
            about=tenant if name == USERS else f"{tenant}/{name}",
            syncs=frozenset(sync.name for each in feeds for sync in self.feeds.kinds[each].concerned(tenant)),
            stands=stands,
        )

    async def _feed(self, tenant: str, feed: str) -> Sequence[Finding]:
        """The lag is the time since a round was last completed; before the first end, since the first round began.

        The record of the feed has the syncs whose scope the last full round found empty.
        """
        try:
            state = await self.feeds.feeds.get(tenant, feed)
        except SyncError as error:
            log.warning("feed.unmeasured tenant=%s feed=%s error=%s", tenant, feed, error.code)
            late = emptied = None
        else:
            emptied, now = state.emptied, self.clock.now()
            since = state.completed_at or state.started_at
            behind = _NEVER if since is None else now - since
            log.info("feed.measured tenant=%s feed=%s behind_s=%d", tenant, feed, behind.total_seconds())
            measured(FEED_BEHIND, behind.total_seconds(), {TENANT: tenant, FEED: feed})
            late = behind >= FEED_LATE
        scopes = self.feeds.kinds[feed].scopes(tenant)
        return [
            self._of_tenant(Occasion.FEED_LATE, tenant, feed, feeds=[feed], stands=late),
            *(
                _of_sync(Occasion.SCOPE_EMPTIED, name, stands=None if emptied is None else name in emptied)
                for name in scopes
            ),
        ]

    async def _subscription(self, tenant: str, resource: str) -> Finding:
        """The time since Graph last renewed it for us; if it never did, the longest that one lives."""
        try:
            record = await self.subscriptions.get(tenant, resource)
        except SyncError as error:
            log.warning("subscription.unmeasured tenant=%s resource=%s error=%s", tenant, resource, error.code)
            dead = None
        else:
            kept = kept_at(record)
            unkept = LIFETIME if kept is None else self.clock.now() - kept
            log.info(
                "subscription.measured tenant=%s resource=%s unkept_s=%d", tenant, resource, unkept.total_seconds()
            )
            measured(SUBSCRIPTION_UNKEPT, unkept.total_seconds(), {TENANT: tenant, FEED: resource})
            dead = unkept >= SUBSCRIPTION_DEAD
        feeds = self.feeds.told_by(tenant, resource)
        return self._of_tenant(Occasion.SUBSCRIPTION_DEAD, tenant, resource, feeds=feeds, stands=dead)

    async def _sync(self, name: str) -> Sequence[Finding]:
        try:
            said = await self.pauses.read(name)
            linked = await self.links.count(name)
            reasons = [link.parked.reason for link in await self.links.parked(name) if link.parked]
            newcomers = (await self.creations.waiting(self.syncs[name])).people
            now = self.clock.now()
            held = sum(standing(hold, now).waiting for hold in await self.guards.holds(name))
            stopped = await self.feeds.configurations.stopped(name)
        except SyncError as error:
            log.warning("sync.unmeasured sync=%s error=%s", name, error.code)
            return [_of_sync(each, name, stands=None) for each in _OF_A_SYNC]
        state, parked = said.control.replace(" ", "-"), len(reasons)
        log.info(
            "sync.measured sync=%s control=%s linked=%d parked=%d newcomers=%d held=%d",
            name,
            state,
            linked,
            parked,
            newcomers,
            held,
        )
        for metric, count in (
            (USERS_LINKED, linked),
            (USERS_PARKED, parked),
            (USERS_WAITING, newcomers),
            (USERS_HELD, held),
        ):
            measured(metric, count, {SYNC: name})
        paused = said.control is not Control.RUNNING and said.at is not None and now - said.at >= PAUSED_LONG
        people = {
            Occasion.HELD: held,
            Occasion.PARKED: parked,
            Occasion.CREATIONS_WAIT: newcomers,
            Occasion.ADOPTION_WAITS: reasons.count(Reason.NEEDS_APPROVAL),
        }
        return [
            *(_of_sync(each, name, stands=count > 0, count=count) for each, count in people.items()),
            _of_sync(Occasion.PAUSED_LONG, name, stands=paused),
            _of_sync(Occasion.SYNC_STOPPED, name, stands=stopped),
        ]

    async def _outcomes(self, name: str) -> None:
        try:
            tally = await self.activity.tally(name, self.clock.now() - TALLIED, _MOST_TALLIED)
        except SyncError as error:
            log.warning("outcomes.unmeasured sync=%s error=%s", name, error.code)
        else:
            log.info(
                "outcomes.measured sync=%s changed=%d parked=%d notified=%d late_ms=%d",
                name,
                tally.changed,
                tally.parked,
                tally.notified,
                tally.late_ms,
            )

    async def _queue(self, queue: str) -> None:
        try:
            stood = await self.fronts.watch(queue, self.clock.now())
        except SyncError as error:
            log.warning("queue.unmeasured queue=%s error=%s", queue, error.code)
        else:
            log.info("queue.measured queue=%s stood_s=%d", queue, stood.total_seconds())
            measured(QUEUE_STOOD, stood.total_seconds(), {QUEUE: queue})

    async def _poison(self, queue: str) -> None:
        """The messages of this queue that failed again and again: still on its poison queue, or kept."""
        try:
            waiting = await self.poison.depth(queue)
            unreadable = sum(not each.readable for each in await self.poison.peek(queue)) if waiting else 0
            kept = await self.activity.poison_count(queue)
        except SyncError as error:
            log.warning("poison.unmeasured queue=%s error=%s", queue, error.code)
        else:
            log.info("poison.measured queue=%s waiting=%d unreadable=%d kept=%d", queue, waiting, unreadable, kept)
            measured(POISON_WAITING, waiting, {QUEUE: queue})


def _of_sync(occasion: Occasion, name: str, *, stands: bool | None, count: int = 0) -> Finding:
    return Finding(occasion=occasion, about=name, syncs=frozenset({name}), stands=stands, count=count)

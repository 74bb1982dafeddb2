"""The figures that alerts watch, logged at every poll, so that a silent or stuck feed shows as a number too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from ..model import Sync
from ..model.errors import SyncError
from ..model.messages import WORK_QUEUES
from ..nominate.rounds import FeedReader
from ..ports import Activity, Clock, Guards, HoldState, Links, Poison

log = logging.getLogger("xtsync.measure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    syncs: Mapping[str, Sync]
    feeds: FeedReader
    links: Links
    guards: Guards
    poison: Poison
    activity: Activity
    clock: Clock

    async def run(self) -> None:
        """Write one log line for each feed, with its lag in seconds, and one for each sync, with three counts of users.

        The counts are of linked users, of parked users and of holds. Logs storage errors.
        """
        for feed, kind in self.feeds.kinds.items():
            for tenant in sorted(kind.tenants):
                await self._feed(tenant, feed)
        for name in sorted(self.syncs):
            try:
                linked = await self.links.count(name)
                parked = len(await self.links.parked(name))
                held = sum(hold.state is HoldState.HELD for hold in await self.guards.holds(name))
            except SyncError as error:
                log.warning("sync.unmeasured sync=%s error=%s", name, error.code)
            else:
                log.info("sync.measured sync=%s linked=%d parked=%d held=%d", name, linked, parked, held)
        for queue in WORK_QUEUES:
            await self._poison(queue)

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

    async def _feed(self, tenant: str, feed: str) -> None:
        """The lag is the time since a round was last completed; before the first end, since the first round began."""
        try:
            state = await self.feeds.feeds.get(tenant, feed)
        except SyncError as error:
            log.warning("feed.unmeasured tenant=%s feed=%s error=%s", tenant, feed, error.code)
        else:
            now = self.clock.now()
            behind = now - (state.completed_at or state.started_at or now)
            log.info("feed.measured tenant=%s feed=%s behind_s=%d", tenant, feed, behind.total_seconds())

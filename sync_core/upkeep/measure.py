"""Counts what alerts watch, once a poll, so that silence and standstill show up as numbers too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from ..model import Sync
from ..model.errors import SyncError
from ..nominate.rounds import FeedReader
from ..ports import Clock, Guards, HoldState, Links

log = logging.getLogger("xtsync.measure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    syncs: Mapping[str, Sync]
    feeds: FeedReader
    links: Links
    guards: Guards
    clock: Clock

    async def run(self) -> None:
        """One log line for each feed: how far behind it is; and for each sync: linked, parked and held users."""
        for feed, kind in self.feeds.kinds.items():
            for tenant in sorted(kind.tenants):
                await self._feed(tenant, feed)
        for name in sorted(self.syncs):
            try:
                linked = await self.links.count(name)
                parked = len(await self.links.parked(name))
                held = [hold for hold in await self.guards.holds(name) if hold.state is HoldState.HELD]
            except SyncError as error:
                log.warning("sync.unmeasured sync=%s error=%s", name, error.code)
            else:
                log.info("sync.measured sync=%s linked=%d parked=%d held=%d", name, linked, parked, len(held))

    async def _feed(self, tenant: str, feed: str) -> None:
        """Behind is the time since a round was last completed; before that, since the first one began."""
        try:
            state = await self.feeds.feeds.get(tenant, feed)
        except SyncError as error:
            log.warning("feed.unmeasured tenant=%s feed=%s error=%s", tenant, feed, error.code)
        else:
            now = self.clock.now()
            behind = now - (state.completed_at or state.started_at or now)
            log.info("feed.measured tenant=%s feed=%s behind_s=%d", tenant, feed, behind.total_seconds())

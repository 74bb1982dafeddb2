"""Counts what alerts watch, once a poll, so that silence and standstill show up as numbers too."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass

from .errors import SyncError
from .model import Sync
from .ports import Guards, HoldState, Links

log = logging.getLogger("xtsync.measure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Measure:
    syncs: Mapping[str, Sync]
    links: Links
    guards: Guards

    async def run(self) -> None:
        """One log line for each sync: linked, parked and held users."""
        for name in sorted(self.syncs):
            try:
                linked = await self.links.count(name)
                parked = len(await self.links.parked(name))
                held = [hold for hold in await self.guards.holds(name) if hold.state is HoldState.HELD]
            except SyncError as error:
                log.warning("sync.unmeasured sync=%s error=%s", name, error.code)
            else:
                log.info("sync.measured sync=%s linked=%d parked=%d held=%d", name, linked, parked, len(held))

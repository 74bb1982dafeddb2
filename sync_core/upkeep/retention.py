"""Deletes old activity, old decisions and old counts, some of it at every poll, so that no run is long."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ..guard.ledger import longest
from ..model import Sync
from ..model.errors import SyncError
from ..ports import Activity, Clock, GuardHistory

log = logging.getLogger("xtsync.retention")

# Events of one sync that one run deletes, at most: with a poll every five minutes, 288,000 a day.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    syncs: Mapping[str, Sync]
    activity: Activity
    history: GuardHistory
    clock: Clock
    keep: timedelta

    async def run(self) -> None:
        """Delete what is older than `keep`, up to the limit of one run for each sync. Logs storage errors."""
        now = self.clock.now()
        before = now - self.keep
        try:
            await self.activity.forget_notes(now)
        except SyncError as error:
            log.warning("notes.not_forgotten error=%s", error.code)
        for name, sync in sorted(self.syncs.items()):
            try:
                await self.activity.vouch(name, now)
                dropped = await self.activity.prune(name, before, _AT_ONCE)
                await self.history.prune_decisions(name, before, _AT_ONCE)
                await self.history.prune_counted(sync.target.id, now - longest(sync), _AT_ONCE)
            except SyncError as error:
                log.warning("activity.not_pruned sync=%s error=%s", name, error.code)
            else:
                if dropped:
                    log.info("activity.pruned sync=%s events=%d", name, dropped)

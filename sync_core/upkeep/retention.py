"""Deletes old activity, some of it at every poll, so that no run is long."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ..model import Sync
from ..model.errors import SyncError
from ..ports import Activity, Clock

log = logging.getLogger("xtsync.retention")

# Outcomes of one sync that one run deletes, at most: with a poll every five minutes, 288,000 a day.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    syncs: Mapping[str, Sync]
    activity: Activity
    clock: Clock
    keep: timedelta

    async def run(self) -> None:
        """Delete outcomes older than `keep`, up to the limit of one run for each sync. Logs storage errors."""
        before = self.clock.now() - self.keep
        for name in sorted(self.syncs):
            try:
                dropped = await self.activity.prune(name, before, _AT_ONCE)
            except SyncError as error:
                log.warning("activity.not_pruned sync=%s error=%s", name, error.code)
            else:
                if dropped:
                    log.info("activity.pruned sync=%s outcomes=%d", name, dropped)

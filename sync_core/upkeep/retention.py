"""Lets the record of what was done end: a little with every poll, so that no run of it is long."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from ..model import Sync
from ..model.errors import SyncError
from ..ports import Activity, Clock

log = logging.getLogger("xtsync.retention")

# Outcomes of one sync dropped in one run; with a poll every five minutes, 288,000 a day.
_AT_ONCE = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Retention:
    syncs: Mapping[str, Sync]
    activity: Activity
    clock: Clock
    keep: timedelta

    async def run(self) -> None:
        """What is older than `keep` goes, the oldest perhaps only in the next runs."""
        before = self.clock.now() - self.keep
        for name in sorted(self.syncs):
            try:
                dropped = await self.activity.prune(name, before, _AT_ONCE)
            except SyncError as error:
                log.warning("activity.not_pruned sync=%s error=%s", name, error.code)
            else:
                if dropped:
                    log.info("activity.pruned sync=%s outcomes=%d", name, dropped)

"""Nominates, at every poll, newcomers who waited for the creation guard and may be let in by now.

The window has moved on, the ceiling was raised, or a person approved them. The links say who waits, so no round of the
feeds is needed. The next look asks the guard again: who is nominated here is not let in yet.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass

from ..guard.configurations import Configurations
from ..guard.creations import CreationGuard
from ..guard.pauses import Pauses
from ..model import Control, Mode, Nomination, Sync, Why
from ..ports import Clock, Queues
from .each_sync import each_sync

log = logging.getLogger("xtsync.newcomers")

# Of each sync at one poll. Graph lets an app invite about as many in five minutes: two writes each, of 20 a second.
MOST = 3000


@dataclass(frozen=True, slots=True, kw_only=True)
class Newcomers:
    configurations: Configurations
    pauses: Pauses
    creations: CreationGuard
    queues: Queues
    clock: Clock

    async def run(self) -> None:
        """Only by the configuration that leads: the ceilings of another one do not count."""
        await each_sync(self.configurations, self._nominate, log, "newcomers.not_nominated")

    async def _nominate(self, sync: Sync) -> None:
        if sync.mode is Mode.OBSERVE or (await self.pauses.read(sync.name)).control is Control.PAUSED:
            return
        found = await self.creations.admissible(sync, MOST)
        now = self.clock.now()
        await self.queues.nominate([Nomination(sync=sync.name, user=each, why=Why.FEED, at=now) for each in found])
        if found:
            log.info("newcomers.nominated sync=%s users=%d", sync.name, len(found))

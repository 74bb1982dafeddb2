"""Nominates again, at every poll, what a worker took in hand and never finished, because it was killed.

The messages themselves stay hidden for ten minutes, by the queue's own rule. A user who is looked at twice costs reads.
The kill may also have met a message before its row was written, so the source tenant is read from the beginning.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta

from ..model import Sync
from ..model.errors import SyncError
from ..nominate.rounds import FeedReader
from ..ports import Clock, FeedPhase, InHand, Queues

log = logging.getLogger("xtsync.in_hand")

# A worker renews its row three times a minute (reconcile/at_work.py), however long a look takes.
LEFT_AFTER = timedelta(minutes=1)
# A user at whom every worker dies is left to the queue's own tries, which end on the poison queue.
USER_EVERY = timedelta(days=1)
READ_ANEW_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    syncs: Mapping[str, Sync]
    in_hand: InHand
    queues: Queues
    feeds: FeedReader
    clock: Clock

    async def run(self) -> None:
        """A user is nominated once a day, a source tenant read anew once an hour. The queue delivers everything."""
        for name, sync in sorted(self.syncs.items()):
            try:
                await self._take_over(sync)
            except SyncError as error:
                log.warning("in_hand.not_taken_over sync=%s error=%s", name, error.code)

    async def _take_over(self, sync: Sync) -> None:
        now = self.clock.now()
        left = await self.in_hand.left(sync.name, now - LEFT_AFTER)
        if not left:
            return
        due = [each for each in left if await self.in_hand.user_due(sync.name, each.user, now, USER_EVERY)]
        await self.queues.nominate([replace(each, at=now) for each in due])
        await self._read_anew(sync.source.key)
        for each in left:
            await self.in_hand.finish(sync.name, each.user)
        log.warning("in_hand.taken_over sync=%s users=%d of=%d", sync.name, len(due), len(left))

    async def _read_anew(self, source: str) -> None:
        state = await self.feeds.feeds.get(source)
        if state.phase is not FeedPhase.IDLE and state.full:
            return  # a full round would never end if each poll began it anew
        if await self.in_hand.source_due(source, self.clock.now(), READ_ANEW_EVERY):
            await self.feeds.start_round(source, full=True)

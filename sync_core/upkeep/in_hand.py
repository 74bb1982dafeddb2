"""Nominates again, at every poll, what a worker took in hand and never finished: it was killed, or is very slow.

The messages themselves stay hidden for ten minutes, by the queue's own rule. A user who is looked at twice costs reads.
The kill may also have met a message before its row was written, so the source tenant is read from the beginning.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..model import Sync
from ..model.errors import SyncError
from ..nominate.rounds import FeedReader
from ..ports import Clock, FeedPhase, InHand, Queues
from ..reconcile.worker import MAX_ATTEMPTS

log = logging.getLogger("xtsync.in_hand")

# One look takes seconds, or the longest wait for a write permit: after a minute nobody may be at it any more.
LEFT_AFTER = timedelta(minutes=1)
READ_ANEW_EVERY = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    syncs: Mapping[str, Sync]
    in_hand: InHand
    queues: Queues
    feeds: FeedReader
    clock: Clock
    read_anew: dict[str, datetime] = field(default_factory=dict)  # when each source was last asked for all its users

    async def run(self) -> None:
        """A user at whom every worker dies is nominated twelve times; then the queue's own tries decide."""
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
        await self.queues.nominate(
            [replace(each, at=now, attempt=each.attempt + 1) for each in left if each.attempt < MAX_ATTEMPTS]
        )
        for each in left:
            await self.in_hand.finish(sync.name, each.user)
        log.warning("in_hand.taken_over sync=%s users=%d", sync.name, len(left))
        await self._read_anew(sync.source.key, now)

    async def _read_anew(self, source: str, now: datetime) -> None:
        """At most once an hour: a look that takes longer than a minute, again and again, is no reason for more."""
        if source in self.read_anew and now - self.read_anew[source] < READ_ANEW_EVERY:
            return
        state = await self.feeds.feeds.get(source)
        if state.phase is FeedPhase.IDLE or not state.full:  # a full one would never end if each poll began it anew
            await self.feeds.start_round(source, full=True)
            self.read_anew[source] = now

"""Nominates again, at every poll, what a worker took in hand and never finished, because it was killed.

The messages themselves stay hidden for ten minutes, by the queue's own rule. A user who is looked at twice costs reads.
The kill may also have met a message before its row was written, so the source tenant is read from the beginning.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..guard.configurations import Configurations
from ..model import Nomination, Sync
from ..model.errors import NewerSchemaError, SyncError
from ..nominate.rounds import FeedReader
from ..ports import Clock, FeedPhase, InHand, Links, Queues

log = logging.getLogger("xtsync.in_hand")

# A worker renews its row three times a minute (reconcile/at_work.py), however long a look takes.
LEFT_AFTER = timedelta(minutes=1)
# A user at whom every worker dies would otherwise be nominated at every poll, and each time with the source tenant.
EVERY = timedelta(hours=1)
_SOURCES = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Takeover:
    configurations: Configurations
    in_hand: InHand
    links: Links
    queues: Queues
    feeds: FeedReader
    clock: Clock

    async def run(self) -> None:
        """Each user is nominated once an hour, and each source tenant read anew. The queue delivers everything anyway.

        A parked user waits for the retry: most likely it is at this user that the workers died. Only the configuration
        that leads does this, because a round by another one would be begun anew.
        """
        for name, sync in sorted(self.configurations.syncs.items()):
            try:
                if await self.configurations.leads():
                    await self._take_over(sync)
            except SyncError as error:
                log.warning("in_hand.not_taken_over sync=%s error=%s", name, error.code)

    async def _take_over(self, sync: Sync) -> None:
        """A crash repeats a step: the notes and the end of the rows come after what they stand for."""
        now = self.clock.now()
        left = await self.in_hand.left(sync.name, now - LEFT_AFTER)
        if not left:
            return
        waiting = [each.nomination for each in left if not await self._parked(each.nomination)]
        recent = await self._recent(sync.name, now)
        due = [replace(each, at=now) for each in waiting if each.user not in recent]
        await self.queues.nominate(due)
        for each in due:
            await self.in_hand.note(sync.name, each.user, now)
        if waiting and not await self._read_anew(sync.source.key, now):
            return
        for row in left:
            await self.in_hand.drop(row)
        log.warning("in_hand.taken_over sync=%s users=%d of=%d", sync.name, len(due), len(left))

    async def _parked(self, nomination: Nomination) -> bool:
        """So is a user whose row a newer version wrote: their retry is on the queue."""
        try:
            link = await self.links.get(nomination.sync, nomination.user)
        except NewerSchemaError:
            return True
        return link is not None and link.parked is not None

    async def _recent(self, of: str, now: datetime) -> set[str]:
        taken_over = await self.in_hand.taken_over(of)
        old = {name for name, at in taken_over.items() if now - at >= EVERY}
        for name in old:
            await self.in_hand.forget(of, name)
        return taken_over.keys() - old

    async def _read_anew(self, source: str, now: datetime) -> bool:
        """False while a full round is under way: one that each poll began anew would never end."""
        if source in await self._recent(_SOURCES, now):
            return True
        state = await self.feeds.feeds.get(source)
        if state.phase is not FeedPhase.IDLE and state.full:
            return False
        await self.feeds.start_round(source, full=True)
        await self.in_hand.note(_SOURCES, source, now)
        return True

"""Nominates, at every poll, those whose next stage of leaving is due, and those whom nobody keeps any longer.

A message waits for seven days at most, and a listing of all links is slow. So each stage leaves a note, in the order of
time. The next look decides by a fresh read: who is nominated here may have returned, or be held by the guard.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum

from ..guard.configurations import Configurations
from ..guard.pauses import Pauses
from ..model import Control, LinkState, Mode, Nomination, Sync, Why
from ..model.errors import ConflictError, NewerSchemaError
from ..ports import Clock, Due, DueNotes, Keeps, Links, Queues
from .each_sync import each_sync

log = logging.getLogger("xtsync.leavers")

# Of each sync at one poll.
MOST = 1000
# A stage that the guard holds, or that fails, is looked at again after this.
AGAIN = timedelta(hours=6)
# A word to keep that is over does nothing. It is dropped so much later, since a clock may have run ahead at one poll.
KEPT_ENDED = timedelta(days=7)


class _Over(Enum):
    OVER = "over"
    UNKNOWN = "unknown"  # an earlier version rewrote the link: one more look tells


@dataclass(frozen=True, slots=True, kw_only=True)
class Leavers:
    configurations: Configurations
    pauses: Pauses
    due: DueNotes
    keeps: Keeps
    links: Links
    queues: Queues
    clock: Clock

    async def run(self) -> None:
        """Only by the configuration that leads. A sync that may take nothing away now is left for a full round."""
        await each_sync(self.configurations, self._nominate, log, "leavers.not_nominated")

    async def _nominate(self, sync: Sync) -> None:
        if sync.mode is Mode.OBSERVE or (await self.pauses.read(sync.name)).control is not Control.RUNNING:
            return
        now = self.clock.now()
        ended = [each for each in await self.keeps.all(sync.name) if now - each.until >= KEPT_ENDED]
        await self._send(sync, [each.source_id for each in ended], now)
        for each in ended:
            try:
                await self.keeps.drop(each)
            except ConflictError:
                log.info("leavers.kept_again sync=%s user=%s", each.sync, each.source_id)
        await self._follow(sync, now)

    async def _follow(self, sync: Sync, now: datetime) -> None:
        """The messages and the later notes come before a note is dropped, so a crash loses nobody."""
        notes = await self.due.before(sync.name, now, MOST)
        looks: list[tuple[Due, datetime | None]] = []
        for note in notes:
            until = await self._until(note)
            if isinstance(until, datetime) and until > now:
                await self.due.note(replace(note, at=until))
            elif until is not _Over.OVER:
                looks.append((note, None if until is _Over.UNKNOWN else now + AGAIN))
        await self._send(sync, [note.source_id for note, _ in looks], now)
        for note, again in looks:
            if again is not None:
                await self.due.note(replace(note, at=again))
        for note in notes:
            await self.due.drop(note)

    async def _until(self, note: Due) -> datetime | _Over:
        """When the next stage comes by the link, as of its last look."""
        try:
            link = await self.links.get(note.sync, note.source_id)
        except NewerSchemaError:
            return note.at
        if link is None or link.state is not LinkState.LINKED:
            return _Over.OVER
        if link.leaving is None:
            return _Over.UNKNOWN
        return link.leaving.until or _Over.OVER

    async def _send(self, sync: Sync, users: Sequence[str], now: datetime) -> None:
        users = list(dict.fromkeys(users))
        await self.queues.nominate([Nomination(sync=sync.name, user=each, why=Why.FEED, at=now) for each in users])
        if users:
            log.info("leavers.nominated sync=%s users=%d", sync.name, len(users))

"""The creation guard at work: lets newcomers in up to a ceiling of their sync, and those whom a person approved.

An invitation needs a permit of the sync's window. A process takes permits in blocks, so that thousands of invitations
a minute cost few requests to storage. The deletion guard counts each person by a row of their own instead: deletions
are few, and one person may be counted in several windows. A newcomer counts once, since the link says that the
invitation began. A permit counts as soon as its block is taken. So a process that dies leaves up to BLOCK invitations
unused until the window has moved on: the guard errs towards waiting.

A newcomer beyond the ceiling waits, and the link says since when. An approval names the newcomer up to whom people are
let in, in the order in which they began to wait. So it needs no permits, lets nobody in who came later, and a crash
takes nothing from it. It ends with any edit of the sync or of its ceiling.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from heapq import nsmallest

from ..model import Change, Invite, Limit, Link, LinkState, Postpone, Postponed, Sync, fingerprint
from ..model.errors import ConflictError, UnavailableError
from ..ports import Clock, CreationApproval, CreationRecord, Creations, GuardWindow, Links
from ..ports.swap import until_saved
from . import window
from .ledger import Ledger

# Permits that a process takes at once, at most. It begins with one, and doubles while it uses them up.
BLOCK = 25
# A permit is used within this time after its block was taken, and the window counts it for so much longer.
LASTS = timedelta(minutes=1)
# With the last permits, each block is at most this part of those that are left: other processes need some, too.
_SHARE = 4
# A process that stands still may find its permits over. So often it takes others.
_TRIES = 3
# `put_off_at` is written anew this often, and forgotten so long after the last newcomer who waited.
_NOTED = timedelta(minutes=5)
_FORGOTTEN = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Ceiling:
    used: int
    limit: int

    @property
    def room(self) -> int:
        return max(0, self.limit - self.used)


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How many newcomers wait for a person, and since when; `approved` are let in at their next look."""

    people: int = 0
    since: datetime | None = None
    approved: int = 0


@dataclass(slots=True, kw_only=True)
class _Block:
    taken_at: datetime
    size: int
    left: int


@dataclass(slots=True)
class _Known:
    """What this process knows of one sync: the last approval that it read, and its block of permits.

    `full_at` is when it read a window without room; None: the last one had some.
    """

    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    full_at: datetime | None = None
    approval: CreationApproval | None = None
    block: _Block | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationGuard:
    records: Creations
    links: Links
    ledger: Ledger
    clock: Clock
    block: int = BLOCK
    _known: dict[str, _Known] = field(default_factory=dict)  # by sync

    def rehearsed(self, records: Creations, ledger: Ledger) -> CreationGuard:
        """The same over other records. It takes single permits, so that none is left over when it ends."""
        return replace(self, records=records, ledger=ledger, block=1, _known={})

    async def judge(
        self, sync: Sync, link: Link, change: Change, *, read_at: datetime, dry_run: bool = False
    ) -> Change:
        """The change, or an invitation put off. `read_at` is when the source user was read.

        An invitation that is tried again takes no second permit: the link says that it began.
        """
        if sync.creation_guard is None or not isinstance(change, Invite) or link.state is LinkState.INVITING:
            return change
        if await (self._foreseen(sync, link) if dry_run else self._admitted(sync, link, read_at)):
            return change
        return Postpone(postponed=change, because=Postponed.CREATIONS_FULL)

    async def listed_first(self, sync: Sync, link: Link) -> None:
        """To be called once the row of a newcomer who was put off is stored for the first time.

        An approval that came since they were put off may cover them, and its list did not have them. Then they wait
        from now on. If its list did have them already, they wait once more, too: that cannot be told apart.
        """
        since = link.waiting_since

        async def attempt() -> None:
            approval = (await self.records.get(sync.name)).approval
            if since is None or approval is None or not _covers(sync, approval, (since, link.source_id)):
                return
            stored = await self.links.get(sync.name, link.source_id)
            if stored is not None and stored.waiting_since == since:
                later = max(self.clock.now(), approval.last[0] + timedelta(microseconds=1))
                await self.links.save(replace(stored, waiting_since=later))

        await until_saved(attempt)

    def give_back(self, sync: Sync, link: Link) -> None:
        """Graph refused the invitation that was decided on this link, so that its permit was not used."""
        known = self._known.get(sync.name)
        if known is None or link.state is LinkState.INVITING or _approved(sync, link, known.approval):
            return
        if known.block is not None and known.block.left < known.block.size:
            known.block.left += 1

    async def ceiling(self, sync: Sync, *, recount: bool = True) -> Ceiling | None:
        """None: the sync has none. Without `recount`, the limit is that of the last count of links."""
        if sync.creation_guard is None:
            return None
        stored = (await self.records.get(sync.name)).window
        if recount:
            stored = await self.ledger.recounted(sync, stored)
        else:
            other = await self.ledger.guards.window(sync.name)
            stored = replace(stored, linked=max(stored.linked, other.linked))
        return self._ceiling(stored, sync.creation_guard)

    async def waiting(self, sync: Sync) -> Waiting:
        """Reads all links of the sync, unless nobody was put off lately."""
        record = await self.records.get(sync.name)
        if record.put_off_at is None:
            return Waiting()
        people, approved, since = 0, 0, None
        async for each in self.links.waiting(sync.name):
            if _covers(sync, record.approval, each):
                approved += 1
            else:
                people, since = people + 1, min(each[0], since or each[0])
        return Waiting(people=people, since=since, approved=approved)

    async def approve(
        self, sync: Sync, people: int, *, by: str, listed: CreationApproval | None
    ) -> CreationApproval | None:
        """Let in so many of those who have waited the longest, besides those approved before.

        None, and nothing is approved: nobody waits, or `listed` is not the last approval any more.
        """

        async def attempt() -> CreationApproval | None:
            record, config = await self.records.get(sync.name), config_of(sync)
            if record.approval != listed:
                return None
            waiting = [each async for each in self.links.waiting(sync.name) if not _covers(sync, listed, each)]
            chosen = nsmallest(people, waiting)
            if not chosen:
                return None
            now = self.clock.now()
            approval = CreationApproval(last=chosen[-1], config=config, people=len(chosen), by=by, at=now)
            await self.records.save(replace(record, approval=approval))
            return approval

        return await until_saved(attempt)

    async def admissible(self, sync: Sync, most: int) -> Sequence[str]:
        """Of those who wait, at most so many who may be let in now. Where nobody waits any more, that is noted."""
        record = await self.records.get(sync.name)
        if record.put_off_at is None:
            return []
        ceiling = await self.ceiling(sync)
        room, found, anybody = most if ceiling is None else ceiling.room, list[str](), False
        async for each in self.links.waiting(sync.name):
            anybody = True
            approved = _covers(sync, record.approval, each)
            if approved or room > 0:
                found.append(each[1])
                room -= not approved
            if len(found) == most:
                break
        if not anybody and self.clock.now() - record.put_off_at >= _FORGOTTEN:
            with suppress(ConflictError):  # somebody was put off meanwhile
                await self.records.save(replace(record, put_off_at=None))
        return found

    async def _foreseen(self, sync: Sync, link: Link) -> bool:
        if _approved(sync, link, (await self.records.get(sync.name)).approval):
            return True
        ceiling = await self.ceiling(sync)
        return ceiling is None or ceiling.room > 0

    async def _admitted(self, sync: Sync, link: Link, read_at: datetime) -> bool:
        """A newcomer is put off only by a record that was read after they were.

        So whoever is looked at after an approval, or after the window has moved on, is judged by that. The record is
        read once for all looks that wait here. UnavailableError if permits were over each time before one was used.
        """
        known = self._known.setdefault(sync.name, _Known())
        async with known.lock:
            for _ in range(_TRIES):
                if self._use(sync, link, known):
                    return True
                if known.full_at is not None and known.full_at > read_at:
                    return False
                await self._take_block(sync, known)
                if known.full_at is not None:
                    return self._use(sync, link, known)
            raise UnavailableError(f"{sync.name}: permits to invite were not taken in time")

    def _use(self, sync: Sync, link: Link, known: _Known) -> bool:
        if _approved(sync, link, known.approval):
            return True
        block = known.block
        if block is None or not block.left or self.clock.now() - block.taken_at >= LASTS:
            return False
        block.left -= 1
        return True

    async def _take_block(self, sync: Sync, known: _Known) -> None:
        """Read the record, give back what is left of the last block, and take the next one if there is room.

        The rest is given back once: a save whose answer is lost may have done it already. Then it stays counted.
        """
        limits, last = sync.creation_guard or Limit(), known.block
        wanted, left = self._next_size(last), [last] if last is not None and last.left else []
        known.block = None

        async def attempt() -> None:
            now = self.clock.now()
            record = await self.records.get(sync.name)
            counted = record.window
            if left:
                old = left.pop()
                counted = window.given_back(counted, _counting(limits), old.taken_at, old.left)
            if self._ceiling(counted, limits).used >= limits.min_count:
                counted = await self.ledger.recounted(sync, counted)
            room = self._ceiling(counted, limits).room
            size = min(wanted, max(room // _SHARE, min(room, 1)))
            if size:
                counted = window.taken(counted, _counting(limits), now, size)
            changed = replace(record, window=counted, put_off_at=record.put_off_at if size else _noted(record, now))
            if changed != record:
                await self.records.save(changed)
            known.full_at, known.approval = None if size else now, record.approval
            known.block = _Block(taken_at=now, size=size, left=size)

        await until_saved(attempt)

    def _next_size(self, block: _Block | None) -> int:
        """Twice the last block if that was used up quickly, else what was used of it."""
        if block is None or not block.size:
            return 1
        if not block.left and self.clock.now() - block.taken_at < LASTS:
            return min(self.block, 2 * block.size)
        return max(1, block.size - block.left)

    def _ceiling(self, counted: GuardWindow, limits: Limit) -> Ceiling:
        used = window.used(counted, _counting(limits), self.clock.now())
        return Ceiling(used=used, limit=window.limit(counted, limits))


def config_of(sync: Sync) -> str:
    """The fingerprint of a sync and of its ceiling: an approval under another one has ended."""
    return fingerprint([sync.fingerprint, repr(sync.creation_guard)])


def _counting(limits: Limit) -> Limit:
    return replace(limits, window=limits.window + LASTS)


def _noted(record: CreationRecord, now: datetime) -> datetime:
    known = record.put_off_at
    return now if known is None or now - known >= _NOTED else known


def _covers(sync: Sync, approval: CreationApproval | None, newcomer: tuple[datetime, str]) -> bool:
    return approval is not None and approval.config == config_of(sync) and newcomer <= approval.last


def _approved(sync: Sync, link: Link, approval: CreationApproval | None) -> bool:
    return link.waiting_since is not None and _covers(sync, approval, (link.waiting_since, link.source_id))

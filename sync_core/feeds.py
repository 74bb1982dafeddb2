"""Reads delta feeds: nominates whoever may need a look, and decides nothing.

A round starts at the stored delta link, or from the very beginning (a full round) when there is none, when Graph says
that it is no longer good, or when what is selected or how it is mapped has changed. After each page the nominations
go on the queue, then the page is checkpointed: a crash repeats a page and never loses one. A full round ends with a
sweep: linked users who do not exist any more were deleted while nobody was reading, and are nominated too.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from .errors import (
    ConflictError,
    GraphRefusedError,
    PermanentError,
    ResyncRequiredError,
    SyncError,
    TransientError,
    UnavailableError,
)
from .look import desired
from .messages import format_time
from .model import (
    MANAGER,
    Attributes,
    FeedRun,
    LinkState,
    Nomination,
    SourceState,
    SourceUser,
    Sync,
    Why,
    digest,
    fingerprint,
    fingerprints,
)
from .ports import Clock, FeedPhase, Feeds, FeedState, LinkDigest, Links, Queues, SourceDirectory, TargetDirectory
from .scope import scope

log = logging.getLogger("xtsync.feeds")

# One message reads for this long, then puts itself on the queue again: far from any function time-out.
TIME_BUDGET = timedelta(seconds=60)
# A round without progress for this long has lost its message (or its function fails): it is put on again.
STALLED = timedelta(minutes=10)
# getByIds takes this many ids. https://learn.microsoft.com/graph/api/directoryobject-getbyids
_SWEEP_SIZE = 1000
_LONGEST_BACKOFF = 300.0


def worth_a_look(sync: Sync, entry: SourceUser, link: LinkDigest | None) -> bool:
    """Whether a feed entry may mean work. Saying no is safe only when a fresh read like it would be skipped.

    An attribute that the entry lacks counts as null: at worst that costs a read. But for the manager, whom an entry
    names when that changed, and always in a full round (FeedReader._judge).
    """
    state = LinkState.SEEN if link is None else link.state
    if entry.absent:
        return state.ours and (state, entry.state) != (LinkState.DELETED, SourceState.SOFT_DELETED)
    if entry.external:
        return False
    in_scope = scope(sync, entry).in_scope
    if link is None or not state.ours:
        return in_scope and entry.state is SourceState.LIVE
    if not in_scope or (sync.maps_manager and MANAGER in entry.attributes and entry.manager != link.manager):
        return True
    return digest(fingerprints(desired(sync, entry).always)) != link.digest


def _newest(entries: Sequence[SourceUser], *, full: bool) -> dict[str, SourceUser]:
    """One entry of each user, with the last word on their manager. A full round names every manager there is."""
    newest: dict[str, SourceUser] = {}
    for entry in entries:  # replays within a page: once is enough
        known: Attributes = {MANAGER: None} if full else {}
        if entry.id in newest and MANAGER in newest[entry.id].attributes:
            known = {MANAGER: newest[entry.id].manager}
        newest[entry.id] = entry if entry.absent else replace(entry, attributes={**known, **entry.attributes})
    return newest


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReader:
    syncs: Mapping[str, Sync]
    sources: Mapping[str, SourceDirectory]  # by tenant key
    targets: Mapping[str, TargetDirectory]
    feeds: Feeds
    links: Links
    queues: Queues
    clock: Clock

    async def poll(self) -> None:
        """Start a round for every source tenant; one tenant's failure does not stop the others."""
        for tenant in sorted(self.sources):
            try:
                await self.start_round(tenant)
            except SyncError as error:
                log.warning("feed.not_started tenant=%s error=%s", tenant, error.code)

    async def start_round(self, tenant: str, *, full: bool = False) -> FeedState:
        """Start a round, or wake one that has stalled; a round in progress is left alone unless `full` is asked for."""
        state = await self.feeds.get(tenant)
        now = self.clock.now()
        wanted = self._fingerprint(tenant)
        if state.phase is not FeedPhase.IDLE and not full:
            if state.progress_at is not None and now - state.progress_at >= STALLED:
                await self.queues.continue_feed(FeedRun(tenant=tenant, feed=state.feed, round=state.round))
            return state
        full = full or state.delta_link is None or state.fingerprint != wanted
        state = await self.feeds.save(
            replace(
                state,
                phase=FeedPhase.PAGES,
                round=format_time(now),
                full=full,
                link=None if full else state.delta_link,
                cursor="",
                fingerprint=wanted,
                started_at=now,
                progress_at=now,
                pages=0,
                entries=0,
                nominated=0,
                error="",
                unlisted=tuple(sync.name for sync in self._marking(tenant)) if full else state.unlisted,
            )
        )
        await self.queues.continue_feed(FeedRun(tenant=tenant, feed=state.feed, round=state.round))
        return state

    async def run(self, run: FeedRun) -> None:
        """Read on in a round until it ends or the time is used up; what is left is put on the queue again."""
        if run.tenant not in self.sources:
            log.warning("feed.unknown_tenant")
            return
        state = await self.feeds.get(run.tenant, run.feed)
        until = self.clock.now() + TIME_BUDGET
        try:
            while state.round == run.round and state.phase is not FeedPhase.IDLE:
                if self.clock.now() >= until:
                    await self.queues.continue_feed(replace(run, attempt=0))
                    return
                state = await self._step(state)
        except ConflictError:
            return  # a second delivery of this round's message is reading; it goes on
        except TransientError as error:
            await self._again(run, error)
        except PermanentError as error:
            # The round stays where it is; the poll wakes it again, and `status` shows why it stands still.
            log.warning("feed.stopped tenant=%s error=%s", run.tenant, error.code)
            state = await self.feeds.get(run.tenant, run.feed)
            await self.feeds.save(replace(state, error=error.code))

    async def _again(self, run: FeedRun, error: TransientError) -> None:
        """Later, by this round's own message: noted as progress, or the poll would wake the round once more."""
        delay = max(min(2.0 ** min(run.attempt, 20), _LONGEST_BACKOFF), error.retry_after or 0)
        await self.queues.continue_feed(replace(run, attempt=run.attempt + 1), delay=delay)
        state = await self.feeds.get(run.tenant, run.feed)
        if state.round == run.round:
            await self.feeds.save(replace(state, progress_at=self.clock.now(), error=error.code))

    async def _step(self, state: FeedState) -> FeedState:
        if state.phase is FeedPhase.SWEEP:
            return await self._sweep(state)
        if state.phase is FeedPhase.MARKED:
            return await self._list_marked(state)
        try:
            return await self._page(state)
        except ResyncRequiredError as error:
            if state.full and state.pages == 0:  # the fresh start was refused as well: not at full speed
                raise UnavailableError from error
            # From our own beginning, not from the Location that Graph may offer: that one has lost the $select.
            log.warning("feed.resync tenant=%s", state.tenant)
            return await self._progress(replace(state, full=True, link=None, delta_link=None, pages=0))

    async def _page(self, state: FeedState) -> FeedState:
        try:
            page = await self.sources[state.tenant].delta_page(state.link)
        except GraphRefusedError as error:
            if error.status not in {400, 404} or not (state.pages or state.full) or state.link is None:
                raise
            return await self._from_the_start_of_the_round(state, error)
        nominations = await self._judge(state.tenant, page.users, full=state.full)
        await self.queues.nominate(nominations)
        state = replace(
            state,
            pages=state.pages + 1,
            entries=state.entries + len(page.users),
            nominated=state.nominated + len(nominations),
            link=page.next_link,
        )
        if page.delta_link is None:
            return await self._progress(state)
        state = replace(state, delta_link=page.delta_link)
        return await (self._progress(replace(state, phase=FeedPhase.SWEEP)) if state.full else self._swept(state))

    async def _from_the_start_of_the_round(self, state: FeedState, error: GraphRefusedError) -> FeedState:
        """The next page's link has run out while the round stood still; where the round began still stands."""
        log.warning("feed.restarted tenant=%s error=%s", state.tenant, error.code)
        await self._progress(replace(state, link=None if state.full else state.delta_link, pages=0))
        raise UnavailableError from error  # not at full speed: Graph may refuse this one, too

    async def _judge(self, tenant: str, entries: Sequence[SourceUser], *, full: bool) -> list[Nomination]:
        newest = _newest(entries, full=full)
        now = self.clock.now()
        nominations = []
        for sync in self._syncs(tenant):
            links = await self.links.digests(sync.name, list(newest))
            nominations += [
                Nomination(sync=sync.name, user=user_id, why=Why.FEED, at=now)
                for user_id, entry in newest.items()
                if worth_a_look(sync, entry, links.get(user_id))
            ]
        return nominations

    async def _sweep(self, state: FeedState) -> FeedState:
        """The next chunk of linked users: whoever Graph does not know any more is nominated."""
        done_sync, _, after = state.cursor.partition("/")
        for sync in self._syncs(state.tenant):
            if sync.name < done_sync:
                continue
            chunk = await self._chunk(sync.name, after if sync.name == done_sync else "")
            if chunk:
                existing = await self.sources[state.tenant].existing(chunk)
                missing = [user_id for user_id in chunk if user_id not in existing]
                now = self.clock.now()
                await self.queues.nominate(
                    [Nomination(sync=sync.name, user=user_id, why=Why.ABSENT, at=now) for user_id in missing]
                )
                cursor = f"{sync.name}/{chunk[-1]}"
                return await self._progress(replace(state, cursor=cursor, nominated=state.nominated + len(missing)))
        return await self._swept(state)

    async def _swept(self, state: FeedState) -> FeedState:
        if not state.unlisted:
            return await self._complete(state)
        return await self._progress(replace(state, phase=FeedPhase.MARKED, cursor="", link=None))

    async def _list_marked(self, state: FeedState) -> FeedState:
        """The next page of target users with a sync's marker: whoever has no link was ours before the tables were lost.

        A target tenant that does not answer is passed over until the next round: the others' feed goes on.
        """
        syncs = [each for each in self._marking(state.tenant) if each.name in state.unlisted]
        sync = next((each for each in syncs if each.name > state.cursor), None)
        if sync is None or (marker := sync.marker("")) is None:
            return await self._complete(state)
        try:
            page = await self.targets[sync.target.key].marked(marker, state.link)
        except (TransientError, PermanentError) as error:
            log.warning("feed.marked_not_listed sync=%s error=%s", sync.name, error.code)
            return await self._progress(replace(state, cursor=sync.name, link=None))
        known = await self.links.digests(sync.name, page.source_ids)
        now = self.clock.now()
        seen = {user_id for user_id, link in known.items() if link.state is LinkState.SEEN}
        missing = [user_id for user_id in page.source_ids if user_id not in known or user_id in seen]
        await self.queues.nominate(
            [Nomination(sync=sync.name, user=user_id, why=Why.MARKED, at=now) for user_id in missing]
        )
        state = replace(state, link=page.next_link, nominated=state.nominated + len(missing))
        if page.next_link is None:
            rest = tuple(name for name in state.unlisted if name != sync.name)
            state = replace(state, cursor=sync.name, unlisted=rest)
        return await self._progress(state)

    def _marking(self, tenant: str) -> list[Sync]:
        return [sync for sync in self._syncs(tenant) if sync.owner_attribute is not None]

    async def _chunk(self, sync: str, after: str) -> list[str]:
        chunk: list[str] = []
        async for user_id in self.links.ids(sync, after):
            chunk.append(user_id)
            if len(chunk) == _SWEEP_SIZE:
                break
        return chunk

    async def _progress(self, state: FeedState) -> FeedState:
        return await self.feeds.save(replace(state, progress_at=self.clock.now(), error=""))

    async def _complete(self, state: FeedState) -> FeedState:
        now = self.clock.now()
        log.info(
            "feed.completed tenant=%s full=%s pages=%d entries=%d nominated=%d",
            state.tenant,
            state.full,
            state.pages,
            state.entries,
            state.nominated,
        )
        done = replace(state, phase=FeedPhase.IDLE, link=None, cursor="", completed_at=now, progress_at=now, error="")
        return await self.feeds.save(done)

    def _syncs(self, tenant: str) -> list[Sync]:
        return sorted((sync for sync in self.syncs.values() if sync.source.key == tenant), key=lambda sync: sync.name)

    def _fingerprint(self, tenant: str) -> str:
        """Of what the round asks for and compares with: another one means that every user is to be judged anew."""
        rules = [
            [sync.name, *map(repr, sync.mapping), *map(repr, sync.filters), str(sync.owner_attribute)]
            for sync in self._syncs(tenant)
        ]
        return fingerprint([self.sources[tenant].select, *map(str, rules)])

"""The users feed: pages of a delta query on users, and after a full round two listings.

The sweep asks which linked users still exist; the others were deleted while no delta link was valid. In a full round it
names those whose invitation or restore was cut short, too: their messages may be gone. Then the target users who bear
our ownership marker are listed; those without a link were ours before the tables were lost.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..decision.look import desired
from ..model import (
    MANAGER,
    Attributes,
    LinkDigest,
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
from ..model.errors import PermanentError, TransientError
from ..model.link_parts import LATE
from ..model.messages import USERS
from ..ports import Clock, FeedPhase, FeedState, Links, SourceDirectory, TargetDirectory
from ..ports.listing import Listing
from ..scope.verdict import groups_decide, scope
from .emptied import begun, missed, seen
from .feed import Step, next_chunk, syncs_of, without_target

log = logging.getLogger("xtsync.feeds")

SWEEP_EVERY = timedelta(days=1)


def worth_a_look(sync: Sync, entry: SourceUser, link: LinkDigest | None, *, full: bool = False) -> bool:
    """Whether a feed entry may mean work. Saying no is safe only when a fresh read like it would be skipped.

    An attribute that the entry lacks counts as null, which costs a read at worst. The manager is the exception: an
    entry names it only when it changed, and always in a full round (_newest).
    An entry has no memberships. Linked users are judged with those of their last look; the groups feed nominates
    users whose memberships changed. Unlinked users are possible members. In a full round they are judged with the
    memberships of their last look, or with none, since a full round of groups follows.
    """
    state = LinkState.SEEN if link is None else link.state
    if entry.absent:
        return state.ours and (state, entry.state) != (LinkState.DELETED, SourceState.SOFT_DELETED)
    if entry.external:
        return state in {LinkState.LINKED, LinkState.INVITING}
    if link is None or not state.ours:
        known = link.member_of if link is not None else None
        verdict = scope(sync, replace(entry, member_of=known or frozenset()) if full else entry)
        return not verdict.out and entry.state is SourceState.LIVE
    if scope(sync, replace(entry, member_of=link.member_of)).out:
        return True
    if full and link.refused:
        return True
    if sync.maps_manager and MANAGER in entry.attributes and entry.manager != link.manager:
        return True
    return digest(fingerprints(desired(sync, entry).always)) != link.digest


def _perhaps_in(sync: Sync, entry: SourceUser) -> bool:
    return entry.state is SourceState.LIVE and not scope(sync, entry).out


def _newest(entries: Sequence[SourceUser], *, full: bool) -> dict[str, SourceUser]:
    """The last entry of each user, with the last known manager. A full round names every manager that there is."""
    newest: dict[str, SourceUser] = {}
    for entry in entries:  # a page may name a user twice
        known: Attributes = {MANAGER: None} if full else {}
        if entry.id in newest and MANAGER in newest[entry.id].attributes:
            known = {MANAGER: newest[entry.id].manager}
        newest[entry.id] = entry if entry.absent else replace(entry, attributes={**known, **entry.attributes})
    return newest


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersFeed:
    """feed.Feed."""

    syncs: Mapping[str, Sync]
    sources: Mapping[str, SourceDirectory]  # by tenant key
    targets: Mapping[str, TargetDirectory]
    links: Links
    judged: Callable[[str], Awaitable[Sync]]  # a sync by its name, as the worker judges by it now
    clock: Clock

    @property
    def tenants(self) -> Collection[str]:
        return self.sources.keys()

    def resource(self, tenant: str) -> str:  # noqa: ARG002
        return USERS

    def concerned(self, tenant: str) -> Sequence[Sync]:
        return syncs_of(self.syncs, tenant)

    def fingerprint(self, tenant: str) -> str:
        rules = [sync.fingerprint for sync in self.concerned(tenant)]
        return fingerprint([self.sources[tenant].select, *rules])

    def scopes(self, tenant: str) -> Sequence[str]:
        return [sync.name for sync in self.concerned(tenant) if not groups_decide(sync)]

    def full_is_due(self, state: FeedState, now: datetime) -> bool:  # noqa: ARG002
        return False

    async def step(self, state: FeedState, listing: Listing) -> Step:
        match state.phase:
            case FeedPhase.SWEEP:
                return await self._sweep(state)
            case FeedPhase.MARKED:
                return await self._list_marked(state, listing)
            case _:
                return await self._page(state, listing)

    async def _page(self, state: FeedState, listing: Listing) -> Step:
        page = await self.sources[state.tenant].delta_page(state.link)
        listing.page([entry.id for entry in page.users], state.link, page.next_link)
        if state.full and state.pages == 0:
            state = replace(state, unlisted=tuple(sync.name for sync in self._marking(state.tenant)))
            state = await begun(state, self.scopes(state.tenant), self.links)
        state, nominations = await self._judge(state, page.users)
        state = replace(state, pages=state.pages + 1, entries=state.entries + len(page.users), link=page.next_link)
        if page.delta_link is not None:
            state = replace(state, delta_link=page.delta_link)
            state = replace(state, phase=FeedPhase.SWEEP) if self._sweep_is_due(state) else _swept(state)
        return Step(state=state, nominations=nominations)

    def _sweep_is_due(self, state: FeedState) -> bool:
        """After a full round, and each day: a delta query may leave out a soft deletion.

        Version 0.1 swept at the end of its full rounds, and keeps no time of that.
        """
        last = state.swept_at or state.full_at
        return state.full or last is None or self.clock.now() - last >= SWEEP_EVERY

    async def _judge(self, state: FeedState, entries: Sequence[SourceUser]) -> tuple[FeedState, list[Nomination]]:
        newest = _newest(entries, full=state.full)
        now = self.clock.now()
        nominations = []
        for sync in self.concerned(state.tenant):
            links = await self.links.digests(sync.name, list(newest))
            judged = await self.judged(sync.name)
            nominations += [
                Nomination(sync=sync.name, user=user_id, why=Why.FEED, at=now)
                for user_id, entry in newest.items()
                if worth_a_look(judged, entry, links.get(user_id), full=state.full)
            ]
            if missed(state, sync.name) and any(_perhaps_in(judged, entry) for entry in newest.values()):
                state = seen(state, sync.name)
        return state, nominations

    async def _sweep(self, state: FeedState) -> Step:
        """The next chunk of linked users; those that Graph does not know any more are nominated."""
        begun = await self._unfinished(state) if state.full and not state.cursor else []
        found = await next_chunk(
            self.concerned(state.tenant), state.cursor, lambda s, after: self.links.ids(s.name, after)
        )
        if found is None:
            return Step(state=_swept(replace(state, swept_at=self.clock.now())), nominations=begun)
        sync, chunk, cursor = found
        existing = await self.sources[state.tenant].existing(chunk)
        now = self.clock.now()
        missing = [
            Nomination(sync=sync.name, user=user_id, why=Why.ABSENT, at=now)
            for user_id in chunk
            if user_id not in existing
        ]
        if state.full:
            there = [user_id for user_id in chunk if user_id in existing]
            lost = await self._without_target(sync, there)
            missing += [Nomination(sync=sync.name, user=user_id, why=Why.OPERATOR, at=now) for user_id in lost]
        return Step(state=replace(state, cursor=cursor), nominations=[*begun, *missing])

    async def _without_target(self, sync: Sync, chunk: Sequence[str]) -> list[str]:
        """A target tenant that does not answer does not hold up the source's feed: its own feed asks the same."""
        try:
            return await without_target(self.links, self.targets[sync.target.key], sync, chunk)
        except (TransientError, PermanentError) as error:
            log.warning("feed.targets_not_asked sync=%s error=%s", sync.name, error.code)
            return []

    async def _unfinished(self, state: FeedState) -> list[Nomination]:
        """While a sync was stopped, the messages that would have finished their work were let go.

        In the first quarter of an hour after a deletion, a look could not conclude that the target user stays deleted.
        """
        now = self.clock.now()
        return [
            Nomination(sync=sync.name, user=user_id, why=Why.FEED, at=now)
            for sync in self.concerned(state.tenant)
            async for user_id in self.links.unfinished(sync.name, deleted_before=now - LATE)
        ]

    async def _list_marked(self, state: FeedState, listing: Listing) -> Step:
        """The next page of target users with a sync's marker.

        A target tenant that does not answer, or without end, is passed over until the next round: the others' feed
        goes on.
        """
        syncs = [each for each in self._marking(state.tenant) if each.name in state.unlisted]
        sync = next((each for each in syncs if each.name > state.cursor), None)
        if sync is None or (marker := sync.marker("")) is None:
            return Step(state=replace(state, phase=FeedPhase.IDLE))
        try:
            page = await self.targets[sync.target.key].marked(marker, state.link)
            listing.page(page.source_ids, state.link, page.next_link)
        except (TransientError, PermanentError) as error:
            log.warning("feed.marked_not_listed sync=%s error=%s", sync.name, error.code)
            return Step(state=replace(state, cursor=sync.name, link=None))
        known = await self.links.digests(sync.name, page.source_ids)
        seen = {user_id for user_id, link in known.items() if link.state is LinkState.SEEN}
        now = self.clock.now()
        missing = [
            Nomination(sync=sync.name, user=user_id, why=Why.MARKED, at=now)
            for user_id in page.source_ids
            if user_id not in known or user_id in seen
        ]
        state = replace(state, link=page.next_link)
        if page.next_link is None:
            rest = tuple(name for name in state.unlisted if name != sync.name)
            state = replace(state, cursor=sync.name, unlisted=rest)
        return Step(state=state, nominations=missing)

    def _marking(self, tenant: str) -> list[Sync]:
        return [sync for sync in self.concerned(tenant) if sync.owner_attribute is not None]


def _swept(state: FeedState) -> FeedState:
    """After the pages and the sweep: the marked users are listed next, or the round is over."""
    if not state.unlisted:
        return replace(state, phase=FeedPhase.IDLE)
    return replace(state, phase=FeedPhase.MARKED, cursor="", link=None)

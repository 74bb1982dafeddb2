"""The users feed: pages of a delta query on users, and after a full round a sweep.

The sweep asks which linked users still exist: those who do not were deleted while nobody was reading.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from .feeds import Step, next_chunk
from .mapping import apply_mapping
from .model import LinkState, Nomination, SourceState, SourceUser, Sync, Why, digest, fingerprint, fingerprints
from .ports import Clock, FeedPhase, FeedState, LinkDigest, Links, SourceDirectory
from .scope import by_assignment, by_filters


def worth_a_look(sync: Sync, entry: SourceUser, link: LinkDigest | None, *, full: bool = False) -> bool:
    """Whether a feed entry may mean work. Saying no is safe only when a fresh read like it would be skipped.

    An attribute that the entry lacks counts as null: at worst that costs a read. Memberships it never has: who is in
    a group is for the groups feed to say, and in a full round it says so of everybody (feeds.py).
    """
    state = LinkState.SEEN if link is None else link.state
    if entry.absent:
        return state.ours and (state, entry.state) != (LinkState.DELETED, SourceState.SOFT_DELETED)
    if entry.external:
        return False
    filtered, assigned = by_filters(sync, entry), by_assignment(sync, entry)
    if link is None or not state.ours:
        may_be_assigned = assigned.in_scope or (assigned.undecided and not full)
        return filtered.in_scope and may_be_assigned and entry.state is SourceState.LIVE
    if not filtered.in_scope or not (assigned.in_scope or assigned.undecided):
        return True
    return digest(fingerprints(apply_mapping(sync.mapping, entry.attributes).always)) != link.digest


@dataclass(frozen=True, slots=True, kw_only=True)
class UsersFeed:
    """feeds.Feed."""

    syncs: Mapping[str, Sync]
    sources: Mapping[str, SourceDirectory]  # by tenant key
    links: Links
    clock: Clock

    @property
    def tenants(self) -> Collection[str]:
        return self.sources.keys()

    def fingerprint(self, tenant: str) -> str:
        rules = [
            [sync.name, *map(repr, sync.mapping), *map(repr, sync.filters), *_assignment(sync)]
            for sync in self._syncs(tenant)
        ]
        return fingerprint([self.sources[tenant].select, *map(str, rules)])

    def full_is_due(self, state: FeedState, now: datetime) -> bool:  # noqa: ARG002
        return False

    async def step(self, state: FeedState) -> Step:
        return await (self._sweep(state) if state.phase is FeedPhase.SWEEP else self._page(state))

    async def _page(self, state: FeedState) -> Step:
        page = await self.sources[state.tenant].delta_page(state.link)
        nominations = await self._judge(state, page.users)
        state = replace(state, pages=state.pages + 1, entries=state.entries + len(page.users), link=page.next_link)
        if page.delta_link is not None:
            phase = FeedPhase.SWEEP if state.full else FeedPhase.IDLE
            state = replace(state, delta_link=page.delta_link, phase=phase)
        return Step(state=state, nominations=nominations)

    async def _judge(self, state: FeedState, entries: Sequence[SourceUser]) -> list[Nomination]:
        newest = {entry.id: entry for entry in entries}  # replays within a page: once is enough
        now = self.clock.now()
        nominations = []
        for sync in self._syncs(state.tenant):
            links = await self.links.digests(sync.name, list(newest))
            nominations += [
                Nomination(sync=sync.name, user=user_id, why=Why.FEED, at=now)
                for user_id, entry in newest.items()
                if worth_a_look(sync, entry, links.get(user_id), full=state.full)
            ]
        return nominations

    async def _sweep(self, state: FeedState) -> Step:
        """The next chunk of linked users: whoever Graph does not know any more is nominated."""
        found = await next_chunk(
            self._syncs(state.tenant), state.cursor, lambda s, after: self.links.ids(s.name, after)
        )
        if found is None:
            return Step(state=replace(state, phase=FeedPhase.IDLE))
        sync, chunk, cursor = found
        existing = await self.sources[state.tenant].existing(chunk)
        now = self.clock.now()
        missing = [
            Nomination(sync=sync.name, user=user_id, why=Why.ABSENT, at=now)
            for user_id in chunk
            if user_id not in existing
        ]
        return Step(state=replace(state, cursor=cursor), nominations=missing)

    def _syncs(self, tenant: str) -> list[Sync]:
        return sorted((sync for sync in self.syncs.values() if sync.source.key == tenant), key=lambda sync: sync.name)


def _assignment(sync: Sync) -> list[str]:
    if sync.assigned is None:
        return []
    return [str(sorted(sync.assigned.groups)), str(sorted(sync.assigned.members))]

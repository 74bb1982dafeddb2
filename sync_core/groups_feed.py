"""The groups feed: who is a member of the groups that a scope names, through every level.

A delta query on groups knows direct members only, so it follows the assigned groups and all that are nested in them:
their closure. An incremental round nominates whoever joined or left one of those. Another closure, and a
day, make a round full: the members of each sync's groups are listed, those who are not linked are nominated, and then
(the sweep) those who are linked and no member. Group delta has been seen to miss removals; the listing finds them.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from .feeds import Step, next_chunk, syncs_of
from .model import LinkState, Nomination, Sync, Why, fingerprint
from .ports import Clock, FeedPhase, FeedState, GroupChanges, GroupDirectory, Links

log = logging.getLogger("xtsync.feeds")

FULL_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """Who is assigned to one sync; `whole` when every group was there to be listed."""

    users: set[str]
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsFeed:
    """feeds.Feed."""

    syncs: Mapping[str, Sync]
    directories: Mapping[str, GroupDirectory]  # by tenant key
    links: Links
    clock: Clock
    # What the round that is going on listed. Only a shortcut: another instance lists it again.
    _listed: dict[str, tuple[str, dict[str, _Listing]]] = field(default_factory=dict)

    @property
    def tenants(self) -> Collection[str]:
        return {sync.source.key for sync in self.syncs.values() if _groups(sync)}

    def fingerprint(self, tenant: str) -> str:
        return fingerprint([f"{s.name} {sorted(_groups(s))} {sorted(_members(s))}" for s in self._syncs(tenant)])

    def full_is_due(self, state: FeedState, now: datetime) -> bool:
        return state.full_at is None or now - state.full_at >= FULL_EVERY

    async def step(self, state: FeedState) -> Step:
        match state.phase:
            case FeedPhase.MEMBERS:
                return await self._gained(state)
            case FeedPhase.SWEEP:
                return await self._lost(state)
            case _:
                return await self._changes(state)

    async def _changes(self, state: FeedState) -> Step:
        """The next page of the delta query; or, when the round is or becomes a full one, its beginning."""
        directory = self.directories[state.tenant]
        closure = await directory.closure({group for sync in self._syncs(state.tenant) for group in _groups(sync)})
        known = fingerprint([*sorted(closure)])
        if state.full or state.closure != known or state.link is None:
            # From before the listing: whoever comes or goes meanwhile is in the next round.
            latest = await directory.latest(closure)
            state = replace(state, full=True, closure=known, link=None, delta_link=latest, phase=FeedPhase.MEMBERS)
            return Step(state=replace(state, cursor="", pages=1))
        page = await directory.changes(state.link, closure)
        entries = state.entries + len(page.joined) + len(page.left)
        state = replace(state, pages=state.pages + 1, entries=entries, link=page.next_link)
        if page.delta_link is not None:
            state = replace(state, delta_link=page.delta_link, phase=FeedPhase.IDLE)
        if page.regrouped:  # the closure that was just read is out of date
            state = replace(state, phase=FeedPhase.PAGES, full=True, link=None, closure="")
        return Step(state=state, nominations=await self._moved(state.tenant, page))

    async def _moved(self, tenant: str, page: GroupChanges) -> list[Nomination]:
        """Whoever joined, and of those who left whoever we have begun to provision: the others have nothing to lose."""
        now = self.clock.now()
        nominations = []
        for sync in self._syncs(tenant):
            links = await self.links.digests(sync.name, list(dict.fromkeys(page.left)))
            users = dict.fromkeys([*page.joined, *(u for u, each in links.items() if each.state is not LinkState.SEEN)])
            nominations += [Nomination(sync=sync.name, user=user_id, why=Why.FEED, at=now) for user_id in users]
        return nominations

    async def _gained(self, state: FeedState) -> Step:
        """The next chunk of members: whoever has no target user of ours is nominated."""
        found = await next_chunk(self._syncs(state.tenant), state.cursor, partial(self._assigned, state))
        if found is None:
            return Step(state=replace(state, phase=FeedPhase.SWEEP, cursor=""))
        sync, chunk, cursor = found
        links = await self.links.digests(sync.name, chunk)
        now = self.clock.now()
        unlinked = [
            Nomination(sync=sync.name, user=user_id, why=Why.FEED, at=now)
            for user_id in chunk
            if user_id not in links or links[user_id].state is not LinkState.LINKED
        ]
        state = replace(state, cursor=cursor, entries=state.entries + len(chunk))
        return Step(state=state, nominations=unlinked)

    async def _lost(self, state: FeedState) -> Step:
        """The next chunk of linked users: whoever is no member is nominated, and then read."""
        found = await next_chunk(self._syncs(state.tenant), state.cursor, partial(self._linked, state))
        if found is None:
            self._listed.pop(state.tenant, None)
            return Step(state=replace(state, phase=FeedPhase.IDLE))
        sync, chunk, cursor = found
        listing = await self._listing(state, sync)
        now = self.clock.now()
        gone = [
            Nomination(sync=sync.name, user=user_id, why=Why.ABSENT, at=now)
            for user_id in chunk
            if user_id not in listing.users
        ]
        return Step(state=replace(state, cursor=cursor), nominations=gone)

    async def _assigned(self, state: FeedState, sync: Sync, after: str) -> AsyncIterator[str]:
        listing = await self._listing(state, sync)
        for user_id in sorted(user_id for user_id in listing.users if user_id > after):
            yield user_id

    async def _linked(self, state: FeedState, sync: Sync, after: str) -> AsyncIterator[str]:
        """Nobody, where a group is missing: nothing could be decided about any of them."""
        if (await self._listing(state, sync)).whole:
            async for user_id in self.links.ids(sync.name, after):
                yield user_id

    async def _listing(self, state: FeedState, sync: Sync) -> _Listing:
        of_round, by_sync = self._listed.get(state.tenant, ("", {}))
        if of_round != state.round:
            by_sync = {}
            self._listed[state.tenant] = (state.round, by_sync)
        if sync.name not in by_sync:
            by_sync[sync.name] = await self._list(sync)
        return by_sync[sync.name]

    async def _list(self, sync: Sync) -> _Listing:
        users, whole = set(_members(sync)), True
        for group in sorted(_groups(sync)):
            members = await self.directories[sync.source.key].members(group)
            if members is None:
                log.warning("group.missing sync=%s group=%s", sync.name, group)
                whole = False
            else:
                users |= members
        return _Listing(users=users, whole=whole)

    def _syncs(self, tenant: str) -> list[Sync]:
        return [sync for sync in syncs_of(self.syncs, tenant) if _groups(sync)]


def _groups(sync: Sync) -> frozenset[str]:
    return sync.assigned.groups if sync.assigned is not None else frozenset()


def _members(sync: Sync) -> frozenset[str]:
    return sync.assigned.members if sync.assigned is not None else frozenset()

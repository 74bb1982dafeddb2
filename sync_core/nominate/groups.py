"""The groups feed: users who join or leave the groups that a scope names, at any depth.

A delta query on groups knows direct members only. So it follows the closure: the groups that scopes name, assigned or
in a filter, and all groups nested in them. An incremental round nominates the users who joined or left one of those.

A round is full when the closure is another one, and once a day. It lists the members of each sync's groups. First it
nominates users who are not linked and whom groups may let in; then, in the sweep, linked users whom groups put out.
Group delta has been seen to miss removals; the listing finds them.
"""

from __future__ import annotations

import logging
from bisect import bisect_right
from collections.abc import AsyncIterator, Collection, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from functools import partial

from ..model import LinkDigest, LinkState, Nomination, SourceState, SourceUser, Sync, Verdict, Why, fingerprint
from ..model.messages import GROUPS
from ..ports import Clock, FeedPhase, FeedState, GroupChanges, GroupDirectory, Links
from ..ports.listing import Listing
from ..scope.verdict import groups_asked, groups_decide, keeps_out, memberships_only, scope
from .emptied import begun, missed, seen
from .feed import Step, next_chunk, syncs_of

log = logging.getLogger("xtsync.feeds")

FULL_EVERY = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Listing:
    """The members of the groups that one sync asks for, and the verdicts that follow from memberships alone."""

    sync: Sync  # as memberships_only has it
    members: Mapping[str, AbstractSet[str]]  # by group
    missing: frozenset[str]  # the groups that are not there to be listed
    users: Sequence[str]  # in order: all who are in one of them or assigned by id
    at: datetime

    def groups_of(self, user_id: str) -> frozenset[str]:
        return frozenset(group for group, users in self.members.items() if user_id in users)

    def worth_a_look(self, user_id: str, link: LinkDigest | None) -> bool:
        """Whether the user's groups are others than at the last look, and let the user in; see _lost for the rest.

        A user in the same groups was looked at with them. New attributes are the business of the users feed.
        """
        verdict = self.verdict(user_id)
        if link is None or link.member_of is None:  # never looked at, or not with groups
            without_access = link is None or link.state is not LinkState.LINKED
            return without_access and verdict.in_scope
        known = groups_asked(self.sync, user_id) - self.missing
        if not (self.groups_of(user_id) ^ link.member_of) & known:
            return False
        return verdict.in_scope or (link.state is LinkState.LINKED and verdict.undecided)

    def verdict(self, user_id: str) -> Verdict:
        """By memberships alone "out" is final; "in" still depends on attributes."""
        source = SourceUser(
            id=user_id,
            state=SourceState.LIVE,
            member_of=self.groups_of(user_id),
            missing_groups=self.missing,
            read_at=self.at,
        )
        return scope(self.sync, source)


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupsFeed:
    """feed.Feed."""

    syncs: Mapping[str, Sync]
    directories: Mapping[str, GroupDirectory]  # by tenant key
    links: Links
    clock: Clock
    # The listings of the round in progress. They are a shortcut only: another instance lists again.
    _listed: dict[str, tuple[str, dict[str, _Listing]]] = field(default_factory=dict)

    @property
    def tenants(self) -> Collection[str]:
        return {sync.source.key for sync in self.syncs.values() if sync.groups}

    def resource(self, tenant: str) -> str:  # noqa: ARG002
        return GROUPS

    def concerned(self, tenant: str) -> Sequence[Sync]:
        return [sync for sync in syncs_of(self.syncs, tenant) if sync.groups]

    def fingerprint(self, tenant: str) -> str:
        asked = [(sync, memberships_only(sync).filters) for sync in self.concerned(tenant)]
        return fingerprint([f"{s.name} {sorted(s.groups)} {sorted(_members(s))} {filters}" for s, filters in asked])

    def scopes(self, tenant: str) -> Sequence[str]:
        return [sync.name for sync in self.concerned(tenant) if groups_decide(sync)]

    def full_is_due(self, state: FeedState, now: datetime) -> bool:
        return state.full_at is None or now - state.full_at >= FULL_EVERY

    async def step(self, state: FeedState, listing: Listing) -> Step:
        match state.phase:
            case FeedPhase.MEMBERS:
                return await self._gained(state)
            case FeedPhase.SWEEP:
                return await self._lost(state)
            case _:
                return await self._changes(state, listing)

    async def _changes(self, state: FeedState, listing: Listing) -> Step:
        """The next page of the delta query; or, when the round is or becomes a full one, its beginning."""
        directory = self.directories[state.tenant]
        closure = await directory.closure({group for sync in self.concerned(state.tenant) for group in sync.groups})
        known = fingerprint([*sorted(closure)])
        if state.full or state.closure != known or state.link is None:
            # Taken before the listing, so that users who come or go meanwhile are in the next round.
            latest = await directory.latest(closure)
            state = replace(state, full=True, closure=known, link=None, delta_link=latest, phase=FeedPhase.MEMBERS)
            state = await begun(state, self.scopes(state.tenant), self.links)
            return Step(state=replace(state, cursor="", pages=1))
        page = await directory.changes(state.link, closure)
        listing.page([*page.joined, *page.left], state.link, page.next_link)
        entries = state.entries + len(page.joined) + len(page.left)
        state = replace(state, pages=state.pages + 1, entries=entries, link=page.next_link)
        if page.delta_link is not None:
            state = replace(state, delta_link=page.delta_link, phase=FeedPhase.IDLE)
        # The closure that was just read is out of date; or it is to be seen whether somebody is in scope again.
        if page.regrouped or (page.joined and state.emptied):
            state = replace(state, phase=FeedPhase.PAGES, full=True, link=None, closure="")
        return Step(state=state, nominations=await self._moved(state.tenant, page))

    async def _moved(self, tenant: str, page: GroupChanges) -> list[Nomination]:
        """Users who joined; and of those who left, users with a link, or whom a NOT IN clause may now admit."""
        now = self.clock.now()
        nominations = []
        for sync in self.concerned(tenant):
            left = page.left
            if not keeps_out(sync):  # a user without a target user has nothing to lose
                links = await self.links.digests(sync.name, list(dict.fromkeys(left)))
                left = [user_id for user_id, each in links.items() if each.state is not LinkState.SEEN]
            users = dict.fromkeys([*page.joined, *left])
            nominations += [Nomination(sync=sync.name, user=user_id, why=Why.FEED, at=now) for user_id in users]
        return nominations

    async def _gained(self, state: FeedState) -> Step:
        """The next chunk of users that groups may let in; those for whom that is new are nominated."""
        found = await next_chunk(self.concerned(state.tenant), state.cursor, partial(self._possible, state))
        if found is None:
            return Step(state=replace(state, phase=FeedPhase.SWEEP, cursor=""))
        sync, chunk, cursor = found
        listing = await self._listing(state, sync)
        links = await self.links.digests(sync.name, chunk)
        now = self.clock.now()
        gained = [
            Nomination(sync=sync.name, user=user_id, why=Why.FEED, at=now)
            for user_id in chunk
            if listing.worth_a_look(user_id, links.get(user_id))
        ]
        if missed(state, sync.name) and not all(listing.verdict(user_id).out for user_id in chunk):
            state = seen(state, sync.name)
        state = replace(state, cursor=cursor, entries=state.entries + len(chunk))
        return Step(state=state, nominations=gained)

    async def _lost(self, state: FeedState) -> Step:
        """The next chunk of linked users; those who are out by their groups are nominated, and then read."""
        syncs = self.concerned(state.tenant)
        found = await next_chunk(syncs, state.cursor, lambda sync, after: self.links.ids(sync.name, after))
        if found is None:
            self._listed.pop(state.tenant, None)
            return Step(state=replace(state, phase=FeedPhase.IDLE))
        sync, chunk, cursor = found
        listing = await self._listing(state, sync)
        now = self.clock.now()
        gone = [
            Nomination(sync=sync.name, user=user_id, why=Why.ABSENT, at=now)
            for user_id in chunk
            if listing.verdict(user_id).out
        ]
        return Step(state=replace(state, cursor=cursor), nominations=gone)

    async def _possible(self, state: FeedState, sync: Sync, after: str) -> AsyncIterator[str]:
        """Every user in a group or assigned, or in a group at the last look; in order, each once."""
        users = (await self._listing(state, sync)).users
        at = bisect_right(users, after)
        async for known in self.links.grouped(sync.name, after):
            while at < len(users) and users[at] <= known:
                if users[at] != known:
                    yield users[at]
                at += 1
            yield known
        for user_id in users[at:]:
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
        at = self.clock.now()
        members: dict[str, set[str]] = {}
        for group in sorted(sync.groups):
            found = await self.directories[sync.source.key].members(group)
            if found is None:
                log.warning("group.missing sync=%s group=%s", sync.name, group)
            else:
                members[group] = found
        return _Listing(
            sync=memberships_only(sync),
            members=members,
            missing=sync.groups - members.keys(),
            users=sorted(_members(sync).union(*members.values())),
            at=at,
        )


def _members(sync: Sync) -> frozenset[str]:
    return sync.assigned.members if sync.assigned is not None else frozenset()

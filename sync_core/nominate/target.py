"""The target feed: users of a target tenant who are not as we left them.

Somebody edited, blocked, enabled, deleted, restored or converted a B2B user of ours. A claim tells whose target user an
entry is about; nobody else is nominated. What we wrote ourselves differs from the record in nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..decision.drift import unlike
from ..model import Link, LinkState, Nomination, Sync, TargetEntry, Why, fingerprint
from ..model.errors import NewerSchemaError
from ..model.messages import USERS
from ..ports import Clock, Drifts, FeedPhase, FeedState, Links, TargetDirectory
from ..ports.listing import Listing
from .feed import Step, next_chunk, syncs_into, without_target

# What a person let pass at first, and what a ceiling put off, is looked at again.
FULL_EVERY = timedelta(hours=25)  # the repairs of a day are over by then
_AT_ONCE = 16  # claims that are read
_PAGE = 1000


def worth_a_look(sync: Sync, entry: TargetEntry, link: Link) -> bool:
    """Whether the entry shows another target user than the link has. Saying no is safe only if a look finds nothing.

    An entry may be older than our last write. So this errs towards a look, which reads the target user.
    """
    if entry.removed:
        return link.state is LinkState.LINKED
    if link.state is not LinkState.LINKED:
        return link.ours
    if entry.external is False or (entry.enabled is not None and entry.enabled is link.disabled):
        return True
    return bool(unlike(sync, link, entry.attributes))


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetFeed:
    """feed.Feed."""

    syncs: Mapping[str, Sync]
    targets: Mapping[str, TargetDirectory]  # by tenant key
    links: Links
    drifts: Drifts
    clock: Clock

    @property
    def tenants(self) -> Collection[str]:
        return self.targets.keys()

    def resource(self, tenant: str) -> str | None:
        return USERS if any(sync.subscribe_target for sync in self.concerned(tenant)) else None

    def concerned(self, tenant: str) -> Sequence[Sync]:
        return syncs_into(self.syncs, tenant)

    def fingerprint(self, tenant: str) -> str:
        rules = [sync.fingerprint for sync in self.concerned(tenant)]
        return fingerprint([self.targets[tenant].select, *rules])

    def scopes(self, tenant: str) -> Sequence[str]:  # noqa: ARG002
        return ()

    def full_is_due(self, state: FeedState, now: datetime) -> bool:
        return state.full_at is None or now - state.full_at >= FULL_EVERY

    async def step(self, state: FeedState, listing: Listing) -> Step:
        return await (self._sweep(state) if state.phase is FeedPhase.SWEEP else self._page(state, listing))

    async def _page(self, state: FeedState, listing: Listing) -> Step:
        page = await self.targets[state.tenant].delta_page(state.link)
        listing.page([entry.id for entry in page.users], state.link, page.next_link)
        nominations = await self._differing(state.tenant, page.users)
        state = replace(state, pages=state.pages + 1, entries=state.entries + len(page.users), link=page.next_link)
        if page.delta_link is not None:
            phase = FeedPhase.SWEEP if state.full else FeedPhase.IDLE
            state = replace(state, delta_link=page.delta_link, phase=phase, cursor="")
        return Step(state=state, nominations=nominations)

    async def _sweep(self, state: FeedState) -> Step:
        """The next linked users whose target user is not there: a full listing has only those who are.

        At the end, what is kept of pairs that are over is dropped.
        """
        concerned = self.concerned(state.tenant)
        found = await next_chunk(concerned, state.cursor, lambda sync, after: self.links.ids(sync.name, after))
        if found is None:
            for each in concerned:
                await self._drop_over(each)
            return Step(state=replace(state, phase=FeedPhase.IDLE))
        sync, chunk, cursor = found
        now = self.clock.now()
        lost = await without_target(self.links, self.targets[state.tenant], sync, chunk)
        nominations = [Nomination(sync=sync.name, user=user, why=Why.TARGET, at=now) for user in lost]
        return Step(state=replace(state, cursor=cursor), nominations=nominations)

    async def _drop_over(self, sync: Sync) -> None:
        place: str | None = ""
        while place is not None:
            records, place = await self.drifts.page(sync.name, _PAGE, place)
            for record in records:
                try:
                    link = await self.links.get(sync.name, record.source_id)
                except NewerSchemaError:
                    continue  # that version's own feed drops it
                if link is None or link.target_id != record.target_id:
                    await self.drifts.end(sync.name, record.source_id)

    async def _differing(self, tenant: str, entries: Sequence[TargetEntry]) -> list[Nomination]:
        """A page may name a user several times, in any order: each of the entries counts."""
        by_user: dict[str, list[TargetEntry]] = {}
        for entry in entries:
            by_user.setdefault(entry.id, []).append(entry)
        few = asyncio.Semaphore(_AT_ONCE)

        async def one(of: Sequence[TargetEntry]) -> Nomination | None:
            async with few:
                return await self._nomination(tenant, of)

        found = await asyncio.gather(*map(one, by_user.values()))
        return [nomination for nomination in found if nomination is not None]

    async def _nomination(self, tenant: str, entries: Sequence[TargetEntry]) -> Nomination | None:
        concerned = {sync.name: sync for sync in self.concerned(tenant)}
        tenant_id, target_id = next(sync.target.id for sync in concerned.values()), entries[0].id
        try:
            owner = await self.links.owner(tenant_id, target_id)
        except NewerSchemaError:
            return None  # that version's own feed reads it
        name, _, source_id = (owner or "").partition("/")
        if (sync := concerned.get(name)) is None:
            return None
        nomination = Nomination(sync=name, user=source_id, why=Why.TARGET, at=self.clock.now())
        try:
            link, known = await self.links.get(name, source_id), await self.drifts.get(name, source_id)
        except NewerSchemaError:
            return nomination  # the worker knows what to do with such a row
        if link is None or link.target_id != target_id:
            return None  # the pair is being made or ended, and its own look reads the target user
        differs = any(worth_a_look(sync, entry, link) for entry in entries)
        return nomination if differs or known is not None else None

"""Two syncs of one source into one target: a pair that one puts out of scope is handed over to another that has it.

A target user belongs to one link at any moment that may write. The link that hands over says so first, and from then
on finishes that whatever its scope says. So each step can be repeated after a crash, and ends in the same state.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..guard.configurations import Configurations, within
from ..model import Guarded, Link, LinkState, Nomination, Sync, Why
from ..model.errors import OtherTenantError
from ..ports import Clock, Links, Queues, SourceDirectory
from .fresh import Reading, read_afresh


@dataclass(frozen=True, slots=True, kw_only=True)
class Heirs:
    configurations: Configurations
    sources: Mapping[str, SourceDirectory]  # by tenant key
    links: Links
    queues: Queues
    clock: Clock

    async def of(self, sync: Sync, reading: Reading, link: Link) -> str | None:
        """Another sync into the same tenant that does not put this user out, and can take the target user.

        It is asked only if this sync puts a linked user out: then the user is read once more for each such sync. A
        deletion that was begun is finished first, since it may still arrive.
        """
        user, deleting = reading.user, link.guarded is Guarded.SOFT_DELETE
        if link.state is not LinkState.LINKED or user.absent or user.external or not reading.verdict.out or deleting:
            return None
        for name, other in sorted(self.configurations.syncs.items()):
            if sync.shares_tenants(other) and await self._takes(other, link):
                return name
        return None

    async def hand_over(self, sync: Sync, link: Link, to: str) -> Link:
        """The link of the other sync first, then the claim, then a look for that sync; our own link goes last."""
        target_id, other = link.target_id or "", self.configurations.syncs.get(to)
        found = await self._link(other, link.source_id) if other and sync.shares_tenants(other) else None
        theirs = found[1] if found else None
        if theirs is None or (theirs.ours and theirs.target_id != target_id):
            return await self.links.save(link.hand_over_ended())  # sync.yaml was edited, or it has a user of its own
        if link.heir != to:
            link = await self.links.save(link.hand_over_begun(to))
        if not theirs.ours:
            theirs = await self.links.save(theirs.adopted(target_id, linked_at=self.clock.now()))
        await self.links.move_claim(sync.target.id, target_id, link.owner, theirs.owner)
        await self.queues.nominate(
            [Nomination(sync=to, user=link.source_id, why=Why.FEED, at=self.clock.now(), attempt=1)]
        )
        await self.links.forget(link)
        return link.forgotten()

    async def _takes(self, other: Sync, link: Link) -> bool:
        found = await self._link(other, link.source_id)
        if found is None or found[1].ours:
            return False
        other, theirs = found
        # As if it had the pair already: then the lack of a group is told from a group that does not exist.
        with_it = theirs.adopted(link.target_id or "", linked_at=self.clock.now())
        reading = await read_afresh(self.sources[other.source.key], other, link.source_id, with_it)
        return not (reading.user.absent or reading.user.external or reading.verdict.out)

    async def _link(self, other: Sync, source_id: str) -> tuple[Sync, Link] | None:
        """The other sync as it is judged now, and its link. None if it is stopped, and so judges nobody."""
        link = await self.links.get(other.name, source_id) or Link(sync=other.name, source_id=source_id)
        try:
            return await self.configurations.check(other), within(other, link)
        except OtherTenantError:
            return None

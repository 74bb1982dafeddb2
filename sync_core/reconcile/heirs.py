"""Two syncs of one source into one target: a pair that one puts out of scope is handed over to another that has it.

A target user belongs to one link at any moment that may write. The link that hands over says so first, and from then
on finishes that whatever its scope says. So each step can be repeated after a crash, and ends in the same state.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from ..decision.decide import displaced
from ..decision.look import desired
from ..guard.configurations import Configurations, within
from ..guard.keeps import KeptPeople
from ..model import ENABLED, Attributes, Guarded, Link, LinkState, Mode, Nomination, SourceState, Sync, Why
from ..model.errors import NotVisibleYetError, OtherTenantError, RenamedSyncError, UnconfiguredHeirError
from ..ports import Clock, Links, Queues, SourceDirectory, TargetDirectory
from .fresh import Reading, is_foreign, read_afresh
from .lag import is_new

# Writes a marker into the target user of a link.
type Sign = Callable[[Link, Attributes], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Heirs:
    configurations: Configurations
    sources: Mapping[str, SourceDirectory]  # by tenant key
    targets: Mapping[str, TargetDirectory]  # by tenant key
    links: Links
    kept: KeptPeople
    queues: Queues
    clock: Clock

    async def of(self, sync: Sync, reading: Reading, link: Link) -> str | None:
        """Another sync into the same tenant that does not put this user out, and can take the target user.

        It is asked only if this sync puts a linked user out: then the user is read once more for each such sync. A
        deletion that was begun is finished first, since it may still arrive.

        Raises RenamedSyncError if only a sync that waits for `xtsync rename` has the user in scope: the pair it has
        under its former name is not known yet. Raises NotVisibleYetError while such a sync is inviting the user.
        """
        user, deleting = reading.user, link.guarded is Guarded.SOFT_DELETE
        if link.state is not LinkState.LINKED or user.absent or user.external or not reading.verdict.out or deleting:
            return None
        waiting: RenamedSyncError | None = None
        for name, other in sorted(self.configurations.syncs.items()):
            try:
                if sync.shares_tenants(other) and await self._takes(other, link):
                    return name
            except RenamedSyncError as error:
                waiting = error if await self._wants(other, link) else waiting
        if waiting is not None:
            raise waiting
        return None

    async def hand_over(self, sync: Sync, link: Link, to: str, sign: Sign) -> Link:
        """The link of the other sync or user first, then the claim, then a look for it; our own link goes last.

        `to` is a sync or, if a person said that another user is the same one, "<sync>/<source id>". The invitation is
        then redeemed anew, since another account signs in. `sign` gives the target user the marker of that one: nobody
        may find our user by the former one any more.

        Raises RenamedSyncError or UnconfiguredHeirError if a person has yet to say what became of that sync, and
        NotVisibleYetError while it is inviting the user.
        """
        name, _, other_user = to.partition("/")
        user = other_user or link.source_id
        name = await self._name_now(sync, link, name, user)
        target_id, other = link.target_id or "", self.configurations.syncs.get(name)
        fits = other is not None and self._fits(sync, other, moved=bool(other_user))
        found = await self._link(other, user) if other is not None and fits else None
        theirs = found[1] if found else None
        if theirs is None or _keeps_another(theirs, target_id):
            return await self.links.save(link.hand_over_ended())  # sync.yaml was edited, or it has a user of its own
        await self._wait_for_invitation(other or sync, theirs)
        heir = f"{name}/{other_user}" if other_user else name
        if link.heir != heir:
            link = await self.links.save(link.hand_over_begun(heir))
        if not other_user:
            await self.kept.carry(link.source_id, link.sync, name)
        former = theirs.target_id
        if former != target_id or not theirs.ours:
            taken = self._taken(theirs, link)
            theirs = await self.links.save(taken.redeeming(due=link.redeem or bool(other_user)))
        if former is not None and former != target_id:
            await self.links.release(former, theirs.owner)
        marker = other.marker(user) if other_user and other is not None else None
        if marker is not None and link.state is LinkState.LINKED:
            await sign(link, {marker.attribute: marker.text})
        await self.links.move_claim(sync.target.id, target_id, link.owner, theirs.owner)
        await self.queues.nominate([Nomination(sync=name, user=user, why=Why.FEED, at=self.clock.now(), attempt=1)])
        await self.links.forget(link)
        return link.forgotten()

    def _taken(self, theirs: Link, link: Link) -> Link:
        """The other link with our target user, as we leave it."""
        target_id, disabled = link.target_id or "", link.perhaps_disabled
        begun = link.deleted_at  # a deletion of ours that may yet be found done
        if link.state is LinkState.DELETED:
            return theirs.taken_deleted(target_id, disabled=disabled, deleted_at=begun)
        return theirs.adopted(target_id, linked_at=self.clock.now(), disabled=disabled, deleted_at=begun)

    async def _name_now(self, sync: Sync, link: Link, to: str, user: str) -> str:
        """The name of the heir, which was perhaps renamed since: then the sync that has this target user is meant."""
        if to in self.configurations.syncs:
            return to
        if to in (await self.configurations.records.all())[1]:
            raise UnconfiguredHeirError(to)
        for name, other in sorted(self.configurations.syncs.items()):
            fits = self._fits(sync, other, moved=user != link.source_id)
            theirs = await self.links.get(name, user) if fits else None
            if theirs is not None and theirs.ours and theirs.target_id == link.target_id:
                return name
        return to

    def _fits(self, sync: Sync, other: Sync, *, moved: bool) -> bool:
        """Another source may have the user who is the same one, and a target user stays in its tenant."""
        return sync.target.id == other.target.id if moved else sync.shares_tenants(other)

    async def _takes(self, other: Sync, link: Link) -> bool:
        """A hand-over that was begun may have made its link already, and under the name that it had then."""
        found = await self._link(other, link.source_id)
        if found is None or _keeps_another(found[1], link.target_id):
            return False
        if not await self._wants(found[0], link):
            return False
        await self._wait_for_invitation(other, found[1])
        return True

    async def _wants(self, other: Sync, link: Link) -> bool:
        """Whether that sync would give this user access by itself: else it would never take it away, either."""
        # As if it had the pair already: then the lack of a group is told from a group that does not exist.
        with_it = Link(sync=other.name, source_id=link.source_id).adopted(
            link.target_id or "", linked_at=self.clock.now()
        )
        source = self.sources[other.source.key]
        reading = await read_afresh(source, other, link.source_id, with_it)
        user = reading.user
        if user.absent or user.external or reading.verdict.out or other.mode is Mode.OBSERVE:
            return False
        theirs = desired(other, user)
        stays_enabled = user.state is SourceState.DISABLED and theirs.always.get(ENABLED) is not False
        if user.address is None or theirs.ignored or stays_enabled:
            return False
        return not await is_foreign(source, other, user)

    async def _link(self, other: Sync, source_id: str) -> tuple[Sync, Link] | None:
        """The other sync as it is judged now, and its link. None if it is stopped, and so judges nobody.

        Raises RenamedSyncError if it is stopped until it is said whose people it has.
        """
        link = await self.links.get(other.name, source_id) or Link(sync=other.name, source_id=source_id)
        try:
            return await self.configurations.check(other), within(other, link)
        except RenamedSyncError:
            raise
        except OtherTenantError:
            return None

    async def _wait_for_invitation(self, into: Sync, theirs: Link) -> None:
        """Its guest is known to this record alone, which a hand-over would replace: nobody would ever delete it.

        Raises NotVisibleYetError while there is one, or may be. A guest whom no replica shows by now never came: Graph
        can name one that it has not made. Somebody who is disabled is not invited again, so nothing else ends that.
        """
        if theirs.state is LinkState.INVITING and (is_new(theirs, self.clock.now()) or await self._came(into, theirs)):
            raise NotVisibleYetError(f"{theirs.sync} is inviting this user")

    async def _came(self, into: Sync, theirs: Link) -> bool:
        target = self.targets[into.target.key]
        if theirs.target_id is not None and await target.read_user(theirs.target_id) is not None:
            return True
        return bool(await target.candidates(None, mark=theirs.invitation_mark))


def _keeps_another(theirs: Link, target_id: str | None) -> bool:
    """Whether this link has a target user of its own, which may be there.

    One that it deleted can often not be restored beside ours, which has the address. So it takes ours instead.
    """
    deleted = theirs.state is LinkState.DELETED and (displaced(theirs) or not theirs.dirty)
    return theirs.ours and theirs.target_id != target_id and not deleted

"""What became of a linked target user: there, deleted, restored, blocked, converted or edited by somebody else.

The link says how we left it. Each question here is a fresh read of the target tenant, and an answer is a link that says
how it is now.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..decision.look import Look
from ..model import Change, Disable, Guarded, Link, LinkState, Skip, SoftDelete, Sync, TargetUser
from ..model.errors import NotVisibleYetError
from ..ports import Clock, Presence, TargetDirectory
from .drift import DriftKeeper
from .lag import OLD_BY, VISIBLE_WITHIN, is_new


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetSide:
    targets: Mapping[str, TargetDirectory]  # by tenant key
    drift: DriftKeeper
    clock: Clock

    async def user(self, sync: Sync, link: Link, *, deleted: bool = False) -> TargetUser | None:
        target = self.targets[sync.target.key]
        read = target.deleted_user if deleted else target.read_user
        return None if link.target_id is None else await read(link.target_id)

    async def found_again(self, sync: Sync, link: Link) -> Link:
        """A target user may be there again: restored by somebody else, or by us although the answer was lost."""
        perhaps = link.state is LinkState.LOST or (link.state is LinkState.DELETED and link.dirty)
        if not perhaps or link.target_id is None:
            return link
        if await self.targets[sync.target.key].presence(link.target_id) is not Presence.PRESENT:
            return link.still_deleted(self.clock.now())
        return link.restored(self.clock.now())

    async def pair_ended(self, decided: Look) -> Link | None:
        """The link without its target user, if that is there no more; None if nothing of the kind is known.

        While a removal waits for a person, no write would meet the 404. The same goes for a deletion that was begun
        and is not wanted any more.
        """
        link = decided.link
        begun = link.guarded is Guarded.SOFT_DELETE and not isinstance(decided.change, SoftDelete)
        return await self._missing(decided.sync, link) if begun or link.guarded is Guarded.HELD else None

    async def is_done(self, sync: Sync, link: Link, change: Change, target: TargetUser | None) -> bool:
        """Of a removal that was begun, and whose record was lost: once it is done, there is nothing left to hold."""
        if link.guarded != change.name:
            return False
        if isinstance(change, Disable):
            return target is not None and not target.enabled
        ended = await self._missing(sync, link)
        return ended is not None and ended.state is LinkState.DELETED

    async def _missing(self, sync: Sync, link: Link) -> Link | None:
        """The link if its target user is there no more; None if it is. One answer may be old, so two have to agree."""
        if link.target_id is None or self.is_new(link):
            return None
        target = self.targets[sync.target.key]
        seen = await target.presence(link.target_id)
        if seen is Presence.PRESENT or await target.presence(link.target_id) is not seen:
            return None
        ours = link.guarded is Guarded.SOFT_DELETE and seen is Presence.SOFT_DELETED
        return link.own_deletion_found() if ours else link.lost()

    async def otherwise(self, decided: Look, *, acted: bool = False, rehearses: bool = False) -> Link | None:
        """Where nothing is to be done by the record: the link as the target user is, if the record is wrong.

        Somebody else deleted, restored, enabled, blocked or edited the target user, or converted it to an internal one.
        What becomes of the last ones is a matter of policy. `acted`: this very look changed something. `rehearses`:
        nothing is counted or stored.
        """
        sync, link = decided.sync, decided.link
        deleted = self._just_deleted(link)
        nothing = isinstance(decided.change, Skip) and link.ours and not (deleted and (acted or rehearses))
        if not nothing or link.target_id is None:
            return None
        user = await self.user(sync, link)
        if link.state is not LinkState.LINKED:
            if user is not None and deleted:
                raise NotVisibleYetError  # or restored by somebody: who asks is to ask again
            return None if user is None else link.restored(self.clock.now())
        if user is None:
            if deleted or self.is_new(link):
                raise NotVisibleYetError  # or deleted: who asks is to ask again
            return await self._missing(sync, link)
        if not user.external:
            return link
        if link.disabled and user.enabled:
            await self.clock.sleep(OLD_BY)  # that read may be of before our own write
            user = await self.user(sync, link)
            if user is None or user.enabled:
                return None if user is None else link.distrusted()
        return await self.drift.found(decided, user, rehearses=rehearses)

    def is_new(self, link: Link) -> bool:
        return is_new(link, self.clock.now())

    def _just_deleted(self, link: Link) -> bool:
        """Within 15 minutes a replica may still show the user whom we deleted."""
        return link.deleted_at is not None and self.clock.now() - link.deleted_at < VISIBLE_WITHIN

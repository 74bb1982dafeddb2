"""An invitation that came too late: no pair knows its guest, and nobody would ever delete it. So it is taken back."""

from __future__ import annotations

from ..decision.invited import made_by_us
from ..model import Link, LinkState, Sync
from ..ports import Links, TargetDirectory
from .lag import APPEARS_AFTER, insist, shown
from .writes import Writes


async def take_back(links: Links, target: TargetDirectory, writes: Writes, sync: Sync, link: Link) -> None:
    """The pair was made without this invitation of `link`.

    An instance of version 0.1 that rewrote the link meanwhile awaits the guest by the first half of the mark.
    """
    target_id = link.target_id or ""

    async def unclaimed() -> bool:
        user, now = await target.read_user(target_id), await links.get(link.sync, link.source_id)
        if user is None or not made_by_us(link, user, None):
            return False
        awaited = now is not None and (
            now.target_id == target_id
            or (now.state is LinkState.INVITING and user.display_name.startswith(now.invitation_mark))
        )
        return not awaited and await links.owner(sync.target.id, target_id) is None

    async def delete() -> None:
        # A replica that has not heard of this guest yet is asked again.
        await shown(target, target_id, writes.clock, APPEARS_AFTER)
        if await unclaimed():
            await writes.soft_delete(target_id, confirm=unclaimed)

    await insist(delete, writes.clock, APPEARS_AFTER)

"""Whose a target user was: of another source user, whose account may have been deleted and made anew."""

from __future__ import annotations

from ..model import Link, Sync, TargetUser, is_object_id
from ..model.errors import ConflictError
from ..ports import Links, SourceDirectory


def former_owner(sync: Sync, link: Link, user: TargetUser) -> str | None:
    """The other source user of this sync to whom the claim, or else the marker, of a target user belongs."""
    marker = sync.marker(link.source_id)
    for text, prefix in ((user.linked_to, f"{sync.name}/"), (user.marker, marker.prefix if marker else "")):
        if text is not None:
            source_id = text.removeprefix(prefix)
            return source_id if is_object_id(source_id) and source_id != link.source_id else None
    return None


async def end_former(links: Links, source: SourceDirectory, sync: Sync, link: Link, user: TargetUser) -> None:
    """End the pair of the deleted account, and its claim. One read may be old, so one more has to agree.

    Raises ConflictError if the account is back, or something is being written for it.
    """
    former = former_owner(sync, link, user)
    if former is None:
        return
    theirs = await links.get(sync.name, former)
    if not (await source.read_user(former)).absent or (theirs is not None and (theirs.dirty or theirs.heir)):
        raise ConflictError("the former owner of this target user is not gone, or is being written")
    await links.forget(theirs or Link(sync=sync.name, source_id=former, target_id=user.id))

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


async def take_claim(links: Links, source: SourceDirectory, sync: Sync, link: Link, user: TargetUser) -> None:
    """Make this link the owner of a target user, in place of a deleted account if need be. Raises ConflictError."""
    if user.unlinked:
        await links.move_claim(sync.target.id, user.id, user.linked_to or "", link.owner)
    if user.abandoned:
        await _end_former(links, source, sync, link, user)
    if await links.claim(sync.target.id, user.id, link.owner) != link.owner:
        raise ConflictError("another source user was linked to this target user meanwhile")


async def _end_former(links: Links, source: SourceDirectory, sync: Sync, link: Link, user: TargetUser) -> None:
    """End the pair of the deleted account, and its claim. One read may be old, so one more has to agree.

    If that account has another target user by now, its pair stays, and only the claim on this one ends.

    Raises ConflictError if the account is back, or something is being written for it.
    """
    former = former_owner(sync, link, user)
    if former is None:
        return
    theirs = await links.get(sync.name, former)
    if not (await source.read_user(former)).absent or (theirs is not None and (theirs.dirty or theirs.heir)):
        raise ConflictError("the former owner of this target user is not gone, or is being written")
    if theirs is None or theirs.target_id != user.id:
        await links.release(user.id, Link(sync=sync.name, source_id=former).owner)
    else:
        await links.forget(theirs)

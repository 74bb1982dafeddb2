"""Whether a guest of the target was made by an unfinished invitation of ours. Pure."""

from __future__ import annotations

from datetime import timedelta

from ..model import Link, LinkState, TargetUser

# A guest may seem to be older than our invitation by this much: Entra has a clock of its own.
CLOCKS_DIFFER = timedelta(minutes=1)


def made_by_us(link: Link, guest: TargetUser, address: str | None) -> bool:
    """Whether this is the guest of our own unfinished invitation. `address` is the source user's.

    A row of version 0.1 has no nonce, and anybody can compute its mark. So it counts only for the user whose id our
    invitation returned. If that answer was lost, it counts for a user with the very address who was made since.
    """
    marked = guest.display_name.startswith(link.invitation_mark)
    if link.state is not LinkState.INVITING or not guest.external or guest.linked_to is not None or not marked:
        return False
    if link.invitation_nonce is not None:
        return True
    if link.target_id is not None:
        return guest.id == link.target_id
    if link.invited_at is None or guest.created_at is None or guest.created_at < link.invited_at - CLOCKS_DIFFER:
        return False
    return address is not None and guest.mail.lower() == address.lower()

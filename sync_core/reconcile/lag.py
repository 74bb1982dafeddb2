"""How long Entra may take until every replica shows a new user."""

from __future__ import annotations

from datetime import datetime, timedelta

from ..model import Link

# A new user that nobody else will look for is asked for after these pauses (seconds), a good minute in all.
APPEARS_AFTER = (1, 2, 4, 8, 16, 32)
# The absence of an older user means that somebody deleted it.
VISIBLE_WITHIN = timedelta(minutes=15)


def is_new(link: Link, now: datetime) -> bool:
    """Invited a moment ago, so that a 404 may only mean that the replica asked has not heard of it yet."""
    return link.invited_at is not None and now - link.invited_at < VISIBLE_WITHIN

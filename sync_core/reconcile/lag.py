"""How long Entra may take until every replica shows a new user."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta

from ..model import Link, LinkState, SourceUser, TargetUser, fingerprint
from ..model.errors import GraphRefusedError, ThrottledError, UnavailableError
from ..ports import Clock, TargetDirectory

# A new user that nobody else will look for is asked for after these pauses (seconds), a good minute in all.
APPEARS_AFTER = (1, 2, 4, 8, 16, 32)
# A read may be this old (seconds), so it undoes what newer reads have just decided only if a later one agrees.
OLD_BY = 3.0
# The absence of an older user means that somebody deleted it.
VISIBLE_WITHIN = timedelta(minutes=15)


async def shown(target: TargetDirectory, target_id: str, clock: Clock, pauses: Sequence[float]) -> TargetUser | None:
    """The user, asked for again after each pause (seconds) while the replica that answers has not heard of it."""
    for pause in pauses:
        user = await target.read_user(target_id)
        if user is not None:
            return user
        await clock.sleep(pause)
    return await target.read_user(target_id)


async def insist(act: Callable[[], Awaitable[None]], clock: Clock, pauses: Sequence[float]) -> None:
    """What nobody does later, so it is done again after each pause (seconds) while Graph or the storage fails."""
    for pause in pauses:
        try:
            return await act()
        except (GraphRefusedError, ThrottledError, UnavailableError):
            await clock.sleep(pause)
    return await act()


def is_new(link: Link, now: datetime) -> bool:
    """Invited a moment ago, so that a 404 may only mean that the replica asked has not heard of it yet."""
    return link.invited_at is not None and now - link.invited_at < VISIBLE_WITHIN


def invited_elsewhere(link: Link, source: SourceUser) -> bool:
    """Whether the unfinished invitation went to another address than the user has now. An older row does not tell."""
    invited = link.applied.get("mail")
    return link.state is LinkState.INVITING and invited is not None and invited != fingerprint(source.address)

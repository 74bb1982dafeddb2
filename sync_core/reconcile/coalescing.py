"""When a nomination needs a look of its own: dropped if the user was read since, merged if a look is near. Pure.

A notification, once acted on, makes those of the next 1.5 seconds one later look, which does the same for the next 3,
and so on, up to 8. Feeds and managers merge with any look of the last 8 seconds, whatever led to it; retries and people
do not wait. So a burst of changes to one user costs three reads, the first change shows at once, and the second soon.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from ..model import Link, LinkState, Nomination, Why

COALESCE_WITHIN = timedelta(seconds=8)
_FIRST_SETTLE = timedelta(seconds=1.5)
_COALESCED = frozenset({Why.NOTIFICATION, Why.FEED, Why.ABSENT, Why.MARKED, Why.MANAGER})
_TOLD_ONCE = frozenset({Why.FEED, Why.ABSENT, Why.MANAGER})
_MOST_UPCOMING = 100_000


def out_of_date(nomination: Nomination, link: Link, now: datetime) -> bool:
    """Whether the user was read after this nomination was made, or a later retry has taken its place."""
    if nomination.attempt:
        return False  # a retry is never out of date: the failed try may have written without its final read
    if nomination.why is Why.RETRY:
        if link.due is None:  # an earlier version, which wrote the row since, knows of parked users alone
            return not link.refused
        return nomination.at < link.due
    if nomination.why is Why.TARGET:
        return False  # a read that something else led to was not one of the target user
    if nomination.why is Why.MARKED and link.state is LinkState.SEEN:
        return False  # it alone asks for the ownership marker: a read that something else led to did not
    # A read may be seconds old, and so may be another machine's clock. Nobody else tells of a manager, and what a feed
    # saw it does not tell again: a read made so soon afterwards does not stand for theirs.
    at = nomination.at + COALESCE_WITHIN if nomination.why in _TOLD_ONCE else nomination.at
    # A read "in the future" was made by a machine whose clock runs fast: it must not silence anybody.
    return link.read_at is not None and at <= link.read_at <= now


def wait_before(nomination: Nomination, link: Link, now: datetime) -> float:
    """Seconds to wait before looking at a user who was looked at just now; 0 or less: look at once.

    A notification does not wait for a look that something else led to, so that the first change shows at once.
    """
    told = nomination.why is Why.NOTIFICATION
    looked_at = link.noticed_at if told else link.read_at
    if looked_at is None or nomination.why not in _COALESCED:
        return 0
    settle = min(link.settle, COALESCE_WITHIN) if told and link.settle is not None else COALESCE_WITHIN
    return (min(looked_at - now, timedelta()) + settle).total_seconds()


def noticed(link: Link, now: datetime) -> Link:
    """A notification leads to a look now. The sooner it follows the last one, the longer the next one waits."""
    lately = link.noticed_at is not None and now - link.noticed_at < 2 * COALESCE_WITHIN
    settle = min(2 * link.settle, COALESCE_WITHIN) if lately and link.settle is not None else _FIRST_SETTLE
    return link.noticed(now, settle=settle)


class UpcomingLooks:
    """Looks that this process put on the queue: a nomination made before one is due needs no message of its own.

    This is a shortcut only: forgetting one costs a message, never a look.
    """

    def __init__(self) -> None:
        self._due: dict[tuple[str, str, Why | None], datetime] = {}

    def covers(self, nomination: Nomination, now: datetime) -> bool:
        due = self._due.get(_kind_of_look(nomination))
        return due is not None and now < due and nomination.at < due and nomination.why in _COALESCED

    def add(self, nomination: Nomination, due: datetime) -> None:
        if len(self._due) >= _MOST_UPCOMING:
            self._due.clear()
        self._due[_kind_of_look(nomination)] = due

    def forget(self, nomination: Nomination) -> None:
        """The look is being taken: later nominations need another."""
        self._due.pop(_kind_of_look(nomination), None)


def _kind_of_look(nomination: Nomination) -> tuple[str, str, Why | None]:
    """A notification says that somebody changed just now, and the listing of the marked asks for the marker.

    A look that anything else leads to stands for neither.
    """
    own = nomination.why in {Why.NOTIFICATION, Why.MARKED}
    return nomination.sync, nomination.user, nomination.why if own else None

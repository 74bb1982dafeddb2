"""The parts of a link: its state, the guard's last word, what waits for another try, and what a feed needs of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from .values import fingerprint

# Every request of a worker that began before a pair was made or restored is over by then.
LATE = timedelta(minutes=15)
_FIRST_WAIT = timedelta(minutes=5)
_LONGEST_WAIT = timedelta(days=1)
_MARK = re.compile(r"\[[0-9a-f]{16}\]")  # the first half of every mark, see below


class LinkState(StrEnum):
    SEEN = "seen"  # looked at; no target user is ours
    INVITING = "inviting"  # the target had no such user; an invitation may have been sent
    LINKED = "linked"  # the pair is ours
    DELETED = "deleted"  # we soft-deleted the target user
    LOST = "lost"  # somebody else deleted or purged the target user

    @property
    def ours(self) -> bool:
        """Whether there is, or was, a target user that we may write."""
        return self in {LinkState.LINKED, LinkState.DELETED, LinkState.LOST}


class Guarded(StrEnum):
    """The guard's last word on this user's removal: it counted and allowed that change, or it holds it."""

    DISABLE = "Disable"
    SOFT_DELETE = "SoftDelete"
    HELD = "Hold"


# In place of the fingerprint of `accountEnabled`: we have perhaps disabled this user. It equals no value's fingerprint.
UNSURE = "unsure"


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """A user set aside: when the next look is due, how many looks came to nothing, and why."""

    until: datetime
    tries: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Retry:
    """When what Graph refused is sent again, and how often it was refused."""

    due: datetime
    tries: int


def unapplied(applied: Mapping[str, str], names: Iterable[str]) -> Mapping[str, str]:
    """Without the record of these: they are written again."""
    return {**applied, **dict.fromkeys(names, "")}


def mark(sync: str, source_id: str, nonce: str | None) -> str:
    """The beginning of our unfinished guest's display name, until the first attributes replace it.

    Graph answers an invitation to a known address with the guest who is already there. Only the mark tells the guest
    that we made from one that somebody else invited. Nobody can forge its second half: the nonce is stored in the link
    alone before the invitation is sent. The first half can be computed by anybody. It is all that version 0.1 writes
    and looks for, so that an instance of either version finishes what the other one began.
    """
    computed = f"[{fingerprint([sync, source_id])}]"
    return computed if nonce is None else f"{computed}[{nonce}]"


def invited_for_another(display_name: str, sync: str, source_id: str) -> bool:
    """Whether a name begins with the mark of an invitation for another user, or of another sync.

    That invitation finishes its guest. If nobody knows of it any more, a person says whose the guest is.
    """
    return _MARK.match(display_name) is not None and not display_name.startswith(mark(sync, source_id, None))


def wait_after(tries: int) -> timedelta:
    """5, 10, 20 ... minutes, in the end a day: until the next look at somebody parked, or the next try."""
    return min(_FIRST_WAIT * (1 << min(tries, 20)), _LONGEST_WAIT)


def next_retry(last: Retry | None, refused_at: datetime) -> Retry:
    """`last` is None for something that was not refused before."""
    tries = last.tries if last is not None else 0
    return Retry(due=refused_at + wait_after(tries), tries=tries + 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDigest:
    """The part of a link that a feed needs."""

    digest: str  # Link.digest: empty while the record cannot be trusted
    state: LinkState
    manager: str | None = None  # Link.manager
    reference: str = ""  # the fingerprint of what was applied as manager: empty as digest is
    member_of: frozenset[str] | None = None  # Link.member_of
    refused: bool = False  # some attribute is refused: a full round has it tried again

"""The parts of a link: its state, the guard's last word, what waits for another try, and what a feed needs of it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

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


# The fields of a link that the making of its pair uses up.
USED_UP: Mapping[str, Any] = {
    "approved_target": None,
    "invitation_nonce": None,
    "on_create_written": False,
    "waiting_since": None,
    "heir": None,
    "redeem": False,
}

# In place of an heir, and of the sync in a claim: a person ended the pair. No sync has this name.
NOBODY = "-"


def unlinked(owner: str) -> str:
    """The name in the claim on a target user whose pair a person ended: it is nobody's, so no look adopts the user."""
    return f"{NOBODY}/{owner}"


def is_asked(heir: str | None) -> bool:
    """Whether a person ended the pair, or gave it to another user, which is not done yet.

    An earlier release would call it off, and delete a guest who is another account's by then: it cannot read the row.
    """
    return heir is not None and (heir == NOBODY or "/" in heir)


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


class Refusals(Protocol):
    """What a link knows of attributes that Graph refused, with its codes and since when."""

    @property
    def refused(self) -> Mapping[str, str]: ...

    @property
    def refused_since(self) -> Mapping[str, datetime]: ...

    @property
    def retry(self) -> Retry | None: ...


def refusing(
    known: Refusals, refused: Mapping[str, str], *, sent: Mapping[str, str] | None = None, at: datetime | None = None
) -> dict[str, Any]:
    """With these refusals, of which `sent` came just now. A newly refused attribute starts at the first rate."""
    retry = known.retry if refused else None
    if sent and at is not None:
        retry = next_retry(retry if sent.keys() <= known.refused.keys() else None, at)
    since = {name: found for name in refused if (found := known.refused_since.get(name, at)) is not None}
    return {"refused": refused, "refused_since": since, "retry": retry}


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDigest:
    """The part of a link that a feed needs."""

    digest: str  # Link.digest: empty while the record cannot be trusted
    state: LinkState
    manager: str | None = None  # Link.manager
    reference: str = ""  # the fingerprint of what was applied as manager: empty as digest is
    member_of: frozenset[str] | None = None  # Link.member_of
    refused: bool = False  # some attribute is refused: a full round has it tried again

"""Changes, which decisions yield. Each is a value that can be printed, compared and judged before it is made."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from .leaving import Leaving
from .values import ENABLED, Attributes


class Reason(StrEnum):
    """Why nothing is done (skip) or may not be done (refuse)."""

    EXTERNAL = "external"
    DISABLED = "disabled"
    NO_CHANGE = "no change"
    NOT_OURS = "not ours"
    OUT_OF_SCOPE = "out of scope"
    IGNORED = "ignored"
    UNDECIDED = "undecided"
    LEFT = "left by policy"
    LEAVING = "leaving in stages"
    KEPT = "kept by a person"
    UNADOPTED = "unadopted"
    NEEDS_APPROVAL = "adoption needs approval"
    INTERNAL_USER = "internal user"
    AMBIGUOUS = "ambiguous"
    ALREADY_LINKED = "already linked"
    DELETED_IN_TARGET = "deleted in target"
    NO_ADDRESS = "no address"
    BLOCKED = "blocked in target"
    FOREIGN_ADDRESS = "foreign address"
    ADDRESS_TAKEN = "address taken in target"
    ABANDONED = "linked to a deleted account"
    UNLINKED = "unlinked by a person"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """The thing to do with one user: a value that can be printed, compared and judged before it is carried out."""

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def removes(self) -> bool:
        """Whether it takes somebody's access away: then the guard counts it."""
        return False

    @property
    def written(self) -> Attributes:
        """The attributes that it gives the target user."""
        return {}

    @property
    def touches(self) -> bool:
        """Whether it would change the target user of this pair, so that one is read first."""
        return self.removes


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(Change):
    address: str
    display_name: str | None
    attributes: Attributes

    @property
    def written(self) -> Attributes:
        return self.attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(Change):
    target_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Change):
    attributes: Attributes

    @property
    def touches(self) -> bool:
        return True

    @property
    def written(self) -> Attributes:
        return self.attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Disable(Change):
    attributes: Attributes  # accountEnabled false, and whatever else differs

    @property
    def removes(self) -> bool:
        return True

    @property
    def rest(self) -> Update | None:
        """The part that takes no access away."""
        rest = {name: value for name, value in self.attributes.items() if name != ENABLED}
        return Update(attributes=rest) if rest else None

    @property
    def written(self) -> Attributes:
        return self.attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore(Change):
    @property
    def touches(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftDelete(Change):
    why: str

    @property
    def removes(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(Change):
    """Drop the link: source and target are both gone."""


class Counts(StrEnum):
    """The people whom a window of the guard counts."""

    SYNC = "sync"  # those of one sync
    TARGET = "target"  # those of all syncs into one target tenant

    @property
    def into(self) -> str:
        """The words that follow "deletions" where they are those of all syncs."""
        return " into the target tenant" if self is Counts.TARGET else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LetGo(Change):
    """Drop the link and leave the target user alone: it was converted to an internal user."""

    target_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(Change):
    """Another sync of this user into the same tenant takes the pair: nothing is written, and access stays.

    Or another user: a person said that it is the same one. Then `to` is "<sync>/<source id>".
    """

    to: str

    @property
    def touches(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Unlink(Change):
    """A person ended the pair: the target user stays, without our marker, and is nobody's."""

    @property
    def touches(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetRedemption(Change):
    """The invitation is to be redeemed anew, with this address: another account signs in as the same target user."""

    address: str

    @property
    def touches(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Change):
    """A deletion that the guard stopped; `meanwhile` is the part of it that takes nothing away.

    `counts` and `window` say which window was met: `used` of at most `limit` were counted in it.
    """

    held: Change
    used: int
    limit: int
    counts: Counts = Counts.SYNC
    window: timedelta = timedelta(hours=24)
    meanwhile: Update | None = None

    @property
    def written(self) -> Attributes:
        return {} if self.meanwhile is None else self.meanwhile.written


class Postponed(StrEnum):
    """Why a change that was decided is not made now."""

    OBSERVED = "observe"  # sync.yaml lets the sync write nothing
    PAUSED = "paused"  # a person lets it write nothing
    DELETIONS_PAUSED = "deletions paused"  # a person lets it take no access away
    CREATIONS_FULL = "creations full"  # the creation guard: so many were invited that a person has to let more in

    @property
    def words(self) -> str:
        return _WORDS[self]


_WORDS = {
    Postponed.OBSERVED: "the sync observes",
    Postponed.PAUSED: "the sync is paused",
    Postponed.DELETIONS_PAUSED: "deletions are paused",
    Postponed.CREATIONS_FULL: "the ceiling of the creation guard is reached",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Postpone(Change):
    """A change that would be made, and is not made now. `meanwhile` is the part of it that is made."""

    postponed: Change
    because: Postponed
    meanwhile: Update | None = None

    @property
    def name(self) -> str:
        return f"Would{self.postponed.name}"

    @property
    def written(self) -> Attributes:
        return self.postponed.written


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(Change):
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay(Skip):
    """A user who leaves stays at the stage of `leaving` until its time."""

    leaving: Leaving

    @property
    def words(self) -> str:
        """The stage that was reached, and the next one, with their times."""
        at = self.leaving
        stage = f"{at.stage} since {at.since:%Y-%m-%d %H:%M} UTC"
        if at.until is None:
            return stage
        until = f"{at.until:%Y-%m-%d %H:%M} UTC"
        return f"{stage}; {f'kept until {until}, then' if self.reason is Reason.KEPT else f'at {until}'} {at.then}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Change):
    reason: Reason
    detail: str = ""

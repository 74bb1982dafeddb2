"""A target tenant before the first write: the troubles that a sync into it would meet, by cause."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from ...model import Reason
from .rendering import document


class Cause(StrEnum):
    """Where a look would refuse somebody, the name is that of its reason; the others are facts that were read."""

    INTERNAL_USER = Reason.INTERNAL_USER.value
    UNADOPTED = Reason.UNADOPTED.value
    NEEDS_APPROVAL = Reason.NEEDS_APPROVAL.value
    AMBIGUOUS = Reason.AMBIGUOUS.value
    BLOCKED = Reason.BLOCKED.value
    ALREADY_LINKED = Reason.ALREADY_LINKED.value
    ABANDONED = Reason.ABANDONED.value
    FOREIGN_ADDRESS = Reason.FOREIGN_ADDRESS.value
    NO_ADDRESS = Reason.NO_ADDRESS.value
    UNDECIDED = Reason.UNDECIDED.value
    DOMAINS_UNKNOWN = "domains unknown"
    SHARED = "shared address"
    CONTACT = "mail contact"
    SOFT_DELETED = "soft-deleted user"
    QUOTA = "directory quota"
    PENDING = "pending"
    ORPHANED = "orphaned"


class Weight(StrEnum):
    STOPS = "stops"  # somebody would not be let in, or not as they should
    WAITS = "waits"  # a person's word is enough
    NOTE = "note"  # nothing is in the way of anybody


@document
class PreflightFinding:
    """`code` stands for what was shown of both users; without one, no word of a person adopts this target user."""

    sync: str | None
    source_id: str | None
    target_id: str | None
    code: str | None


@document
class PreflightCause:
    """`people` are source users, or target users where no source user is meant."""

    cause: Cause
    weight: Weight
    words: str
    remedy: str
    people: int
    findings: Sequence[PreflightFinding]


@document
class Unseen:
    """What the app has no permission to read, so that nothing is said of it."""

    what: str
    remedy: str


@document
class DirectoryQuota:
    """So many objects the directory has, and may have."""

    used: int
    total: int


@document
class TargetPreflight:
    """`users` and `guests` are those of the target. The rest are pairs of a sync and a source user.

    `invited` and `adopted` are those for whom the first look would do it, `linked` those who have a
    target user by now, or an invitation on its way.
    """

    target: str
    syncs: Sequence[str]
    users: int
    guests: int
    in_scope: int
    linked: int
    invited: int
    adopted: int
    quota: DirectoryQuota | None
    causes: Sequence[PreflightCause]
    unseen: Sequence[Unseen]


@document
class Preflight:
    """Heaviest causes first. `at` is when the reading began."""

    at: datetime
    targets: Sequence[TargetPreflight]

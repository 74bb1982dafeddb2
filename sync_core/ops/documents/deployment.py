"""The deployment as documents: its status, its rounds, the doctor's findings, and errors."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from ...model import Control, Counts, Mode
from ...ports import FeedPhase
from .creations import CreationStatus
from .leaving import LeavingStatus
from .rendering import document


@document
class WindowStatus:
    """One window of the guard: the people it counts, and their limit as of the last count, null before the first."""

    counts: Counts
    window_s: float
    used: int
    limit: int | None


@document
class Stopped:
    """Another tenant stands under the name of this sync: nobody is invited, changed or deleted."""

    reason: str
    hint: str


@document
class SyncStatus:
    """One sync, how many deletions the guard counts in its window now, and all windows that it has to pass.

    `control` says whether a person paused it; who said so last, when and why is null where nobody ever did. `stopped`
    has a reason and a way out. `removing`: by `xtsync remove --delete-users`, everybody loses access.
    """

    name: str
    source: str
    target: str
    mode: Mode
    control: Control
    controlled_by: str | None
    controlled_at: datetime | None
    control_reason: str | None
    deletions_in_window: int
    windows: Sequence[WindowStatus]
    last_activity_at: datetime | None
    stopped: Stopped | None
    removing: bool


@document
class FeedStatus:
    """How far one feed of one source tenant is read. `entries` and `nominated` are of the newest round."""

    tenant: str
    feed: str
    phase: FeedPhase
    full: bool
    started_at: datetime | None
    progress_at: datetime | None
    completed_at: datetime | None
    completed_age_s: float | None
    entries: int
    nominated: int
    error: str | None


class SubscriptionState(StrEnum):
    LIVE = "live"
    EXPIRED = "expired"
    MISSING = "missing"


@document
class SubscriptionStatus:
    """The change-notification subscription of one feed."""

    tenant: str
    resource: str
    id: str | None
    state: SubscriptionState
    expires_at: datetime | None
    expires_in_s: float | None


@document
class QueueStatus:
    """One queue, with the messages whose time is still to come. `poison`: messages that failed again and again.

    `unreadable` counts those, of the next 32, that no function can read.
    """

    name: str
    depth: int
    poison: bool
    unreadable: int


@document
class HoldCounts:
    """The held deletions of one sync."""

    sync: str
    waiting: int
    approved: int
    rejected: int


@document
class ParkedUser:
    """A user whose change is refused, and who is tried again at a falling rate. `hint` is the way out, or null."""

    sync: str
    source_id: str
    reason: str
    hint: str | None
    next_try_at: datetime
    next_try_in_s: float
    tries: int


@document
class RefusedUser:
    """A user of whom Graph refuses some attributes, which are tried again at a falling rate."""

    sync: str
    source_id: str
    attributes: Sequence[str]
    since: datetime | None
    next_try_at: datetime | None


@document
class Status:
    """How everything stands, from stored state alone.

    `adoptions` of the parked wait for a person to say which target user is theirs.
    """

    at: datetime
    syncs: Sequence[SyncStatus]
    feeds: Sequence[FeedStatus]
    subscriptions: Sequence[SubscriptionStatus]
    queues: Sequence[QueueStatus]
    poisoned: int
    holds: Sequence[HoldCounts]
    creations: Sequence[CreationStatus]
    leaving: Sequence[LeavingStatus]
    parked: Sequence[ParkedUser]
    adoptions: int
    refused: Sequence[RefusedUser]


@document
class Round:
    """A full round of one feed, which starts now. With an error it did not start."""

    tenant: str
    feed: str
    round: str | None
    started_at: datetime | None
    error: str | None
    hint: str | None


@document
class Rounds:
    rounds: Sequence[Round]

    @property
    def failed(self) -> bool:
        return any(each.error is not None for each in self.rounds)


class Verdict(StrEnum):
    """The result of one check of the doctor."""

    OK = "ok"
    WARNING = "warning"
    FAILED = "failed"
    UNSEEN = "not allowed to see"  # the app has no permission to look; somebody else can
    SKIPPED = "not checked"  # the failure of another check is in the way


@document
class Finding:
    """The result of one check and its grounds. `subject` is a tenant and side, or null for the deployment as a whole.

    `remedy` is in lines: what to do, then links and commands, each on a line alone. No personal data is in it.
    """

    subject: str | None
    check: str
    looked_at: str
    verdict: Verdict
    detail: str
    remedy: Sequence[str]


@document
class Report:
    """Every finding of the doctor; `failed` counts those that need a person."""

    at: datetime
    failed: int
    findings: Sequence[Finding]


@document
class ErrorDetail:
    """`code` is short and stays; `messages` are for people, and `hint` says what to do next."""

    code: str
    messages: Sequence[str]
    hint: str | None


@document
class Error:
    error: ErrorDetail

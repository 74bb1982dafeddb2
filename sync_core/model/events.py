"""Nominations, feed runs and lifecycle events, which the queues carry, and the outcome of a reconciliation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from .changes import Change


class Why(StrEnum):
    NOTIFICATION = "notification"
    FEED = "feed"
    ABSENT = "absent"  # known to us, and not listed any more
    MARKED = "marked"  # a target user bears the marker of somebody who has no link
    MANAGER = "manager"  # the manager was linked or came back, or is not there as the link says
    RETRY = "retry"
    OPERATOR = "operator"
    TARGET = "target"  # the target user is not as we left it; the look reads it, as that of an operator does
    APPROVED = "approved"

    @property
    def stored(self) -> str:
        """As a version without the target feed knows it: for an operator it compares, too."""
        return (Why.OPERATOR if self is Why.TARGET else self).value


@dataclass(frozen=True, slots=True, kw_only=True)
class Nomination:
    """Look at this user again. The body of a `user-changes` message.

    `config` is the fingerprint of the nominator's configuration; version 0.1 left it out. `traceparent` is the span of
    the notification, where telemetry is on; what is sent anew for this one keeps it.
    """

    sync: str
    user: str
    why: Why
    at: datetime
    attempt: int = 0
    config: str = ""
    traceparent: str = ""

    def tried_again(self) -> Nomination:
        """The same as an attempt, which no earlier read makes needless."""
        return replace(self, attempt=max(self.attempt, 1))


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRun:
    """Read on in this round of a feed. The body of a `feed-pages` message."""

    tenant: str
    feed: str
    round: str
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleEvent:
    """Graph's word about a subscription. The body of a `subscription-events` message."""

    tenant: str
    event: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanRun:
    """Work on in this plan. The body of a `plan-jobs` message. `attempt` counts failures in a row."""

    job: str
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The end of one reconciliation: the changes carried out, in order, and what stands at the end."""

    sync: str
    user: str
    changes: Sequence[Change]
    why: Why
    nominated_at: datetime
    done_at: datetime
    target_id: str | None = None
    refused: Sequence[str] = ()  # names of attributes that Graph refuses to write
    error: str = ""
    retry_after: float | None = None
    parked: bool = False  # set aside because of `error`; otherwise an error means that the queue tries again
    parked_before: bool = False  # the user was parked when the look began

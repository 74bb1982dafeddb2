"""Held deletions as documents, and a person's decision about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from ...guard.deletions import Standing
from .rendering import document


@document
class HeldDeletion:
    """One deletion that the guard stopped. `decided_by` is an object id, or a name from the command line.

    `reason` is the window that was full, and `cause` why the user would lose access: null in rows of version 0.1.
    """

    sync: str
    source_id: str
    target_id: str
    change: str
    cause: str | None
    reason: str
    held_at: datetime
    state: Standing
    decided_at: datetime | None
    decided_by: str | None


@document
class Holds:
    """The held deletions, oldest first. `code` stands for exactly those that a decision can change."""

    code: str
    holds: Sequence[HeldDeletion]


@document
class PastDecision:
    """A person's decision about a held deletion, kept when the hold is gone."""

    sync: str
    source_id: str
    target_id: str
    change: str
    cause: str | None
    decision: Standing
    decided_at: datetime
    decided_by: str


@document
class Decisions:
    """What people decided about held deletions, newest first: at most 1000 of each sync."""

    decisions: Sequence[PastDecision]


class Decided(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"


@document
class HeldUser:
    sync: str
    source_id: str


@document
class Decision:
    """A decision about `users`, and its author. The holds of `changed` changed meanwhile: they were not decided."""

    decision: Decided
    by: str
    users: Sequence[HeldUser]
    changed: Sequence[HeldUser]


@document
class DecisionRequest:
    """A decision to be made about one held deletion."""

    decision: Literal["approve", "reject"]


@document
class ListDecisionRequest:
    """A decision about some holds of the list that `code` stands for. If the list changed, none is decided.

    `sync` is the one that the list was asked for; without it the list is of all syncs.
    """

    decision: Literal["approve", "reject"]
    code: str
    users: Sequence[HeldUser]
    sync: str | None = None

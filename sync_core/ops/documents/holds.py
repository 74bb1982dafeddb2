"""Held deletions as documents, and a person's decision about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from ...guard.deletions import Standing


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldDeletion:
    """One deletion that the guard stopped. `decided_by` is an object id, or a name from the command line."""

    sync: str
    source_id: str
    target_id: str
    change: str
    reason: str
    held_at: datetime
    state: Standing
    decided_at: datetime | None
    decided_by: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Holds:
    """The held deletions, oldest first. `code` stands for exactly those that a decision can change."""

    code: str
    holds: Sequence[HeldDeletion]


class Decided(StrEnum):
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldUser:
    sync: str
    source_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """A decision about `users`, and its author. The holds of `changed` changed meanwhile: they were not decided."""

    decision: Decided
    by: str
    users: Sequence[HeldUser]
    changed: Sequence[HeldUser]


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRequest:
    """A decision to be made about one held deletion."""

    decision: Literal["approve", "reject"]

"""What would happen to everybody, as a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

from .changes import Change, Hold, Refuse
from .rendering import INLINE


@dataclass(frozen=True, slots=True, kw_only=True)
class PlannedUser:
    """A user to whom something would happen: the fields of the change stand beside the user's."""

    user: str
    target_id: str | None
    planned: Change = field(metadata=INLINE)

    @property
    def change(self) -> str:
        return self.planned.change

    @property
    def kind(self) -> str:
        """What is counted together: a kind of change, or a refusal for one reason."""
        match self.planned:
            case Hold(held=held):
                return f"Hold of {held.change}"
            case Refuse(reason=reason):
                return f"Refuse: {reason}"
        return self.change


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedUser:
    """A user for whom nothing could be decided."""

    user: str
    change: Literal["error"] = "error"
    reason: str
    hint: str | None

    @property
    def kind(self) -> str:
        return f"error: {self.reason}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncPlan:
    """The users of one sync to whom something would happen, and how many of each kind."""

    sync: str
    counts: Mapping[str, int]
    users: Sequence[PlannedUser | FailedUser]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    syncs: Sequence[SyncPlan]

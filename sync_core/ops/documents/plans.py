"""The plan for everybody, as a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from typing import Literal

from ...model import Postponed
from .changes import Change, Hold, Postpone, Refuse
from .rendering import INLINE, document


@document
class PlannedUser:
    """A user with a change to come, and why. In JSON the fields of the change stand beside the user's."""

    user: str
    target_id: str | None
    why: str
    planned: Change = field(metadata=INLINE)

    @property
    def kind(self) -> str:
        """Users of one kind are counted together: those of one change, or of refusals for one reason."""
        return _kind(self.planned)

    @property
    def foreseen(self) -> Change:
        """The change to come, also if it is put off."""
        return self.planned.postponed if isinstance(self.planned, Postpone) else self.planned


def _kind(change: Change) -> str:
    match change:
        case Hold(held=held):
            return f"Hold of {held.change}"
        case Postpone(because=Postponed.CREATIONS_FULL, postponed=postponed):
            return f"{_kind(postponed)}, waiting for approval"
        case Postpone(postponed=postponed):
            return f"Postpone of {_kind(postponed)}"
        case Refuse(reason=reason):
            return f"Refuse: {reason}"
    return change.change


@document
class FailedUser:
    """A user about whom nothing could be decided."""

    user: str
    change: Literal["error"] = "error"
    reason: str
    hint: str | None

    @property
    def kind(self) -> str:
        return f"error: {self.reason}"


@document
class SyncPlan:
    """The users of one sync with a change to come, and how many of each kind."""

    sync: str
    counts: Mapping[str, int]
    users: Sequence[PlannedUser | FailedUser]


@document
class Plan:
    syncs: Sequence[SyncPlan]

"""The plan for everybody, as a document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Literal

from ...model import Postponed
from ...ports import PlanState
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
        """Without the id of the request, which is another one for each user."""
        return f"error: {self.reason.partition(' (request ')[0]}"


@document
class PlanExtent:
    """The people at whom a plan looked in one sync. The rest needs no look by what the source lists and the record has.

    `looked_at` were read afresh, and decided on. `passed_over` are linked and were not looked at: their attributes,
    groups and manager are as they were applied. Null: an earlier version had a hand in the plan, so it is not known.
    """

    looked_at: int | None = None
    passed_over: int | None = None
    sentences: Sequence[str] = ()


@document
class SyncPlan:
    """The users of one sync with a change to come, and how many of each kind. `words` has a sentence for each kind."""

    sync: str
    counts: Mapping[str, int]
    words: Mapping[str, str] = field(default_factory=dict)
    users: Sequence[PlannedUser | FailedUser]
    extent: PlanExtent = PlanExtent()


@document
class Plan:
    syncs: Sequence[SyncPlan]


@document
class DeployedFile:
    """The text of the deployed sync.yaml. It has no secret: it names the settings that have one."""

    sync_yaml: str


@document
class PlanRequest:
    """What to plan. `sync_yaml` is the text of a file to try out, for the tenants of the deployed one.

    Without it the deployed file is planned. `sync` is the name of one sync; without it all are planned.
    """

    sync_yaml: str | None = None
    sync: str | None = None


@document
class SyncCounts:
    """How many users of one sync have a change of each kind to come, of those decided on so far."""

    sync: str
    counts: Mapping[str, int]
    words: Mapping[str, str] = field(default_factory=dict)
    extent: PlanExtent = PlanExtent()


@document
class _Asked:
    id: str
    state: PlanState
    candidate: bool
    sync: str | None
    asked_by: str
    asked_at: datetime


@document
class PlanStatus(_Asked):
    """A plan that runs as a job. Of a failed one, `error` says why and `hint` what helps.

    `read` counts the entries of the feeds. `users` are those to decide on, null while the feeds are being read, and
    `decided` says how many of them were. A plan is dropped after a week, or when there are thirty newer ones.
    """

    started_at: datetime | None
    finished_at: datetime | None
    seconds: float
    read: int
    users: int | None
    decided: int
    syncs: Sequence[SyncCounts]
    error: str | None
    hint: str | None


@document
class KnownPlan(_Asked):
    """A plan as the list of plans has it: without its counts. `seconds` is how long it took, or takes already."""

    seconds: float
    decided: int


@document
class KnownPlans:
    """The plans that are kept, the newest first."""

    plans: Sequence[KnownPlan]


@document
class PlannedChange:
    """One user of a plan, of a `kind` of the counts. In JSON the fields of the user stand beside the sync's."""

    sync: str
    kind: str
    user: PlannedUser | FailedUser = field(metadata=INLINE)


@document
class PlannedChanges:
    """A page, in the order of object ids. `more` goes on behind it, and is empty at the end of what is known."""

    changes: Sequence[PlannedChange]
    more: str

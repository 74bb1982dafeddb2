"""Plans that run as jobs: the job as it is stored, and the changes that it found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ..model import PlanRun


class PlanState(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanExtent:
    """Of one sync: how many users were decided on, how many are linked, and how many are both."""

    looked_at: int = 0
    linked: int = 0
    both: int = 0

    def more(self, *, looked_at: int = 0, linked: int = 0, both: int = 0) -> PlanExtent:
        return PlanExtent(looked_at=self.looked_at + looked_at, linked=self.linked + linked, both=self.both + both)

    @property
    def passed_over(self) -> int:
        """Linked users on whom nobody decided. Somebody may have been linked since they were counted."""
        return max(0, self.linked - self.both)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanJob:
    """One plan. `checkpoint` is where the next run goes on; users up to `cursor` are decided on, and in `counts`.

    Until `busy_until` a worker is at it: a second delivery of the message waits.
    """

    id: str
    asked_at: datetime
    asked_by: str  # object id of the caller
    candidate: bool  # of a sync.yaml that came with the request; otherwise of the deployed one
    sync: str = ""  # only this one; empty: all of them
    state: PlanState = PlanState.QUEUED
    started_at: datetime | None = None
    progress_at: datetime | None = None
    finished_at: datetime | None = None
    busy_until: datetime | None = None
    read: int = 0  # entries of feeds
    nominated: int | None = None  # users to decide on, of each sync; None while the feeds are being read
    decided: int = 0
    counts: Mapping[str, Mapping[str, int]] = field(default_factory=dict)  # by sync and kind of change
    # By sync. One that is missing is not known: a version before had a hand in this plan.
    extents: Mapping[str, PlanExtent] = field(default_factory=dict)
    cursor: str = ""
    checkpoint: str = ""
    error: str = ""
    hint: str = ""
    etag: str | None = None

    @property
    def over(self) -> bool:
        return self.state in {PlanState.DONE, PlanState.FAILED}


@dataclass(frozen=True, slots=True, kw_only=True)
class Nominee:
    """A user to decide on. `place` is the order, by user and then by sync: one user's rows stand together."""

    place: str
    user: str
    sync: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanEntry:
    """What would happen to a nominee: the kind of change, and the document of it as JSON. Both empty: nothing."""

    nominee: Nominee
    kind: str = ""
    said: str = ""


class Plans(Protocol):
    """A deployment whose templates are older has no such table until the first job: then there are no jobs."""

    async def add(self, job: PlanJob, text: str) -> PlanJob:
        """`text` is the sync.yaml of the plan."""
        ...

    async def get(self, job: str) -> PlanJob | None: ...

    async def text(self, job: str) -> str: ...

    async def save(self, job: PlanJob) -> PlanJob: ...

    async def jobs(self) -> Sequence[PlanJob]:
        """All of them, without their checkpoints and counts. To change one, get it first."""
        ...

    async def nominate(self, job: str, pairs: Sequence[tuple[str, str]]) -> None:
        """Add users, each with a sync, unless they are there already. Safe to repeat."""
        ...

    async def nominees(self, job: str, after: str, limit: int) -> Sequence[Nominee]: ...

    async def count(self, job: str) -> int:
        """The number of nominees."""
        ...

    async def keep(self, job: str, entries: Sequence[PlanEntry]) -> None:
        """In the place of the nominees; one to whom nothing would happen is dropped. Safe to repeat."""
        ...

    async def entries(
        self, job: PlanJob, after: str, limit: int, *, sync: str = "", kind: str = ""
    ) -> Sequence[PlanEntry]:
        """The next of those that are decided on and counted."""
        ...

    async def drop(self, job: str, limit: int) -> int:
        """Drop at most `limit` rows of a job, the job itself last; how many it dropped."""
        ...

    async def work_on(self, run: PlanRun, *, delay: float = 0) -> None:
        """Put it on the queue."""
        ...

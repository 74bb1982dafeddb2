"""What happened in one run, for people (lines) and for the model (what went over the wire). Nothing here decides."""

from __future__ import annotations

import hashlib
from collections import Counter
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import datetime

from sync_core.model import Control
from tests.support.virtual_time import LoopClock


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A message that an instance is working on; requests made on its behalf find it in the context."""

    at: datetime
    instance: str
    user: str
    sync: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What surely held for a sync, from the end of one command to the beginning of the next."""

    sync: str
    control: Control
    since: datetime
    until: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """Somebody whom a person surely kept: from the end of one command to the beginning of the next, or to its time."""

    user: str
    syncs: frozenset[str]
    since: datetime
    until: datetime


working_on: ContextVar[Taken | None] = ContextVar("working_on", default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetState:
    """One target user, as far as access goes."""

    present: bool
    enabled: bool


@dataclass(slots=True, kw_only=True)
class Exchange:
    """One request to Graph. `status` is what Graph did, `seen` what the instance got to know of it (None: nothing)."""

    tenant: str
    method: str
    path: str
    instance: str
    taken: Taken | None
    sent_at: datetime
    begun_at: datetime | None = None  # before a token was asked for, if that was needed
    done_at: datetime | None = None
    answered_at: datetime | None = None
    status: int | None = None
    seen: int | None = None
    code: str = ""
    object_id: str = ""
    before: TargetState | None = None
    after: TargetState | None = None
    created: bool = False  # an invitation that made a new user
    member_of: list[str] | None = None  # what checkMemberGroups said
    body: dict[str, object] = field(default_factory=dict)
    shown: dict[str, object] = field(default_factory=dict)  # of the user who was read

    @property
    def is_write(self) -> bool:
        return self.method != "GET" and not self.path.endswith(("getByIds", "checkMemberGroups"))

    @property
    def removed(self) -> bool:
        """Whether it took access away: from an enabled user, or the user itself."""
        if self.before is None or self.after is None or not self.before.present:
            return False
        return not self.after.present or (self.before.enabled and not self.after.enabled)


class History:
    def __init__(self, clock: LoopClock) -> None:
        self._clock = clock
        self._began = clock.now()
        self.lines: list[str] = []
        self.exchanges: list[Exchange] = []
        self.changes: Counter[str] = Counter()  # by name, as the engine carried them out

    def note(self, who: str, what: str) -> None:
        seconds = (self._clock.now() - self._began).total_seconds()
        self.lines.append(f"{seconds:14.6f} {who:<12} {what}")

    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.lines).encode()).hexdigest()

"""The record of what happened, and what this program gave up on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..model import Event, Kind
from .work import Poisoned


@dataclass(frozen=True, slots=True, kw_only=True)
class Tally:
    """Events of some time: how many changed something or parked their user, and how late notified changes were.

    A parked user who is refused again is not counted: that is no news, and retries go on for days.
    `late_ms` is their 95th percentile, nearest rank; 0 where nothing was notified.
    """

    changed: int = 0
    parked: int = 0
    notified: int = 0
    late_ms: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """Which events: of these syncs, or of these people in them, from `since` on and before `until`."""

    of: Sequence[tuple[str, str]]  # sync and source user; an empty user asks for all of the sync
    kinds: frozenset[Kind] = frozenset()  # none: all
    since: datetime | None = None
    until: datetime | None = None
    limit: int = 100
    after: str = ""  # Page.more of the page before


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Events, newest first. `more` is empty where there are no older ones."""

    events: Sequence[Event]
    more: str = ""


class RecordBlobs(Protocol):
    async def append(self, name: str, content: bytes) -> None:
        """Add at most 4 MiB to the end of a blob, which is made if it is missing. Repeated, it is there twice."""
        ...


class Activity(Protocol):
    async def record(self, events: Sequence[Event]) -> None:
        """Keep events of one user, or of one sync. Safe to repeat."""
        ...

    async def page(self, asked: Asked) -> Page:
        """The newest events that are asked for. Raises ValueError for an `after` that no page gave."""
        ...

    async def poisoned(self, queue: str, message_id: str, body: str, at: datetime) -> None:
        """Keep what came out of a poison queue, so that nothing is lost; safe to repeat."""
        ...

    async def prune(self, sync: str, before: datetime, limit: int) -> int:
        """Drop at most `limit` events that are older; how many it dropped."""
        ...

    async def vouch(self, sync: str, now: datetime) -> None:
        """Called at every poll: find out since when each event has a row by its kind."""
        ...

    async def forget_notes(self, now: datetime) -> None:
        """Called at every poll: drop what is noted for a copy, a week after the last poll of an app that copies."""
        ...

    async def tally(self, sync: str, since: datetime, limit: int) -> Tally:
        """Of the events since then, the newest `limit` at most."""
        ...

    async def poison_count(self, queue: str = "") -> int:
        """How many are kept, of one work queue or of all."""
        ...

    async def kept(self) -> list[Poisoned]:
        """What was kept of the poison queues."""
        ...

    async def drop_kept(self, message: Poisoned) -> None: ...

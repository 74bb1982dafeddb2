"""Notes of leavers whose next stage is due at a time, and the people whom a person keeps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..model import Link


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """A note to look at one user at a time. The link says which stage is due then, and a fresh read decides."""

    sync: str
    source_id: str
    at: datetime


def note_of(link: Link) -> Due | None:
    """The note by which the next stage of this user's leaving is found; None: there is none."""
    until = link.leaving.until if link.leaving is not None else None
    return None if until is None else Due(sync=link.sync, source_id=link.source_id, at=until)


class DueNotes(Protocol):
    """The notes of each sync in the order of time. One about somebody who has returned may stay until its time."""

    async def note(self, due: Due) -> None:
        """Safe to repeat."""
        ...

    async def drop(self, due: Due) -> None:
        """The note may be missing."""
        ...

    async def before(self, sync: str, at: datetime, limit: int) -> Sequence[Due]:
        """Those of `at` and earlier."""
        ...

    async def page(self, sync: str, limit: int, after: Due | None = None) -> Sequence[Due]:
        """The first ones, or those that follow `after`."""
        ...

    async def forget(self, sync: str) -> None:
        """Drop all notes of a sync."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class KeepRecord:
    """Somebody who leaves keeps access until then: who said so, when and why."""

    sync: str
    source_id: str
    until: datetime
    by: str
    at: datetime
    reason: str
    etag: str | None = None


class Keeps(Protocol):
    async def get(self, sync: str, source_id: str) -> KeepRecord | None: ...

    async def save(self, record: KeepRecord) -> KeepRecord: ...

    async def drop(self, record: KeepRecord) -> None:
        """ConflictError if it was changed meanwhile or is gone."""
        ...

    async def all(self, sync: str) -> Sequence[KeepRecord]:
        """Those of a sync, in no order. A row of a newer version is left out."""
        ...

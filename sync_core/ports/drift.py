"""The target users that are not as we left them, as far as somebody is to be told, and our repairs of late."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftRecord:
    """What differs at one target user: names of attributes, each with the time since when; no values.

    `repairs` are the times at which we wrote such attributes again within the last day, oldest first.
    """

    sync: str
    source_id: str
    target_id: str
    differs: Mapping[str, datetime] = field(default_factory=dict)
    repairs: Sequence[datetime] = ()
    etag: str | None = None


class Drifts(Protocol):
    async def get(self, sync: str, source_id: str) -> DriftRecord | None: ...

    async def save(self, record: DriftRecord) -> DriftRecord: ...

    async def drop(self, record: DriftRecord) -> None:
        """ConflictError if it was changed meanwhile or is gone."""
        ...

    async def forget(self, sync: str) -> None:
        """Drop all records of a sync."""
        ...

    async def end(self, sync: str, source_id: str) -> None:
        """Drop the record of one user, if there is one, whatever it says by now."""
        ...

    async def page(self, sync: str, limit: int, after: str = "") -> tuple[Sequence[DriftRecord], str | None]:
        """Of the first rows of a sync, or of those behind a source id, the records; a newer version's is left out.

        With the id behind which the next ones are; None at the end.
        """
        ...

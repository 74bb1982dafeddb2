"""The append-only log of what happened to a tenant's users. Delta rounds and change notifications are views of it."""

from bisect import bisect_right
from collections.abc import Iterator
from datetime import datetime
from enum import StrEnum
from itertools import islice
from typing import NamedTuple


class What(StrEnum):
    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"  # soft: the user is in deletedItems
    RESTORED = "restored"
    PURGED = "purged"  # for good


class Change(NamedTuple):
    """`properties` names what an update touched; `old_manager` is set when the manager was one of them."""

    at: datetime
    user: str
    what: What
    properties: frozenset[str] = frozenset()
    old_manager: str | None = None


class ChangeLog:
    """Positions count changes: a round over `[start, end)` covers the changes from the start-th on."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._times: list[datetime] = []

    def __len__(self) -> int:
        return len(self._changes)

    def append(self, change: Change) -> int:
        """The position of the change."""
        self._changes.append(change)
        self._times.append(change.at)
        return len(self._changes) - 1

    def between(self, start: int, end: int) -> Iterator[Change]:
        return islice(self._changes, start, end)

    def visible_until(self, at: datetime) -> int:
        """How many changes had happened by then."""
        return bisect_right(self._times, at)

"""Append-only logs of what happened to a tenant's users, and to its groups.

Delta rounds and change notifications are views of them.
"""

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
    """`user` is the object's id, a group's too. `properties` names what an update touched.

    `old_manager` is set when the manager was one of them; `link` when a member or owner of a group was: relation, id,
    type, and whether it was added.
    """

    at: datetime
    user: str
    what: What
    properties: frozenset[str] = frozenset()
    old_manager: str | None = None
    link: tuple[str, str, str, bool] | None = None
    kind: str = "user"


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

"""Append-only logs of the changes to a tenant's users, and to its groups.

Delta rounds and change notifications are made from them.
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
    DELETED = "deleted"  # the object is in deletedItems
    RESTORED = "restored"
    PURGED = "purged"  # the object cannot be restored any more


class Change(NamedTuple):
    """`user` is the id of the user or group. `properties` are the names of the properties that an update changed.

    `old_manager` is set if the manager was among them. `link` is set if a member or owner of a group was: relation,
    id, type, and whether it was added.
    """

    at: datetime
    user: str
    what: What
    properties: frozenset[str] = frozenset()
    old_manager: str | None = None
    link: tuple[str, str, str, bool] | None = None
    kind: str = "user"


class ChangeLog:
    """A position is a number of changes: a round over `[start, end)` covers changes `start` up to before `end`."""

    def __init__(self) -> None:
        self._changes: list[Change] = []
        self._times: list[datetime] = []

    def __len__(self) -> int:
        return len(self._changes)

    def append(self, change: Change) -> int:
        """Add a change. Gives its position."""
        self._changes.append(change)
        self._times.append(change.at)
        return len(self._changes) - 1

    def between(self, start: int, end: int) -> Iterator[Change]:
        return islice(self._changes, start, end)

    def visible_until(self, at: datetime) -> int:
        """The number of changes up to that time."""
        return bisect_right(self._times, at)

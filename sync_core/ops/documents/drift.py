"""Target users that are not as the sync left them, as documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from ...model import Edited
from .rendering import document


class DriftState(StrEnum):
    LISTED = "listed"  # the policy says so: it stays as it is until the source changes
    FOUGHT = "fought"  # somebody else writes another value again and again, so that it is not repaired for a day
    WAITS = "waits"  # to be written again: the day's repairs are used up, or the sync may not write now


@document
class DriftedAttribute:
    name: str
    since: datetime
    policy: Edited


@document
class DriftedUser:
    """A linked target user, and the attributes that somebody else changed. `repairs`: how often of the last day."""

    sync: str
    source_id: str
    target_id: str
    attributes: Sequence[DriftedAttribute]
    state: DriftState
    repairs: int


@document
class DriftedUsers:
    """In the order of syncs and object ids. `more` as the parameter `after` gives the next ones; null at the end."""

    users: Sequence[DriftedUser]
    more: str | None

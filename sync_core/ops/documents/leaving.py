"""Users who leave in stages, and those whom a person keeps, as documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...model import Deprovision
from .rendering import document
from .users import User


@document
class Keep:
    """Until when leaving takes nothing from this user: who said so, when and why."""

    sync: str
    source_id: str
    until: datetime
    by: str
    at: datetime
    reason: str


@document
class KeptUsers:
    """The users who are kept from now on, and those who are kept no longer. The next look follows."""

    kept: Sequence[Keep]
    ended: Sequence[User]


@document
class KeepRequest:
    """A date or time in ISO 8601, or a span from now such as 14d; at most a year. The reason is shown with the user."""

    until: str
    reason: str


@document
class DueUser:
    """A user who leaves: the stage that was reached and since when, and the next one, which comes at `due_at`.

    `keep` is null where no person keeps the user.
    """

    sync: str
    source_id: str
    target_id: str | None
    stage: Deprovision
    since: datetime
    then: Deprovision
    due_at: datetime
    keep: Keep | None


@document
class DueUsers:
    """Of each sync, in the order of time. `more` as the parameter `after` gives the next ones; null at the end."""

    due: Sequence[DueUser]
    more: str | None


@document
class LeavingStatus:
    """How many users of a sync leave in stages, 1000 at most, and the ten who are due next."""

    sync: str
    users: int
    next: Sequence[DueUser]

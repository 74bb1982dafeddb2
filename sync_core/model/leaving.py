"""What becomes of a target user whose source user leaves: at once, or in stages; and how far that has come."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum


class Deprovision(StrEnum):
    SOFT_DELETE = "soft_delete"
    DISABLE = "disable"
    LEAVE = "leave"

    @property
    def takes(self) -> int:
        """How much it takes away, to compare with another one."""
        return _TAKES.index(self)


_TAKES = (Deprovision.LEAVE, Deprovision.DISABLE, Deprovision.SOFT_DELETE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """`after` counts from when the stage before was reached; of the first one, from when we saw the user leave."""

    then: Deprovision
    after: timedelta = timedelta()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """At least two states of the target user, each of which takes more away than the one before it.

    A first stage with a time means that nothing is done until then.
    """

    stages: tuple[Stage, ...]


# A policy of one word stays that word, so that the fingerprint of a sync without stages is what it always was.
type Leaves = Deprovision | Stages


def stages_of(how: Leaves) -> Sequence[Stage]:
    return how.stages if isinstance(how, Stages) else (Stage(then=how),)


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaving:
    """How far the leaving of one user has come: the stage that was reached, and when.

    `then` comes at `until`, as of the last look; None: nothing more comes. No decision rests on these two.
    """

    stage: Deprovision
    since: datetime
    until: datetime | None = None
    then: Deprovision | None = None

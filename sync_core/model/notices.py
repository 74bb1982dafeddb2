"""What people are told of without asking: that something stands in the way, and that it is over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from .record import Kind


class Occasion(StrEnum):
    """The kinds of things that people are told of. The values are those of sync.yaml."""

    HELD = "held"
    PARKED = "parked"
    CREATIONS_WAIT = "creations-wait"
    ADOPTION_WAITS = "adoption-waits"
    FEED_LATE = "feed-late"
    SUBSCRIPTION_DEAD = "subscription-dead"
    PAUSED_LONG = "paused-long"
    SYNC_STOPPED = "sync-stopped"
    SCOPE_EMPTIED = "scope-emptied"
    WEEKLY = "weekly"  # nothing stands: what the last week brought

    @property
    def words(self) -> str:
        return _WORDS[self]

    @property
    def view(self) -> str:
        """The view of the operators' page that shows it, as its address has it. That of Health is empty."""
        return _VIEWS.get(self, "")


_WORDS = {
    Occasion.HELD: "deletions or disables are held and wait for a person",
    Occasion.PARKED: "users are parked",
    Occasion.CREATIONS_WAIT: "newcomers wait for room or an approval",
    Occasion.ADOPTION_WAITS: "adoptions wait for a person",
    Occasion.FEED_LATE: "no round of a feed was completed for half an hour",
    Occasion.SUBSCRIPTION_DEAD: "the subscription was not kept for three hours: changes arrive with the poll only",
    Occasion.PAUSED_LONG: "paused for more than a day",
    Occasion.SYNC_STOPPED: "stopped, because its record is of other tenants than sync.yaml has",
    Occasion.SCOPE_EMPTIED: "the scope had people, and the last full round found nobody in it",
    Occasion.WEEKLY: "a week in numbers",
}
_VIEWS = {
    Occasion.HELD: "holds",
    Occasion.PARKED: "parked",
    Occasion.CREATIONS_WAIT: "newcomers",
    Occasion.ADOPTION_WAITS: "adoptions",
    Occasion.WEEKLY: "history",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one measurement found. `stands` is None if it could not be measured.

    `about` is the name of a sync, or the key of a source tenant; `syncs` are those that it concerns.
    """

    occasion: Occasion
    about: str
    syncs: frozenset[str]
    stands: bool | None
    count: int = 0  # of people; 0 where nobody is counted


class ReceiverKind(StrEnum):
    TEAMS = "teams"
    WEBHOOK = "webhook"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receiver:
    """One `notify` of sync.yaml. The address and the secret are app settings; here are their names."""

    kind: ReceiverKind
    address: str
    secret: str = ""
    occasions: frozenset[Occasion] = frozenset(Occasion)
    syncs: frozenset[str] = frozenset()  # none: all of them
    parked_over: int = 0

    def hears(self, occasion: Occasion, syncs: frozenset[str]) -> bool:
        return occasion in self.occasions and (not self.syncs or bool(self.syncs & syncs))


@dataclass(frozen=True, slots=True, kw_only=True)
class Week:
    """What the last week brought one sync: its events by kind, none of 0, and people who wait for something now."""

    sync: str
    events: Mapping[Kind, int]
    waiting: Mapping[Occasion, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """One message. It names nobody: `about` is a sync or a source tenant. `id` is the same when it is sent again.

    The weekly one is about nothing in particular, has a week of each sync, and `since` is its beginning.
    """

    id: str
    occasion: Occasion
    about: str
    over: bool
    count: int
    since: datetime
    at: datetime
    weeks: Sequence[Week] = ()

"""The work queues, what fell off them, and what workers have in hand."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from ..model import FeedRun, Nomination


class Queues(Protocol):
    """The three work queues. Sending returns when every message is stored; delays are at most 7 days."""

    async def nominate(self, nominations: Sequence[Nomination], *, delay: float = 0) -> None: ...

    async def continue_feed(self, run: FeedRun, *, delay: float = 0) -> None: ...

    async def depths(self) -> Mapping[str, int]:
        """Approximate number of messages by queue name, poison queues included."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoned:
    """A message that no function could handle. Without `at` it lies on the poison queue; with it, it was recorded then.

    `queue` is the work queue from which it came. The body of an unreadable one is the text as stored.
    """

    queue: str
    id: str
    body: str
    readable: bool = True
    at: datetime | None = None


# Whether the message is dealt with and may be deleted.
type Done = Callable[[Poisoned], Awaitable[bool]]


class Poison(Protocol):
    """The poison queues, each by the name of its work queue."""

    async def depth(self, queue: str) -> int: ...

    async def peek(self, queue: str) -> Sequence[Poisoned]:
        """The next 32 messages, at most, which stay."""
        ...

    async def sift(self, queue: str, done: Done) -> None:
        """Ask of every message whether it is done, and delete it then. The others stay, also those after an error."""
        ...

    async def put_back(self, message: Poisoned) -> None:
        """Send its body to its work queue once more."""
        ...


class Fronts(Protocol):
    """How long the visible messages of a work queue have waited: the longest time, from the first poll that saw it."""

    async def stood(self, queue: str, at: datetime) -> timedelta: ...

    async def watch(self, queue: str, at: datetime) -> timedelta:
        """The same; notes the new ones."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LeftBehind:
    """What a worker had in hand; `at` of the nomination is when it last said so."""

    nomination: Nomination
    etag: str


class InHand(Protocol):
    """The nominations that workers are at. A row that nobody renews was left by one that died.

    Beside them stands what was taken over from such workers, and when: users by their sync, source tenants by "".
    """

    async def take(self, nomination: Nomination, at: datetime) -> None: ...

    async def finish(self, sync: str, user: str) -> None:
        """Drop the row; it may be missing."""
        ...

    async def left(self, sync: str, before: datetime) -> list[LeftBehind]:
        """Those that were last renewed before. A row that cannot be read is left out, and logged."""
        ...

    async def drop(self, left: LeftBehind) -> None:
        """Drop the row, unless somebody has taken the user in hand meanwhile."""
        ...

    async def taken_over(self, of: str) -> Mapping[str, datetime]: ...

    async def note(self, of: str, name: str, at: datetime) -> None: ...

    async def forget(self, of: str, name: str) -> None: ...

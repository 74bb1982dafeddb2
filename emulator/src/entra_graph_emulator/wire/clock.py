"""The emulator's time. Tokens, subscriptions, quotas and deleted items age by the clock that they are given."""

import asyncio
import time
from datetime import UTC, datetime, timedelta
from typing import Protocol, runtime_checkable


class Clock(Protocol):
    def now(self) -> datetime:
        """The time, aware, in UTC; it never goes back."""

    async def sleep(self, seconds: float) -> None:
        """Return once `seconds` of this clock's time have passed."""


@runtime_checkable
class Advancing(Protocol):
    """A clock that a caller can move on."""

    def advance(self, seconds: float) -> None: ...


class WallClock:
    """Real time plus the time it was advanced by, so that a month can pass in a test against the server."""

    _POLL_S = 0.05

    def __init__(self) -> None:
        self._start = datetime.now(UTC)
        self._started = time.monotonic()
        self._ahead = 0.0

    def now(self) -> datetime:
        return self._start + timedelta(seconds=time.monotonic() - self._started + self._ahead)

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time only moves on")
        self._ahead += seconds

    async def sleep(self, seconds: float) -> None:
        until = self.now() + timedelta(seconds=seconds)
        while (left := (until - self.now()).total_seconds()) > 0:  # noqa: ASYNC110 - `advance` may come from anywhere
            await asyncio.sleep(min(left, self._POLL_S))


class ManualClock:
    """Time that stands still until it is advanced; a sleep advances it at once."""

    def __init__(self) -> None:
        self._now = datetime(2026, 1, 5, 9, 0, tzinfo=UTC)

    def now(self) -> datetime:
        return self._now

    def advance(self, seconds: float) -> None:
        if seconds < 0:
            raise ValueError("time only moves on")
        self._now += timedelta(seconds=seconds)

    async def sleep(self, seconds: float) -> None:
        self.advance(max(0.0, seconds))
        await asyncio.sleep(0)


def instant(at: datetime) -> str:
    """The form of directory objects: `2026-01-05T09:00:00Z`."""
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def precise(at: datetime) -> str:
    """The form of subscriptions: with a fraction."""
    return at.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_instant(text: str) -> datetime:
    """Raises ValueError for anything but a date with a time. A missing offset means UTC, as in Graph.

    Of Graph's seven decimals, Python keeps six.
    """
    if "T" not in text:
        raise ValueError(f"not a point in time: {text!r}")
    at = datetime.fromisoformat(text)
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)

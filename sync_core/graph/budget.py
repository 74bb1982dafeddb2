"""The write budget that all workers of one app share on one target tenant.

Graph lets one app write 3,000 times in 150 s on one tenant, as a token bucket; what comes too early counts against it.
https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits

The shared record is a bucket a little smaller and slower than Graph's. A worker takes a block of permits from it with
one compare-and-swap. The bucket may go into debt: whoever takes it there waits until the debt is paid, so workers queue
for the future instead of polling, and a 429 seen by one of them is simply a debt for all. Permits that are not used
within seconds are void: blocks can never pile up and burst. Nothing is concluded from one worker's clock but how much
time has passed since the record was written.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..model.errors import ConflictError, SyncError, ThrottledError
from ..ports import BudgetRecord, Budgets, Clock
from ..ports.swap import until_saved

_SHARE = 0.97  # of Graph's bucket and rate
_LEASE = 2.0  # seconds in which a granted permit may be used
_FLIGHT = 1.0  # seconds that a request may take to reach Graph's meter
_BLOCK_SECONDS = 0.5  # a block is at most what the bucket gains in this time: others queue behind it
_DEFAULT_PAUSE = 5.0  # for a 429 without Retry-After


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Our bucket: `capacity` permits at once, `rate` permits per second."""

    capacity: float
    rate: float

    @property
    def largest_block(self) -> int:
        return max(1, int(self.rate * _BLOCK_SECONDS))


def pace(writes: float, window_s: float) -> Pace:
    """A bucket whose permits, used as late and arriving as slowly as they may, still fit into Graph's.

    In T seconds at most capacity + rate * (T + lease + flight) requests arrive, and that is never more than
    writes + T * writes / window.
    """
    rate = _SHARE * writes / window_s
    capacity = min(_SHARE * writes, writes - rate * (_LEASE + _FLIGHT))
    return Pace(capacity=max(1.0, capacity), rate=rate)


def level(record: BudgetRecord | None, now: datetime, pace: Pace) -> float:
    """How many permits are there now; negative while there is a debt. Without a record nobody has written yet."""
    if record is None:
        return pace.capacity
    elapsed = max(0.0, (now - record.at).total_seconds())
    return min(pace.capacity, record.tokens + pace.rate * elapsed)


def debt_wait(tokens: float, pace: Pace) -> float:
    """Seconds until a bucket that holds so many tokens is out of debt."""
    return max(0.0, -tokens / pace.rate)


def next_size(*, granted: int, left: int, waiting: int, pace: Pace) -> int:
    """How many permits to ask for: as many as the last block served and one more if it was used up, and at least
    what is waiting now. Growing by one keeps what expires unused to a few in a hundred."""
    size = granted + 1 if left == 0 else granted - left
    return min(max(size, waiting, 1), pace.largest_block)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    granted: int
    left: int
    ready_at: datetime
    expires_at: datetime


class WriteBudget:
    """One process's share of the budget. `take` before each write, `observe` and `throttled` with each answer.

    One event loop. Storage errors come out of `take` as they are: without the shared record nothing is written.
    """

    def __init__(
        self,
        tenant_id: str,
        budgets: Budgets,
        clock: Clock,
        *,
        writes: int = 3000,
        window_s: float = 150,
        max_wait: float = 60,
    ) -> None:
        self._tenant_id = tenant_id
        self._budgets = budgets
        self._clock = clock
        self._pace = pace(writes, window_s)
        self._max_wait = max_wait
        self._lock = asyncio.Lock()  # one refill in flight; the takers behind it queue in order
        self._waiting = 0
        self._cost = 1.0
        self._not_before = clock.now()
        self._block = _Block(granted=0, left=0, ready_at=self._not_before, expires_at=self._not_before)

    async def take(self) -> None:
        """Wait for a permit. ThrottledError when it would take longer than `max_wait`: delay the message instead."""
        deadline = self._clock.now() + timedelta(seconds=self._max_wait)
        self._waiting += 1
        try:
            async with self._lock:
                while not await self._ready(deadline):
                    await self._refill(deadline)
                self._block = replace(self._block, left=self._block.left - 1)
        finally:
            self._waiting -= 1

    def observe(self, percentage: float) -> None:
        """Graph's `x-ms-throttle-limit-percentage`. Above 1 somebody else writes, too, and the next block costs more.

        Up to 1 it says nothing new: our own pace keeps Graph's bucket nearly empty.
        """
        self._cost = max(self._cost, min(percentage, 2.0))

    async def throttled(self, retry_after: float | None) -> None:
        """Graph answered 429: nobody writes for so long. Told once for all requests that were under way together."""
        seconds = _DEFAULT_PAUSE if retry_after is None else retry_after
        now = self._clock.now()
        known = self._not_before
        self._block = replace(self._block, left=0, expires_at=now)
        self._not_before = max(known, now + timedelta(seconds=seconds))
        if self._not_before - known < timedelta(seconds=min(1.0, seconds / 2)):
            return
        try:
            await self._change(lambda tokens: min(tokens, -self._pace.rate * seconds))
        except SyncError:
            return  # this worker pauses all the same, and the others will meet their own 429

    async def _ready(self, deadline: datetime) -> bool:
        """Wait until the block may be used; False when there is nothing (any more) to use."""
        while True:
            block, now = self._block, self._clock.now()
            start = max(block.ready_at, self._not_before)
            if block.left < 1 or max(start, now) >= block.expires_at:
                return False
            if start <= now:
                return True
            _within(deadline, now, (start - now).total_seconds())
            await self._clock.sleep((start - now).total_seconds())

    async def _refill(self, deadline: datetime) -> None:
        now = self._clock.now()
        pause = (self._not_before - now).total_seconds()
        _within(deadline, now, pause)
        if pause > 0:  # before reserving: what is reserved now would be void after the pause
            await self._clock.sleep(pause)
        old, size = self._block, 0

        def spend(tokens: float) -> float:
            nonlocal size  # decided when the record is there: meanwhile more takers came
            size = next_size(granted=old.granted, left=old.left, waiting=self._waiting, pace=self._pace)
            rest = tokens - size * self._cost
            _within(deadline, self._clock.now(), debt_wait(rest, self._pace))
            return rest

        rest = await self._change(spend)
        self._cost = 1.0
        ready_at = self._clock.now() + timedelta(seconds=debt_wait(rest, self._pace))
        self._block = _Block(
            granted=size, left=size, ready_at=ready_at, expires_at=ready_at + timedelta(seconds=_LEASE)
        )

    async def _change(self, change: Callable[[float], float]) -> float:
        """Set the shared bucket to what `change` makes of its level; returns that."""

        async def attempt() -> float:
            record = await self._budgets.get(self._tenant_id)
            now = self._clock.now()
            tokens = change(level(record, now, self._pace))
            at, etag = (now, None) if record is None else (max(now, record.at), record.etag)
            await self._budgets.save(BudgetRecord(tenant_id=self._tenant_id, tokens=tokens, at=at, etag=etag))
            return tokens

        try:
            return await until_saved(attempt, between=lambda number: self._clock.sleep(0.01 * (number - 1)))
        except ConflictError as error:
            raise ThrottledError("too many workers at the write budget", retry_after=1.0) from error


def _within(deadline: datetime, now: datetime, wait: float) -> None:
    if wait > 0 and now + timedelta(seconds=wait) > deadline:
        raise ThrottledError("the write budget is used up", retry_after=wait)

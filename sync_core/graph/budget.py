"""The write budget that all workers of one app share on one target tenant.

Graph allows one app 3,000 writes in 150 s on one tenant, as a token bucket. A request that comes too early counts too.
https://learn.microsoft.com/graph/throttling-limits#identity-and-access-service-limits

The shared record is a bucket that is slightly smaller and refills slightly slower than Graph's. A worker takes a block
of permits from it with one compare-and-swap. The bucket may go into debt. A worker that causes a debt waits until it is
paid, so workers queue instead of polling. If one worker meets a 429, the shared record becomes a debt for all workers.
A permit that is not used within seconds expires, so blocks cannot pile up into a burst. A worker's clock is used for
one thing only: the time that has passed since the record was written.

A worker that is alone changes the record as it saved it last, without reading it again. Its compare-and-swap fails if
another one was faster. From then on it reads the record each time, until it finds its own there once more.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..model.errors import ConflictError, SyncError, ThrottledError
from ..ports import BudgetRecord, Budgets, Clock
from ..ports.swap import until_saved

_SHARE = 0.97  # part of Graph's bucket size and of its refill rate
_LEASE = 2.0  # seconds until an unused permit expires
_FLIGHT = 1.0  # seconds that a request may take to reach Graph's meter
_BLOCK_SECONDS = 0.5  # a block is at most the refill of this time, since other workers wait behind it
_DEFAULT_PAUSE = 5.0  # seconds, for a 429 without Retry-After


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """The size of our bucket: `capacity` is in permits, `rate` in permits per second."""

    capacity: float
    rate: float

    @property
    def largest_block(self) -> int:
        return max(1, int(self.rate * _BLOCK_SECONDS))


def pace(writes: float, window_s: float) -> Pace:
    """A bucket that never sends Graph more than `writes` per `window_s` seconds, even if each permit is used late.

    In T seconds at most capacity + rate * (T + lease + flight) requests arrive. Graph allows
    writes + T * writes / window_s, which is never less.
    """
    rate = _SHARE * writes / window_s
    capacity = min(_SHARE * writes, writes - rate * (_LEASE + _FLIGHT))
    return Pace(capacity=max(1.0, capacity), rate=rate)


def level(record: BudgetRecord | None, now: datetime, pace: Pace) -> float:
    """The permits in the bucket at `now`; negative while there is a debt. Without a record the bucket is full."""
    if record is None:
        return pace.capacity
    elapsed = max(0.0, (now - record.at).total_seconds())
    return min(pace.capacity, record.tokens + pace.rate * elapsed)


def debt_wait(tokens: float, pace: Pace) -> float:
    """Seconds until a bucket with this many tokens has no debt."""
    return max(0.0, -tokens / pace.rate)


def next_size(*, granted: int, left: int, waiting: int, pace: Pace) -> int:
    """How many permits the next block asks for.

    If the last block (`granted`) was used up, the next one is larger by one. Otherwise it has the number that was used.
    It has at least one permit for each waiting taker. Growing by one keeps expired permits at a few in a hundred.
    """
    size = granted + 1 if left == 0 else granted - left
    return min(max(size, waiting, 1), pace.largest_block)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Block:
    granted: int
    left: int
    ready_at: datetime
    expires_at: datetime


class WriteBudget:
    """One process's part of the budget, for one event loop.

    The caller awaits `take` before each write, and calls `observe` and `throttled` with each answer. Graph allows
    `writes` per `window_s` seconds; `max_wait` is in seconds. `take` raises storage errors unchanged: without the
    shared record nothing is written.
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
        self._lock = asyncio.Lock()  # one refill at a time; takers wait in order
        self._waiting = 0
        self._cost = 1.0
        self._not_before = clock.now()
        self._saved: BudgetRecord | None = None  # the last one of ours
        self._alone = False  # nobody saved another one since, as far as is known
        self._block = _Block(granted=0, left=0, ready_at=self._not_before, expires_at=self._not_before)

    async def take(self) -> None:
        """Wait for a permit. Raises ThrottledError if that would take longer than `max_wait`."""
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
        """Take note of `x-ms-throttle-limit-percentage`, where 1 is Graph's limit.

        Above 1 another program writes too, and the next block costs more. Up to 1 it says nothing new: our own pace
        keeps Graph's bucket nearly empty.
        """
        self._cost = max(self._cost, min(percentage, 2.0))

    async def throttled(self, retry_after: float | None) -> None:
        """Stop all writes for `retry_after` seconds (5 without one), because Graph answered 429.

        Requests that were under way together change the shared record once.
        """
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
            return  # this worker pauses anyway, and the others will meet their own 429

    async def _ready(self, deadline: datetime) -> bool:
        """Wait until the block may be used. False if it has no usable permit left."""
        while True:
            block, now = self._block, self._clock.now()
            start = max(block.ready_at, self._not_before)
            if block.left < 1 or max(start, now) >= block.expires_at:
                return False
            if start <= now:
                return True
            _check_wait(deadline, now, (start - now).total_seconds())
            await self._clock.sleep((start - now).total_seconds())

    async def _refill(self, deadline: datetime) -> None:
        now = self._clock.now()
        pause = (self._not_before - now).total_seconds()
        _check_wait(deadline, now, pause)
        if pause > 0:  # permits that were reserved before the pause would expire during it
            await self._clock.sleep(pause)
        old, size = self._block, 0

        def spend(tokens: float) -> float:
            nonlocal size  # computed after the record was read, because more takers may have come meanwhile
            size = next_size(granted=old.granted, left=old.left, waiting=self._waiting, pace=self._pace)
            rest = tokens - size * self._cost
            _check_wait(deadline, self._clock.now(), debt_wait(rest, self._pace))
            return rest

        rest = await self._change(spend)
        self._cost = 1.0
        ready_at = self._clock.now() + timedelta(seconds=debt_wait(rest, self._pace))
        self._block = _Block(
            granted=size, left=size, ready_at=ready_at, expires_at=ready_at + timedelta(seconds=_LEASE)
        )

    async def _change(self, change: Callable[[float], float]) -> float:
        """Set the level of the shared bucket to `change(level)` and return the new level.

        Raises ThrottledError if other workers keep changing the record.
        """

        async def attempt() -> float:
            record, alone = await self._record()
            self._alone = False  # also if this attempt fails
            now = self._clock.now()
            tokens = change(level(record, now, self._pace))
            at, etag = (now, None) if record is None else (max(now, record.at), record.etag)
            changed = BudgetRecord(tenant_id=self._tenant_id, tokens=tokens, at=at, etag=etag)
            self._saved, self._alone = await self._budgets.save(changed), alone
            return tokens

        try:
            return await until_saved(attempt, between=lambda number: self._clock.sleep(0.01 * (number - 1)))
        except ConflictError as error:
            raise ThrottledError("too many workers change the write budget at once", retry_after=1.0) from error

    async def _record(self) -> tuple[BudgetRecord | None, bool]:
        """The record, and whether this worker saved it: then the next change begins with what this one saves."""
        if self._alone:
            return self._saved, True
        record = await self._budgets.get(self._tenant_id)
        return record, record is None or record == self._saved


def _check_wait(deadline: datetime, now: datetime, wait: float) -> None:
    """Raises ThrottledError if a wait of so many seconds would end after the deadline."""
    if wait > 0 and now + timedelta(seconds=wait) > deadline:
        raise ThrottledError("the write budget is used up", retry_after=wait)

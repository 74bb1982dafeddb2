"""The write budget: its arithmetic, and many workers sharing it in virtual time."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta
from random import Random
from typing import Any

import pytest
from hypothesis import given, settings, strategies as st

from sync_core.graph.budget import WriteBudget, debt_wait, level, next_size, pace
from sync_core.model.errors import ThrottledError, UnavailableError
from sync_core.ports import BudgetRecord
from tests.support.budget import SharedRecord
from tests.support.clock import START
from tests.support.virtual_time import LoopClock, in_virtual_time

TENANT = "22222222-2222-2222-2222-222222222222"


class GraphBucket:
    """Graph's side of it: a full token bucket that refuses what comes too early."""

    def __init__(self, writes: float, window_s: float) -> None:
        self.capacity, self.rate = writes, writes / window_s
        self.tokens, self.at = writes, 0.0
        self.refused = 0
        self.taken = 0

    def take(self, now: float) -> bool:
        self.tokens = min(self.capacity, self.tokens + (now - self.at) * self.rate)
        self.at = now
        if self.tokens < 1:
            self.refused += 1
            return False
        self.tokens -= 1
        self.taken += 1
        return True


def budgets(number: int, shared: SharedRecord, **options: Any) -> list[WriteBudget]:
    return [WriteBudget(TENANT, shared, LoopClock(), **options) for _ in range(number)]


# --- arithmetic -------------------------------------------------------------------------------------------------


def test_documented_quota_is_used_almost_whole() -> None:
    """At Graph's documented limit we keep at least 95 % of the burst and of the rate."""
    ours = pace(3000, 150)
    assert ours.capacity >= 0.95 * 3000
    assert 0.95 * 20 <= ours.rate < 20


@given(writes=st.floats(1, 1e5), window=st.floats(10, 1e4), late=st.floats(0, 3), seconds=st.floats(0, 1e5))
def test_pace_fits_under_graphs_bucket(writes: float, window: float, late: float, seconds: float) -> None:
    """However late permits are used, what arrives in any time fits into Graph's bucket."""
    ours = pace(writes, window)
    assert ours.capacity + ours.rate * (seconds + late) <= max(writes, 4) + seconds * writes / window + 1e-6


@given(tokens=st.floats(-1e4, 1e4), first=st.floats(0, 1e4), second=st.floats(0, 1e4))
def test_level_does_not_depend_on_when_somebody_looked(tokens: float, first: float, second: float) -> None:
    """Refilling in two steps gives what refilling in one gives, and never more than the capacity."""
    ours = pace(300, 15)
    record = BudgetRecord(tenant_id=TENANT, tokens=min(tokens, ours.capacity), at=START)
    middle, end = START + timedelta(seconds=first), START + timedelta(seconds=first + second)
    halfway = replace(record, tokens=level(record, middle, ours), at=middle)
    assert level(halfway, end, ours) == pytest.approx(level(record, end, ours), abs=1e-3)
    assert level(record, end, ours) <= ours.capacity


def test_a_clock_behind_the_record_gains_nothing() -> None:
    """A worker whose clock is slow sees no negative time."""
    ours = pace(300, 15)
    record = BudgetRecord(tenant_id=TENANT, tokens=5, at=START)
    assert level(record, START - timedelta(seconds=30), ours) == 5


@given(tokens=st.floats(-1e5, 1e3))
def test_a_debt_is_paid_after_its_wait(tokens: float) -> None:
    """Waiting out a debt brings the bucket to zero, not less and not more."""
    ours = pace(300, 15)
    record = BudgetRecord(tenant_id=TENANT, tokens=tokens, at=START)
    after = level(record, START + timedelta(seconds=debt_wait(tokens, ours)), ours)
    assert after == pytest.approx(max(0.0, tokens) if tokens <= ours.capacity else ours.capacity, abs=1e-3)


@given(granted=st.integers(0, 500), used=st.integers(0, 500), waiting=st.integers(0, 500))
def test_block_size_follows_demand(granted: int, used: int, waiting: int) -> None:
    """A block is never empty, never more than half a second's refill, and grows only when the last was used up."""
    ours = pace(300, 15)
    left = max(0, granted - used)
    size = next_size(granted=granted, left=left, waiting=waiting, pace=ours)
    assert 1 <= size <= ours.largest_block
    if left:
        assert size <= max(granted - left, waiting, 1)


# --- workers ----------------------------------------------------------------------------------------------------


async def spend(
    workers: list[WriteBudget], writes: int, lanes: int, rng: Random, graph: GraphBucket, flight: float
) -> None:
    """Send `writes` requests from all workers, `lanes` at a time each, repeating what Graph refuses."""
    left = writes

    async def lane(budget: WriteBudget) -> None:
        nonlocal left
        while left > 0:
            left -= 1
            try:
                await budget.take()
            except ThrottledError as error:
                left += 1
                await asyncio.sleep(error.retry_after or 1)
                continue
            await asyncio.sleep(rng.uniform(0, flight))
            if not graph.take(asyncio.get_running_loop().time()):
                left += 1
                await budget.throttled(1.0)
            await asyncio.sleep(rng.uniform(0, flight))

    async with asyncio.TaskGroup() as group:
        for budget in workers:
            for _ in range(lanes):
                group.create_task(lane(budget))


def test_two_processes_are_as_fast_as_graph_allows() -> None:
    """4,000 writes of two workers end within a tenth of the least possible time, and fewer than 1 % are refused."""
    graph = GraphBucket(300, 15)
    shared = SharedRecord(latency=0.01)

    async def main() -> float:
        workers = budgets(2, shared, writes=300, window_s=15)
        await spend(workers, 4000, 16, Random(1), graph, 0.2)
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) <= 1.1 * (4000 - 300) / 20
    assert graph.taken == 4000
    assert graph.refused < 40
    assert shared.saves < 4000 / 8  # blocks, not single permits


@settings(max_examples=20, deadline=None)
@given(
    seed=st.integers(0, 2**32),
    number=st.integers(1, 5),
    lanes=st.integers(1, 12),
    latency=st.floats(0, 0.3),
    flight=st.floats(0, 1),
)
def test_graph_never_refuses_whoever_shares(seed: int, number: int, lanes: int, latency: float, flight: float) -> None:
    """Any number of workers, lanes and delays together stay under Graph's own bucket."""
    graph = GraphBucket(120, 15)

    async def main() -> None:
        workers = budgets(number, SharedRecord(latency), writes=120, window_s=15)
        await spend(workers, 300, lanes, Random(seed), graph, flight)

    in_virtual_time(main())
    assert graph.taken == 300
    assert graph.refused == 0


def test_unused_permits_do_not_pile_up() -> None:
    """A block that nobody uses for some seconds is void: an idle worker cannot burst later."""

    async def main() -> int:
        shared = SharedRecord()
        (budget,) = budgets(1, shared, writes=300, window_s=15)
        await asyncio.gather(*(budget.take() for _ in range(5)))  # more is granted than used in the end
        await budget.take()
        before = shared.saves
        await asyncio.sleep(10)
        await budget.take()
        return shared.saves - before

    assert in_virtual_time(main()) == 1


def test_concurrent_takers_share_one_refill() -> None:
    """Nine takers of one process cost one compare-and-swap, not nine."""

    async def main() -> int:
        shared = SharedRecord(latency=0.05)
        (budget,) = budgets(1, shared, writes=3000, window_s=150)
        await asyncio.gather(*(budget.take() for _ in range(9)))
        return shared.saves

    assert in_virtual_time(main()) == 1


async def blocks(number: int, budget: WriteBudget) -> None:
    """So many blocks, one after another."""
    for _ in range(number):
        await budget.take()
        await asyncio.sleep(10)


def test_a_worker_that_is_alone_reads_the_record_once() -> None:
    """What it saved last is what stands there, or its compare-and-swap fails: an operation a block, not two."""
    shared = SharedRecord()

    async def main() -> None:
        await blocks(10, *budgets(1, shared))

    in_virtual_time(main())
    assert (shared.reads, shared.saves, shared.lost) == (1, 10, 0)


def test_workers_that_take_turns_read_the_record_each_time() -> None:
    """The one that thought itself alone loses one compare-and-swap. After that, nobody begins with what is old."""
    shared = SharedRecord()

    async def main() -> None:
        first, second = budgets(2, shared)
        for _ in range(10):
            await blocks(1, first)
            await blocks(1, second)

    in_virtual_time(main())
    assert (shared.reads, shared.saves, shared.lost) == (20, 20, 1)


def test_a_worker_that_is_alone_again_stops_reading() -> None:
    """The other one took a block in between: one attempt fails, and one read finds what this worker saved last."""
    shared = SharedRecord()

    async def main() -> None:
        first, second = budgets(2, shared)
        await blocks(3, first)
        await blocks(1, second)
        await blocks(10, first)

    in_virtual_time(main())
    assert (shared.reads, shared.saves, shared.lost) == (1 + 1 + 2, 14, 1)


def test_one_refusal_stops_every_worker() -> None:
    """After a 429 with Retry-After nobody writes before it is over, whichever worker met it."""

    async def main() -> float:
        shared = SharedRecord()
        first, second = budgets(2, shared, writes=3000, window_s=150)
        await first.take()
        await first.throttled(12.5)
        await second.take()
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) >= 12.5


def test_a_worker_whose_clock_is_behind_fills_the_bucket_for_nobody() -> None:
    """The record keeps the latest time: the others would count the difference as time that has passed."""

    async def main() -> float:
        shared = SharedRecord()
        right, other = budgets(2, shared)
        behind = WriteBudget(TENANT, shared, LoopClock(ahead=timedelta(seconds=-100)))
        await right.throttled(50)
        await behind.throttled(1)
        await other.take()
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) >= 50


def test_refusals_of_one_moment_are_told_once() -> None:
    """Twenty requests under way together that all meet a 429 change the record once."""

    async def main() -> int:
        shared = SharedRecord(latency=0.01)
        (budget,) = budgets(1, shared)
        await asyncio.gather(*(budget.throttled(10) for _ in range(20)))
        return shared.saves

    assert in_virtual_time(main()) == 1


def test_a_long_wait_is_given_back_as_a_delay() -> None:
    """Beyond `max_wait` the invocation is not held: the caller learns how long to delay its message."""

    async def main() -> float | None:
        (budget,) = budgets(1, SharedRecord(), max_wait=60)
        await budget.throttled(300)
        with pytest.raises(ThrottledError) as caught:
            await budget.take()
        assert asyncio.get_running_loop().time() < 1
        return caught.value.retry_after

    assert in_virtual_time(main()) == pytest.approx(300, abs=1)


def test_a_refused_taker_leaves_no_debt() -> None:
    """A taker that is turned away reserves nothing, so that its next try does not find a longer queue."""

    async def main() -> None:
        shared = SharedRecord()
        (budget,) = budgets(1, shared, writes=300, window_s=15, max_wait=5)
        await budget.throttled(20)
        before = shared.record
        for _ in range(50):
            with pytest.raises(ThrottledError):
                await budget.take()
        assert shared.record == before

    in_virtual_time(main())


def test_above_the_limit_everybody_slows_down() -> None:
    """A percentage above 1 says that somebody else writes, too: permits cost more until it is gone."""

    async def timed(percentage: float | None) -> float:
        (budget,) = budgets(1, SharedRecord(), writes=300, window_s=15)
        for _ in range(600):
            await budget.take()
            if percentage is not None:
                budget.observe(percentage)
        return asyncio.get_running_loop().time()

    usual = in_virtual_time(timed(None))
    assert in_virtual_time(timed(1.0)) == usual
    assert in_virtual_time(timed(1.5)) > 1.5 * usual


def test_a_pause_holds_without_storage() -> None:
    """When the shared record cannot be changed, the worker that met the 429 pauses all the same."""

    async def main() -> float:
        shared = SharedRecord()
        (budget,) = budgets(1, shared)
        shared.broken = True
        await budget.throttled(7)
        shared.broken = False
        await budget.take()
        assert shared.saves == 1  # nothing was reserved in vain meanwhile
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) >= 7


def test_no_permit_without_the_shared_record() -> None:
    """A storage fault comes out of `take`: nobody writes on a guess."""

    async def main() -> None:
        shared = SharedRecord()
        shared.broken = True
        (budget,) = budgets(1, shared)
        with pytest.raises(UnavailableError):
            await budget.take()

    in_virtual_time(main())


def test_a_cancelled_taker_blocks_nobody() -> None:
    """Giving up while waiting for a block leaves the block to the next taker."""

    async def main() -> float:
        shared = SharedRecord()
        (budget,) = budgets(1, shared, writes=300, window_s=15)
        await budget.throttled(10)
        impatient = asyncio.create_task(budget.take())
        await asyncio.sleep(1)
        impatient.cancel()
        await asyncio.gather(impatient, return_exceptions=True)
        await budget.take()
        return asyncio.get_running_loop().time()

    assert in_virtual_time(main()) == pytest.approx(10.05, abs=0.1)

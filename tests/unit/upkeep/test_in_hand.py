"""A killed worker's messages stay hidden for ten minutes; its users do not wait for them."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import FeedRun
from sync_core.ports import FeedPhase
from sync_core.reconcile.worker import MAX_ATTEMPTS
from sync_core.upkeep.in_hand import LEFT_AFTER, Takeover
from tests.support.faults import Crash
from tests.support.make import ADA
from tests.support.world import World, whom


def takeover(world: World) -> Takeover:
    storage = world.storage
    return Takeover(
        syncs=world.syncs, in_hand=storage.in_hand, queues=storage.queues, feeds=world.feeds, clock=world.clock
    )


async def killed(world: World, attempt: int = 0) -> None:
    """The worker dies while it looks at Ada, who is new."""
    world.hire()
    world.faults.fail_next("target.invite", Crash())
    with pytest.raises(Crash):
        await world.worker.handle(world.nomination(attempt=attempt))


async def test_what_a_killed_worker_had_in_hand_is_done_after_the_next_poll() -> None:
    """Without its message, which is hidden; and every user of its source is compared, for a row that came too late."""
    world = World()
    await killed(world)
    world.clock.advance(LEFT_AFTER + timedelta(seconds=1))
    await takeover(world).run()
    assert [run.tenant for run in await world.runs()] == ["contoso"]
    await world.deliver()
    assert world.in_step()
    await takeover(world).run()
    assert await world.nominated() == []


async def test_a_worker_that_is_still_at_it_is_left_alone() -> None:
    """For a minute; and what is finished leaves nothing behind."""
    world = World()
    await killed(world)
    await takeover(world).run()
    assert await world.nominated() == []
    await world.worker.handle(world.nomination(), redelivered=True)
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    assert (await world.nominated(), await world.runs()) == ([], [])


async def test_a_user_at_whom_every_worker_dies_is_not_nominated_for_ever() -> None:
    """After twelve times the queue's own message decides, which ends on the poison queue."""
    world = World()
    await killed(world, attempt=MAX_ATTEMPTS - 1)
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    (again,) = await world.nominated()
    assert (whom([again]), again.attempt) == ([ADA], MAX_ATTEMPTS)
    await killed(world, attempt=MAX_ATTEMPTS)
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    assert await world.nominated() == []


async def test_slow_looks_start_one_full_round_an_hour() -> None:
    """A look may take longer than a minute again and again; its user is nominated each time."""
    world = World()
    await killed(world)
    taking_over = takeover(world)
    rounds = set()
    for _ in range(3):
        await world.storage.in_hand.take(world.nomination(), world.clock.now())
        world.clock.advance(LEFT_AFTER * 2)
        await taking_over.run()
        state = await world.feed()
        rounds.add(state.round)
        if state.phase is not FeedPhase.IDLE:
            await world.feeds.run(FeedRun(tenant=state.tenant, feed=state.feed, round=state.round))
        assert (await world.feed()).phase is FeedPhase.IDLE
    assert len(rounds) == 1


async def test_a_version_without_such_rows_beside_this_one_does_no_harm() -> None:
    """It neither writes nor removes a row: its kills wait for the queue, and a row that it finished costs one look."""
    world = World()
    world.hire()
    await world.storage.in_hand.take(world.nomination(), world.clock.now())
    await world.deliver()
    world.clock.advance(LEFT_AFTER * 2)
    await world.look()
    await world.storage.in_hand.take(world.nomination(), world.clock.now())  # left behind, and finished by the other
    world.forget_calls()
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    await world.deliver()
    assert world.target.writes == []

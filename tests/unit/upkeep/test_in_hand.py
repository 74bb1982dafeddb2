"""A killed worker's messages stay hidden for ten minutes; its users do not wait for them."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from functools import partial
from itertools import product

import pytest

from sync_core.model import FeedRun
from sync_core.model.errors import UnavailableError
from sync_core.model.messages import USER_CHANGES, encode, format_time
from sync_core.ports import FeedPhase, LeftBehind
from sync_core.reconcile.at_work import at_work
from sync_core.storage.repositories import memory_storage
from sync_core.storage.table import Row
from sync_core.upkeep.in_hand import EVERY, LEFT_AFTER, Takeover
from tests.support.faults import Crash, Faults, FaultyTable
from tests.support.make import ADA, NAME
from tests.support.virtual_time import LoopClock, in_virtual_time
from tests.support.world import World, whom


def takeover(world: World) -> Takeover:
    return world.upkeep.takeover


async def killed(world: World) -> None:
    """The worker dies while it looks at Ada, who is new."""
    if ADA not in world.source.users:
        world.hire()
    world.faults.fail_next("target.invite", Crash())
    with pytest.raises(Crash):
        await world.worker.handle(world.nomination())


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


async def test_an_exception_leaves_nothing_in_hand() -> None:
    """The queue delivers the message again by itself: no poll nominates the user, and no source is read anew."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", ValueError("a fault of the program"))
    with pytest.raises(ValueError, match="a fault of the program"):
        await world.worker.handle(world.nomination())
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    assert (await world.nominated(), await world.runs()) == ([], [])


async def test_storage_out_of_reach_hides_no_fault_of_the_program() -> None:
    """The row cannot be dropped, and the exception is the first one. The user is looked at once more."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", ValueError("a fault of the program"))
    world.faults.fail_next("table.guards.delete", UnavailableError())
    with pytest.raises(ValueError, match="a fault of the program"):
        await world.worker.handle(world.nomination())
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    assert whom(await world.nominated()) == [ADA]


async def test_a_user_at_whom_every_worker_dies_is_nominated_once_an_hour() -> None:
    """By whatever worker, and whichever message it was: the queue's own tries decide, which end on the poison queue."""
    world = World()
    nominated = 0
    for _ in range(5):
        await killed(world)
        world.clock.advance(LEFT_AFTER * 2)
        await takeover(world).run()
        nominated += len(await world.nominated())
    assert nominated == 1
    world.clock.advance(EVERY)
    await killed(world)
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    assert whom(await world.nominated()) == [ADA]


async def test_a_parked_user_waits_for_the_retry_and_starts_no_round() -> None:
    """Most likely it is at this user that the workers die; and the next full round names every parked user."""
    world = World()
    await killed(world)
    await world.worker.poisoned(USER_CHANGES, "m1", encode(world.nomination()))
    await world.nominated()
    for _ in range(30):
        await world.storage.in_hand.take(world.nomination(), world.clock.now())
        world.clock.advance(EVERY)
        await takeover(world).run()
    assert (await world.nominated(), await world.runs()) == ([], [])


async def test_many_kills_start_one_full_round_an_hour() -> None:
    """Whichever process polls: each here is a new one."""
    world = World()
    rounds = set()
    for user in ("one", "two", "three"):
        await world.storage.in_hand.take(world.nomination(user), world.clock.now())
        world.clock.advance(LEFT_AFTER * 2)
        await takeover(world).run()
        rounds.add(await read_to_the_end(world))
    assert len(rounds) == 1
    await world.storage.in_hand.take(world.nomination(), world.clock.now())
    world.clock.advance(EVERY)
    await takeover(world).run()
    assert (await world.feed()).round not in rounds


async def read_to_the_end(world: World) -> str:
    """The name of the round that is read."""
    state = await world.feed()
    if state.phase is not FeedPhase.IDLE:
        await world.feeds.run(FeedRun(tenant=state.tenant, feed=state.feed, round=state.round))
    state = await world.feed()
    assert state.phase is FeedPhase.IDLE
    return state.round


async def test_a_kill_during_a_full_round_has_one_afterwards() -> None:
    """What was killed without a row may stand on a page that this round has read already."""
    world = World()
    await world.feeds.start_round("contoso", full=True)
    await killed(world)
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    assert whom(await world.nominated()) == [ADA]
    first = await read_to_the_end(world)
    world.clock.advance(timedelta(minutes=5))
    await takeover(world).run()
    assert await read_to_the_end(world) > first
    world.clock.advance(timedelta(minutes=5))
    await world.nominated()
    await world.runs()
    await takeover(world).run()
    assert (await world.nominated(), await world.runs()) == ([], [])


async def test_a_takeover_that_dies_or_fails_anywhere_is_made_up_for_by_the_next() -> None:
    """Before and after each call: the user is nominated, and the source read anew."""
    world = World()
    await killed(world)
    world.clock.advance(LEFT_AFTER * 2)
    world.forget_calls()
    await takeover(world).run()
    total = len(world.faults.calls)
    assert total > 10
    for n, after, error in product(range(total), (False, True), (Crash(), UnavailableError())):
        world = World()
        await killed(world)
        world.clock.advance(LEFT_AFTER * 2)
        world.faults.fail_at(n, error, after=after)
        with suppress(Crash):
            await takeover(world).run()
        world.clock.advance(timedelta(minutes=5))
        await takeover(world).run()
        assert set(whom(await world.nominated())) == {ADA}
        assert (await world.feed()).full


async def test_who_is_looked_at_again_meanwhile_keeps_the_row() -> None:
    """The nomination is taken up at once, while the takeover still starts the round."""
    world = World()
    await killed(world)
    world.clock.advance(LEFT_AFTER * 2)
    taken = partial(world.storage.in_hand.take, world.nomination())
    world.faults.after_next("queue.feed-pages.send", lambda: taken(world.clock.now()))
    await takeover(world).run()
    world.clock.advance(timedelta(seconds=1))
    assert [each.nomination.user for each in await world.storage.in_hand.left(NAME, world.clock.now())] == [ADA]


async def test_a_row_that_a_newer_version_wrote_stops_no_other(caplog: pytest.LogCaptureFixture) -> None:
    """By its schema or by an unknown reason: that version takes it over, and this one says so."""
    world = World()
    await killed(world)
    table = world.storage.tables_by_name["guards"]
    at = format_time(world.clock.now())
    await table.insert(Row(pk=f"hand:{NAME}", rk="a", values={"v": 3, "why": "feed", "at": at}))
    await table.insert(Row(pk=f"hand:{NAME}", rk="b", values={"v": 1, "why": "whim", "at": at}))
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    assert whom(await world.nominated()) == [ADA]
    assert caplog.messages.count(f"in_hand.unreadable sync={NAME}") == 2


async def test_a_full_round_that_is_under_way_is_left_alone() -> None:
    """Else a large tenant with a kill at each poll would never be read to its end."""
    world = World()
    begun = await world.feeds.start_round("contoso", full=True)
    await killed(world)
    world.clock.advance(LEFT_AFTER * 2)
    await takeover(world).run()
    assert (await world.feed()).round == begun.round


def test_a_look_that_waits_for_minutes_is_not_taken_for_a_dead_one() -> None:
    """It waits for the permits of its writes; its row is renewed meanwhile, and dropped in the end."""

    async def look() -> list[list[LeftBehind]]:
        clock = LoopClock()
        storage, nomination, left = memory_storage(clock), World().nomination(), []
        async with at_work(storage.in_hand, nomination, clock):
            for _ in range(5):
                await clock.sleep(59)
                left.append(await storage.in_hand.left(nomination.sync, clock.now() - LEFT_AFTER))
        await clock.sleep(180)
        return [*left, await storage.in_hand.left(nomination.sync, clock.now())]

    assert in_virtual_time(look()) == [[]] * 6


def test_a_row_that_cannot_be_renewed_ends_no_look() -> None:
    """Storage is out of reach for one renewal; the next one succeeds."""

    async def look() -> list[LeftBehind]:
        clock, faults, nomination = LoopClock(), Faults(), World().nomination()
        storage = memory_storage(clock, wrap_table=lambda name, table: FaultyTable(name, table, faults))
        async with at_work(storage.in_hand, nomination, clock):
            faults.fail_next("table.guards.upsert", UnavailableError())
            await clock.sleep(70)
            return await storage.in_hand.left(nomination.sync, clock.now() - LEFT_AFTER)

    assert in_virtual_time(look()) == []


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

"""Rounds that notifications ask for: soon, not too often, and always one that begins after what it was asked for."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sync_core.model import Assigned, FeedRun
from sync_core.model.errors import UnavailableError
from sync_core.model.messages import FEED_PAGES, GROUPS, decode_feed_run, format_time
from sync_core.nominate.rounds import SECOND_LOOK, SPACING, STALLED
from sync_core.ports import FeedPhase, GroupChanges
from tests.support.make import ADA, CONTOSO, SALES
from tests.support.world import World, deaths, whom


async def quiet() -> World:
    """A full round of groups is long over; Ada joined since, and the next page says so."""
    world = World(assigned=Assigned(groups=frozenset({SALES})))
    world.hire()
    world.source.groups = {SALES: set()}
    await world.feeds.run(await world.started(GROUPS))
    world.clock.advance(timedelta(minutes=1))
    world.source.groups[SALES].add(ADA)
    world.groups.pages["latest:1"] = GroupChanges(joined=(ADA,), left=(), regrouped=False, delta_link="delta:2")
    world.forget_calls()
    return world


def asks(world: World, *, attempt: int = 0) -> FeedRun:
    """The message that a notification leads to."""
    return FeedRun(tenant=CONTOSO.key, feed=GROUPS, round=format_time(world.clock.now()), attempt=attempt)


async def deliver(world: World, during: timedelta) -> list[FeedRun]:
    """The host: the messages of the feed that become visible meanwhile, in order."""
    queue = world.storage.queues_by_name[FEED_PAGES]
    taken = []
    until = world.clock.now() + during
    while world.clock.now() <= until:
        for message in await queue.receive(visibility=600):
            taken.append(decode_feed_run(message.body))
            await world.feeds.run(taken[-1])
            await queue.delete(message)
        world.clock.advance(timedelta(milliseconds=250))
    return taken


async def test_a_notification_has_the_feed_read_at_once() -> None:
    """By its own message, without another way through a queue."""
    world = await quiet()
    await world.feeds.run(asks(world))
    assert whom(await world.nominated()) == [ADA]
    assert (await world.feed(GROUPS)).delta_link == "delta:2"


async def test_the_feed_is_asked_a_second_time_a_little_later() -> None:
    """The delta query may not know yet what the notification told of. After that it is the poll's."""
    world = await quiet()
    world.groups.pages["later"] = world.groups.pages["latest:1"]
    world.groups.pages["latest:1"] = GroupChanges(joined=(), left=(), regrouped=False, delta_link="later")
    await world.feeds.run(asks(world))
    assert await world.nominated() == []
    await deliver(world, SECOND_LOOK + timedelta(seconds=1))
    assert whom(await world.nominated()) == [ADA]
    assert await deliver(world, timedelta(minutes=5)) == []
    assert world.faults.count("groups.changes") == 2


async def test_a_burst_of_notifications_leads_to_few_rounds() -> None:
    """One at once, and one after each few seconds for all that came in meanwhile; the last begins after the last."""
    world = await quiet()
    last = asks(world)
    for _ in range(40):
        world.clock.advance(timedelta(milliseconds=250))
        last = asks(world)
        await world.storage.queues.continue_feed(last)
        await deliver(world, timedelta())
    await deliver(world, timedelta(minutes=1))
    seconds = 2 * 40 * 0.25 + SECOND_LOOK.total_seconds()
    assert 3 <= world.faults.count("groups.changes") <= seconds / SPACING.total_seconds() + 2
    assert format_time((await world.feed(GROUPS)).started_at) > last.round  # type: ignore[arg-type]


async def test_a_notification_during_a_round_leads_to_another_round() -> None:
    """The page that is being read may have been written before the change."""
    world = await quiet()
    run = await world.started(GROUPS)
    world.clock.advance(timedelta(seconds=1))
    during = asks(world)
    await world.feeds.run(during)
    assert world.faults.count("groups.changes") == 0, "the round in progress is left alone"
    await world.feeds.run(run)
    await deliver(world, timedelta(seconds=10))
    state = await world.feed(GROUPS)
    assert (state.round, state.phase) == (during.round, FeedPhase.IDLE)
    assert world.faults.count("groups.changes") == 2


async def test_a_round_that_stands_still_is_not_waited_for_for_ever() -> None:
    """A few minutes of waiting, then the poll's next round does the same."""
    world = await quiet()
    await world.started(GROUPS)
    world.clock.advance(timedelta(seconds=1))
    await world.storage.queues.continue_feed(asks(world))
    taken = await deliver(world, STALLED)
    assert [run.attempt for run in taken] == list(range(8))
    assert await world.runs() == []


async def test_an_older_notification_is_covered_by_a_newer_round() -> None:
    """Queues reorder, and hold messages back."""
    world = await quiet()
    late = asks(world)
    world.clock.advance(timedelta(seconds=1))
    await world.feeds.run(await world.started(GROUPS))
    world.forget_calls()
    await world.feeds.run(late)
    assert world.faults.count("groups.") == 0
    assert await world.runs() == []


async def test_a_notification_from_before_the_rounds_beginning_is_covered() -> None:
    """Named after an older request, a round still covers whatever was said until it began."""
    world = await quiet()
    first = asks(world)
    world.clock.advance(timedelta(seconds=5))
    second = asks(world)
    world.clock.advance(timedelta(seconds=30))
    await world.feeds.run(first)
    world.clock.advance(timedelta(minutes=1))
    world.forget_calls()
    await world.feeds.run(second)
    assert world.faults.count("groups.") == 0


async def test_a_round_asked_for_dies_at_any_await_and_is_read_all_the_same() -> None:
    """Its message comes again, and finds the round begun or not."""

    async def prepared() -> tuple[World, FeedRun]:
        world = await quiet()
        return world, asks(world)

    async for world, run in deaths(prepared, more_than=5):
        await world.feeds.run(run)
        assert set(whom(await world.nominated())) == {ADA}
        assert (await world.feed(GROUPS)).delta_link == "delta:2"


async def test_a_round_asked_for_waits_out_an_outage() -> None:
    """It was begun, so its own message comes back to it."""
    world = await quiet()
    world.faults.fail_next("groups.changes", UnavailableError(), UnavailableError())
    await world.storage.queues.continue_feed(asks(world))
    await deliver(world, timedelta(minutes=1))
    assert whom(await world.nominated()) == [ADA]


async def test_a_notification_of_a_feed_that_is_no_more_reads_nothing() -> None:
    """The scope names no groups any more, and Graph's subscription still has a day to go."""
    world = await quiet()
    world.syncs.clear()
    await world.feeds.run(asks(world))
    await world.feeds.run(replace(asks(world), feed="no-such-feed"))
    assert world.faults.calls == []

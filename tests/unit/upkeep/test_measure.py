"""What the alerts watch."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Assigned, Why
from sync_core.model.errors import GraphRefusedError, UnavailableError
from sync_core.model.messages import WORK_QUEUES
from sync_core.upkeep.measure import Measure
from tests.support.make import ADA, HOLD_ALL, NAME, SALES
from tests.support.world import World


def measure(world: World) -> Measure:
    return Measure(
        syncs=world.syncs,
        feeds=world.feeds,
        pauses=world.feeds.pauses,
        subscriptions=world.storage.subscriptions,
        links=world.storage.links,
        guards=world.storage.guards,
        creations=world.runtime.creations,
        poison=world.storage.poison,
        fronts=world.storage.fronts,
        activity=world.storage.activity,
        clock=world.clock,
    )


async def test_each_sync_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Linked, parked and held users come as numbers, whether or not anything happened."""
    caplog.set_level(logging.INFO, "xtsync.measure")
    world = World()
    await world.linked()
    await measure(world).run()
    assert caplog.messages == [
        "feed.measured tenant=contoso feed=users behind_s=86400",
        "feed.measured tenant=fabrikam feed=target behind_s=86400",
        "subscription.measured tenant=contoso resource=users unkept_s=172800",
        "sync.measured sync=contoso-to-fabrikam control=running linked=1 parked=0 newcomers=0 held=0",
        "outcomes.measured sync=contoso-to-fabrikam changed=0 parked=0 notified=0 late_ms=0",
        *(
            text
            for queue in WORK_QUEUES
            for text in (
                f"queue.measured queue={queue} stood_s=0",
                f"poison.measured queue={queue} waiting=0 unreadable=0 kept=0",
            )
        ),
    ]


async def test_a_subscription_that_nobody_keeps_grows_old(caplog: pytest.LogCaptureFixture) -> None:
    """By the time of its last renewal, or in a row that version 0.1 wrote, by the time at which it ends."""
    world = World()
    await world.keeper.keep_all()
    world.clock.advance(timedelta(hours=4))
    caplog.set_level(logging.INFO, "xtsync.measure")
    await measure(world).run()
    record = await world.storage.subscriptions.get("contoso")
    assert record is not None
    await world.storage.subscriptions.save(replace(record, kept_at=None))
    await measure(world).run()
    lines = [text for text in caplog.messages if text.startswith("subscription.")]
    assert lines == ["subscription.measured tenant=contoso resource=users unkept_s=14400"] * 2


async def test_a_new_subscription_is_measured_at_once(caplog: pytest.LogCaptureFixture) -> None:
    """The poll that came before it found none; the alert need not wait for the next one."""
    caplog.set_level(logging.INFO, "xtsync.measure")
    world = World()
    await world.keep()
    assert caplog.messages == ["subscription.measured tenant=contoso resource=users unkept_s=0"]


async def test_outcomes_of_half_an_hour_are_tallied(caplog: pytest.LogCaptureFixture) -> None:
    """Changes, users who were parked, and how late the notified changes were; older outcomes are not counted."""
    world = World()
    await world.linked()
    world.change(jobTitle="Analyst")
    at = world.clock.now()
    world.clock.advance(timedelta(seconds=7))
    await world.worker.handle(world.nomination(why=Why.NOTIFICATION, at=at))
    caplog.set_level(logging.INFO, "xtsync.measure")
    await measure(world).run()
    assert "outcomes.measured sync=contoso-to-fabrikam changed=1 parked=0 notified=1 late_ms=7000" in caplog.messages
    world.clock.advance(timedelta(minutes=31))
    await measure(world).run()
    assert "outcomes.measured sync=contoso-to-fabrikam changed=0 parked=0 notified=0 late_ms=0" in caplog.messages


async def test_messages_that_were_set_aside_are_counted_by_queue(caplog: pytest.LogCaptureFixture) -> None:
    """On the poison queue, those among them that nothing can read, and kept."""
    caplog.set_level(logging.INFO, "xtsync.measure")
    world = World()
    world.put_stored("feed-pages-poison", '{"v":1}')
    await world.storage.queues_by_name["feed-pages-poison"].send("x")
    await world.storage.activity.poisoned("feed-pages", "m1", "x", world.clock.now())
    await world.storage.activity.poisoned("user-changes", "m2", "x", world.clock.now())
    await measure(world).run()
    assert [text for text in caplog.messages if text.startswith("poison.")] == [
        "poison.measured queue=user-changes waiting=0 unreadable=0 kept=1",
        "poison.measured queue=feed-pages waiting=2 unreadable=1 kept=1",
        "poison.measured queue=subscription-events waiting=0 unreadable=0 kept=0",
        "poison.measured queue=plan-jobs waiting=0 unreadable=0 kept=0",
    ]


async def test_a_retry_that_fails_again_is_no_new_failure(caplog: pytest.LogCaptureFixture) -> None:
    """In a quiet half hour the retries of users parked long ago would be all there is, or a full round names them."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", *[GraphRefusedError(status=403, code="Forbidden")] * 3)
    await world.worker.handle(world.nomination(why=Why.FEED))
    world.clock.advance(timedelta(minutes=5))
    await world.worker.handle(world.nomination(why=Why.RETRY))
    await world.worker.handle(world.nomination(why=Why.FEED, at=world.clock.now() + timedelta(seconds=30)))
    caplog.set_level(logging.INFO, "xtsync.measure")
    await measure(world).run()
    (line,) = [text for text in caplog.messages if text.startswith("outcomes.measured ")]
    assert "changed=0 parked=1 " in line


async def test_a_queue_off_which_nobody_takes_messages_stands(caplog: pytest.LogCaptureFixture) -> None:
    """By the message that waits longest, from the first poll that saw it; delayed messages wait for their time."""
    caplog.set_level(logging.INFO, "xtsync.measure")
    world = World()
    queue = world.storage.queues_by_name["user-changes"]
    await queue.send("delayed", delay=3600)
    stood = []
    for turn in range(5):
        if turn == 1:
            await queue.send("first")
            await queue.send("second")
        if turn == 4:
            for message in await queue.receive():
                await queue.delete(message)
        caplog.clear()
        await measure(world).run()
        stood += [text.partition("=user-changes ")[2] for text in caplog.messages if "=user-changes stood" in text]
        world.clock.advance(timedelta(minutes=5))
    assert stood == ["stood_s=0", "stood_s=0", "stood_s=300", "stood_s=600", "stood_s=0"]


async def test_a_feed_that_stands_still_falls_behind(caplog: pytest.LogCaptureFixture) -> None:
    """From its last completed round; when there was none yet, from the beginning of the first."""
    caplog.set_level(logging.INFO, "xtsync.measure")
    world = World(assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups = {SALES: set()}
    await world.first_round()  # it started one of groups, which nobody reads; five minutes have passed
    world.clock.advance(timedelta(minutes=10))
    await measure(world).run()
    assert [text for text in caplog.messages if text.startswith("feed.measured ")] == [
        "feed.measured tenant=contoso feed=users behind_s=900",
        "feed.measured tenant=contoso feed=groups behind_s=900",
        "feed.measured tenant=fabrikam feed=target behind_s=86400",  # no round has begun
    ]


async def test_a_count_that_fails_is_said_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The alert on missing numbers is one thing, a poll that fails for their sake another."""
    caplog.set_level(logging.WARNING, "xtsync.measure")
    world = World()
    world.faults.fail_next("table.feeds.get", UnavailableError())
    world.faults.fail_next("table.links.query", UnavailableError())
    world.faults.fail_next("table.subscriptions.get", UnavailableError())
    world.faults.fail_next("table.activity.query", UnavailableError(), UnavailableError())
    await world.storage.queues_by_name["user-changes"].send("x")
    world.faults.fail_next("table.guards.get", UnavailableError())
    await measure(world).run()
    assert caplog.messages == [
        "feed.unmeasured tenant=contoso feed=users error=Unavailable",
        "subscription.unmeasured tenant=contoso resource=users error=Unavailable",
        "sync.unmeasured sync=contoso-to-fabrikam error=Unavailable",
        "outcomes.unmeasured sync=contoso-to-fabrikam error=Unavailable",
        "queue.unmeasured queue=user-changes error=Unavailable",
        "poison.unmeasured queue=user-changes error=Unavailable",
    ]


async def test_an_approval_that_ran_out_is_counted_as_held(caplog: pytest.LogCaptureFixture) -> None:
    """Somebody has to decide anew, so the alert has to see it; what is approved or rejected is decided."""
    caplog.set_level(logging.INFO, "xtsync.measure")
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    for decide, held in ((None, 1), (True, 0), (False, 0)):
        if decide is not None:
            await world.guard.decide(await world.storage.guards.holds(NAME), approve=decide, by="grace")
        await measure(world).run()
        assert [text for text in caplog.messages if text.startswith("sync.measured ")][-1].endswith(f"held={held}")
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=True, by="grace")
    world.clock.advance(timedelta(hours=24))
    await measure(world).run()
    assert [text for text in caplog.messages if text.startswith("sync.measured ")][-1].endswith("held=1")

"""How long a notification waits for those that come after it: longer with each look, until a pause ends that."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sync_core.model import Link, Why
from sync_core.reconcile.coalescing import COALESCE_WITHIN, noticed, wait_before
from tests.support.clock import START
from tests.support.make import ADA, NAME
from tests.support.world import World

SECOND = timedelta(seconds=1)


def waited(link: Link, *, after: timedelta = timedelta()) -> float:
    """Seconds, of a notification that comes so long after the last look that one led to."""
    assert link.noticed_at is not None
    now = link.noticed_at + after
    return wait_before(World().nomination(why=Why.NOTIFICATION, at=now), link, now)


def test_each_look_lets_the_next_one_wait_twice_as_long() -> None:
    """Up to the eight seconds that a poll waits."""
    link = noticed(Link(sync=NAME, source_id=ADA), START)
    waits = []
    for _ in range(5):
        wait = waited(link)
        waits.append(wait)
        link = noticed(link, START + timedelta(seconds=sum(waits)))
    assert waits == [1.5, 3, 6, 8, 8]


def test_after_a_pause_it_begins_anew() -> None:
    """Sixteen seconds are enough; eight are the steady state of somebody who is told of all the time."""
    steady = Link(sync=NAME, source_id=ADA, noticed_at=START, settle=COALESCE_WITHIN)
    assert waited(noticed(steady, START + COALESCE_WITHIN)) == 8
    assert waited(noticed(steady, START + 2 * COALESCE_WITHIN)) == 1.5


def test_what_has_passed_of_it_is_not_waited_for_again() -> None:
    """Nor does a look in the future, by a machine whose clock runs fast, make anybody wait longer."""
    link = noticed(Link(sync=NAME, source_id=ADA), START)
    assert waited(link, after=SECOND) == 0.5
    assert waited(link, after=-60 * SECOND) == 1.5
    assert waited(link, after=2 * SECOND) <= 0


def test_a_row_of_an_earlier_version_waits_as_that_one_does() -> None:
    """It says when a notification led to a look, and not how long to wait."""
    link = replace(noticed(Link(sync=NAME, source_id=ADA), START), settle=None)
    assert waited(link) == 8
    assert waited(noticed(link, START + SECOND)) == 1.5


def test_no_row_makes_anybody_wait_longer_than_a_poll() -> None:
    """Whatever another version may write."""
    link = Link(sync=NAME, source_id=ADA, noticed_at=START, settle=timedelta(days=1))
    assert waited(link) == 8


async def test_a_second_change_shows_within_two_seconds() -> None:
    """Somebody corrects what they have just typed."""
    world = World()
    await world.linked()
    world.change(department="Sles")
    assert await world.worker.handle(world.nomination(why=Why.NOTIFICATION)) is not None
    world.clock.advance(timedelta(milliseconds=200))
    world.change(department="Sales")
    assert await world.worker.handle(world.nomination(why=Why.NOTIFICATION)) is None  # comes later
    await world.deliver(2 * SECOND)
    assert world.in_step()


async def test_a_burst_of_twenty_costs_three_reads() -> None:
    """The first look reads before and after its write, and one look later answers all the others."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    world.forget_calls()
    for _ in range(20):
        await world.worker.handle(world.nomination(why=Why.NOTIFICATION))
        world.clock.advance(timedelta(milliseconds=50))
    await world.deliver(timedelta(minutes=1))
    assert world.graph_calls().count("source.read_user") == 3
    assert world.graph_calls().count("target.update") == 1

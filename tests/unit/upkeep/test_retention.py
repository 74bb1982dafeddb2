"""How long the record of what was done is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import GuardLimits
from sync_core.model.errors import UnavailableError
from sync_core.upkeep.retention import Retention
from tests.support.make import ADA, BOB, FABRIKAM, NAME
from tests.support.world import World


def retention(world: World) -> Retention:
    return Retention(
        syncs=world.syncs,
        activity=world.storage.activity,
        history=world.storage.guards,
        clock=world.clock,
        keep=timedelta(days=30),
    )


async def test_what_is_older_goes_and_the_rest_stays() -> None:
    """From the listing, from the person's own timeline and from the rows by kind."""
    world = World()
    await world.linked()
    assert await world.events()
    await retention(world).run()
    assert await world.events()
    world.clock.advance(timedelta(days=31))
    await retention(world).run()
    assert await world.events() == []
    assert [row async for row in world.storage.tables_by_name["activity"].query(None) if "kind" in row.values] == []


async def test_old_decisions_and_counts_go() -> None:
    """Decisions with the record of what was done, and who was counted when no window asks any more."""
    world = World(guard=GuardLimits(max_percent=0, min_count=1))
    await world.linked()
    await world.linked(BOB, "Bob")
    for user in (ADA, BOB):
        world.source.soft_delete(user)
        await world.look(user)
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=False, by="grace")
    await retention(world).run()
    assert len(await world.storage.guards.decisions(NAME, 10)) == 1
    assert (await world.storage.guards.counted(FABRIKAM.id, ADA)).at
    world.clock.advance(timedelta(days=60))
    await retention(world).run()
    assert await world.storage.guards.decisions(NAME, 10) == []
    assert (await world.storage.guards.counted(FABRIKAM.id, ADA)).etag is None


async def test_a_failure_is_said_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The next poll tries again."""
    world = World()
    world.faults.fail_next("table.activity.query", UnavailableError())
    await retention(world).run()
    assert caplog.messages == ["activity.not_pruned sync=contoso-to-fabrikam error=Unavailable"]


async def test_notes_of_a_copy_that_cannot_be_dropped_are_said_and_the_rest_goes(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The notes of what was still to be copied into blobs are in the way of nothing else."""
    world = World()
    await world.linked()
    world.clock.advance(timedelta(days=31))
    world.faults.fail_next("table.activity.get", UnavailableError())
    await retention(world).run()
    assert caplog.messages == ["notes.not_forgotten error=Unavailable"]
    assert await world.events() == []

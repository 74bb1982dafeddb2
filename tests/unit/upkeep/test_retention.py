"""How long the record of what was done is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model.errors import UnavailableError
from sync_core.upkeep.retention import Retention
from tests.support.make import NAME
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
    """From the listing and from the person's own timeline."""
    world = World()
    await world.linked()
    assert await world.storage.activity.recent(NAME, 10)
    await retention(world).run()
    assert await world.storage.activity.recent(NAME, 10)
    world.clock.advance(timedelta(days=31))
    await retention(world).run()
    assert await world.storage.activity.recent(NAME, 10) == []


async def test_a_failure_is_said_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The next poll tries again."""
    world = World()
    world.faults.fail_next("table.activity.query", UnavailableError())
    await retention(world).run()
    assert caplog.messages == ["activity.not_pruned sync=contoso-to-fabrikam error=Unavailable"]

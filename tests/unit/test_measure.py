"""What the alerts watch."""

from __future__ import annotations

import logging

import pytest

from sync_core.errors import UnavailableError
from sync_core.measure import Measure
from tests.support.world import World


async def test_each_sync_is_counted(caplog: pytest.LogCaptureFixture) -> None:
    """Linked, parked and held users come as numbers, whether or not anything happened."""
    caplog.set_level(logging.INFO, "xtsync.measure")
    world = World()
    await world.linked()
    await Measure(syncs=world.syncs, links=world.storage.links, guards=world.storage.guards).run()
    assert caplog.messages == ["sync.measured sync=contoso-to-fabrikam linked=1 parked=0 held=0"]


async def test_a_count_that_fails_is_said_and_stops_nothing(caplog: pytest.LogCaptureFixture) -> None:
    """The alert on missing numbers is one thing, a poll that fails for their sake another."""
    world = World()
    world.faults.fail_next("table.links.query", UnavailableError())
    await Measure(syncs=world.syncs, links=world.storage.links, guards=world.storage.guards).run()
    assert caplog.messages == ["sync.unmeasured sync=contoso-to-fabrikam error=Unavailable"]

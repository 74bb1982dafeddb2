"""The steps of a poll's upkeep."""

from __future__ import annotations

import logging

import pytest

from tests.support.world import World


async def test_a_fault_of_one_step_leaves_the_figures_and_is_raised(caplog: pytest.LogCaptureFixture) -> None:
    """Without figures no alert would tell of it, and without the error nobody would see the run fail."""
    world = World()
    caplog.set_level(logging.INFO, "xtsync.measure")
    world.faults.fail_next("table.guards.query", ZeroDivisionError())
    with pytest.raises(ZeroDivisionError):
        await world.upkeep.run()
    assert any(line.startswith("sync.measured ") for line in caplog.messages)

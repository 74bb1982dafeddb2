"""A pause never lets anything through that was stopped."""

from __future__ import annotations

from datetime import timedelta

from sync_core.model import Control
from sync_core.ops.controls import control
from tests.support.world import World


async def test_a_pause_never_starts_writes() -> None:
    """The description: the way back is `xtsync resume`. A pause of deletions lets nothing through that was stopped."""
    world = World()
    await control(world.runtime, [world.sync], Control.PAUSED, by="anna", reason="wrong scope")
    world.clock.advance(timedelta(seconds=5))
    await control(world.runtime, [world.sync], Control.DELETIONS_PAUSED, by="ben", reason="and no deletions")
    world.clock.advance(timedelta(seconds=5))
    world.hire()
    await world.worker.handle(world.nomination())
    assert world.target.writes == []

"""The guard's percentage is of those who have access."""

from __future__ import annotations

from datetime import timedelta

from sync_core.model import Deprovision, GuardLimits, Limit, Policy
from tests.support.world import World


async def test_five_percent_is_of_those_who_have_access() -> None:
    """`source_deleted: disable`: 90 have left in the past and are disabled, 10 are there. 10 % of them is one."""
    month = Limit(max_percent=100, min_count=1000, window=timedelta(days=30))
    limits = GuardLimits(max_percent=10, min_count=1, month=month)
    world = World(policy=Policy(source_deleted=Deprovision.DISABLE), guard=limits)
    ids = [f"user-{n:03}" for n in range(100)]
    for n, user_id in enumerate(ids):
        world.hire(user_id, f"P{n}")
        await world.look(user_id)
    world.clock.advance(timedelta(hours=1))
    world.deploy(guard=GuardLimits(max_percent=100, min_count=1000))
    for user_id in ids[:90]:
        world.source.soft_delete(user_id)
        await world.look(user_id)
    world.clock.advance(timedelta(days=400))
    world.deploy(guard=limits)
    for user_id in ids[90:]:
        world.source.soft_delete(user_id)
        await world.look(user_id)
    assert world.enabled().count(True) >= 9

"""The last question before a write into the target, and what a storage that stands still does to it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import LinkState
from sync_core.model.errors import ConflictError
from sync_core.reconcile.writes import Writes
from tests.support.make import ADA
from tests.support.world import World, names


@pytest.mark.parametrize("restored", [False, True])
async def test_a_deletion_rests_on_a_read_that_is_new_when_it_is_sent(restored: bool) -> None:
    """The storage stands still for six minutes after the confirming read: the source is read once more."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)

    async def stands_still() -> None:
        world.clock.advance(timedelta(minutes=6))
        if restored:
            world.source.restore(ADA)

    async def then_asks() -> None:
        world.faults.after_next("table.guards.get", stands_still)

    async def confirms() -> None:
        world.faults.after_next("source.read_user", then_asks)

    world.faults.after_next("source.read_user", confirms)
    world.forget_calls()
    outcome = await world.look()
    assert world.faults.count("source.read_user") >= 3
    assert (await world.stored()).state is (LinkState.LINKED if restored else LinkState.DELETED)
    assert ("SoftDelete" in names(outcome)) is not restored


async def test_a_storage_that_is_always_slow_deletes_nobody() -> None:
    """No answer is new enough when the last question has its own: nothing is sent, and it comes to an end."""
    world = World()
    await world.linked()
    (guest,) = world.guests()

    async def confirmed() -> bool:
        return True

    async def slow() -> None:
        world.clock.advance(timedelta(seconds=20))

    writes = Writes(target=world.target, may_write=slow, clock=world.clock)
    with pytest.raises(ConflictError, match="too slow"):
        await writes.soft_delete(guest, confirm=confirmed)
    assert not writes.sent
    assert world.guests() == [guest]

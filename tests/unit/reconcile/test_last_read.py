"""The last of several reads: what it met stands on the link, also if an earlier read wrote something."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sync_core.model import Guarded, GuardLimits, Why
from sync_core.ports import HoldRecord, HoldState
from tests.support.make import ADA, HOLD_ALL, NAME, OWNER
from tests.support.world import World, names


async def test_a_hold_that_the_last_of_several_reads_met_stands_on_the_link() -> None:
    """The user left while an update was written: the next look at a user who is back drops the hold."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.change(department="Sales")

    world.source.on_next_read(lambda: world.source.soft_delete(ADA))
    assert names(await world.look()) == ["Update", "Hold"]
    assert (await world.stored()).guarded is Guarded.HELD
    world.clock.advance(timedelta(hours=1))
    world.source.restore(ADA)
    await world.look()
    assert await world.storage.guards.holds(NAME) == []


async def test_a_hold_that_was_rejected_while_its_user_was_back_does_not_answer_the_next_departure() -> None:
    """Left while an update was written, held, back; the next departure is counted for itself."""
    world = World(guard=GuardLimits(max_percent=0, min_count=1))
    await world.linked("other", "Other")
    world.source.soft_delete("other")
    await world.look("other")  # uses up the window
    world.forget_calls()
    await world.linked()
    world.change(department="Sales")

    world.source.on_next_read(lambda: world.source.soft_delete(ADA))
    assert names(await world.look()) == ["Update", "Hold"]
    world.source.restore(ADA)
    await world.look()
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=False, by="grace")
    world.clock.advance(timedelta(days=3))
    world.source.soft_delete(ADA)
    assert names(await world.look()) == ["SoftDelete"]
    assert world.guests() == []


async def test_a_hold_between_two_reads_is_dropped_by_the_second() -> None:
    """Adopted as a leaver and held on the first read; back on the second, which writes what the first could not."""
    world = World(guard=HOLD_ALL, owner_attribute=OWNER)
    await world.linked()
    await world.lose_tables()
    world.source.soft_delete(ADA)
    world.source.on_next_read(lambda: world.source.restore(ADA))
    assert names(await world.look(why=Why.MARKED))[0] == "Adopt"
    assert await world.storage.guards.holds(NAME) == []


async def test_a_hold_that_another_worker_stored_first_is_not_written_over() -> None:
    """It may be approved by then; the decision is taken again and finds it."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    guards = world.storage.guards
    save, target_id = guards.save_hold, (await world.stored()).target_id or ""

    async def overtaken(hold: HoldRecord) -> HoldRecord:
        guards.save_hold = save  # type: ignore[method-assign]
        await save(replace(hold, state=HoldState.APPROVED, decided_at=world.clock.now(), target_id=target_id))
        return await save(hold)

    guards.save_hold = overtaken  # type: ignore[method-assign]
    assert names(await world.look()) == ["SoftDelete"]

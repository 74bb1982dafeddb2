"""A removal that was begun and is tried again, while the window is full of others by then."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta

import pytest

from sync_core.model import DeletedInTarget, Deprovision, LinkState, Policy, Stage, Stages, Why
from sync_core.model.errors import GraphRefusedError, UnavailableError
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, HOLD_ALL, NAME
from tests.support.world import World, names
from tests.unit.guard.test_causes import ONE, decide

REFUSED = GraphRefusedError(status=403, code="Authorization_RequestDenied")
DELETED_LATER = Stage(then=Deprovision.SOFT_DELETE, after=timedelta(days=14))
IN_STAGES = Stages(stages=(Stage(then=Deprovision.DISABLE), DELETED_LATER))
CHANGES = {Deprovision.SOFT_DELETE: "SoftDelete", Deprovision.DISABLE: "Disable"}
CALLS = {Deprovision.SOFT_DELETE: "target.soft_delete", Deprovision.DISABLE: "target.update"}


async def approved_after_a_counted_disabling() -> World:
    """Ada was disabled two weeks ago, which counted. Her deletion was held, and a person approved it."""
    world = World(policy=Policy(source_deleted=IN_STAGES, deleted_in_target=DeletedInTarget.LEAVE), guard=ONE)
    await world.linked()
    world.source.soft_delete(ADA)
    assert names(await world.look()) == ["Disable"]
    world.clock.advance(timedelta(days=15))
    world.deploy(guard=HOLD_ALL)
    assert names(await world.look()) == ["Hold"]
    await decide(world, approve=True)
    world.forget_calls()
    return world


@pytest.mark.parametrize("after", [False, True], ids=["not done", "done, and nobody heard of it"])
async def test_an_approval_outlives_the_failure_of_what_it_approved(*, after: bool) -> None:
    """Once a person said yes, a 503 does not ask that person again, whenever the leaver was counted before."""
    world = await approved_after_a_counted_disabling()
    world.faults.fail_next("target.soft_delete", UnavailableError(), after=after)
    assert (await world.look(why=Why.APPROVED)).error
    await world.deliver()
    assert await world.storage.guards.holds(NAME) == []
    assert (await world.stored()).state is LinkState.DELETED


@pytest.mark.parametrize("how", [Deprovision.SOFT_DELETE, Deprovision.DISABLE])
async def test_an_approved_removal_that_graph_refuses_stays_approved(how: Deprovision) -> None:
    """The app lacks a role for two days. Before, this person was counted, came back, and left again."""
    world = World(policy=Policy(source_deleted=how), guard=ONE)
    await world.linked()
    world.source.soft_delete(ADA)
    assert names(await world.look()) == [CHANGES[how]]
    world.clock.advance(timedelta(days=2))
    world.source.restore(ADA)
    await world.look()
    world.clock.advance(timedelta(days=2))
    world.deploy(guard=HOLD_ALL)
    world.source.soft_delete(ADA)
    assert names(await world.look()) == ["Hold"]
    await decide(world, approve=True)
    world.faults.fail_next(CALLS[how], REFUSED)
    assert (await world.look(why=Why.APPROVED)).parked
    await world.deliver(timedelta(hours=1))
    assert await world.storage.guards.holds(NAME) == []
    assert world.guests() == [] if how is Deprovision.SOFT_DELETE else world.enabled() == [False]


async def taken_without_a_record(how: Deprovision) -> World:
    """Ada's target user lost access; nobody heard of it. Two days later the window is full of others."""
    world = World(policy=Policy(source_deleted=how, deleted_in_target=DeletedInTarget.LEAVE), guard=ONE)
    await world.linked()
    await world.linked(BOB, "Bob")
    world.source.soft_delete(ADA)
    world.faults.fail_next(CALLS[how], UnavailableError(), after=True)
    assert (await world.look()).error
    await world.nominated()  # this message is slow, or waits in a pause
    world.clock.advance(timedelta(days=2))
    world.source.soft_delete(BOB)
    assert names(await world.look(BOB)) == [CHANGES[how]]
    return world


async def test_a_deletion_of_ours_that_is_found_done_is_ours_whoever_filled_the_window() -> None:
    """There is nothing left to hold. A hold would make it somebody else's, and nobody would restore the person."""
    world = await taken_without_a_record(Deprovision.SOFT_DELETE)
    assert names(await world.look()) == ["SoftDelete"]
    assert await world.storage.guards.holds(NAME) == []
    assert (await world.stored()).state is LinkState.DELETED
    world.source.restore(ADA)
    await world.look()
    assert len(world.guests()) == 1


async def test_a_disabling_of_ours_that_is_found_done_is_not_held() -> None:
    """A person who rejected it would believe that Ada still has access."""
    world = await taken_without_a_record(Deprovision.DISABLE)
    assert names(await world.look()) == ["Disable"]
    assert await world.storage.guards.holds(NAME) == []
    world.source.restore(ADA)
    await world.look()
    assert world.enabled()[0] is True


async def test_a_deletion_that_was_not_done_is_held_when_the_window_is_full() -> None:
    """The request was lost, not its answer."""
    world = World(guard=ONE)
    await world.linked()
    await world.linked(BOB, "Bob")
    world.source.soft_delete(ADA)
    world.faults.fail_next("target.soft_delete", UnavailableError())
    await world.look()
    await world.nominated()
    world.clock.advance(timedelta(days=2))
    world.source.soft_delete(BOB)
    await world.look(BOB)
    assert names(await world.look()) == ["Hold"]
    assert len(world.guests()) == 1


async def test_an_approved_removal_that_is_cut_off_at_any_await_is_finished() -> None:
    """Nobody is asked again, whatever was stored by then."""
    world = await approved_after_a_counted_disabling()
    await world.look(why=Why.APPROVED)
    for n in range(len(world.faults.calls)):
        for after in (False, True):
            world = await approved_after_a_counted_disabling()
            world.faults.fail_at(n, Crash(), after=after)
            with suppress(Crash):
                await world.look(why=Why.APPROVED)
            world.clock.advance(timedelta(minutes=10))
            await world.worker.handle(world.nomination(why=Why.APPROVED), redelivered=True)
            await world.deliver()
            assert await world.storage.guards.holds(NAME) == []
            assert (await world.stored()).state is LinkState.DELETED

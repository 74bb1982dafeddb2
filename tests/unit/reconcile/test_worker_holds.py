"""Deletions that wait for a person, and what stands on the link meanwhile."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from sync_core.model import Deprovision, Guarded, GuardLimits, Hold, LinkState, Policy, Why
from sync_core.model.errors import GraphRefusedError, UnavailableError
from sync_core.ports import HoldState
from tests.support.faults import Crash
from tests.support.make import ADA, ADDRESS, GUEST, HOLD_ALL, NAME
from tests.support.world import World

REFUSED = GraphRefusedError(status=403, code="Authorization_RequestDenied")


async def test_a_held_deletion_waits_and_loses_nothing_else() -> None:
    """The leaver keeps the account; the hold is listed, and everybody else goes on."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    outcome = await world.look()
    assert isinstance(outcome.changes[-1], Hold)
    assert len(world.guests()) == 1
    link = await world.stored()
    assert (link.guarded, link.state) == (Guarded.HELD, LinkState.LINKED)
    (held,) = await world.storage.guards.holds(NAME)
    assert (held.source_id, held.target_id, held.change) == (ADA, link.target_id, "SoftDelete")


async def test_a_change_to_somebody_without_a_hold_asks_for_none() -> None:
    """It is the many who have none, and the link knows who has one."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    world.forget_calls()
    await world.look(why=Why.FEED)
    assert "target.update" in world.faults.calls
    assert "table.guards.get" not in world.faults.calls


async def test_an_approved_deletion_is_carried_out_and_its_hold_released() -> None:
    """After a fresh read, like every deletion."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=True, by="grace")
    await world.look(why=Why.APPROVED)
    assert world.guests() == []
    assert await world.storage.guards.holds(NAME) == []
    assert (await world.stored()).guarded is None


async def test_an_approval_for_somebody_who_came_back_deletes_nobody() -> None:
    """An approval is a permit, not an order: the fresh read decides, and the hold is gone."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=True, by="grace")
    world.source.restore(ADA)
    await world.look(why=Why.APPROVED)
    assert len(world.guests()) == 1
    assert await world.storage.guards.holds(NAME) == []
    world.source.soft_delete(ADA)
    outcome = await world.look()
    assert isinstance(outcome.changes[-1], Hold), "the old approval does not count for the next departure"


async def test_a_rejected_deletion_is_not_asked_for_again() -> None:
    """The account stays, and so does the answer."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=False, by="grace")
    await world.look()
    assert len(world.guests()) == 1
    (held,) = await world.storage.guards.holds(NAME)
    assert held.state is HoldState.REJECTED


async def test_a_held_disable_still_writes_the_other_attributes() -> None:
    """Only the part that takes access away waits."""
    world = World(guard=HOLD_ALL)
    account = await world.linked()
    world.change(accountEnabled=False, department="Sales")
    outcome = await world.look()
    assert [type(change).__name__ for change in outcome.changes] == ["Hold", "Hold"]
    assert account.attributes["department"] == "Sales"
    assert account.attributes["accountEnabled"] is True
    assert len(await world.storage.guards.holds(NAME)) == 1
    world.change(accountEnabled=True)
    await world.look()
    assert await world.storage.guards.holds(NAME) == []


async def test_a_mass_departure_is_held_after_the_limit() -> None:
    """Fifty leavers at once: ten go, forty wait for a person."""
    world = World()
    people = [f"user-{n:02}" for n in range(50)]
    for n, user_id in enumerate(people):
        world.hire(user_id, f"P{n}")
        await world.look(user_id)
    for user_id in people:
        world.source.soft_delete(user_id)
    await asyncio.gather(*(world.look(user_id) for user_id in people))
    assert len(world.target.users) == 40
    assert len(await world.storage.guards.holds(NAME)) == 40


async def test_a_deletion_interrupted_before_its_record_is_counted_once() -> None:
    """The worker died between the DELETE and its record; redelivery finds the permit on the link."""
    world = World(guard=GuardLimits(max_percent=0, min_count=1))
    await world.linked()
    world.source.soft_delete(ADA)
    world.faults.fail_next("target.soft_delete", Crash())
    with pytest.raises(Crash):
        await world.look()
    assert (await world.stored()).guarded is Guarded.SOFT_DELETE
    await world.look(redelivered=True)
    assert world.guests() == []
    assert sum((await world.storage.guards.window(NAME)).slices.values()) == 1


async def test_a_permit_ends_with_the_refusal_of_its_user() -> None:
    """Counted, interrupted, and then not to be deleted any more: the next departure is counted for itself."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)
    world.target.delete_error = UnavailableError()
    await world.look()
    assert (await world.stored()).guarded is Guarded.SOFT_DELETE
    world.clock.advance(timedelta(hours=2))
    world.source.restore(ADA)
    world.change(department="Sales")
    world.target.users.clear()  # purged, by somebody else
    await world.look()
    assert await world.reason() == "deleted in target"
    assert (await world.stored()).guarded is None


async def test_a_policy_that_leaves_leavers_says_so() -> None:
    """`leave` is a skip with its reason, and costs no target call."""
    world = World(policy=Policy(source_deleted=Deprovision.LEAVE))
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    assert world.target.writes == []
    assert await world.reason() == "left by policy"


async def test_a_refusal_is_parked_with_its_reason() -> None:
    """Somebody else's guest: the user waits, and `why` can say for what."""
    world = World()
    world.target.add(GUEST, ADDRESS)
    world.clock.advance(timedelta(days=1))
    world.hire()
    await world.look()
    link = await world.stored()
    assert link.parked is not None
    assert link.parked.reason == "unadopted"
    assert [each.source_id for each in await world.storage.links.parked(NAME)] == [ADA]

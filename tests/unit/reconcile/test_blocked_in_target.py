"""Somebody of the target blocks a guest: no repair of a record enables them again."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sync_core.model import Control, DeletedInTarget, Policy, Why
from sync_core.model.errors import UnavailableError
from tests.support.make import ADA, HOLD_ALL, NAME
from tests.support.world import World, names


async def blocked(policy: Policy | None = None) -> tuple[World, str]:
    world = World(policy=policy)
    await world.linked()
    (guest,) = world.guests()
    world.target.users[guest].attributes["accountEnabled"] = False
    world.clock.advance(timedelta(days=1))
    return world, guest


async def test_a_message_that_is_delivered_again_enables_nobody() -> None:
    """No change in the source at all: it is not for a look to undo what an administrator of the target did."""
    world, _ = await blocked()
    await world.look(why=Why.NOTIFICATION, redelivered=True)
    assert world.enabled() == [False]


async def test_an_answer_that_is_lost_enables_nobody() -> None:
    """A telephone number changes, and Graph answers the PATCH with a 503."""
    world, _ = await blocked()
    world.change(jobTitle="Head")
    world.faults.fail_next("target.update", UnavailableError())
    await world.look(why=Why.NOTIFICATION)
    world.clock.advance(timedelta(minutes=1))
    await world.deliver()
    assert world.enabled() == [False]


async def test_a_pause_enables_nobody() -> None:
    """An operator asks for a look while the sync is paused; it goes on later."""
    world, _ = await blocked()
    await world.runtime.pauses.say(NAME, Control.PAUSED, by="anna", reason="x")
    world.clock.advance(timedelta(seconds=5))
    await world.worker.handle(world.nomination(why=Why.OPERATOR))
    await world.runtime.pauses.say(NAME, Control.RUNNING, by="anna", reason="")
    world.clock.advance(timedelta(minutes=5))
    await world.look()
    assert world.enabled() == [False]


async def test_whom_we_disabled_unrecorded_and_others_deleted_is_enabled_when_both_are_undone() -> None:
    """The answer to our disabling is lost, the target deletes the guest, and the person is enabled in the source."""
    world = World(policy=Policy(deleted_in_target=DeletedInTarget.RESTORE))
    await world.linked()
    (guest,) = world.guests()
    world.change(accountEnabled=False)
    world.faults.fail_next("target.update", UnavailableError(), after=True)
    await world.look(why=Why.NOTIFICATION)
    world.target.remove(guest)
    world.clock.advance(timedelta(minutes=1))
    await world.deliver()
    assert world.enabled() == []
    world.change(accountEnabled=True)
    world.clock.advance(timedelta(minutes=1))
    await world.look(why=Why.NOTIFICATION)
    assert world.enabled() == [True]


async def test_a_disabling_that_is_held_anew_forgets_no_earlier_one() -> None:
    """We had disabled the guest; the record was distrusted, and disabling anew is more than the guard allows."""
    world = World()
    await world.linked()
    world.change(accountEnabled=False)
    await world.look()
    assert world.enabled() == [False]
    full = replace(world.syncs[NAME], guard=HOLD_ALL)
    edited = world.instance({NAME: full})
    world.clock.advance(timedelta(days=40))  # whoever was counted within a window is not counted twice
    outcome = await edited.worker.handle(world.nomination(), redelivered=True)
    assert outcome is not None
    assert {*names(outcome)} == {"Hold"}
    world.change(accountEnabled=True)
    world.clock.advance(timedelta(minutes=1))
    await edited.worker.handle(world.nomination(why=Why.NOTIFICATION))
    assert world.enabled() == [True]


async def test_who_leaves_and_comes_back_is_still_blocked() -> None:
    """Blocked by the target, deleted by us, back: restored as the target had it."""
    world, _ = await blocked()
    world.source.soft_delete(ADA)
    await world.look()
    world.clock.advance(timedelta(days=1))
    world.source.restore(ADA)
    await world.look()
    assert world.enabled() == [False]

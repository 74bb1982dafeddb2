"""A hold, an approval or a rejection ends with its cause, and with nothing else."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.guard.deletions import Standing, standing
from sync_core.model import (
    Assigned,
    Clause,
    Filter,
    Guarded,
    GuardLimits,
    Hold,
    LinkState,
    Operator,
    Sync,
    Why,
)
from sync_core.model.errors import GraphRefusedError, UnavailableError
from sync_core.ports import HoldState
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, HOLD_ALL, NAME, SALES
from tests.support.world import World, names

ONE = GuardLimits(max_percent=0, min_count=1)
NOBODY = (Filter(name="Nobody", clauses=(Clause(attribute="department", operator=Operator.EQUALS, value="None"),)),)


async def held(world: World) -> dict[str, HoldState]:
    return {hold.source_id: hold.state for hold in await world.storage.guards.holds(NAME)}


async def decide(world: World, *, approve: bool, users: tuple[str, ...] = (ADA,)) -> None:
    holds = [hold for hold in await world.storage.guards.holds(NAME) if hold.source_id in users]
    await world.guard.decide(holds, approve=approve, by="grace")


def scoped(world: World, sync: Sync) -> None:
    """The app runs with another sync.yaml from now on."""
    world.sync = sync
    world.syncs[NAME] = sync


async def narrowed(people: int) -> World:
    """Everybody but ten is held, since a filter that nobody meets was put into sync.yaml by mistake."""
    world = World()
    ids = [f"user-{n:03}" for n in range(people)]
    for n, user_id in enumerate(ids):
        world.hire(user_id, f"P{n}")
        await world.look(user_id)
    world.clock.advance(timedelta(hours=1))
    await full_round(world)
    scoped(world, replace(world.sync, filters=NOBODY))
    await full_round(world)
    assert len(await held(world)) == people - 10
    return world


async def full_round(world: World) -> None:
    """A full round that lists everybody, and what it leads to."""
    await world.deliver(timedelta(seconds=1))
    await world.feeds.run(await world.started(full=True))
    assert await world.deliver(timedelta(seconds=20)) == []


async def decided_out_of_scope(*, approve: bool) -> World:
    """Ada left the scope, the guard held that, and a person decided."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    scoped(world, replace(world.sync, filters=NOBODY))
    await world.look()
    await decide(world, approve=approve)
    return world


async def test_a_scope_that_is_put_back_leaves_no_hold_after_one_full_round() -> None:
    """Nobody who was held changed, so no feed names them: the round has to look at whom the guard holds."""
    world = await narrowed(25)
    scoped(world, replace(world.sync, filters=()))
    await full_round(world)
    assert await held(world) == {}
    assert (await world.stored("user-024")).guarded is None


async def test_a_rejection_is_over_when_the_scope_is_put_back_and_a_real_leaver_goes() -> None:
    """Rejected by hand while the scope was wrong; put back; whoever leaves then loses access as everybody does."""
    world = await narrowed(12)
    users = tuple(await held(world))
    await decide(world, approve=False, users=users)
    scoped(world, replace(world.sync, filters=()))
    await full_round(world)
    assert await held(world) == {}
    world.clock.advance(timedelta(days=31))
    world.source.soft_delete(users[0])
    assert names(await world.look(users[0])) == ["SoftDelete"]


async def test_a_rejection_is_bound_to_its_cause() -> None:
    """Rejected as out of scope; the real departure of the same person is another question, and there is room for it."""
    world = await decided_out_of_scope(approve=False)
    scoped(world, replace(world.sync, guard=ONE))
    await world.look(why=Why.NOTIFICATION)
    world.source.soft_delete(ADA)
    assert names(await world.look()) == ["SoftDelete"]
    assert await held(world) == {}


async def test_a_departure_after_a_rejection_for_another_cause_is_held_anew_when_there_is_no_room() -> None:
    """It is listed and counted by the alert again: nobody keeps access by an old no."""
    world = await decided_out_of_scope(approve=False)
    world.source.soft_delete(ADA)
    await world.look()
    assert await held(world) == {ADA: HoldState.HELD}


async def test_an_approval_is_bound_to_its_cause() -> None:
    """Approved as out of scope; when the person is deleted instead, nobody has said yes to that."""
    world = await decided_out_of_scope(approve=True)
    world.source.soft_delete(ADA)
    outcome = await world.look(why=Why.APPROVED)
    assert isinstance(outcome.changes[-1], Hold)
    assert len(world.guests()) == 1


async def test_soft_deleted_and_purged_are_one_cause() -> None:
    """An approval of a deletion stands when the source purges the person before it is carried out."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await decide(world, approve=True)
    world.source.purge(ADA)
    assert names(await world.look(why=Why.APPROVED)) == ["SoftDelete"]


async def test_an_approval_of_somebody_else_does_not_count() -> None:
    """Both are held, one is approved; the other one stays however often they are looked at."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    await world.linked(BOB, "Bob")
    for user in (ADA, BOB):
        world.source.soft_delete(user)
        await world.look(user)
    await decide(world, approve=True)
    assert isinstance((await world.look(BOB, why=Why.APPROVED)).changes[-1], Hold)
    assert names(await world.look(why=Why.APPROVED)) == ["SoftDelete"]
    assert isinstance((await world.look(BOB, why=Why.APPROVED)).changes[-1], Hold)
    assert len(world.guests("bob@contoso.example")) == 1


async def test_a_rejection_is_not_forgotten_after_a_day() -> None:
    """An approval runs out; a no stands for as long as its cause."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await decide(world, approve=False)
    for _ in range(3):
        world.clock.advance(timedelta(days=10))
        outcome = await world.look()
        assert isinstance(outcome.changes[-1], Hold)
        (hold,) = await world.storage.guards.holds(NAME)
        assert standing(hold, world.clock.now()) is Standing.REJECTED


@pytest.mark.parametrize("why", [Why.APPROVED, Why.NOTIFICATION, Why.FEED])
async def test_an_approved_hold_is_gone_with_its_deletion_whatever_led_to_the_look(why: Why) -> None:
    """The approval must not be there for the next departure of the same person."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await decide(world, approve=True)
    world.clock.advance(timedelta(minutes=1))
    assert names(await world.look(why=why)) == ["SoftDelete"]
    assert await held(world) == {}


async def test_an_undecided_look_ends_no_hold() -> None:
    """A group is deleted and restored, still empty: what waits for a person goes on waiting."""
    world = World(guard=HOLD_ALL, assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups[SALES] = {ADA}
    await world.linked()
    world.source.groups[SALES] = set()
    await world.look()
    assert await held(world) == {ADA: HoldState.HELD}
    await decide(world, approve=False)
    del world.source.groups[SALES]
    assert (await world.look()).error == "undecided"
    assert await held(world) == {ADA: HoldState.REJECTED}
    world.source.groups[SALES] = set()
    scoped(world, replace(world.sync, guard=ONE))
    outcome = await world.look()
    assert isinstance(outcome.changes[-1], Hold), "and nobody is deleted without anybody's approval"
    assert len(world.guests()) == 1


async def test_a_hold_that_was_undecided_meanwhile_is_released_by_the_return() -> None:
    """The link has to remember the hold through the undecided look, or no later look releases it."""
    world = World(guard=HOLD_ALL, assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups[SALES] = {ADA}
    await world.linked()
    world.source.groups[SALES] = set()
    await world.look()
    del world.source.groups[SALES]
    await world.look()
    assert (await world.stored()).guarded is Guarded.HELD
    world.source.groups[SALES] = {ADA}
    world.clock.advance(timedelta(hours=1))
    await world.look(why=Why.RETRY)
    world.clock.advance(timedelta(hours=1))
    await world.look(why=Why.NOTIFICATION)
    assert await held(world) == {}


@pytest.mark.parametrize("decision", [None, False])
@pytest.mark.parametrize("in_target", ["purged", "deleted"])
async def test_a_hold_ends_with_its_pair(in_target: str, decision: bool | None) -> None:
    """Held or rejected; then both sides lose the person: nothing is left to decide."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    if decision is not None:
        await decide(world, approve=decision)
    world.source.purge(ADA)
    if in_target == "deleted":
        world.target.deleted |= world.target.users
    world.target.users.clear()
    await world.look()
    assert await held(world) == {}
    link = await world.link()
    assert link is None or link.state is LinkState.LOST


async def test_one_old_answer_ends_no_pair() -> None:
    """A replica that does not know the target user for a moment: a second answer has to agree."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    gone = dict(world.target.users)
    world.target.users.clear()
    read, answers = world.target.presence, 0

    async def presence(target_id: str) -> object:
        nonlocal answers
        answer = await read(target_id)
        answers += 1
        world.target.users.update(gone)
        return answer

    world.target.presence = presence  # type: ignore[method-assign, assignment]
    await world.look()
    assert answers == 2
    assert await held(world) == {ADA: HoldState.HELD}


async def test_a_hold_without_its_mark_is_released_by_the_next_full_round() -> None:
    """A worker died after it stored the hold and before the link said so; the person is back."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    world.faults.fail_next("table.links.replace", Crash())
    with pytest.raises(Crash):
        await world.look()
    assert (await world.stored()).guarded is None
    world.source.restore(ADA)
    await full_round(world)
    assert await held(world) == {}


async def test_a_permit_is_cleared_by_the_removal_that_it_was_for() -> None:
    """Disabled, enabled, and disabled in another month: the guard is asked again, and holds."""
    world = World(guard=ONE)
    await world.linked()
    world.change(accountEnabled=False)
    assert names(await world.look()) == ["Disable"]
    assert (await world.stored()).guarded is None
    world.change(accountEnabled=True)
    await world.look()
    world.clock.advance(timedelta(days=40))
    await world.linked(BOB, "Bob")
    world.source.soft_delete(BOB)
    await world.look(BOB)
    world.change(accountEnabled=False)
    assert isinstance((await world.look()).changes[-1], Hold)


async def test_a_permit_is_cleared_by_a_deletion() -> None:
    """Deleted, back, and deleted in another month: the guard is asked again, and holds."""
    world = World(guard=ONE)
    await world.linked()
    world.source.soft_delete(ADA)
    assert names(await world.look()) == ["SoftDelete"]
    world.source.restore(ADA)
    await world.look()
    world.clock.advance(timedelta(days=40))
    await world.linked(BOB, "Bob")
    world.source.soft_delete(BOB)
    await world.look(BOB)
    world.source.soft_delete(ADA)
    assert isinstance((await world.look()).changes[-1], Hold)


async def test_a_permit_is_cleared_when_the_removal_is_not_wanted_any_more() -> None:
    """Counted, interrupted, back; the departure of another month is counted for itself, and held."""
    world = World(guard=ONE)
    await world.linked()
    world.source.soft_delete(ADA)
    world.target.delete_error = GraphRefusedError(status=403, code="Forbidden")
    await world.look()
    assert (await world.stored()).guarded is Guarded.SOFT_DELETE
    world.source.restore(ADA)
    await world.look()
    assert (await world.stored()).guarded is None
    world.clock.advance(timedelta(days=40))
    await world.linked(BOB, "Bob")
    world.source.soft_delete(BOB)
    await world.look(BOB)
    world.source.soft_delete(ADA)
    assert isinstance((await world.look()).changes[-1], Hold)


async def deletion_unrecorded(world: World) -> None:
    """The DELETE of somebody who left by mistake was done, and the worker died before it was recorded."""
    await world.linked()
    world.source.soft_delete(ADA)
    world.faults.fail_next("target.soft_delete", Crash(), after=True)
    with pytest.raises(Crash):
        await world.look()
    assert world.guests() == []


@pytest.mark.parametrize("pause", [timedelta(hours=2), timedelta(minutes=90), timedelta(days=3)])
async def test_a_deletion_of_ours_without_its_record_is_undone_whenever_it_is_found(pause: timedelta) -> None:
    """Stopped in the middle of a wrong deletion, corrected, started again: the policy `leave` is about others."""
    world = World()
    await deletion_unrecorded(world)
    world.source.restore(ADA)
    world.clock.advance(pause)
    await world.look(redelivered=True)
    assert len(world.guests()) == 1
    assert world.in_step()


async def test_a_deletion_of_ours_without_its_record_is_known_after_an_undecided_look() -> None:
    """The group is missing at first, and back two hours later."""
    world = World(assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups[SALES] = {ADA}
    await world.linked()
    world.source.groups[SALES] = set()
    world.faults.fail_next("target.soft_delete", Crash(), after=True)
    with pytest.raises(Crash):
        await world.look()
    del world.source.groups[SALES]
    await world.look(redelivered=True)
    world.clock.advance(timedelta(hours=2))
    world.source.groups[SALES] = {ADA}
    await world.look(redelivered=True)
    assert len(world.guests()) == 1


async def test_a_deletion_of_ours_without_its_record_is_known_of_somebody_disabled_meanwhile() -> None:
    """Disabled when it is found, and enabled a week later: the account comes back."""
    world = World()
    await deletion_unrecorded(world)
    world.source.restore(ADA)
    world.change(accountEnabled=False)
    world.clock.advance(timedelta(hours=2))
    await world.look(redelivered=True)
    world.clock.advance(timedelta(days=7))
    world.change(accountEnabled=True)
    await world.look()
    assert len(world.guests()) == 1


async def test_a_deletion_by_somebody_else_after_ours_came_to_nothing_is_theirs() -> None:
    """Begun, refused, taken back; what an administrator of the target deletes a week later stays deleted."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)
    world.faults.fail_next("target.soft_delete", UnavailableError())
    await world.look()
    world.source.restore(ADA)
    await world.look()
    world.clock.advance(timedelta(days=7))
    world.target.deleted |= world.target.users
    world.target.users.clear()
    world.change(department="Sales")
    await world.look()
    assert await world.reason() == "deleted in target"
    assert world.guests() == []

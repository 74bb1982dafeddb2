"""Losing a membership takes an account only after a read that knows it: of the user, of the groups, right before."""

from __future__ import annotations

from functools import partial

import pytest

from sync_core.model import Assigned, Deprovision, LinkState, Policy
from sync_core.model.errors import GraphRefusedError, SyncError, UnavailableError
from tests.support.make import ADA, BOB, SALES, STAFF
from tests.support.world import World, names

ASSIGNED = Assigned(groups=frozenset({SALES, STAFF}), members=frozenset({BOB}))


async def member(policy: Policy | None = None) -> World:
    """Ada is in Sales, which is in Staff, and was synchronized a while ago."""
    world = World(assigned=ASSIGNED, policy=policy)
    world.source.groups = {STAFF: {SALES}, SALES: {ADA}}
    await world.linked()
    return world


async def test_a_member_at_any_depth_is_provisioned_and_somebody_else_is_not() -> None:
    """Nested membership counts; whoever is no member costs a read and nothing else."""
    world = World(assigned=Assigned(groups=frozenset({STAFF})))
    world.source.groups = {STAFF: {SALES}, SALES: {ADA}}
    world.hire()
    world.hire(BOB, "Bob")
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    world.forget_calls()
    assert names(await world.look(BOB)) == []
    assert world.graph_calls() == ["source.read_user"], "whether the groups exist matters to nobody here"
    assert await world.reason(BOB) == "out of scope"


async def test_who_leaves_the_last_group_is_deleted_also_when_disabled_first() -> None:
    """Entra's documented gap is not ours."""
    world = await member()
    world.change(accountEnabled=False)
    assert names(await world.look()) == ["Disable"]
    world.source.groups[SALES].clear()
    assert names(await world.look()) == ["SoftDelete"]
    assert world.guests() == []


async def test_who_comes_back_gets_the_same_account() -> None:
    """Within 30 days Entra still has it."""
    world = await member()
    before = world.guests()
    world.source.groups[SALES].clear()
    await world.look()
    world.source.groups[STAFF].add(ADA)
    assert names(await world.look()) == ["Restore", "Update"]
    assert world.guests() == before


@pytest.mark.parametrize("gone", [SALES, STAFF])
@pytest.mark.parametrize("how", [Deprovision.SOFT_DELETE, Deprovision.DISABLE])
async def test_a_group_that_was_deleted_takes_no_account(gone: str, how: Deprovision) -> None:
    """Its members are undecided: neither deleted nor disabled, and parked with the group's name."""
    world = await member(Policy(out_of_scope=how))
    world.source.groups[SALES].clear()
    del world.source.groups[gone]
    outcome = await world.look()
    assert (names(outcome), outcome.error) == ([], "undecided")
    assert world.target.writes == []
    assert await world.reason() == "undecided"


async def test_a_group_that_is_deleted_after_the_decision_takes_no_account() -> None:
    """The read right before the deletion asks the same questions again."""
    world = await member()
    world.source.groups[SALES].clear()
    gone_at_the_second = partial(world.source.on_next_read, lambda: world.source.groups.pop(STAFF))
    world.source.on_next_read(gone_at_the_second)
    outcome = await world.look()
    assert (names(outcome), outcome.error) == ([], "undecided")
    assert len(world.guests()) == 1


async def test_a_membership_that_comes_back_in_between_keeps_the_account() -> None:
    """Moved from one group to the other: removed here a moment before being added there."""
    world = await member()
    world.source.groups[SALES].clear()
    world.source.on_next_read(lambda: world.source.groups[STAFF].add(ADA))
    assert names(await world.look()) == ["Update"], "begun with the deletion in mind, so nothing is taken for written"
    assert "soft_delete" not in dict(world.target.writes)
    assert len(world.guests()) == 1


@pytest.mark.parametrize("call", ["source.read_user", "source.missing_groups"])
@pytest.mark.parametrize(
    "error", [UnavailableError(), GraphRefusedError(status=403, code="Authorization_RequestDenied")]
)
async def test_a_membership_that_cannot_be_read_takes_no_account(call: str, error: SyncError) -> None:
    """No permission, no answer: that is not the lack of a membership."""
    world = await member()
    world.source.groups[SALES].clear()
    world.faults.fail_next(call, error)
    outcome = await world.look()
    assert (names(outcome), outcome.error) == ([], error.code)
    assert world.target.writes == []


async def test_who_is_assigned_by_id_is_asked_for_no_group() -> None:
    """One read, and what becomes of the groups is nothing to them."""
    world = World(assigned=ASSIGNED)
    world.hire(BOB, "Bob")
    assert names(await world.look(BOB)) == ["Invite", "Adopt", "Update"]
    assert world.faults.count("source.missing_groups") == 0
    assert (await world.stored(BOB)).state is LinkState.LINKED


async def test_an_emptied_group_is_held_by_the_guard() -> None:
    """All of its members are out, and beyond the limit nobody is deleted until a person says so."""
    world = World(assigned=Assigned(groups=frozenset({STAFF})))
    people = [f"{n:08}-0000-0000-0000-000000000000" for n in range(14)]
    world.source.groups = {STAFF: set(people)}
    for n, user_id in enumerate(people):
        await world.linked(user_id, f"User{n}")
    world.source.groups[STAFF].clear()
    changes = [names(await world.look(user_id)) for user_id in people]
    assert changes.count(["SoftDelete"]) == 10
    assert changes.count(["Hold"]) == 4
    assert len(await world.storage.guards.holds(world.sync.name)) == 4

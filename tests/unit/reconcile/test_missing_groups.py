"""A group that is not there gives no access and takes none, whatever else the record and the filters say.

Each of these histories once gave or took access wrongly.
"""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import Assigned, DeletedInTarget, Deprovision, LinkState, Operator, Policy, Why
from sync_core.model.errors import UnavailableError
from sync_core.model.messages import GROUPS
from tests.support.faults import Crash
from tests.support.make import ADA, OWNER, SALES
from tests.support.scopes import department, either, grouped, guarded, member, only
from tests.support.world import World, names

O = Operator  # noqa: E741
DISABLE = Policy(out_of_scope=Deprovision.DISABLE)
HOWS = [Deprovision.DISABLE, Deprovision.SOFT_DELETE]


# --- nobody loses access ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", HOWS)
async def test_a_group_that_was_deleted_when_the_tables_were_lost_disables_nobody(how: Deprovision) -> None:
    """A read that was made while the pair was unknown does not serve to decide about the pair."""
    world = World(assigned=Assigned(groups=frozenset({SALES})), owner_attribute=OWNER, policy=Policy(out_of_scope=how))
    world.source.groups = {SALES: {ADA}}
    await world.linked()
    await world.lose_tables()
    del world.source.groups[SALES]
    world.forget_calls()
    outcome = await world.look(why=Why.MARKED)
    assert "Disable" not in names(outcome)
    assert outcome.error == "undecided"
    assert (await world.storage.guards.window(world.sync.name)).slices in ({}, {}), "nothing counted"


@pytest.mark.parametrize("how", HOWS)
async def test_a_group_that_is_restored_between_two_questions_takes_no_access(how: Deprovision) -> None:
    """The memberships were asked while the group was away, and whether it exists when it was back."""
    world = guarded(member(O.IN, SALES), policy=Policy(out_of_scope=how))
    world.source.groups[SALES].add(ADA)
    await world.linked()
    del world.source.groups[SALES]

    def restored() -> None:
        world.source.groups[SALES] = {ADA}

    world.source.on_read = restored
    outcome = await world.look()
    assert "Disable" not in names(outcome)


# --- nobody whom the group kept out comes in --------------------------------------------------------------------


async def test_a_second_filter_without_groups_does_not_let_in_whom_a_deleted_group_kept_out() -> None:
    """The first filter still asks for the group."""
    world = grouped(either((member(O.NOT_IN, SALES), department("Research")), (department("Legal"),)), DISABLE)
    await world.linked()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["Disable"]
    del world.source.groups[SALES]
    outcome = await world.look()
    assert names(outcome) == []
    assert world.enabled() == [False]


async def test_whom_a_deleted_group_had_disabled_stays_so_when_the_tables_are_lost() -> None:
    """The tries after the first look know no more than it did."""
    world = World(filters=only(member(O.NOT_IN, SALES)), policy=DISABLE, owner_attribute=OWNER)
    world.source.groups = {SALES: set()}
    await world.linked()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["Disable"]
    await world.lose_tables()
    del world.source.groups[SALES]
    outcome = await world.look(why=Why.MARKED)
    assert outcome.error == "undecided"
    assert world.enabled() == [False]
    await world.deliver(timedelta(minutes=15))
    assert world.enabled() == [False]


async def test_a_look_at_an_absent_user_does_not_forget_that_a_group_kept_them_out() -> None:
    """A deleted user has no memberships to read, so that look says nothing about groups."""
    world = guarded(
        member(O.NOT_IN, SALES), policy=Policy(out_of_scope=Deprovision.DISABLE, source_deleted=Deprovision.DISABLE)
    )
    await world.linked()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["Disable"]
    world.source.soft_delete(ADA)
    await world.look()
    world.source.restore(ADA)
    del world.source.groups[SALES]
    outcome = await world.look()
    assert names(outcome) == []
    assert world.enabled() == [False]


@pytest.mark.parametrize("how", HOWS)
async def test_a_crash_does_not_forget_that_a_group_kept_somebody_out(how: Deprovision) -> None:
    """Wherever the look that took access away broke off, the next one does not give it back."""

    async def prepared() -> World:
        world = guarded(member(O.NOT_IN, SALES), policy=Policy(out_of_scope=how))
        await world.linked()
        world.source.groups[SALES].add(ADA)
        world.forget_calls()
        return world

    world = await prepared()
    await world.look()
    bad: list[tuple[int, bool]] = []
    for n in range(len(world.faults.calls)):
        for after in (False, True):
            world = await prepared()
            world.faults.fail_at(n, Crash(), after=after)
            with pytest.raises(Crash):
                await world.look()
            lost = world.enabled() != [True]
            del world.source.groups[SALES]
            if not lost:
                continue
            await world.look(redelivered=True)
            if world.enabled() == [True]:
                bad.append((n, after))
    assert bad == []


async def test_whom_the_target_deleted_is_not_restored_while_a_group_is_missing() -> None:
    """The update that finds no target user was decided without asking for the group."""
    world = guarded(member(O.NOT_IN, SALES), policy=Policy(deleted_in_target=DeletedInTarget.RESTORE))
    await world.linked()
    world.source.groups[SALES].add(ADA)  # not seen yet
    del world.source.groups[SALES]
    (guest,) = world.guests()
    world.target.remove(guest)
    world.change(department="Legal")
    outcome = await world.look()
    assert "Restore" not in names(outcome)
    assert world.guests() == []


@pytest.mark.parametrize("gone", [False, True])
async def test_an_unfinished_invitation_is_ended_for_who_was_kept_out_meanwhile(gone: bool) -> None:
    """The guest is not shown yet when the group takes the person in; a later look comes back for it.

    While the group is missing the guest is left alone, and it is linked once the group is there and empty.
    """
    world = guarded(member(O.NOT_IN, SALES))
    world.hire()
    world.faults.fail_next("target.invite", UnavailableError(), after=True)
    world.clock.advance(timedelta(seconds=1))
    await world.worker.handle(world.nomination())
    (guest,) = world.guests()
    world.target.invisible.add(guest)
    world.source.groups[SALES].add(ADA)
    if gone:
        del world.source.groups[SALES]
    await world.deliver(timedelta(minutes=2))
    world.target.invisible.clear()
    await world.deliver(timedelta(hours=3))
    if gone:
        world.source.groups[SALES] = set()
        await world.deliver(timedelta(days=1, hours=12))
        assert (await world.stored()).state is LinkState.LINKED, await world.stored()
        return
    for _ in range(3):
        world.clock.advance(timedelta(days=1))
        await world.feeds.run(await world.started(GROUPS))
        await world.deliver()
    assert world.guests() == []

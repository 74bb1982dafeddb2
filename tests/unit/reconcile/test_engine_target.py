"""What somebody else does in the target tenant, and what its replicas do not know yet: no leaver is lost."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import DeletedInTarget, LinkState, Policy, Reason
from sync_core.model.errors import GraphRefusedError
from tests.support.faults import Crash
from tests.support.make import ADA
from tests.support.world import World, names


async def test_a_target_user_who_is_gone_already_is_a_success() -> None:
    """404 on a delete: the link is forgotten, and nothing is tried again."""
    world = World()
    await world.linked()
    world.target.users.clear()
    world.source.soft_delete(ADA)
    outcome = await world.look()
    assert names(outcome) == ["SoftDelete"]
    assert outcome.error == ""
    assert await world.link() is None


async def test_a_target_user_whom_somebody_else_deleted_stays_restorable() -> None:
    """404 on a delete, and the user is in deletedItems: the link keeps the pair."""
    world = World()
    await world.linked()
    (guest,) = world.guests()
    world.target.deleted[guest] = world.target.users.pop(guest)
    world.source.soft_delete(ADA)
    await world.look()
    assert (await world.stored()).state is LinkState.DELETED


async def test_a_delete_that_meets_a_404_on_a_user_who_is_there_is_tried_again() -> None:
    """One server does not know the user yet, another does: recording a deletion would leave a leaver with access."""
    world = World()
    await world.linked()
    (guest,) = world.guests()
    world.source.soft_delete(ADA)
    world.target.missed_deletes.add(guest)
    outcome = await world.look()
    assert outcome.error == "NotVisibleYet"
    assert (await world.stored()).state is LinkState.LINKED
    await world.deliver()
    assert world.guests() == []
    assert (await world.stored()).state is LinkState.DELETED


@pytest.mark.parametrize("said", ["not yet", "nobody"])
async def test_a_new_guest_whom_a_delete_does_not_find_is_not_forgotten(said: str) -> None:
    """Hired and gone within minutes: a forgotten link would leave the leaver an account that nobody owns."""
    world = World()
    world.hire()
    await world.look()
    world.source.soft_delete(ADA)
    world.target.invisible.update(world.guests())
    if said == "nobody":
        world.target.missed_deletes.update(world.guests())
    outcome = await world.look()
    assert outcome.error == "NotVisibleYet"
    world.target.invisible.clear()
    await world.deliver()
    assert world.guests() == []


async def test_a_restore_that_one_server_cannot_do_yet_is_tried_again() -> None:
    """404 on the restore, and the user is in deletedItems all the same."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    world.target.missed_restores.update(world.target.deleted)
    world.source.restore(ADA)
    assert (await world.look()).error == "NotVisibleYet"
    await world.deliver()
    assert world.in_step()


async def test_a_deletion_that_was_tried_for_hours_is_still_our_own() -> None:
    """Refused for hours, done at last, and never recorded: the returner is restored all the same."""
    world = World()
    await world.linked()
    (guest,) = world.guests()
    world.source.soft_delete(ADA)
    world.faults.fail_next("target.soft_delete", GraphRefusedError(status=403, code="Forbidden"))
    await world.look()
    world.clock.advance(timedelta(hours=2))

    def die() -> None:
        raise Crash

    world.target.after_delete = die
    with pytest.raises(Crash):
        await world.look()
    world.target.after_delete = lambda: None
    assert guest in world.target.deleted
    world.source.restore(ADA)
    await world.look(redelivered=True)
    assert world.guests() == [guest]
    assert world.in_step()


async def test_deleted_in_target_is_left_by_policy_and_settled() -> None:
    """Somebody in the target deleted the account: by default their word stands. Nobody is parked."""
    world = World()
    await world.linked()
    (guest,) = world.guests()
    world.target.deleted[guest] = world.target.users.pop(guest)
    world.change(department="Sales")
    assert not (await world.look()).error
    link = await world.stored()
    assert (link.state, link.parked, await world.reason()) == (LinkState.LOST, None, "deleted in target")
    world.forget_calls()
    await world.look()
    assert world.target.writes == []
    assert world.guests() == []


async def test_deleted_in_target_is_restored_by_policy() -> None:
    """With `deleted_in_target: restore` the account comes back with the attributes of today."""
    world = World(policy=Policy(deleted_in_target=DeletedInTarget.RESTORE))
    await world.linked()
    (guest,) = world.guests()
    world.target.deleted[guest] = world.target.users.pop(guest)
    world.change(department="Sales")
    outcome = await world.look()
    assert names(outcome) == ["Update", "Restore", "Update"]
    assert world.guests() == [guest]
    assert world.in_step()


async def test_an_internal_user_whom_the_target_deleted_is_not_restored() -> None:
    """Converted to an internal user, and deleted as such: neither brought back nor replaced by another guest."""
    world = World(policy=Policy(deleted_in_target=DeletedInTarget.RESTORE))
    account = await world.linked()
    (guest,) = world.guests()
    account.external = False
    world.target.remove(guest)
    world.change(jobTitle="Head")
    world.forget_calls()
    assert (await world.look()).error == Reason.INTERNAL_USER
    assert [write for write, _ in world.target.writes] == ["update"]  # which met the 404
    await world.deliver(timedelta(days=2))
    assert world.guests() == []
    assert guest in world.target.deleted


async def test_whoever_was_restored_in_the_target_is_ours_again() -> None:
    """They deleted the account, thought better of it, and the next look writes every attribute."""
    world = World()
    await world.linked()
    (guest,) = world.guests()
    world.target.deleted[guest] = world.target.users.pop(guest)
    world.change(department="Sales")
    await world.look()
    world.target.users[guest] = world.target.deleted.pop(guest)
    assert names(await world.look()) == ["Update"]
    assert world.in_step()
    assert (await world.stored()).state is LinkState.LINKED

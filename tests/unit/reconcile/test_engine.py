"""The main stories of one user, from hire to return, and how many calls each of them takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import SOFT_DELETE_RETENTION, Apply, Deprovision, LinkState, Policy, Rule, Update, Why
from tests.support.make import ADA, ADDRESS, NAME
from tests.support.world import World, names


async def test_a_new_user_takes_one_invitation_and_one_patch() -> None:
    """Invite, adopt the guest of our own invitation, tell those who report to them, write every attribute at once,
    read once more: nothing left."""
    world = World()
    world.hire()
    outcome = await world.look(why=Why.NOTIFICATION)
    assert names(outcome) == ["Invite", "Adopt", "Update"]
    assert world.graph_calls() == [
        "source.read_user",
        "target.candidates",
        "target.invite",
        "target.read_user",
        "source.reports",
        "target.update",
        "source.read_user",
    ]
    (guest,) = world.guests()
    assert outcome.target_id == guest
    assert world.in_step()
    assert world.target.users[guest].attributes["userType"] == "Member"
    link = await world.stored()
    assert (link.state, link.target_id, link.dirty, link.on_create_written) == (LinkState.LINKED, guest, False, True)


async def test_no_change_takes_no_target_call_at_all() -> None:
    """A nomination of a user who is in step costs one read of the source."""
    world = World()
    await world.linked()
    outcome = await world.look(why=Why.NOTIFICATION)
    assert outcome.changes == ()
    assert world.graph_calls() == ["source.read_user"]
    assert world.target.writes == []


async def test_an_update_writes_only_what_differs() -> None:
    """One changed department is one PATCH with one attribute."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    outcome = await world.look(why=Why.NOTIFICATION)
    assert outcome.changes == (Update(attributes={"department": "Sales"}),)
    assert world.graph_calls() == ["source.read_user", "target.read_user", "target.update", "source.read_user"]
    assert world.in_step()


async def test_extension_attributes_of_both_kinds_take_one_patch() -> None:
    """Graph takes them as one value: the first has those for new users in it, later ones have not."""
    world = World()
    rules = (
        Rule(target="extensionAttribute1", source="department"),
        Rule(target="extensionAttribute2", constant="new", apply=Apply.ON_CREATE),
    )
    world.syncs[NAME] = replace(world.sync, mapping=rules)
    world.hire()
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    (guest,) = world.guests()
    both = {"extensionAttribute1": "Research", "extensionAttribute2": "new"}
    assert world.target.users[guest].attributes["onPremisesExtensionAttributes"] == both
    world.change(department="Sales")
    outcome = await world.look()
    assert outcome.changes == (Update(attributes={"onPremisesExtensionAttributes": {"extensionAttribute1": "Sales"}}),)


async def test_an_attribute_that_the_source_cleared_is_cleared() -> None:
    """A value that is gone in the source does not linger in the target."""
    world = World()
    account = await world.linked()
    world.change(department=None)
    await world.look()
    assert account.attributes["department"] is None


async def test_a_user_type_that_the_target_changed_is_left_alone() -> None:
    """What the mapping writes on create is written once."""
    world = World()
    account = await world.linked()
    account.attributes["userType"] = "Guest"
    world.change(department="Sales")
    await world.look()
    assert account.attributes["userType"] == "Guest"


async def test_a_disabled_user_is_disabled_and_enabled_again() -> None:
    """Suspension is carried over within one message, and so is its end."""
    world = World()
    account = await world.linked()
    world.change(accountEnabled=False)
    assert names(await world.look()) == ["Disable"]
    assert account.attributes["accountEnabled"] is False
    world.change(accountEnabled=True)
    assert names(await world.look()) == ["Update"]
    assert account.attributes["accountEnabled"] is True


async def test_a_leaver_is_confirmed_by_a_second_read_and_deleted() -> None:
    """Soft-deleted in the source, soft-deleted in the target, and the source is asked right before."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)
    outcome = await world.look()
    assert names(outcome) == ["SoftDelete"]
    assert world.graph_calls()[:5] == [
        "source.read_user",
        "target.read_user",
        "target.soft_delete",
        "target.read_user",
        "source.read_user",
    ]
    assert world.guests() == []
    assert (await world.stored()).state is LinkState.DELETED


@pytest.mark.parametrize("what", ["left", "changed", "disabled", "out of scope"])
async def test_a_user_who_was_converted_to_an_internal_one_is_let_go(what: str) -> None:
    """Nothing is written, deleted or claimed any more; a source user who is to have access meets an internal user."""
    world = World(policy=Policy(out_of_scope=Deprovision.DISABLE))
    account = await world.linked()
    account.external = False
    before = dict(account.attributes)
    match what:
        case "left":
            world.source.soft_delete(ADA)
        case "changed":
            world.change(department="Sales")
        case "disabled":
            world.change(accountEnabled=False)
        case "out of scope":
            world.change(creationType="Invitation")
    outcome = await world.look()
    assert names(outcome) == ["LetGo"]
    assert outcome.error == ("internal user" if what == "changed" else "")
    assert world.target.writes == []
    assert account.attributes == before
    (guest,) = world.guests()
    assert await world.storage.links.owner(world.sync.target.id, guest) is None


@pytest.mark.parametrize("how", [Deprovision.SOFT_DELETE, Deprovision.DISABLE, Deprovision.LEAVE])
async def test_an_employee_who_becomes_a_guest_of_the_source_is_deprovisioned(how: Deprovision) -> None:
    """By the policy for users out of scope, through the guard; a user who never was ours is skipped."""
    world = World(policy=Policy(out_of_scope=how))
    await world.linked()
    world.change(externalUserState="Accepted")
    changes = {Deprovision.SOFT_DELETE: ["SoftDelete"], Deprovision.DISABLE: ["Disable"], Deprovision.LEAVE: []}
    assert names(await world.look()) == changes[how]
    assert names(await world.look()) == []
    world.change(externalUserState=None)
    back = {Deprovision.SOFT_DELETE: ["Restore", "Update"], Deprovision.DISABLE: ["Update"], Deprovision.LEAVE: []}
    assert names(await world.look()) == back[how]
    assert world.in_step()


@pytest.mark.parametrize("what", ["left", "out of scope", "changed"])
async def test_a_user_who_is_converted_while_a_write_waits_for_its_permit_is_let_go(what: str) -> None:
    """The write budget may be used up for minutes: the target user is read once more before the request."""
    world = World(policy=Policy(out_of_scope=Deprovision.DISABLE))
    account = await world.linked()
    before = dict(account.attributes)

    async def convert() -> None:
        account.external = False
        world.clock.advance(timedelta(minutes=2))

    match what:
        case "left":
            world.source.soft_delete(ADA)
        case "changed":
            world.change(department="Sales")
        case "out of scope":
            world.change(externalUserState="Accepted")
    if what == "left":
        world.faults.after_next("table.links.replace", convert)
    else:
        world.target.before_update = convert
    assert names(await world.look()) == ["LetGo"]
    assert world.target.writes == []
    assert account.attributes == before


async def test_a_returner_gets_their_own_account_back() -> None:
    """Restored in the source, restored in the target: the same id, with the attributes of today."""
    world = World()
    await world.linked()
    (guest,) = world.guests()
    world.source.soft_delete(ADA)
    await world.look()
    world.source.restore(ADA)
    world.change(jobTitle="Fellow")
    world.forget_calls()
    outcome = await world.look()
    assert names(outcome) == ["Restore", "Update"]
    assert world.guests() == [guest]
    assert world.in_step()
    assert ("invite", ADDRESS) not in world.target.writes


async def test_a_returner_during_the_confirming_read_is_not_deleted() -> None:
    """The deletion rests on the read right before it, not on the one that asked for it."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)

    def comes_back() -> None:
        if ADA in world.source.deleted:
            world.source.restore(ADA)

    world.source.on_read = comes_back
    outcome = await world.look()
    assert "soft_delete" not in [write for write, _ in world.target.writes]
    assert outcome.error == ""
    assert world.in_step()
    assert (await world.stored()).state is LinkState.LINKED


async def test_a_deleted_pair_is_forgotten_when_nobody_can_bring_it_back() -> None:
    """After the retention of both tenants the record goes, and with it the claim."""
    world = World()
    await world.linked()
    (guest,) = world.guests()
    world.source.soft_delete(ADA)
    await world.look()
    world.clock.advance(SOFT_DELETE_RETENTION)
    world.source.purge(ADA)
    world.target.deleted.clear()
    assert names(await world.look()) == ["Forget"]
    assert await world.link() is None
    assert await world.storage.links.owner(world.sync.target.id, guest) is None
    assert (await world.look()).changes == ()


async def test_a_returner_whose_account_was_purged_is_invited_anew() -> None:
    """What cannot be restored is made again; the old pair is over."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    world.target.deleted.clear()
    world.source.restore(ADA)
    assert names(await world.look()) == ["Restore", "Invite", "Adopt", "Update"]
    assert len(world.guests()) == 1
    assert world.in_step()

"""The main stories of one user, from hire to return, and how many calls each of them takes."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.errors import ConflictError, GraphRefusedError, UnavailableError
from sync_core.mapping import DEFAULT_MAPPING, apply_mapping
from sync_core.model import (
    SOFT_DELETE_RETENTION,
    Adoption,
    Change,
    DeletedInTarget,
    Deprovision,
    Invite,
    Link,
    LinkState,
    Outcome,
    Policy,
    SoftDelete,
    Update,
    digest,
    fingerprints,
)
from tests.support.faults import Crash
from tests.support.make import ADA, ADDRESS, BOB, GUEST, NAME
from tests.support.world import World

_GRAPH = ("source.", "target.")


def names(outcome: Outcome) -> list[str]:
    return [change.name for change in outcome.changes]


def graph_calls(world: World) -> list[str]:
    return [call for call in world.faults.calls if call.startswith(_GRAPH)]


async def test_a_new_user_takes_one_invitation_and_one_patch() -> None:
    """Invite, adopt the guest of our own invitation, write every attribute at once, read once more: nothing left."""
    world = World()
    world.hire()
    outcome = await world.look()
    assert names(outcome) == ["Invite", "Adopt", "Update"]
    assert graph_calls(world) == [
        "source.read_user",
        "target.candidates",
        "target.invite",
        "target.read_user",
        "target.update",
        "source.read_user",
    ]
    (guest,) = world.guests()
    assert outcome.target_id == guest
    assert world.in_step()
    assert world.target.users[guest].attributes["userType"] == "Member"
    link = await world.stored()
    assert (link.state, link.target_id, link.dirty, link.created) == (LinkState.LINKED, guest, False, True)


async def test_no_change_takes_no_target_call_at_all() -> None:
    """A nomination of a user who is in step costs one read of the source."""
    world = World()
    await world.linked()
    outcome = await world.look()
    assert outcome.changes == ()
    assert graph_calls(world) == ["source.read_user"]
    assert world.target.writes == []


async def test_an_update_writes_only_what_differs() -> None:
    """One changed department is one PATCH with one attribute."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    outcome = await world.look()
    assert outcome.changes == (Update(attributes={"department": "Sales"}),)
    assert graph_calls(world) == ["source.read_user", "target.update", "source.read_user"]
    assert world.in_step()


async def test_an_attribute_that_the_source_cleared_is_cleared() -> None:
    """What is gone in the source does not linger in the target."""
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
    assert graph_calls(world)[:3] == ["source.read_user", "target.soft_delete", "source.read_user"]
    assert world.guests() == []
    assert (await world.stored()).state is LinkState.DELETED


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


async def test_a_new_guest_whom_a_delete_does_not_find_is_not_forgotten() -> None:
    """Hired and gone within minutes: a forgotten link would leave the leaver an account that nobody owns."""
    world = World()
    world.hire()
    await world.look()
    world.source.soft_delete(ADA)
    world.target.invisible.update(world.guests())
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
    """Refused for hours, done at last, and never recorded: the returner is restored, not left as somebody's deletion."""
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


async def test_deleted_in_target_is_left_and_parked_by_policy() -> None:
    """Somebody in the target deleted the account: by default their word stands, and nothing is written."""
    world = World()
    await world.linked()
    (guest,) = world.guests()
    world.target.deleted[guest] = world.target.users.pop(guest)
    world.change(department="Sales")
    outcome = await world.look()
    assert outcome.error == "deleted in target"
    assert (await world.stored()).state is LinkState.LOST
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


async def test_two_source_users_with_one_address_share_no_guest() -> None:
    """The first is synchronized; the second is refused by the name of the link that owns the guest."""
    world = World()
    world.hire()
    world.hire(BOB, "Ada")
    await world.look(ADA)
    outcome = await world.look(BOB)
    assert outcome.error == "already linked"
    assert len(world.guests()) == 1
    assert (await world.stored(BOB)).target_id is None


async def test_two_users_who_race_for_one_guest_end_with_one_owner() -> None:
    """Both were invited before either was linked: the claim has one winner, the other writes nothing."""
    world = World()
    world.hire()
    world.hire(BOB, "Ada")
    for user_id in (ADA, BOB):
        link = Link(sync=NAME, source_id=user_id, state=LinkState.INVITING, invited_at=world.clock.now())
        await world.storage.links.save(link)
    world.target.add(GUEST, ADDRESS)
    assert names(await world.look(BOB)) == ["Adopt", "Update"]
    world.forget_calls()
    assert (await world.look(ADA)).error == "already linked"
    assert world.target.writes == []
    assert (await world.stored(ADA)).state is LinkState.SEEN


async def test_a_claim_that_is_lost_at_the_last_moment_writes_nothing() -> None:
    """Nobody owned the guest when we looked; somebody does when we claim."""
    world = World(policy=Policy(adopt=Adoption.GUESTS))
    world.hire()
    world.target.add(GUEST, ADDRESS)
    link = Link(sync=NAME, source_id=ADA)
    decided = await world.engine.decide(world.sync, await world.source.read_user(ADA), link)
    await world.storage.links.claim(world.sync.target.id, GUEST, f"{NAME}/{BOB}")
    with pytest.raises(ConflictError):
        await world.engine.applier.apply(decided)
    assert world.target.writes == []


@pytest.mark.parametrize("external", [True, False], ids=["guest", "internal user"])
async def test_somebody_who_was_there_before_is_never_touched(external: bool) -> None:
    """No invitation, no write, however often the user is looked at; the refusal says why."""
    world = World()
    world.target.add(GUEST, ADDRESS, external=external, department="Theirs")
    world.clock.advance(timedelta(days=90))
    world.hire()
    for _ in range(3):
        outcome = await world.look()
        assert outcome.error == ("unadopted" if external else "internal user")
    world.source.soft_delete(ADA)
    await world.look()
    assert world.target.writes == []
    assert world.target.users[GUEST].attributes == {"department": "Theirs"}


async def test_an_existing_guest_is_adopted_when_the_policy_says_so() -> None:
    """No invitation; the guest gets every attribute, and is ours from now on."""
    world = World(policy=Policy(adopt=Adoption.GUESTS))
    world.target.add(GUEST, ADDRESS, department="Theirs")
    world.clock.advance(timedelta(days=90))
    world.hire()
    assert names(await world.look()) == ["Adopt", "Update"]
    assert world.in_step()
    assert world.target.writes == [("update", GUEST)]


async def test_an_invitation_that_meets_an_old_guest_adopts_nobody() -> None:
    """The search index did not show the guest, the invitation gave their id: they are still not ours."""
    world = World()
    world.target.add(GUEST, ADDRESS, department="Theirs")
    world.target.unsearchable.add(GUEST)
    world.clock.advance(timedelta(days=90))
    world.hire()
    outcome = await world.look()
    assert outcome.error == "unadopted"
    link = await world.stored()
    assert (link.state, link.target_id) == (LinkState.SEEN, None)
    assert world.target.users[GUEST].attributes == {"department": "Theirs"}


async def test_a_refused_invitation_leaves_nothing_open() -> None:
    """Graph said no: the user is parked, and no guest of the future is taken for ours."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", GraphRefusedError(status=403, code="Authorization_RequestDenied"))
    outcome = await world.look()
    assert outcome.error == "403 Authorization_RequestDenied"
    link = await world.stored()
    assert (link.state, link.invited_at) == (LinkState.SEEN, None)


async def test_a_guest_who_is_not_visible_yet_is_waited_for_and_not_invited_twice() -> None:
    """Entra takes its time to show a new user; the message comes back until it does."""
    world = World()
    world.hire()
    world.target.invisible.add("guest-1")
    outcome = await world.look()
    assert outcome.error == "NotVisibleYet"
    assert names(outcome) == []
    await world.deliver(timedelta(seconds=10))
    world.target.invisible.clear()
    await world.deliver(timedelta(minutes=2))
    assert world.target.writes.count(("invite", ADDRESS)) == 1
    assert world.in_step()


async def test_a_guest_who_was_deleted_before_we_saw_them_is_invited_again() -> None:
    """After a quarter of an hour absence means absence."""
    world = World()
    world.hire()
    world.target.invisible.add("guest-1")
    await world.look()
    world.target.users.clear()
    world.target.invisible.clear()
    await world.deliver(timedelta(hours=1))
    assert world.target.writes.count(("invite", ADDRESS)) == 2
    assert world.in_step()


async def test_a_new_guest_whom_a_write_does_not_find_is_waited_for() -> None:
    """Reads show the guest, the write goes to a server that does not: nobody is taken for deleted."""
    world = World()
    world.hire()
    world.target.missed_updates.add("guest-1")
    outcome = await world.look()
    assert outcome.error == "NotVisibleYet"
    assert (await world.stored()).dirty
    await world.deliver()
    assert world.in_step()


@pytest.mark.parametrize("user", ["disabled", "external"])
async def test_whoever_is_not_to_be_provisioned_costs_one_read(user: str) -> None:
    """No search in the target for users who would be skipped anyway."""
    world = World()
    world.hire(**({"accountEnabled": False} if user == "disabled" else {"creationType": "Invitation"}))
    outcome = await world.look()
    assert outcome.changes == ()
    assert graph_calls(world) == ["source.read_user"]
    assert (await world.stored()).reason == user


async def test_a_new_user_whom_graph_mentions_but_does_not_show_yet_is_waited_for() -> None:
    """The notification is quicker than the replica that is asked."""
    world = World()
    await world.storage.queues.nominate([world.nomination()])
    await world.deliver(timedelta(seconds=5))
    assert await world.link() is None
    world.hire()
    await world.deliver(timedelta(seconds=40))
    assert world.in_step()


async def test_a_forged_notification_costs_a_few_reads_and_leaves_nothing() -> None:
    """Somebody who never appears is not looked for for ever."""
    world = World()
    await world.storage.queues.nominate([world.nomination("no-such-user")])
    await world.deliver(timedelta(minutes=5))
    assert await world.nominated() == []
    assert await world.link("no-such-user") is None
    assert world.target.writes == []
    assert world.faults.count("source.read_user") <= 24


async def test_an_unknown_user_leaves_no_record() -> None:
    """A forged or stale nomination costs a read, and nothing else."""
    world = World()
    outcome = await world.look("no-such-user")
    assert outcome.changes == ()
    assert await world.link("no-such-user") is None


async def test_a_leaver_is_disabled_when_the_policy_says_so() -> None:
    """`source_deleted: disable` keeps the account; the returner gets access and attributes back."""
    world = World(policy=Policy(source_deleted=Deprovision.DISABLE))
    account = await world.linked()
    world.source.soft_delete(ADA)
    assert names(await world.look()) == ["Disable"]
    assert account.attributes["accountEnabled"] is False
    assert (await world.look()).changes == ()
    world.source.restore(ADA)
    assert names(await world.look()) == ["Update"]
    assert world.in_step()


async def test_disabling_a_half_written_user_does_not_make_its_record_trusted() -> None:
    """The department was written and never recorded; disabling alone must not declare the old record true."""
    world = World(policy=Policy(source_deleted=Deprovision.DISABLE))
    account = await world.linked()
    account.attributes["department"] = "Sales"  # written by a worker that died before it recorded
    link = await world.stored()
    await world.storage.links.save(replace(link, dirty=True))
    world.source.soft_delete(ADA)
    await world.look()
    world.source.restore(ADA)  # with the department that the record still says was applied
    await world.look()
    assert world.in_step()


async def test_disabling_an_unfinished_user_leaves_the_first_attributes_to_be_written() -> None:
    """What is written on create was not, when all that was written is that the account is disabled."""
    world = World(policy=Policy(source_deleted=Deprovision.DISABLE))
    world.hire()
    world.faults.fail_next("target.update", UnavailableError())
    await world.look()
    world.source.soft_delete(ADA)
    await world.look()
    world.source.restore(ADA)
    await world.look()
    ((_, account),) = world.target.of(ADDRESS)
    assert account.attributes["userType"] == "Member"
    assert world.in_step()


async def test_a_user_who_changes_while_being_written_is_read_again() -> None:
    """The last read found nothing to do, so the end state is the newest source."""
    world = World()
    await world.linked()
    titles = iter(["One", "Two"])
    world.change(jobTitle="Zero")

    def moves() -> None:
        title = next(titles, None)
        if title is not None:
            world.change(jobTitle=title)

    world.source.on_read = moves
    outcome = await world.look()
    assert names(outcome) == ["Update", "Update", "Update"]
    assert world.in_step()
    link = await world.stored()
    assert link.digest == digest(fingerprints(apply_mapping(DEFAULT_MAPPING, world.source.users[ADA]).always))


async def test_a_user_who_never_stops_changing_does_not_hold_a_worker_for_ever() -> None:
    """After a few reads the message goes back to the queue."""
    world = World()
    await world.linked()
    turns = iter(range(1000))
    world.change(jobTitle="none yet")
    world.source.on_read = lambda: world.change(jobTitle=f"title {next(turns)}")
    outcome = await world.look()
    assert outcome.error == "Conflict"
    world.source.on_read = lambda: None
    await world.deliver()
    assert world.in_step()


async def test_a_dry_look_writes_nothing_anywhere() -> None:
    """Deciding for show reads; neither tenant, link, window nor hold is changed."""
    world = World()
    world.hire()
    decided = await world.engine.decide(
        world.sync, await world.source.read_user(ADA), Link(sync=NAME, source_id=ADA), dry_run=True
    )
    assert isinstance(decided.change, Invite)
    await world.look()
    world.source.soft_delete(ADA)
    world.forget_calls()
    decided = await world.engine.decide(
        world.sync, await world.source.read_user(ADA), await world.stored(), dry_run=True
    )
    assert isinstance(decided.change, SoftDelete)
    assert world.target.writes == []
    assert not [call for call in world.faults.calls if call.endswith((".insert", ".replace", ".upsert", ".delete"))]


async def test_a_change_that_is_none_is_not_carried_out() -> None:
    """Applying what a look already settled is a mistake in the program, and says so."""
    world = World()
    await world.linked()
    decided = await world.engine.decide(world.sync, await world.source.read_user(ADA), await world.stored())
    with pytest.raises(TypeError, match="Skip"):
        await world.engine.applier.apply(decided)
    assert isinstance(decided.change, Change)

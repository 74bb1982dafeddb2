"""Users who are not visible yet, not to be provisioned, half written, or changing while they are written."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.mapping import DEFAULT_MAPPING, apply_mapping
from sync_core.model import Change, Deprovision, Invite, Policy, SoftDelete, digest, fingerprints
from sync_core.model.errors import UnavailableError
from tests.support.make import ADA, ADDRESS
from tests.support.world import World, names, yes


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
    assert world.graph_calls() == ["source.read_user"]
    assert await world.reason() == user


async def test_a_new_user_whom_graph_mentions_but_does_not_show_yet_is_waited_for() -> None:
    """The notification is quicker than the replica that is asked."""
    world = World()
    await world.storage.queues.nominate([world.nomination()])
    await world.deliver(timedelta(seconds=5))
    assert await world.link() is None
    world.hire()
    await world.deliver(timedelta(seconds=40))
    assert world.in_step()


async def test_a_new_user_whom_one_replica_has_not_heard_of_is_not_taken_for_a_leaver() -> None:
    """Linked a moment ago, and the next read says that there is no such user: nobody is deleted for that."""
    world = World()
    world.hire()
    await world.look()
    unheard = world.source.users.pop(ADA)
    world.clock.advance(timedelta(seconds=20))
    assert (await world.look()).error == "NotVisibleYet"
    await world.deliver(timedelta(minutes=5))
    assert world.target.writes.count(("soft_delete", "guest-1")) == 0
    world.source.users[ADA] = unheard
    await world.deliver(timedelta(minutes=30))
    assert world.in_step()


async def test_a_new_user_who_is_purged_at_once_is_believed_to_be_gone_in_the_end() -> None:
    """After a quarter of an hour every replica has heard."""
    world = World()
    world.hire()
    await world.look()
    del world.source.users[ADA]
    world.clock.advance(timedelta(seconds=20))
    await world.look()
    await world.deliver(timedelta(hours=1))
    assert ("soft_delete", "guest-1") in world.target.writes


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
    """A write that only disables the account leaves the on-create attributes still to be written."""
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
    decided = await world.engine.preview(world.sync, ADA)
    assert isinstance(decided.change, Invite)
    await world.look()
    world.source.soft_delete(ADA)
    world.forget_calls()
    decided = await world.engine.preview(world.sync, ADA)
    assert isinstance(decided.change, SoftDelete)
    assert world.target.writes == []
    assert not [call for call in world.faults.calls if call.endswith((".insert", ".replace", ".upsert", ".delete"))]


async def test_a_change_that_is_none_is_not_carried_out() -> None:
    """Applying what a look has already called done is a mistake in the program, and says so."""
    world = World()
    await world.linked()
    decided = await world.engine.preview(world.sync, ADA, dry_run=False)
    with pytest.raises(TypeError, match="Skip"):
        await world.engine.applier.apply(decided, yes)
    assert isinstance(decided.change, Change)

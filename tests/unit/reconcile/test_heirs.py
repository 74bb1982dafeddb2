"""Two syncs of one source into one target: Ada is in Sales and in Staff, and leaves Sales."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.assembly import Runtime
from sync_core.model import Assigned, DeletedInTarget, Deprovision, LinkState, Outcome, Policy, Why
from sync_core.model.errors import ConflictError, UnavailableError
from sync_core.ops.proposals import propose_rename
from sync_core.ops.syncs import act
from sync_core.reconcile.lag import VISIBLE_WITHIN
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, CONTOSO, NAME, SALES, STAFF, sync
from tests.support.world import World, names, yes

THEIRS = "staff"


async def both(*, policy: Policy | None = None, owner_attribute: str | None = None) -> tuple[World, str]:
    """Ada is linked by Sales; Staff has her in scope too, and is refused, since her guest belongs to Sales."""
    staff = sync(name=THEIRS, assigned=Assigned(groups=frozenset({STAFF})), owner_attribute=owner_attribute)
    world = World(
        policy=policy, assigned=Assigned(groups=frozenset({SALES})), owner_attribute=owner_attribute, more=[staff]
    )
    world.source.groups = {SALES: {ADA}, STAFF: {ADA}}
    await world.linked()
    assert (await look(world, THEIRS)).error == "already linked"
    world.clock.advance(timedelta(hours=1))
    (guest,) = world.guests()
    world.forget_calls()
    return world, guest


async def look(world: World, name: str, why: Why = Why.APPROVED) -> Outcome:
    world.clock.advance(timedelta(milliseconds=1))
    outcome = await world.worker.handle(replace(world.nomination(why=why), sync=name))
    assert outcome is not None
    return outcome


async def owners(world: World, guest: str) -> tuple[str | None, list[str]]:
    """The owner of the claim on the guest, and the syncs whose links have it."""
    links = [await world.storage.links.get(name, ADA) for name in (NAME, THEIRS)]
    linked = [each.sync for each in links if each and each.state is LinkState.LINKED and each.target_id == guest]
    return await world.storage.links.owner(world.sync.target.id, guest), linked


@pytest.mark.parametrize("out_of_scope", Deprovision)
@pytest.mark.parametrize("owner_attribute", [None, "extension_0_owner"])
async def test_who_leaves_one_of_two_syncs_is_handed_over(
    out_of_scope: Deprovision, owner_attribute: str | None
) -> None:
    """Whatever the policy: nobody is deleted or disabled, and Staff writes what it wants from now on."""
    world, guest = await both(policy=Policy(out_of_scope=out_of_scope), owner_attribute=owner_attribute)
    world.source.groups[SALES].clear()
    outcome = await look(world, NAME)
    assert (names(outcome), outcome.error) == (["HandOver"], "")
    assert world.target.writes == []
    assert await owners(world, guest) == (f"{THEIRS}/{ADA}", [THEIRS])
    await world.deliver()
    assert world.in_step()
    assert world.enabled() == [True]
    ours = await world.stored()
    assert (ours.state, ours.parked) == (LinkState.SEEN, None)


async def test_a_deletion_of_ours_that_is_found_after_the_handing_over_is_no_deletion_of_others() -> None:
    """An old answer of the target showed the guest whom Sales had deleted; Staff, which has the pair now, restores."""
    world, guest = await both(policy=Policy(deleted_in_target=DeletedInTarget.LEAVE))
    await world.storage.links.save(replace(await world.stored(), deleted_at=world.clock.now()))
    world.target.remove(guest)
    world.source.groups[SALES].clear()
    assert names(await look(world, NAME)) == ["HandOver"]
    await world.deliver()
    assert world.enabled() == [True]


async def test_who_then_leaves_the_other_is_deleted() -> None:
    """By Staff, through its guard."""
    world, guest = await both()
    world.source.groups[SALES].clear()
    await look(world, NAME)
    await world.deliver()
    world.source.groups[STAFF].clear()
    world.clock.advance(timedelta(hours=1))
    assert names(await look(world, THEIRS)) == ["SoftDelete"]
    assert world.guests() == []
    assert guest in world.target.deleted


async def test_who_leaves_both_at_once_is_deleted() -> None:
    """Nobody takes the pair."""
    world, _ = await both()
    world.source.groups = {SALES: set(), STAFF: set()}
    assert names(await look(world, NAME)) == ["SoftDelete"]


async def test_who_leaves_the_company_is_deleted() -> None:
    """Staff would do the same."""
    world, _ = await both()
    world.source.soft_delete(ADA)
    assert names(await look(world, NAME)) == ["SoftDelete"]


async def test_one_whose_scope_cannot_be_decided_there_stays() -> None:
    """A group of Staff is missing: Staff neither lets in nor deprovisions, and so Sales does not delete."""
    world, _ = await both()
    world.source.groups[SALES].clear()
    del world.source.groups[STAFF]
    await look(world, NAME)
    await world.deliver()
    assert world.enabled() == [True]


async def test_a_sync_that_has_a_target_user_of_its_own_takes_no_other() -> None:
    """Ada has two guests by two addresses: the one of Sales goes."""
    world, guest = await both()
    theirs = await world.storage.links.get(THEIRS, ADA)
    assert theirs is not None
    at = world.clock.now()
    await world.storage.links.save(theirs.adopted("guest-of-staff", linked_at=at))
    world.source.groups[SALES].clear()
    assert names(await look(world, NAME)) == ["SoftDelete"]
    assert guest in world.target.deleted


async def test_a_word_to_keep_goes_along() -> None:
    """Said of her in Sales: Staff, which has her now, keeps her as long."""
    world, _ = await both()
    until = world.clock.now() + timedelta(days=30)
    await world.runtime.kept.say(NAME, ADA, until, by="op", reason="a handover")
    world.source.groups[SALES].clear()
    await look(world, NAME)
    await world.deliver()
    world.source.groups[STAFF].clear()
    world.clock.advance(timedelta(hours=1))
    await look(world, THEIRS)
    assert world.target.deleted == {}


@pytest.mark.parametrize("begun", [False, True])
async def test_an_invitation_of_the_heir_is_not_forgotten(begun: bool) -> None:
    """Somebody deleted the guest of Sales, so Staff invites her. A link that took that guest would leave the new one.

    The same holds for a hand-over that had begun.
    """
    world, guest = await both()
    theirs, ours = await world.storage.links.get(THEIRS, ADA), await world.stored()
    assert theirs is not None
    inviting = theirs.invitation_begun(world.clock.now(), "n1").invited("guest-of-staff")
    await world.storage.links.save(inviting)
    if begun:
        await world.storage.links.save(ours.hand_over_begun(THEIRS))
    del world.target.users[guest]
    world.source.groups[SALES].clear()
    assert (await look(world, NAME)).error == "NotVisibleYet"
    still = await world.storage.links.get(THEIRS, ADA)
    assert still is not None
    assert (still.state, still.target_id) == (LinkState.INVITING, "guest-of-staff")


@pytest.mark.parametrize("came", ["with its id", "with its mark", "never"])
async def test_an_invitation_of_the_heir_that_came_to_nothing_is_waited_for_no_longer(came: str) -> None:
    """Graph named a guest whom it never made, and she is disabled, so that Staff does not invite her again.

    She would keep her access to the target for good, since neither sync writes. A guest who is there is waited for.
    """
    world, guest = await both()
    theirs = await world.storage.links.get(THEIRS, ADA)
    assert theirs is not None
    inviting = theirs.invitation_begun(world.clock.now(), "n1").invited("never-made")
    await world.storage.links.save(inviting)
    if came != "never":
        account = world.target.add("never-made" if came == "with its id" else "made", "a@fabrikam.example")
        account.attributes["displayName"] = f"{inviting.invitation_mark} Ada"
    world.source.groups[SALES].clear()
    world.change(accountEnabled=False)
    assert (await look(world, NAME)).error == "NotVisibleYet"
    world.clock.advance(VISIBLE_WITHIN)
    assert (await look(world, NAME)).error == ("" if came == "never" else "NotVisibleYet")
    await world.deliver()
    assert came != "never" or world.target.users[guest].attributes["accountEnabled"] is False


@pytest.mark.parametrize("out_of_scope", Deprovision)
async def test_a_sync_that_deleted_its_target_user_takes_the_one_that_there_is(out_of_scope: Deprovision) -> None:
    """Its own could not be restored: the other one has the address. Without that, Ada would lose access."""
    world, guest = await both(policy=Policy(out_of_scope=out_of_scope))
    theirs = await world.storage.links.get(THEIRS, ADA)
    assert theirs is not None
    at = world.clock.now()
    theirs = theirs.adopted("former-guest", linked_at=at)
    await world.storage.links.claim(world.sync.target.id, "former-guest", theirs.owner)
    await world.storage.links.save(replace(theirs.deleted(), dirty=False))
    world.source.groups[SALES].clear()
    assert names(await look(world, NAME)) == ["HandOver"]
    await world.deliver()
    assert (world.enabled(), await owners(world, guest)) == ([True], (f"{THEIRS}/{ADA}", [THEIRS]))
    assert await world.storage.links.owner(world.sync.target.id, "former-guest") is None


async def test_a_deletion_that_was_undone_is_not_finished_when_she_joins_the_other_sync() -> None:
    """Its worker died before the record. In the look that restores her she changes from Sales to Staff."""
    world, guest = await both()
    world.source.groups = {SALES: set(), STAFF: set()}
    world.faults.fail_next("target.soft_delete", Crash(), after=True)
    with suppress(Crash):
        await look(world, NAME)
    assert world.guests() == []
    world.source.groups[SALES].add(ADA)

    async def changes() -> None:
        world.source.groups = {SALES: set(), STAFF: {ADA}}

    world.faults.after_next("target.restore", changes)
    assert names(await look(world, NAME)) == ["Update", "Restore", "Update", "HandOver"]
    assert (world.guests(), await world.storage.guards.hold(NAME, ADA)) == ([guest], None)


async def test_who_joins_the_other_sync_before_the_deletion_is_sent_is_handed_over() -> None:
    """One read may be old: right before the request, one more read has to say that Staff does not have her either."""
    world, guest = await both()
    world.source.groups = {SALES: set(), STAFF: set()}
    reads = iter(range(10))

    def joins_after_two_reads() -> None:
        if next(reads) == 1:
            world.source.groups[STAFF].add(ADA)

    world.source.on_read = joins_after_two_reads
    assert names(await look(world, NAME)) == ["HandOver"]
    await world.deliver()
    assert (world.enabled(), await owners(world, guest)) == ([True], (f"{THEIRS}/{ADA}", [THEIRS]))


async def test_a_hand_over_to_a_sync_that_is_gone_is_called_off() -> None:
    """It was taken out of sync.yaml meanwhile: then policy decides as always."""
    world, guest = await both()
    link = await world.stored()
    await world.storage.links.save(link.hand_over_begun("retired"))
    assert names(await look(world, NAME)) == ["HandOver", "Update"]
    assert await owners(world, guest) == (f"{NAME}/{ADA}", [NAME])
    assert (await world.stored()).heir is None


async def test_a_sync_that_is_stopped_takes_nobody() -> None:
    """Staff is stored for another target: it would judge nobody, and so Sales does what its policy says."""
    world, guest = await both()
    _, records = await world.storage.syncs.all()
    elsewhere = (CONTOSO.id, "33333333-3333-3333-3333-333333333333")
    await world.storage.syncs.save(replace(records[THEIRS], tenants=elsewhere))
    world.source.groups[SALES].clear()
    assert names(await look(world, NAME)) == ["SoftDelete"]
    assert guest in world.target.deleted


async def test_the_link_of_the_heir_names_its_tenants() -> None:
    """Should Staff be stopped before it looks, the pair is not taken for one of other tenants later."""
    world, guest = await both()
    world.source.groups[SALES].clear()
    theirs = await world.storage.links.get(THEIRS, ADA)
    assert theirs is not None
    await world.storage.links.save(replace(theirs, tenants=None))  # as a row of version 0.1
    await look(world, NAME)
    theirs = await world.storage.links.get(THEIRS, ADA)
    assert theirs is not None
    assert (theirs.target_id, theirs.tenants) == (guest, (CONTOSO.id, world.sync.target.id))


async def test_whom_the_target_blocked_is_not_enabled_by_a_hand_over() -> None:
    """The other sync would write every attribute. The user waits, blocked as before, and is not deleted either."""
    world, guest = await both()
    world.target.users[guest].attributes["accountEnabled"] = False
    world.source.groups[SALES].clear()
    assert (await look(world, NAME)).error == "blocked in target"
    await world.deliver()
    assert (world.enabled(), world.target.writes) == ([False], [])
    world.target.users[guest].attributes["accountEnabled"] = True
    world.clock.advance(timedelta(days=1))
    assert names(await look(world, NAME)) == ["HandOver"]


async def test_whom_we_disabled_ourselves_is_handed_over_and_enabled() -> None:
    """By the policy of Sales, before Staff had the user in scope."""
    world, guest = await both(policy=Policy(out_of_scope=Deprovision.DISABLE))
    world.source.groups = {SALES: set(), STAFF: set()}
    assert names(await look(world, NAME)) == ["Disable"]
    world.source.groups[STAFF].add(ADA)
    assert names(await look(world, NAME)) == ["HandOver"]
    await world.deliver()
    assert (world.enabled(), await owners(world, guest)) == ([True], (f"{THEIRS}/{ADA}", [THEIRS]))


async def test_who_comes_back_in_the_middle_of_a_hand_over_has_one_writer() -> None:
    """It is finished all the same: two links that write to one guest would be worse."""
    world, guest = await both()
    world.source.groups[SALES].clear()
    world.faults.fail_next("table.links.replace", Crash(), after=True)
    with pytest.raises(Crash):
        await look(world, NAME)
    world.source.groups[SALES].add(ADA)
    await look(world, NAME)
    await world.deliver()
    assert await owners(world, guest) == (f"{THEIRS}/{ADA}", [THEIRS])


async def test_a_hand_over_that_dies_or_fails_anywhere_ends_with_one_owner() -> None:
    """Before and after each call, and with a look of Staff before the next one of Sales: nobody is deleted."""
    world, _ = await both()
    world.source.groups[SALES].clear()
    await look(world, NAME)
    total = len(world.faults.calls)
    assert total > 12
    for n in range(total):
        for after in (False, True):
            for error in (Crash(), UnavailableError()):
                world, guest = await both()
                world.source.groups[SALES].clear()
                world.faults.fail_at(n, error, after=after)
                with suppress(Crash, UnavailableError):
                    await look(world, NAME)
                world.faults.calm()
                for name in (THEIRS, NAME, THEIRS):
                    world.clock.advance(timedelta(minutes=1))
                    await look(world, name)
                await world.deliver(timedelta(minutes=10))
                assert await owners(world, guest) == (f"{THEIRS}/{ADA}", [THEIRS]), (n, after, error)
                assert world.enabled() == [True]
                assert not world.target.deleted


async def test_a_deletion_that_was_begun_is_finished_first() -> None:
    """It may still arrive: a pair that was handed over meanwhile would lose its guest to it."""
    world, guest = await both()
    world.source.groups = {SALES: set(), STAFF: set()}
    world.target.delete_error = UnavailableError()
    await look(world, NAME)
    world.source.groups[STAFF].add(ADA)
    assert names(await look(world, NAME)) == ["SoftDelete"]
    assert guest in world.target.deleted


@pytest.mark.parametrize("call", ["source.read_user", "target.read_user", "target.soft_delete"])
async def test_a_deletion_that_was_begun_and_never_sent_is_not_finished(call: str) -> None:
    """A failure stood before its last question was answered. She joins Staff, and is handed over."""
    world, guest = await both()
    world.source.groups = {SALES: set(), STAFF: set()}

    async def fails() -> None:
        world.faults.fail_next(call, UnavailableError())

    world.faults.after_next("table.links.replace", fails)
    await look(world, NAME)
    assert (await world.stored()).dirty
    world.source.groups[STAFF].add(ADA)
    assert names(await look(world, NAME)) == ["HandOver"]
    await world.deliver()
    assert (world.enabled(), await owners(world, guest)) == ([True], (f"{THEIRS}/{ADA}", [THEIRS]))


async def test_a_worker_with_an_older_record_writes_nothing() -> None:
    """It decided on an update while the pair was handed over: its compare-and-swap is lost."""
    world, guest = await both()
    world.change(department="Sales")
    old = await world.engine.preview(world.sync, ADA)
    world.source.groups[SALES].clear()
    await look(world, NAME)
    world.forget_calls()
    with pytest.raises(ConflictError):
        await world.engine.applier.apply(old, yes)
    assert world.target.writes == []
    assert await owners(world, guest) == (f"{THEIRS}/{ADA}", [THEIRS])


async def both_with_bob(*, policy: Policy | None = None) -> tuple[World, str]:
    """Bob is in Staff alone, and linked by it."""
    world, guest = await both(policy=policy)
    world.source.groups[STAFF].add(BOB)
    world.hire(BOB, "Bob")
    outcome = await world.worker.handle(replace(world.nomination(BOB, Why.OPERATOR), sync=THEIRS))
    assert outcome is not None
    assert names(outcome) == ["Invite", "Adopt", "Update"]
    world.clock.advance(timedelta(hours=1))
    world.forget_calls()
    return world, guest


async def staff_is_renamed(world: World) -> tuple[Runtime, Runtime]:
    """Nobody has said yet that People is Staff."""
    people = replace(world.syncs[THEIRS], name="people")
    world.clock.advance(timedelta(minutes=1))
    app = world.instance({NAME: world.sync, "people": people})
    await app.feeds.poll()
    return app, world.instance({NAME: world.sync, "people": people}, started=False)


@pytest.mark.parametrize("out_of_scope", [Deprovision.SOFT_DELETE, Deprovision.DISABLE])
async def test_a_sync_that_waits_for_its_rename_takes_the_user_afterwards(out_of_scope: Deprovision) -> None:
    """Until then the user is parked, and neither deleted nor disabled."""
    world, guest = await both_with_bob(policy=Policy(out_of_scope=out_of_scope))
    app, command = await staff_is_renamed(world)
    world.source.groups[SALES].clear()
    outcome = await app.worker.handle(world.nomination(why=Why.NOTIFICATION))
    assert outcome is not None
    assert (outcome.changes, outcome.error) == ((), "RenamedSync")
    await act(command, await propose_rename(command, THEIRS, "people"), by="anna")
    world.worker = app.worker
    await world.deliver(timedelta(minutes=10))
    assert await world.storage.links.owner(world.sync.target.id, guest) == f"people/{ADA}"
    assert world.enabled() == [True, True]


async def test_who_is_in_no_scope_of_a_sync_that_waits_for_its_rename_is_deleted() -> None:
    """People would not have the user either, whoever its people are."""
    world, _ = await both_with_bob()
    app, _ = await staff_is_renamed(world)
    world.source.groups = {SALES: set(), STAFF: {BOB}}
    outcome = await app.worker.handle(world.nomination(why=Why.NOTIFICATION))
    assert outcome is not None
    assert names(outcome) == ["SoftDelete"]


@pytest.mark.parametrize("back", [False, True])
async def test_a_hand_over_that_died_before_the_heir_was_renamed_deletes_nobody(back: bool) -> None:
    """Whatever was done by then, and also if the user returns to Sales: in the end one link has the guest."""
    world, _ = await both_with_bob()
    world.forget_calls()
    world.source.groups[SALES].clear()
    await look(world, NAME)
    total = len(world.faults.calls)
    assert total > 12
    for n in range(total):
        world, guest = await both_with_bob()
        world.source.groups[SALES].clear()
        world.faults.fail_at(n, Crash(), after=True)
        with suppress(Crash):
            await look(world, NAME)
        world.faults.calm()
        app, command = await staff_is_renamed(world)
        world.source.groups[SALES] |= {ADA} if back else set()
        await app.worker.handle(world.nomination(why=Why.NOTIFICATION), redelivered=True)
        await act(command, await propose_rename(command, THEIRS, "people"), by="anna")
        world.worker = app.worker
        await world.deliver(timedelta(minutes=30))
        links = [await world.storage.links.get(name, ADA) for name in (NAME, "people")]
        linked = [each.owner for each in links if each and each.state is LinkState.LINKED and each.target_id == guest]
        assert linked == [await world.storage.links.owner(world.sync.target.id, guest)], n
        assert world.enabled() == [True, True]
        assert not world.target.deleted


@pytest.mark.parametrize(("ours", "theirs"), [(5, 2), (2, 5), (5, None)])
async def test_of_two_words_to_keep_the_longer_one_goes_along(ours: int, theirs: int | None) -> None:
    """Each was said of the same person, for another sync: neither ends earlier because the pair was handed over."""
    world, _ = await both()
    now = world.clock.now()
    for name, days in ((NAME, ours), (THEIRS, theirs)):
        if days is not None:
            await world.runtime.kept.say(name, ADA, now + timedelta(days=days), by="anna", reason="parental leave")
    world.source.groups[SALES].clear()
    assert names(await look(world, NAME)) == ["HandOver"]
    record = await world.storage.keeps.get(THEIRS, ADA)
    assert record is not None
    assert record.until == now + timedelta(days=5)

"""Every table is lost, and the ownership marker on the target users brings the links back (invariant 12)."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import (
    Clause,
    Deprovision,
    Filter,
    GuardLimits,
    LinkState,
    Operator,
    Policy,
    Reason,
    SourceState,
    Why,
)
from sync_core.model.errors import GraphRefusedError, UnavailableError
from sync_core.ports import FeedPhase, MarkedPage
from tests.support.directories import pages
from tests.support.make import ADA, ADDRESS, BOB, GUEST, MARKER, NAME, OWNER, person, sync
from tests.support.world import World, names, whom

CYD, DAN, EVE = (f"{letter * 8}-0000-0000-0000-00000000000{n}" for n, letter in enumerate("cde", 3))
PEOPLE = {ADA: "Ada", BOB: "Bob", CYD: "Cyd", DAN: "Dan", EVE: "Eve"}
STAYS = Filter(name="Research", clauses=[Clause(attribute="department", operator=Operator.EQUALS, value="Research")])


async def _everybody(**options: object) -> World:
    """Five people were synchronized long ago."""
    world = World(owner_attribute=OWNER, filters=[STAYS], **options)  # type: ignore[arg-type]
    for user_id, name in PEOPLE.items():
        await world.linked(user_id, name)
    return world


async def _poll(world: World) -> None:
    """One full round, from the first page to the end of its sweeps, and everything that it nominates."""
    listed = [user_id for user_id in PEOPLE if user_id in world.source.users]
    world.source.pages.update(pages([world.source.entry(user_id) for user_id in listed]))
    await world.feeds.run(await world.started(full=True))
    assert await world.deliver() == []


async def test_with_every_table_lost_the_next_poll_restores_the_pairs() -> None:
    """Nobody is invited again. Users disabled, out of scope or deleted meanwhile lose access, as ever."""
    world = await _everybody()
    before = {user_id: (await world.stored(user_id)).target_id for user_id in PEOPLE}
    await world.lose_tables()
    world.change(ADA, mail="ada.lovelace@contoso.example")  # the address leads nowhere any more
    world.change(CYD, accountEnabled=False)
    world.change(DAN, department="Sales")
    world.source.purge(EVE)
    await _poll(world)
    links = {user_id: await world.stored(user_id) for user_id in PEOPLE}
    assert {user_id: link.target_id for user_id, link in links.items()} == before
    assert "invite" not in {what for what, _ in world.target.writes}
    assert [links[user_id].state for user_id in (ADA, BOB, CYD)] == [LinkState.LINKED] * 3
    assert [links[user_id].state for user_id in (DAN, EVE)] == [LinkState.DELETED] * 2
    assert world.target.users[before[CYD] or ""].attributes["accountEnabled"] is False
    assert set(world.target.users) == {before[user_id] for user_id in (ADA, BOB, CYD)}
    world.forget_calls()
    await _poll(world)
    assert world.target.writes == []


async def test_with_every_table_lost_a_user_whom_the_target_had_blocked_stays_so() -> None:
    """The marker tells whose user it is, and not who blocked it: that waits for a person."""
    world = await _everybody()
    (blocked,) = world.guests("bob@contoso.example")
    world.target.users[blocked].attributes["accountEnabled"] = False
    await world.lose_tables()
    await _poll(world)
    parked = (await world.stored(BOB)).parked
    assert parked is not None
    assert parked.reason == Reason.BLOCKED
    assert world.target.users[blocked].attributes["accountEnabled"] is False
    assert ("update", blocked) not in world.target.writes
    await world.storage.links.save((await world.stored(BOB)).approved(blocked))
    assert names(await world.look(BOB)) == ["Adopt", "Update"]
    assert world.target.users[blocked].attributes["accountEnabled"] is True


async def test_with_every_table_lost_somebody_who_became_external_loses_access() -> None:
    """The pages of a feed name no external user; the listing of the marked does."""
    world = await _everybody()
    await world.lose_tables()
    world.change(BOB, externalUserState="Accepted")
    await _poll(world)
    assert world.guests("bob@contoso.example") == []
    assert len(world.target.deleted) == 1


async def test_a_rebuild_passes_the_deletion_guard() -> None:
    """The count of deletions was lost with the tables; the limit was not."""
    world = await _everybody(guard=GuardLimits(max_percent=0, min_count=1))
    await world.lose_tables()
    for user_id in (CYD, DAN, EVE):
        world.source.soft_delete(user_id)
    await _poll(world)
    assert len(world.target.deleted) == 1
    assert len(await world.storage.guards.holds(NAME)) == 2
    assert (await world.feed()).phase is FeedPhase.IDLE


@pytest.mark.parametrize("how", [Deprovision.LEAVE, Deprovision.DISABLE])
async def test_who_left_before_the_loss_is_treated_by_the_policy(how: Deprovision) -> None:
    """Adopted by the marker, then decided like everybody else."""
    world = await _everybody(policy=Policy(source_deleted=how, out_of_scope=how))
    await world.lose_tables()
    world.source.purge(EVE)
    await _poll(world)
    assert not world.target.deleted
    (eve,) = (user for user in world.target.users.values() if user.address == "eve@contoso.example")
    assert eve.attributes["accountEnabled"] is (how is Deprovision.LEAVE)


async def test_a_notification_is_enough_to_find_somebody_again() -> None:
    """The first look at a user without a row asks for the marker, whatever has become of the user."""
    world = await _everybody()
    await world.lose_tables()
    world.source.purge(EVE)
    assert names(await world.look(EVE)) == ["Adopt", "SoftDelete"]
    world.source.soft_delete(DAN)
    assert names(await world.look(DAN)) == ["Adopt", "SoftDelete"]


async def test_the_marker_is_written_with_the_first_attributes() -> None:
    """It costs no write of its own, and a lost one comes back with the next repair."""
    world = World(owner_attribute=OWNER)
    world.hire()
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    ((guest_id, account),) = world.target.of(ADDRESS)
    assert world.target.writes == [("invite", ADDRESS), ("update", guest_id)]
    assert account.attributes[OWNER] == MARKER.text
    account.attributes[OWNER] = None
    assert names(await world.look(redelivered=True)) == ["Update"]
    assert account.attributes[OWNER] == MARKER.text


async def test_a_marker_that_is_configured_later_reaches_everybody() -> None:
    """Another attribute for everybody: the next round is a full one, and nominates who lacks it."""
    world = World()
    account = await world.linked()
    await world.first_round()
    world.syncs[NAME] = sync(owner_attribute=OWNER)
    world.source.pages.update(pages([world.source.entry(ADA)]))
    await world.feeds.run(await world.started())
    assert (await world.feed()).full
    await world.deliver()
    assert account.attributes[OWNER] == MARKER.text
    world.source.pages.update(pages([world.source.entry(ADA)], start="delta:2", end="delta:3"))
    world.forget_calls()
    await world.feeds.run(await world.started())
    assert await world.nominated() == []


async def test_a_deployment_of_another_source_tenant_takes_nobody_for_a_leaver() -> None:
    """The same name of a sync, another source: the marker names the tenant, so these users are somebody else's."""
    world = World(owner_attribute=OWNER)
    theirs = f"{NAME}/33333333-3333-3333-3333-333333333333/{EVE}"
    world.target.add(GUEST, "eve@contoso.example").attributes[OWNER] = theirs
    world.source.pages.update(pages([]))
    await world.feeds.run(await world.started())
    assert await world.nominated() == []
    world.hire(EVE, "Eve")
    assert (await world.look(EVE)).error == "already linked"
    assert world.target.writes == []


async def test_two_who_bear_one_marker_are_left_to_a_person() -> None:
    """A copied marker must not decide whom we write to."""
    world = await _everybody()
    await world.lose_tables()
    world.target.add(GUEST, ADDRESS).attributes[OWNER] = MARKER.text
    world.source.purge(ADA)
    outcome = await world.look(ADA)
    assert outcome.error == "ambiguous"
    assert world.target.writes == []
    world.target.users.pop(GUEST)
    world.clock.advance(timedelta(days=1))
    await world.deliver()
    assert (await world.stored(ADA)).state is LinkState.DELETED


async def test_an_unfinished_invitation_whose_link_was_lost_waits_for_a_person() -> None:
    """Its nonce was lost with the link: by its address alone nobody can tell our guest from a stranger's."""
    world = World(owner_attribute=OWNER)
    world.hire()
    world.faults.fail_next("target.update", UnavailableError())
    await world.look()
    ((guest_id, account),) = world.target.of(ADDRESS)
    assert OWNER not in account.attributes
    await world.lose_tables()
    world.forget_calls()
    assert (await world.look()).error == Reason.UNADOPTED
    assert world.target.writes == []
    await world.storage.links.save((await world.stored()).approved(guest_id))
    assert names(await world.look()) == ["Adopt", "Update"]


@pytest.mark.parametrize("left", [False, True])
async def test_an_invitation_that_was_under_way_when_all_was_lost_is_finished(left: bool) -> None:
    """The worker still knows its nonce, and stores the link anew; one who left meanwhile loses access as ever."""
    world = World(owner_attribute=OWNER)
    world.hire()

    async def lose() -> None:
        await world.lose_tables()
        if left:
            world.source.soft_delete(ADA)

    world.faults.after_next("target.invite", lose)
    await world.look()
    await world.deliver()
    assert len(world.target.of(ADDRESS)) == (0 if left else 1)
    assert [kind for kind, _ in world.target.writes] == ["invite", "soft_delete" if left else "update"]


async def test_a_look_that_came_before_the_target_showed_the_guest_is_made_up_for() -> None:
    """Somebody disabled, looked for in vain once, is nominated again by the listing, and then found."""
    world = await _everybody()
    await world.lose_tables()
    world.change(CYD, accountEnabled=False)
    world.target.unsearchable = set(world.target.users)
    await world.look(CYD)
    assert (await world.stored(CYD)).state is LinkState.SEEN
    world.target.unsearchable.clear()
    world.clock.advance(timedelta(minutes=1))
    await _poll(world)
    assert (await world.stored(CYD)).state is LinkState.LINKED


async def test_only_who_has_no_link_is_nominated_for_the_marker() -> None:
    """Listed page by page; links that are there need nothing."""
    world = await _everybody()
    for user_id in (BOB, DAN):
        await world.storage.links.forget(await world.stored(user_id))
    world.source.pages.update(pages([]))
    await world.feeds.run(await world.started())
    assert [(each.user, each.why) for each in await world.nominated()] == [(BOB, Why.MARKED), (DAN, Why.MARKED)]
    assert (await world.feed()).unlisted == ()


async def test_a_target_whose_listing_has_no_end_does_not_stop_the_feed() -> None:
    """Its page leads to itself: the round ends all the same, and the next one lists again."""
    world = await _everybody()
    world.source.pages.update(pages([]))
    page = MarkedPage(source_ids=[], next_link="x")
    world.target.marked_pages = {None: page, "x": page}
    await world.feeds.run(await world.started())
    state = await world.feed()
    assert (state.phase, state.unlisted, state.error) == (FeedPhase.IDLE, (NAME,), "")


@pytest.mark.parametrize("error", [UnavailableError(), GraphRefusedError(status=400, code="BadRequest")])
async def test_a_target_that_cannot_be_listed_does_not_stop_the_feed(error: Exception) -> None:
    """The round ends all the same; the next one, full or not, lists again from the first page."""
    world = await _everybody()
    await world.storage.links.forget(await world.stored(BOB))
    world.source.pages.update(pages([]))
    world.faults.fail_next("target.marked", error)
    await world.feeds.run(await world.started())
    state = await world.feed()
    assert (state.phase, state.unlisted, state.link) == (FeedPhase.IDLE, (NAME,), None)
    assert await world.nominated() == []
    world.source.pages.update(pages([], start="delta:2", end="delta:3"))
    await world.feeds.run(await world.started())
    assert whom(await world.nominated()) == [BOB]
    assert (await world.feed()).unlisted == ()


async def test_a_round_of_changes_lists_no_target_user() -> None:
    """Only a full round asks the target who bears a marker."""
    world = World(owner_attribute=OWNER)
    await world.first_round()
    world.source.pages.update(pages([], start="delta:2", end="delta:3"))
    await world.feeds.run(await world.started())
    assert "target.marked" not in world.graph_calls()


async def test_who_is_not_to_have_access_costs_one_search_in_the_target() -> None:
    """A disabled user without a link is looked for by the marker once, and by no address."""
    world = World(owner_attribute=OWNER)
    world.source.users[ADA] = person(accountEnabled=False)
    await world.look()
    await world.look()
    assert world.graph_calls().count("target.candidates") == 1
    assert world.source.entry(ADA).state is SourceState.DISABLED

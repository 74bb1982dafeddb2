"""Attributes that Graph refuses: left out one by one, remembered, and never somebody's access."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Deprovision, Outcome, Policy, Why
from sync_core.model.errors import GraphRefusedError, UnavailableError
from tests.support.directories import pages
from tests.support.make import ADA, ADDRESS, BOB
from tests.support.world import World, names, whom

DENIED = "403 Authorization_RequestDenied"


async def refusing(*attributes: str, **policy: object) -> World:
    """Ada was linked a while ago; since then Graph refuses to write these attributes of her target user."""
    world = World(policy=Policy(**policy))  # type: ignore[arg-type]
    await world.linked()
    world.target.refuses = dict.fromkeys(attributes, DENIED)
    return world


async def later(world: World) -> Outcome:
    """A look that a notification asks for, before what was refused is due again."""
    world.clock.advance(timedelta(minutes=1))
    return await world.look(why=Why.NOTIFICATION)


async def test_the_rest_is_written_and_the_refusal_is_reported(caplog: pytest.LogCaptureFixture) -> None:
    """In the record, in the activity and in the log: names and the error's code, no values."""
    world = await refusing("businessPhones")
    world.change(businessPhones=["+49 30 1"], department="Sales")
    with caplog.at_level(logging.WARNING, "xtsync"):
        outcome = await world.look()
    assert (names(outcome), outcome.error, outcome.refused) == (["Update"], "", ("businessPhones",))
    ((_, account),) = world.target.of(ADDRESS)
    assert account.attributes["department"] == "Sales"
    assert account.attributes["businessPhones"] == []
    link = await world.stored()
    assert (link.refused, link.dirty, link.parked) == ({"businessPhones": DENIED}, False, None)
    (event,) = await world.events(limit=1)
    assert event.refused == ("businessPhones",)
    assert f"user.refused sync={world.sync.name} user={ADA} attributes=businessPhones" in caplog.messages
    assert "+49" not in caplog.text


async def test_a_refused_value_is_not_sent_again() -> None:
    """Neither a look nor a feed makes anything of it while it stays the same."""
    world = await refusing("businessPhones")
    world.change(businessPhones=["+49 30 1"])
    await world.look()
    world.forget_calls()
    assert (await later(world)).changes == ()
    assert world.target.writes == []
    assert [each.why for each in await world.nominated()] == [Why.RETRY]
    await world.first_round()
    world.source.pages.update(pages([world.source.entry(ADA)], start="delta:2"))
    await world.feeds.run(await world.started())
    assert whom(await world.nominated()) == []


async def test_a_refused_attribute_does_not_ride_along_with_another() -> None:
    """The next change of something else costs one request, and the refusal stays on record."""
    world = await refusing("businessPhones")
    world.change(businessPhones=["+49 30 1"])
    await world.look()
    world.change(department="Sales")
    world.forget_calls()
    outcome = await later(world)
    assert outcome.refused == ("businessPhones",)
    assert world.faults.count("target.update") == 1


@pytest.mark.parametrize("again", ["another value", "an operator", "a redelivery"])
async def test_a_refused_attribute_is_tried_again_when_there_is_reason_to(again: str) -> None:
    """And once it is accepted, nothing is left to report."""
    world = await refusing("businessPhones")
    world.change(businessPhones=["+49 30 1"])
    await world.look()
    world.target.refuses.clear()
    if again == "another value":
        world.change(businessPhones=["+49 30 2"])
    why = Why.OPERATOR if again == "an operator" else Why.RETRY
    world.forget_calls()
    await world.look(why=why, redelivered=again != "an operator")
    assert world.in_step()
    assert (await world.stored()).refused == {}


async def test_a_refusal_of_what_is_not_mapped_any_more_is_forgotten() -> None:
    """The mapping changed: what it does not speak of is nobody's concern."""
    world = await refusing()
    await world.storage.links.save(replace(await world.stored(), refused={"faxNumber": DENIED}))
    await later(world)
    assert (await world.stored()).refused == {}


async def test_access_that_graph_does_not_let_us_take_is_never_let_go() -> None:
    """Somebody is disabled, and Graph refuses: the rest is written, the user is parked with that reason, and tried
    again until it is done."""
    world = await refusing("accountEnabled")
    world.change(accountEnabled=False, department="Sales")
    outcome = await world.look(why=Why.NOTIFICATION)
    assert outcome.error == f"accountEnabled refused: {DENIED}"
    ((_, account),) = world.target.of(ADDRESS)
    assert account.attributes["department"] == "Sales"
    link = await world.stored()
    assert link.parked is not None
    assert link.parked.reason == outcome.error
    assert not link.dirty, "what was written is on record, so that a later try sends what was refused alone"
    world.target.refuses.clear()
    world.forget_calls()
    await world.deliver(timedelta(minutes=7))
    assert account.attributes["accountEnabled"] is False
    assert (await world.stored()).refused == {}
    assert (await world.stored()).parked is None


async def test_a_deletion_by_disabling_that_is_refused_is_parked_as_well() -> None:
    """By policy a leaver is only disabled: that nothing was written is no success."""
    world = await refusing("accountEnabled", source_deleted=Deprovision.DISABLE)
    world.source.soft_delete(ADA)
    outcome = await world.look(why=Why.NOTIFICATION)
    assert outcome.error.startswith("accountEnabled refused")
    world.target.refuses.clear()
    await world.deliver(timedelta(minutes=7))
    ((_, account),) = world.target.of(ADDRESS)
    assert account.attributes["accountEnabled"] is False


async def test_somebody_who_was_disabled_by_hand_is_parked_no_longer() -> None:
    """Graph refuses all the same, but what was wanted is so: it is recorded, and enabling them again is seen."""
    world = await refusing("accountEnabled")
    ((_, account),) = world.target.of(ADDRESS)
    world.change(accountEnabled=False)
    assert (await world.look()).error
    account.attributes["accountEnabled"] = False
    world.clock.advance(timedelta(hours=1))
    await world.look()
    link = await world.stored()
    assert (link.parked, link.refused) == (None, {})
    world.target.refuses.clear()
    world.change(accountEnabled=True)
    await later(world)
    assert account.attributes["accountEnabled"] is True


async def test_a_refused_disable_is_not_taken_for_done_by_a_read_that_misses_the_user() -> None:
    """The PATCH is refused, and a replica without the user answers the read behind it."""
    world = await refusing("accountEnabled")
    (guest,) = world.guests()
    world.change(accountEnabled=False)

    async def missed() -> None:
        world.target.invisible.add(guest)

    world.faults.after_next("target.update", missed)
    assert (await world.look()).error == f"accountEnabled refused: {DENIED}"
    assert not (await world.stored()).disabled
    world.target.invisible.clear()
    world.target.refuses.clear()
    await world.deliver(timedelta(minutes=7))
    assert world.enabled() == [False]


async def test_a_refused_disable_counts_once_for_the_guard() -> None:
    """However often it is tried again."""
    world = await refusing("accountEnabled")
    world.change(accountEnabled=False)
    for _ in range(3):
        await world.look()
    window = await world.storage.guards.window(world.sync.name)
    assert sum(window.slices.values()) == 1


async def test_a_refused_manager_is_reported_like_any_other() -> None:
    """The reference has a request of its own, and so has its refusal."""
    world = await refusing("manager")
    await world.linked(BOB, "Bob")
    world.target.refuses = {"manager": DENIED}
    world.change(ADA, manager=BOB)
    outcome = await world.look(ADA)
    assert (outcome.refused, outcome.error) == (("manager",), "")
    world.forget_calls()
    await later(world)
    assert world.target.writes == []
    world.target.refuses.clear()
    await world.look(ADA, why=Why.OPERATOR)
    assert (await world.stored(ADA)).refused == {}


async def test_somebody_new_is_made_though_an_attribute_is_refused() -> None:
    """An attribute of the first write is left like any other; the account is complete otherwise."""
    world = World()
    world.target.refuses = {"showInAddressList": DENIED, "userType": DENIED}
    world.hire()
    outcome = await world.look()
    assert names(outcome) == ["Invite", "Adopt", "Update"]
    assert outcome.refused == ("showInAddressList", "userType")
    assert (await world.stored()).on_create_written
    world.forget_calls()
    await later(world)
    assert world.target.writes == []


@pytest.mark.parametrize("name", ["businessPhones", "showInAddressList", "manager"])
async def test_what_was_refused_is_tried_again_until_it_is_accepted(name: str) -> None:
    """Also an attribute that is written once, and a reference: nothing that was refused counts as done."""
    world = World()
    world.hire(BOB, "Bob")
    await world.look(BOB)
    world.target.refuses = {name: DENIED}
    world.hire(ADA, businessPhones=["+49 30 1"], manager=BOB)
    await world.look(ADA)
    assert (await world.stored()).refused.keys() == {name}
    await world.deliver(timedelta(minutes=16))
    assert (await world.stored()).refused.keys() == {name}
    world.target.refuses.clear()
    await world.deliver(timedelta(minutes=30))
    link = await world.stored()
    assert (link.refused, link.refused_since, link.retry) == ({}, {}, None)
    ((_, account),) = world.target.of(ADDRESS)
    assert account.attributes[name]


async def test_what_is_refused_is_tried_again_at_a_falling_rate() -> None:
    """After 5, 10, 20 ... minutes; the record says since when it is refused."""
    world = await refusing("businessPhones")
    began = world.clock.now()
    world.change(businessPhones=["+49 30 1"])
    await world.look(why=Why.NOTIFICATION)
    world.forget_calls()
    await world.deliver(timedelta(hours=3))
    assert world.faults.count("target.update") == 5
    link = await world.stored()
    assert link.refused_since["businessPhones"] - began < timedelta(seconds=1)
    assert link.retry is not None
    assert link.retry.tries == 6
    assert link.parked is None


async def test_another_refusal_begins_at_the_first_rate() -> None:
    """Its reason is another one, and may be gone in five minutes; the older one keeps its beginning."""
    world = await refusing("businessPhones")
    world.change(businessPhones=["+49 30 1"])
    await world.look(why=Why.NOTIFICATION)
    await world.deliver(timedelta(hours=3))
    began = (await world.stored()).refused_since["businessPhones"]
    world.target.refuses["department"] = DENIED
    world.change(department="Sales")
    await world.look(why=Why.NOTIFICATION)
    link = await world.stored()
    assert link.retry is not None
    assert link.retry.tries == 1
    assert link.refused_since["businessPhones"] == began < link.refused_since["department"]


async def test_somebody_who_could_not_be_enabled_again_is_enabled_later() -> None:
    """For an hour each PATCH is refused though the app has consent: enabling is never let go."""
    world = await refusing()
    world.change(accountEnabled=False)
    await world.look()
    ((_, account),) = world.target.of(ADDRESS)
    world.target.refuses = {"accountEnabled": DENIED}
    world.change(accountEnabled=True, department="Sales")
    world.clock.advance(timedelta(minutes=1))
    outcome = await world.look(why=Why.NOTIFICATION)
    assert outcome.error == f"accountEnabled refused: {DENIED}"
    assert account.attributes["department"] == "Sales"
    parked = (await world.stored()).parked
    assert parked is not None
    assert parked.reason == outcome.error
    await world.deliver(timedelta(hours=1))
    assert world.enabled() == [False]
    world.target.refuses.clear()
    await world.deliver(timedelta(hours=2))
    assert world.enabled() == [True]
    link = await world.stored()
    assert (link.parked, link.refused) == (None, {})


async def test_a_refusal_for_somebody_who_is_enabled_already_parks_nobody() -> None:
    """An administrator cannot be enabled by us, and need not be: every attribute was only applied again."""
    world = await refusing("accountEnabled")
    ((_, account),) = world.target.of(ADDRESS)
    assert account.attributes["accountEnabled"] is True
    outcome = await world.look(redelivered=True)
    assert (outcome.error, outcome.refused) == ("", ())


@pytest.mark.parametrize("full", [True, False])
async def test_a_full_round_has_what_was_refused_tried_again(full: bool) -> None:
    """An incremental round speaks of those who changed, and asks for nothing more."""
    world = await refusing("businessPhones")
    world.change(businessPhones=["+49 30 1"])
    await world.look()
    await world.nominated()
    await world.first_round()
    await world.nominated()
    listed = [world.source.entry(ADA)]
    world.source.pages.update({**pages(listed), **pages(listed, start="delta:2")})
    await world.feeds.run(await world.started(full=full))
    assert whom(await world.nominated()) == ([ADA] if full else [])
    world.target.refuses.clear()
    await world.look(why=Why.FEED)
    assert world.in_step()


async def test_a_manager_whom_a_gateway_refused_once_is_written_later() -> None:
    """One 404 of a gateway is neither a missing user nor an answer for ever."""
    world = await refusing()
    await world.linked(BOB, "Bob")
    refusal = GraphRefusedError(status=404, code="unknown")
    world.faults.fail_next("target.set_manager", refusal)
    world.change(ADA, manager=BOB)
    assert (await world.look(ADA, why=Why.NOTIFICATION)).refused == ("manager",)
    await world.deliver(timedelta(minutes=6))
    ((_, account),) = world.target.of(ADDRESS)
    assert account.attributes["manager"] == world.guests("bob@contoso.example")[0]
    assert (await world.stored(ADA)).refused == {}


async def test_a_manager_whom_a_gateway_did_not_let_us_remove_is_removed_later() -> None:
    """That nobody should be there is no reason to think that nobody is."""
    world = await refusing()
    await world.linked(BOB, "Bob")
    world.change(ADA, manager=BOB)
    await world.look(ADA)
    world.faults.fail_next("target.set_manager", GraphRefusedError(status=403, code="unknown"))
    world.change(ADA, manager=None)
    await world.look(ADA, why=Why.NOTIFICATION)
    await world.deliver(timedelta(minutes=6))
    ((_, account),) = world.target.of(ADDRESS)
    assert account.attributes["manager"] is None


async def test_a_retry_that_an_earlier_version_dropped_is_made_up_for() -> None:
    """An instance of that version finds nobody parked, and drops the message: the first look after its time sends."""
    world = await refusing("businessPhones")
    world.change(businessPhones=["+49 30 1"])
    await world.look(why=Why.NOTIFICATION)
    assert [each.why for each in await world.nominated()] == [Why.RETRY]
    world.target.refuses.clear()
    world.clock.advance(timedelta(minutes=4))
    assert (await world.look(why=Why.NOTIFICATION)).changes == ()
    world.clock.advance(timedelta(minutes=2))
    assert names(await world.look(why=Why.NOTIFICATION)) == ["Update"]
    assert world.in_step()


@pytest.mark.parametrize("look", ["a notification", "the retry"])
async def test_a_row_of_an_earlier_version_has_its_refusals_tried_at_the_next_look(look: str) -> None:
    """Such a row knows no retry, whether it is old or an instance of that version wrote it last."""
    world = await refusing("businessPhones")
    world.change(businessPhones=["+49 30 1"])
    await world.look(why=Why.NOTIFICATION)
    table = world.storage.tables_by_name["links"]
    (row,) = [row async for row in table.query(world.sync.name)]
    new = {"refused_since", "retry_due", "retry_count", "refusing"}
    assert new <= row.values.keys()
    earlier = {name: value for name, value in row.values.items() if name not in new}
    await table.replace(replace(row, values=earlier), row.etag)
    world.target.refuses.clear()
    if look == "the retry":
        await world.deliver(timedelta(minutes=6))
    else:
        assert names(await later(world)) == ["Update"]
    assert world.in_step()


async def test_a_guest_whose_invitation_was_not_heard_of_stays_ours_though_the_next_one_is_refused() -> None:
    """The first answer was lost, a gateway refuses the second try: the mark that the guest bears is still known."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", UnavailableError("lost"), after=True)
    await world.look()
    ((made, _),) = world.target.of(ADDRESS)
    hidden = world.target.users.pop(made)
    world.faults.fail_next("target.invite", GraphRefusedError(status=404, code="unknown"))
    assert (await world.look(why=Why.OPERATOR)).error == "404 unknown"
    world.target.users[made] = hidden
    await world.deliver(timedelta(minutes=7))
    assert [*world.target.users] == [made]
    assert (await world.stored()).target_id == made

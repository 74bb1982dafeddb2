"""A person repairs a pair: makes one, ends it, moves it to another source user, or has it redeemed anew."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import suppress
from datetime import timedelta

import pytest

from sync_core.model import (
    Adoption,
    Assigned,
    Control,
    Deprovision,
    GuardLimits,
    Kind,
    LinkState,
    Policy,
    SoftDelete,
    Sync,
    Why,
)
from sync_core.model.errors import GraphRefusedError, UnavailableError
from sync_core.ops.controls import control
from sync_core.ops.errors import RefusedError, UsageError
from sync_core.ops.pairs import link_pair, move, pairs, redeem, unlink
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, HOLD_ALL, NAME, OWNER, SALES, STAFF, sync
from tests.support.world import World

NEW = "aaaaaaaa-0000-0000-0000-00000000000f"  # Ada's account after her return
BY = "anna"


async def ada(
    *, adopt: Adoption = Adoption.GUESTS, guard: GuardLimits | None = None, out: Deprovision = Deprovision.SOFT_DELETE
) -> tuple[World, str]:
    """Ada is linked; guests are adopted by their address."""
    world = World(policy=Policy(adopt=adopt, out_of_scope=out), owner_attribute=OWNER, guard=guard)
    await world.linked()
    (guest,) = world.guests()
    world.target.users[guest].redeemed = True
    return world, guest


async def ended(world: World, user: str = ADA) -> None:
    await unlink(world.instance(world.syncs, started=False), world.sync, user, by=BY, reason="theirs now")
    await world.deliver()


async def moved(world: World, *, into: Sync | None = None, to: str = NEW) -> None:
    runtime = world.instance(world.syncs, started=False)
    await move(runtime, world.sync, ADA, into or world.sync, to, by=BY)
    await world.deliver(timedelta(minutes=10))


async def linked(world: World, user: str, target_id: str) -> None:
    runtime = world.instance(world.syncs, started=False)
    await link_pair(runtime, world.sync, user, target_id, by=BY)
    await world.deliver()


async def later(world: World, user: str = ADA) -> None:
    world.clock.advance(timedelta(hours=1))
    await world.look(user)


async def test_a_pair_that_a_person_ended_stays_ended() -> None:
    """The guest keeps access whatever becomes of Ada, bears no marker, is not adopted, and nobody is invited."""
    world, guest = await ada()
    await ended(world)
    account = world.target.users[guest]
    assert account.attributes[OWNER] is None
    world.change(department="Other")
    await later(world)
    assert (world.guests(), account.attributes["department"]) == ([guest], "Research")
    assert await world.reason() == "unlinked by a person"
    world.source.soft_delete(ADA)
    await later(world)
    assert (world.guests(), account.attributes.get("accountEnabled")) == ([guest], True)
    kinds = {(event.kind, event.operator) for event in await world.events(ADA)}
    assert {(Kind.UNLINKED, ""), (Kind.APPROVED, BY)} <= kinds


async def test_nobody_else_adopts_the_guest_either() -> None:
    """Somebody of the same address waits for a person."""
    world, guest = await ada()
    await ended(world)
    world.source.soft_delete(ADA)
    world.hire(NEW, "Ada")
    await later(world, NEW)
    assert await world.reason(NEW) == "unlinked by a person"
    await linked(world, NEW, guest)
    assert (await world.stored(NEW)).target_id == guest


async def test_a_pair_can_be_made_again_after_its_end() -> None:
    """By a person's word; the marker and all attributes are written."""
    world, guest = await ada()
    await ended(world)
    world.change(department="Other")
    await linked(world, ADA, guest)
    account = world.target.users[guest]
    assert (account.attributes["department"], bool(account.attributes[OWNER])) == ("Other", True)
    assert await world.storage.links.owner(world.sync.target.id, guest) == f"{NAME}/{ADA}"


async def test_after_the_loss_of_all_tables_an_ended_pair_is_not_made_by_its_marker() -> None:
    """The marker is gone, so that a leaver's former guest is not deleted."""
    world, guest = await ada(adopt=Adoption.REVIEW)
    await ended(world)
    await world.lose_tables()
    world.source.soft_delete(ADA)
    await later(world)
    assert world.guests() == [guest]


async def test_a_held_leaver_who_is_unlinked_is_held_no_more() -> None:
    """The guest stays, and the list of holds has nobody."""
    world, guest = await ada(guard=HOLD_ALL)
    world.source.soft_delete(ADA)
    await later(world)
    assert await world.storage.guards.hold(NAME, ADA) is not None
    await ended(world)
    assert (world.guests(), await world.storage.guards.hold(NAME, ADA)) == ([guest], None)


async def everywhere(
    prepared: Callable[[], Awaitable[World]], then: Callable[[World], Awaitable[None]], *, more_than: int
) -> None:
    """One look at Ada dies or fails at each of its calls, and is tried again: `then` is true in the end."""
    world = await prepared()
    await world.look(why=Why.OPERATOR)
    total = len(world.faults.calls)
    assert total > more_than
    for n in range(total):
        for after in (False, True):
            for error in (Crash(), UnavailableError()):
                world = await prepared()
                world.faults.fail_at(n, error, after=after)
                with suppress(Crash, UnavailableError):
                    await world.look(why=Why.OPERATOR)
                world.faults.calm()
                await world.deliver(timedelta(minutes=10))
                await later(world)
                await world.deliver(timedelta(minutes=30))
                await then(world)


async def test_ending_a_pair_may_die_anywhere() -> None:
    """Before and after each call: the guest stays, nobody's, without our marker."""

    async def prepared() -> World:
        world, _ = await ada()
        world.source.soft_delete(ADA)
        await unlink(world.instance(world.syncs, started=False), world.sync, ADA, by=BY, reason="r")
        world.forget_calls()
        return world

    async def then(world: World) -> None:
        (guest,) = world.guests()
        owner = await world.storage.links.owner(world.sync.target.id, guest)
        assert (owner, world.target.users[guest].attributes[OWNER]) == (f"-/{NAME}/{ADA}", None)

    await everywhere(prepared, then, more_than=5)


async def test_a_paused_sync_ends_no_pair() -> None:
    """It would write: the request stays on the link until the sync goes on."""
    world, guest = await ada()
    await say(world, Control.PAUSED)
    await ended(world)
    assert (await world.stored()).state is LinkState.LINKED
    assert [each.asked for each in await listed(world)] == ["unlink"]
    await say(world, Control.RUNNING)
    await later(world)
    assert await world.storage.links.owner(world.sync.target.id, guest) == f"-/{NAME}/{ADA}"


async def say(world: World, said: Control) -> None:
    await control(world.instance(world.syncs, started=False), [world.sync], said, by=BY, reason="r")
    world.clock.advance(timedelta(seconds=5))


async def listed(world: World) -> list:  # type: ignore[type-arg]
    runtime = world.instance(world.syncs, started=False)
    return list((await pairs(runtime, [world.sync], limit=10)).pairs)


async def test_a_guest_of_another_address_is_linked_by_hand() -> None:
    """Nobody would have found it; from then on it is Ada's."""
    world = World()
    world.hire()
    world.target.add("old", "ada@home.example", displayName="Ada at home")
    await linked(world, ADA, "old")
    assert (await world.stored()).target_id == "old"
    assert (world.target.users["old"].attributes["displayName"], len(world.target.users)) == ("Ada", 1)
    assert [event.operator for event in await world.events(ADA) if event.kind is Kind.ADOPTED] == [BY]


@pytest.mark.parametrize(
    ("why", "message"),
    [
        ("internal", "internal user"),
        ("another's", "already linked"),
        ("another's marker", "already linked"),
        ("not there", "no user"),
        ("out", "out of scope"),
        ("gone", "not ours"),
        ("disabled", "disabled"),
        ("paired", "already"),
    ],
)
async def test_what_cannot_be_linked_says_why(why: str, message: str) -> None:
    """Nothing is written or stored."""
    world = World(assigned=Assigned(groups=frozenset({SALES})), owner_attribute=OWNER)
    world.source.groups = {SALES: {ADA, BOB}}
    world.hire()
    guest = world.target.add("old", "ada@home.example", displayName="Ada at home")
    if why == "internal":
        guest.external = False
    if why == "another's":
        world.hire(BOB, "Bob")
        await linked(world, BOB, "old")
    if why == "another's marker":
        guest.attributes[OWNER] = "somebody/else"
    if why == "not there":
        world.target.remove("old")
    if why == "out":
        world.source.groups[SALES].clear()
    if why == "gone":
        world.source.soft_delete(ADA)
    if why == "disabled":
        world.change(accountEnabled=False)
    if why == "paired":
        await world.look()
    world.forget_calls()
    with pytest.raises(RefusedError, match=message):
        await linked(world, ADA, "old")
    assert world.target.writes == []


async def test_a_rehire_keeps_the_guest() -> None:
    """The removal of the leaver waits for a person. The new account has the id and the groups, and redeems anew."""
    world, guest = await ada(guard=HOLD_ALL)
    world.source.soft_delete(ADA)
    await later(world)
    world.hire(NEW, "Ada", department="New")
    await later(world, NEW)
    assert await world.reason(NEW) == "linked to a deleted account"
    await moved(world)
    account = world.target.users[guest]
    assert (world.guests(), account.attributes["department"], account.redeemed) == ([guest], "New", False)
    assert account.attributes[OWNER] == world.sync.marker(NEW).text  # type: ignore[union-attr]
    assert await world.storage.links.owner(world.sync.target.id, guest) == f"{NAME}/{NEW}"
    assert await world.storage.guards.hold(NAME, ADA) is None
    assert [each for each in world.target.writes if each[0] == "invite"] == []
    kinds = {event.kind for event in await world.events(NEW)}
    assert {Kind.APPROVED, Kind.UPDATED, Kind.REDEMPTION_RESET} <= kinds


async def test_a_rehire_gets_the_deleted_guest_back() -> None:
    """It was deleted by us: it is restored for the new account, with its id."""
    world, guest = await ada()
    world.source.soft_delete(ADA)
    await later(world)
    assert guest in world.target.deleted
    world.hire(NEW, "Ada")
    await moved(world)
    assert (world.guests(), world.enabled()) == ([guest], [True])
    assert (await world.stored(NEW)).state is LinkState.LINKED
    assert not (await world.stored(NEW)).redeem
    await later(world)
    assert world.guests() == [guest]


async def test_a_leaver_in_stages_is_enabled_again_by_a_move() -> None:
    """We disabled the guest: the new account has access."""
    world, guest = await ada(out=Deprovision.DISABLE)
    world.deploy(assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups = {SALES: {NEW}}
    world.source.ask_for({SALES})
    await later(world)
    assert world.enabled() == [False]
    world.hire(NEW, "Ada")
    await moved(world)
    assert (world.guests(), world.enabled()) == ([guest], [True])


async def test_nobody_is_invited_who_is_to_have_a_deleted_guest() -> None:
    """A look at the new account comes first: it waits until the former link has handed over."""
    world, guest = await ada()
    world.source.soft_delete(ADA)
    await later(world)
    world.hire(NEW, "Ada")
    await say(world, Control.PAUSED)
    await moved(world)
    await say(world, Control.RUNNING)
    await world.worker.handle(world.nomination(NEW))
    await world.deliver(timedelta(minutes=20))
    assert (world.guests(), world.enabled()) == ([guest], [True])
    assert "invite" not in {write for write, _ in world.target.writes[1:]}


async def test_a_move_may_die_anywhere() -> None:
    """Before and after each call: one guest, the new account's, and nobody is invited or deleted."""

    async def prepared() -> World:
        world, _ = await ada(guard=HOLD_ALL)
        world.source.soft_delete(ADA)
        world.hire(NEW, "Ada")
        await move(world.instance(world.syncs, started=False), world.sync, ADA, world.sync, NEW, by=BY)
        world.forget_calls()
        return world

    async def then(world: World) -> None:
        (guest,) = world.guests()
        assert await world.storage.links.owner(world.sync.target.id, guest) == f"{NAME}/{NEW}"
        new = await world.stored(NEW)
        assert (new.state, new.target_id, new.redeem, new.dirty) == (LinkState.LINKED, guest, False, False)
        old = await world.link()
        assert old is None or not old.ours
        assert world.enabled() == [True]
        assert {write for write, _ in world.target.writes}.isdisjoint({"invite", "soft_delete"})

    await everywhere(prepared, then, more_than=10)


async def test_a_moved_home_account_is_another_syncs() -> None:
    """Of another source into the same target, by its configuration."""
    other = sync(name="other", assigned=Assigned(groups=frozenset({STAFF})), owner_attribute=OWNER)
    world = World(owner_attribute=OWNER, assigned=Assigned(groups=frozenset({SALES})), more=[other])
    world.source.groups = {SALES: {ADA}, STAFF: {NEW}}
    await world.linked()
    (guest,) = world.guests()
    world.source.groups[SALES].clear()
    world.hire(NEW, "Ada")
    await moved(world, into=other)
    assert world.guests() == [guest]
    assert await world.storage.links.owner(other.target.id, guest) == f"other/{NEW}"
    theirs = await world.storage.links.get("other", NEW)
    assert theirs is not None
    assert (theirs.target_id, theirs.redeem) == (guest, False)


@pytest.mark.parametrize(
    ("why", "message"),
    [
        ("still there", "still there"),
        ("itself", "one and the same"),
        ("new is gone", "would lose"),
        ("new is disabled", "would lose"),
        ("new has one", "already"),
        ("no pair", "no pair"),
        ("purged", "gone for good"),
        ("internal", "internal by now"),
        ("blocked", "blocked"),
        ("deletion begun", "begun"),
        ("asked twice", "asked for already"),
    ],
)
async def test_what_cannot_be_moved_says_why(why: str, message: str) -> None:
    """Nothing is written or stored."""
    world, guest = await ada(guard=HOLD_ALL)
    world.hire(NEW, "Ada" if why != "new has one" else "Eve")
    to = ADA if why == "itself" else NEW
    if why != "still there":
        world.source.soft_delete(ADA)
    if why == "new is gone":
        world.source.soft_delete(NEW)
    if why == "new is disabled":
        world.change(NEW, accountEnabled=False)
    if why == "new has one":
        await later(world, NEW)
    if why == "no pair":
        await world.storage.links.forget(await world.stored())
    if why == "purged":
        world.target.remove(guest)
        world.target.deleted.clear()
    if why == "internal":
        world.target.users[guest].external = False
    if why == "blocked":
        world.target.users[guest].attributes["accountEnabled"] = False
    if why == "deletion begun":
        before = await world.stored()
        await world.storage.links.save(before.deletion_begun(SoftDelete(why="w"), world.clock.now()))
    if why == "asked twice":
        await move(world.instance(world.syncs, started=False), world.sync, ADA, world.sync, NEW, by=BY)
    world.forget_calls()
    with pytest.raises((RefusedError, UsageError), match=message):
        await moved(world, to=to)
    assert world.target.writes == []


async def test_markers_of_two_attributes_are_not_moved() -> None:
    """The former marker would stay, and would make a pair again after the loss of all tables."""
    other = sync(name="other")
    world = World(owner_attribute=OWNER, more=[other])
    await world.linked()
    with pytest.raises(RefusedError, match="ownership marker"):
        await moved(world, into=other)


async def test_a_move_to_somebody_who_was_invited_meanwhile_is_called_off() -> None:
    """The former pair goes on as before: its removal waits for a person."""
    world, guest = await ada(guard=HOLD_ALL)
    world.source.soft_delete(ADA)
    world.hire(NEW, "Eve")
    await move(world.instance(world.syncs, started=False), world.sync, ADA, world.sync, NEW, by=BY)
    world.clock.advance(timedelta(hours=1))
    new = await world.stored(NEW)
    await world.storage.links.save(new.adopted("another", linked_at=world.clock.now()))
    await world.deliver()
    assert ((await world.stored()).heir, world.guests()) == (None, [guest])
    assert await world.storage.guards.hold(NAME, ADA) is not None


async def test_a_guest_redeems_anew_after_its_attributes() -> None:
    """At the address of now, and once."""
    world, guest = await ada()
    world.change(department="Other")
    world.forget_calls()
    await redeem(world.instance(world.syncs, started=False), world.sync, ADA, by=BY)
    await world.deliver()
    assert world.target.writes == [("update", guest), ("reset_redemption", guest)]
    assert not world.target.users[guest].redeemed
    await later(world)
    assert len(world.target.writes) == 2


async def test_a_reset_that_graph_refuses_sets_the_user_aside() -> None:
    """Attributes are written all the same, and it is tried again."""
    world, guest = await ada()
    world.faults.fail_next("target.reset_redemption", GraphRefusedError(status=403, code="Authorization_RequestDenied"))
    await redeem(world.instance(world.syncs, started=False), world.sync, ADA, by=BY)
    await world.deliver()
    link = await world.stored()
    assert link.parked is not None
    world.change(department="Other")
    await world.look(why=Why.OPERATOR)
    assert world.target.users[guest].attributes["department"] == "Other"
    assert not (await world.stored()).redeem


async def test_a_guest_who_is_gone_needs_no_reset() -> None:
    """Somebody deleted it: the look says so."""
    world, guest = await ada()
    await redeem(world.instance(world.syncs, started=False), world.sync, ADA, by=BY)
    world.target.remove(guest)
    await world.deliver()
    assert "reset_redemption" not in {write for write, _ in world.target.writes} or guest not in world.target.users


async def test_the_pairs_are_listed_page_by_page() -> None:
    """With those whose target user is deleted; nobody twice, nobody left out."""
    world, _ = await ada()
    for user, name in ((BOB, "Bob"), (NEW, "Eve")):
        world.hire(user, name)
        await later(world, user)
    world.source.soft_delete(BOB)
    await later(world, BOB)
    runtime = world.instance(world.syncs, started=False)
    found, after = [], ""
    while True:
        page = await pairs(runtime, [world.sync], limit=1, after=after)
        found += [(each.source_id, each.state) for each in page.pairs]
        if page.more is None:
            break
        after = page.more
    assert found == [(ADA, LinkState.LINKED), (NEW, LinkState.LINKED), (BOB, LinkState.DELETED)]
    with pytest.raises(UsageError):
        await pairs(runtime, [world.sync], limit=1, after="x/y")

"""A home account is deleted and made anew: to the source it is a stranger; the target user is the old pair's."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import (
    Adopt,
    Adoption,
    Deprovision,
    Guarded,
    LinkState,
    Parked,
    Policy,
    Reason,
    Rule,
    Why,
)
from sync_core.model.errors import ConflictError
from tests.support.faults import Crash
from tests.support.make import ADA, ADDRESS, BOB, HOLD_ALL, NAME, OWNER, sync
from tests.support.world import World, names, yes

KEEPING = (Deprovision.DISABLE, Deprovision.LEAVE)


async def recreated(how: Deprovision, *, owner_attribute: str | None = None) -> World:
    """Ada's account was deleted, and another with the same address has been looked at."""
    policy = Policy(adopt=Adoption.GUESTS, source_deleted=how)
    world = World(policy=policy, owner_attribute=owner_attribute)
    await world.linked()
    world.source.purge(ADA)
    await world.look()
    world.hire(BOB, "Ada")
    world.forget_calls()
    assert (await world.look(BOB)).error == Reason.ABANDONED
    assert world.target.writes == []
    world.clock.advance(timedelta(hours=1))
    return world


async def approve(world: World) -> None:
    (guest,) = world.guests()
    await world.storage.links.save((await world.stored(BOB)).approved(guest))


@pytest.mark.parametrize("how", KEEPING)
@pytest.mark.parametrize("marked", [None, OWNER])
async def test_an_account_that_was_made_anew_is_proposed_for_the_old_pair(how: Deprovision, marked: str | None) -> None:
    """A person says whether it is the same person: then the target user is theirs, enabled and marked anew."""
    world = await recreated(how, owner_attribute=marked)
    (guest,) = world.guests()
    await approve(world)
    assert names(await world.look(BOB)) == ["Adopt", "Update"]
    assert (await world.stored(BOB)).target_id == guest
    assert await world.link(ADA) is None
    assert world.target.users[guest].attributes["accountEnabled"] is True
    assert await world.storage.links.owner(world.sync.target.id, guest) == f"{NAME}/{BOB}"
    assert world.guests() == [guest]
    world.forget_calls()
    await world.look(ADA)
    assert world.target.writes == []


@pytest.mark.parametrize("marked", [None, OWNER])
async def test_a_death_at_any_await_of_the_move_is_completed(marked: str | None) -> None:
    """The old link, the claim and the new link are three rows; the person's word holds until all are in place."""
    world = await recreated(Deprovision.DISABLE, owner_attribute=marked)
    await approve(world)
    world.forget_calls()
    await world.look(BOB)
    total = len(world.faults.calls)
    assert total > 15
    for n in range(total):
        for after in (False, True):
            world = await recreated(Deprovision.DISABLE, owner_attribute=marked)
            await approve(world)
            await world.storage.queues.nominate([world.nomination(BOB, Why.OPERATOR)])
            world.faults.fail_at(n, Crash(), after=after)
            await world.deliver()
            world.faults.calm()
            (guest,) = world.guests()
            assert (await world.stored(BOB)).target_id == guest, (n, after)
            assert await world.link(ADA) is None
            assert await world.storage.links.owner(world.sync.target.id, guest) == f"{NAME}/{BOB}"


async def test_a_pair_whose_source_user_is_there_is_not_proposed() -> None:
    """Two live accounts with one address: one of the two has to change it, whatever a person says."""
    world = World()
    await world.linked()
    world.hire(BOB, "Ada")
    assert (await world.look(BOB)).error == Reason.ALREADY_LINKED
    await approve(world)
    assert (await world.look(BOB)).error == Reason.ALREADY_LINKED
    assert (await world.stored()).target_id == world.guests(ADDRESS)[0]


async def test_an_account_that_is_back_keeps_its_pair() -> None:
    """It was restored between the look and the adoption: nothing is taken from it, and the approval stands."""
    world = await recreated(Deprovision.LEAVE)
    await approve(world)
    decided = await world.engine.preview(world.sync, BOB, dry_run=False)
    assert isinstance(decided.change, Adopt)
    world.hire(ADA, "Ada")
    with pytest.raises(ConflictError):
        await world.engine.applier.apply(decided, yes)
    assert (await world.stored()).state is LinkState.LINKED
    assert (await world.stored(BOB)).approved_target == (await world.stored()).target_id


async def test_a_pair_that_is_being_written_is_not_moved() -> None:
    """A disabling that was begun may still arrive: it is finished first."""
    world = await recreated(Deprovision.DISABLE)
    await approve(world)
    await world.storage.links.save((await world.stored()).distrusted())
    assert await world.look(BOB) is not None
    assert (await world.stored()).target_id == world.guests()[0]
    await world.look()
    assert names(await world.look(BOB))[0] == "Adopt"


async def test_without_a_rule_for_it_whom_we_disabled_is_enabled() -> None:
    """The mapping says nothing of accountEnabled; it was our policy that disabled the former account's guest."""
    world = World()
    world.sync = replace(
        sync(policy=Policy(source_deleted=Deprovision.DISABLE)),
        mapping=[Rule(target="displayName", source="displayName")],
    )
    world.worker = world.instance({NAME: world.sync}).worker
    await world.linked()
    world.source.purge(ADA)
    await world.look()
    assert world.enabled() == [False]
    world.hire(BOB, "Ada")
    await world.look(BOB)
    await approve(world)
    world.clock.advance(timedelta(hours=1))
    assert names(await world.look(BOB)) == ["Adopt", "Update"]
    assert world.enabled() == [True]


async def test_a_marker_says_nothing_of_whom_a_deleted_account_has() -> None:
    """The marker is Bob's, the claim is still Ada's: a person says whether the two are one."""
    world = World(policy=Policy(source_deleted=Deprovision.LEAVE), owner_attribute=OWNER)
    await world.linked()
    (guest,) = world.guests()
    world.source.purge(ADA)
    await world.look()
    marker = world.sync.marker(BOB)
    assert marker is not None
    world.target.users[guest].attributes[OWNER] = marker.text
    world.hire(BOB, "Bob")
    assert (await world.look(BOB)).error == Reason.ABANDONED
    assert (await world.stored()).target_id == guest
    await approve(world)
    world.clock.advance(timedelta(hours=1))
    assert names(await world.look(BOB))[0] == "Adopt"
    assert (await world.stored(BOB)).target_id == guest
    assert await world.link(ADA) is None


async def test_a_leaver_who_has_another_guest_by_now_keeps_it() -> None:
    """A person moves a guest that bears the leaver's marker; the removal of the leaver's own guest is held."""
    world = World(policy=Policy(source_deleted=Deprovision.SOFT_DELETE), owner_attribute=OWNER, guard=HOLD_ALL)
    await world.linked()
    (guest,) = world.guests()
    marker = world.target.users[guest].attributes[OWNER]
    world.target.add("old-guest", "ada.old@contoso.example", displayName="Ada").attributes[OWNER] = marker
    world.source.purge(ADA)
    await world.look()
    assert (await world.stored()).guarded is Guarded.HELD
    world.hire(BOB, "Ada", mail="ada.old@contoso.example")
    assert (await world.look(BOB)).error == Reason.ABANDONED
    await world.storage.links.save((await world.stored(BOB)).approved("old-guest"))
    world.clock.advance(timedelta(hours=1))
    assert names(await world.look(BOB))[0] == "Adopt"
    assert (await world.stored(BOB)).target_id == "old-guest"
    assert (await world.stored()).target_id == guest
    assert await world.storage.links.owner(world.sync.target.id, guest) == f"{NAME}/{ADA}"


async def displaced() -> tuple[World, str]:
    """Ada's guest was deleted; another guest has the address, and is hers by now."""
    policy = Policy(adopt=Adoption.GUESTS, source_deleted=Deprovision.DISABLE)
    world = World(policy=policy, guard=HOLD_ALL)
    await world.linked()
    (first,) = world.guests()
    world.target.add("second", ADDRESS, displayName="Ada")
    parked = Parked(until=world.clock.now(), tries=1, reason=Reason.ADDRESS_TAKEN)
    await world.storage.links.save(replace(await world.stored(), state=LinkState.DELETED, parked=parked))
    world.target.remove(first)
    world.clock.advance(timedelta(hours=1))
    assert names(await world.look())[0] == "Adopt"
    assert (await world.stored()).target_id == "second"
    return world, first


async def test_a_guest_that_another_one_replaced_is_claimed_no_more() -> None:
    """Should somebody restore it with another address, it is nobody's."""
    world, first = await displaced()
    assert await world.storage.links.owner(world.sync.target.id, first) is None
    assert await world.storage.links.owner(world.sync.target.id, "second") == f"{NAME}/{ADA}"


async def test_a_claim_that_a_former_version_left_ends_alone() -> None:
    """It stands on the restored first guest; the held pair with the second one stays."""
    world, first = await displaced()
    await world.storage.links.claim(world.sync.target.id, first, f"{NAME}/{ADA}")
    world.target.users[first] = world.target.deleted.pop(first)
    world.target.users[first].address = "ada.old@contoso.example"
    world.target.users[first].attributes |= {"mail": "ada.old@contoso.example", "otherMails": []}
    world.source.purge(ADA)
    world.clock.advance(timedelta(hours=1))
    await world.look()
    assert (await world.stored()).guarded is Guarded.HELD
    world.hire(BOB, "Ada", mail="ada.old@contoso.example")
    assert (await world.look(BOB)).error == Reason.ABANDONED
    await world.storage.links.save((await world.stored(BOB)).approved(first))
    world.clock.advance(timedelta(hours=1))
    assert names(await world.look(BOB))[0] == "Adopt"
    assert (await world.stored(BOB)).target_id == first
    assert await world.storage.links.owner(world.sync.target.id, first) == f"{NAME}/{BOB}"
    assert (await world.stored()).target_id == "second"

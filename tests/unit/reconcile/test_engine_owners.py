"""Whose guest is it? Nobody is written who was not made or adopted by us, and nobody has two owners."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import Adoption, Link, LinkState, Policy
from sync_core.model.errors import ConflictError, GraphRefusedError
from tests.support.make import ADA, ADDRESS, BOB, GUEST, NAME
from tests.support.world import World, names, yes


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
    world.target.add(GUEST, ADDRESS, displayName=f"{link.invitation_mark} Ada")
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
    decided = await world.engine.preview(world.sync, ADA, dry_run=False)
    await world.storage.links.claim(world.sync.target.id, GUEST, f"{NAME}/{BOB}")
    with pytest.raises(ConflictError):
        await world.engine.applier.apply(decided, yes)
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
    """No invitation; the guest gets every attribute, loses a manager that others gave them, and is ours from now on."""
    world = World(policy=Policy(adopt=Adoption.GUESTS))
    world.target.add(GUEST, ADDRESS, department="Theirs", manager="theirs")
    world.clock.advance(timedelta(days=90))
    world.hire()
    assert names(await world.look()) == ["Adopt", "Update"]
    assert world.in_step()
    assert world.target.writes == [("update", GUEST), ("set_manager", GUEST)]


async def test_a_change_of_mail_keeps_the_link() -> None:
    """Also when somebody else in the target bears the new address: whose guest it is was settled long ago."""
    world = World(policy=Policy(adopt=Adoption.GUESTS))
    await world.linked()
    world.target.add(GUEST, "lovelace@contoso.example")
    before = (await world.stored()).target_id
    world.change(ADA, mail="lovelace@contoso.example")
    assert names(await world.look()) == ["Update"]
    assert (await world.stored()).target_id == before
    assert "target.candidates" not in world.graph_calls()


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

"""Whose guest is it? Nobody is written who was not made or adopted by us, and nobody has two owners."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Adoption, Link, LinkState, Policy, fingerprint
from sync_core.model.errors import ConflictError, GraphRefusedError
from tests.support.clock import START
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
        link = Link(
            sync=NAME,
            source_id=user_id,
            state=LinkState.INVITING,
            invited_at=world.clock.now(),
            invitation_nonce=user_id[:4],
        )
        await world.storage.links.save(link)
    world.target.add(GUEST, ADDRESS, displayName=f"{link.invitation_mark} Ada")
    assert names(await world.look(BOB)) == ["Adopt", "Update"]
    world.forget_calls()
    assert (await world.look(ADA)).error == "already linked"
    assert world.target.writes == []
    assert (await world.stored(ADA)).state is LinkState.SEEN


async def test_the_guest_of_another_users_invitation_is_not_adopted_by_its_address() -> None:
    """Policy adopts guests. A claim on this one would outlive a death, and the other user's leaving would keep it."""
    world = World(policy=Policy(adopt=Adoption.GUESTS))
    world.hire()
    world.hire(BOB, "Ada")
    link = Link(sync=NAME, source_id=ADA, state=LinkState.INVITING, invited_at=START, invitation_nonce="of Ada")
    await world.storage.links.save(link)
    world.target.add(GUEST, ADDRESS, displayName=f"{link.invitation_mark} Ada")
    assert (await world.look(BOB)).error == "already linked"
    assert await world.storage.links.owner(world.sync.target.id, GUEST) is None
    world.source.soft_delete(ADA)
    assert names(await world.look(ADA)) == ["Adopt", "SoftDelete"]


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


@pytest.mark.parametrize("answered", [True, False])
async def test_an_invitation_of_version_0_1_is_finished(answered: bool) -> None:
    """Its row has no nonce: the guest is known by the id of the answer; without one, by address and time."""
    world = World()
    world.hire()
    begun = Link(sync=NAME, source_id=ADA, state=LinkState.INVITING, invited_at=world.clock.now())
    world.target.add(GUEST, ADDRESS, displayName=f"{begun.invitation_mark} Ada")
    await world.storage.links.save(replace(begun, target_id=GUEST if answered else None))
    assert names(await world.look()) == ["Adopt", "Update"]
    assert world.in_step()


async def test_an_invitation_of_version_0_1_whose_guest_is_not_found_yet_is_sent_again() -> None:
    """Graph answers with the guest who is there, who bears the mark of that time."""
    world = World()
    world.hire()
    begun = Link(sync=NAME, source_id=ADA, state=LinkState.INVITING, invited_at=world.clock.now())
    world.target.add(GUEST, ADDRESS, displayName=f"{begun.invitation_mark} Ada")
    world.target.unsearchable.add(GUEST)
    await world.storage.links.save(begun)
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    assert world.in_step()
    assert world.guests() == [GUEST]


async def test_an_unfinished_invitation_of_version_0_1_does_not_adopt_a_stranger() -> None:
    """Somebody invited mallory under the name that version 0.1 would give Ada's guest: Ada is invited anew."""
    world = World(policy=Policy(adopt=Adoption.NONE))
    world.hire()
    begun = Link(sync=NAME, source_id=ADA, state=LinkState.INVITING, invited_at=world.clock.now())
    mallory = world.target.add("mallory", "mallory@evil.example", displayName=f"{begun.invitation_mark} Ada")
    before = dict(mallory.attributes)
    await world.storage.links.save(begun)
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    assert mallory.attributes == before
    assert (await world.stored()).target_id != "mallory"


async def test_a_stranger_with_the_name_of_an_invitation_to_come_is_left_alone() -> None:
    """Anybody who may invite guests can compute the old mark; the half that counts is drawn later."""
    world = World()
    mark = Link(sync=NAME, source_id=ADA).invitation_mark
    mallory = world.target.add("mallory", "mallory@evil.example", displayName=f"{mark} Ada")
    before = dict(mallory.attributes)
    world.hire()
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    assert mallory.attributes == before


@pytest.mark.parametrize("call", ["table.links.insert", "target.invite", "table.links.replace"])
async def test_an_instance_of_version_0_1_that_drops_the_nonce_loses_nobody(call: str) -> None:
    """It writes the row without the column while a new instance invites: the guest is found, and nobody made twice."""
    world = World()
    world.hire()

    async def rewrite() -> None:
        if (link := await world.link()) is not None and link.state is LinkState.INVITING:
            await world.storage.links.save(replace(link, invitation_nonce=None))

    world.faults.after_next(call, rewrite)
    await world.look()
    await world.deliver()
    assert world.in_step()
    assert len(world.guests()) == 1
    assert world.target.deleted == {}


def test_version_0_1_knows_a_guest_of_today_by_the_beginning_of_the_name() -> None:
    """Side by side, an instance of version 0.1 may find what a new one began: it looks for its own mark."""
    link = Link(sync=NAME, source_id=ADA).invitation_begun(START, "5eed")
    assert f"{link.invitation_mark} Ada".startswith(f"[{fingerprint([NAME, ADA])}]")

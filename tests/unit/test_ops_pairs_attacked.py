"""Pairs that people repair at bad moments: nothing asked for is lost, and no guest is taken from the wrong person."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import (
    Assigned,
    DeletedInTarget,
    Deprovision,
    Kind,
    Link,
    LinkState,
    Mode,
    Policy,
    Stage,
    Stages,
    Sync,
)
from sync_core.ops.errors import RefusedError
from sync_core.ops.pairs import link_pair, move, redeem, unlink
from sync_core.ops.proposals import propose_rename
from sync_core.ops.syncs import act
from tests.support.make import ADA, BOB, HOLD_ALL, NAME, OWNER, SALES, STAFF, sync
from tests.support.world import World
from tests.unit.test_ops_pairs import BY, NEW, ada, ended, later, linked, moved
from tests.unit.test_ops_syncs import NEW as PEOPLE, deployed, look, renamed


async def two_syncs(*, sales: set[str], staff: set[str], mode: Mode = Mode.RUN) -> tuple[World, Sync, str]:
    """Ada is linked by the first one, and left its scope a moment ago."""
    other = sync(name="other", assigned=Assigned(groups=frozenset({STAFF})), owner_attribute=OWNER, mode=mode)
    world = World(owner_attribute=OWNER, assigned=Assigned(groups=frozenset({SALES})), more=[other])
    world.source.groups = {SALES: {ADA, *sales}, STAFF: staff}
    await world.linked()
    (guest,) = world.guests()
    world.target.users[guest].redeemed = True
    world.source.groups[SALES].remove(ADA)
    return world, other, guest


async def deleted() -> tuple[World, str]:
    """Ada left, and her guest was deleted; her new account is there, and nobody has looked at it."""
    world, guest = await ada()
    world.source.soft_delete(ADA)
    await later(world)
    world.clock.advance(timedelta(hours=1))
    world.hire(NEW, "Ada")
    return world, guest


async def asked_to_move(world: World) -> None:
    await move(world.instance(world.syncs, started=False), world.sync, ADA, world.sync, NEW, by=BY)


async def test_a_reset_that_an_observing_sync_put_off_is_made_later() -> None:
    """No attribute differs, so the full round finds the user by what was asked."""
    world, guest = await ada()
    await world.polled()
    world.deploy(mode=Mode.OBSERVE)
    await world.polled()
    await redeem(world.instance(world.syncs, started=False), world.sync, ADA, by=BY)
    await world.deliver()
    assert world.target.users[guest].redeemed
    world.deploy()
    await world.polled()
    assert (world.target.users[guest].redeemed, (await world.stored()).redeem) == (False, False)


async def test_a_move_of_a_deleted_guest_that_was_put_off_is_made_later() -> None:
    """The former user is in no listing any more, so the round finds the record by itself."""
    world, _ = await deleted()
    world.deploy(mode=Mode.OBSERVE)
    await world.polled()
    await asked_to_move(world)
    await world.deliver()
    assert (await world.stored()).heir is not None
    world.deploy()
    world.source.users.pop(NEW)  # nobody looks at the new account for a reason of its own
    await world.polled()
    assert await world.link() is None


async def test_a_reset_goes_along_to_another_sync() -> None:
    """The pair is handed over before the look that would have reset it."""
    world, other, guest = await two_syncs(sales=set(), staff={ADA})
    await redeem(world.instance(world.syncs, started=False), world.sync, ADA, by=BY)
    await world.deliver(timedelta(minutes=10))
    assert await world.storage.links.owner(other.target.id, guest) == f"other/{ADA}"
    assert not world.target.users[guest].redeemed


def test_a_new_pair_has_nothing_of_what_was_asked_of_the_former_one() -> None:
    """Neither a reset nor a hand-over is for another target user."""
    gone = Link(sync=NAME, source_id=ADA, state=LinkState.DELETED, target_id="a", redeem=True, heir="x")
    for new in (
        gone.adopted("b", linked_at=World().clock.now()),
        gone.taken_deleted("b", deleted_at=World().clock.now()),
    ):
        assert (new.target_id, new.redeem, new.heir) == ("b", False, None)


async def test_a_move_that_was_called_off_is_on_record_as_that() -> None:
    """The new account got a guest of its own meanwhile, and the former pair was not ended."""
    world, _ = await ada(guard=HOLD_ALL)
    world.source.soft_delete(ADA)
    world.hire(NEW, "Eve")
    await asked_to_move(world)
    world.clock.advance(timedelta(hours=1))
    new = await world.stored(NEW)
    await world.storage.links.save(new.adopted("another", linked_at=world.clock.now()))
    await world.deliver()
    said = [event.reason for event in await world.events(ADA) if event.kind is Kind.REFUSED]
    assert [reason.startswith(f"not handed over to {NAME}/{NEW}: ") for reason in said] == [True]
    assert Kind.UNLINKED not in {event.kind for event in await world.events(ADA)}


async def test_no_pair_ends_while_its_disabling_may_still_arrive() -> None:
    """That write would come after the word: it is said first. Afterwards the guest stays as it is."""
    world, _ = await ada()
    runtime = world.instance(world.syncs, started=False)

    async def meanwhile() -> None:
        with pytest.raises(RefusedError, match="disabling has begun"):
            await unlink(runtime, world.sync, ADA, by=BY, reason="r")
        with pytest.raises(RefusedError, match="disabling has begun"):
            await move(runtime, world.sync, ADA, world.sync, NEW, by=BY)

    world.target.before_update = meanwhile
    world.change(accountEnabled=False)
    await world.look()
    await ended(world)
    assert not (await world.stored()).ours


async def test_a_guest_whom_a_stage_disabled_before_its_deletion_is_enabled_by_a_move() -> None:
    """Both were ours: the new account is not left with a blocked guest."""
    stages = Stages(
        stages=(Stage(then=Deprovision.DISABLE), Stage(then=Deprovision.SOFT_DELETE, after=timedelta(days=1)))
    )
    world, guest = await ada()
    world.deploy(policy=Policy(source_deleted=stages))
    world.source.soft_delete(ADA)
    await later(world)
    world.clock.advance(timedelta(days=2))
    await world.look()
    assert guest in world.target.deleted
    world.hire(NEW, "Ada")
    await moved(world)
    assert (world.guests(), world.enabled()) == ([guest], [True])


async def test_a_deleted_guest_goes_to_somebody_whose_invitation_came_to_nothing() -> None:
    """That began after the word was given, and was never sent."""
    world, guest = await deleted()
    await asked_to_move(world)
    begun = (await world.stored(NEW)).invitation_begun(world.clock.now(), "0123456789abcdef", "x")
    await world.storage.links.save(begun)
    world.clock.advance(timedelta(hours=1))
    assert await world.deliver(timedelta(minutes=10)) == []
    assert (world.guests(), (await world.stored(NEW)).target_id) == ([guest], guest)


async def test_nobody_loses_the_guest_whom_another_sync_is_about_to_take() -> None:
    """Ada has left one scope and is in another: she is no leaver."""
    world, _, _ = await two_syncs(sales={NEW}, staff={ADA})
    world.hire(NEW, "Eve")
    with pytest.raises(RefusedError, match="scope of other"):
        await moved(world)


async def test_no_guest_goes_into_a_sync_that_observes() -> None:
    """It would never take the access away."""
    world, other, _ = await two_syncs(sales=set(), staff={NEW}, mode=Mode.OBSERVE)
    world.hire(NEW, "Ada")
    with pytest.raises(RefusedError, match="other observes"):
        await moved(world, into=other)


async def test_a_move_that_is_asked_for_outlives_a_rename() -> None:
    """The heir is of the sync that has another name by now."""
    world, guest = await ada(guard=HOLD_ALL)
    world.source.soft_delete(ADA)
    world.hire(NEW, "Ada")
    await asked_to_move(world)
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, PEOPLE), by=BY)
    assert await look(world, app) == ["HandOver"]
    assert await world.storage.links.owner(world.sync.target.id, guest) == f"{PEOPLE}/{NEW}"


async def test_whose_guest_somebody_else_deleted_is_linked_to_another_one() -> None:
    """The policy leaves the deleted one alone, and no other command ends that pair."""
    world, guest = await ada()
    world.deploy(policy=Policy(deleted_in_target=DeletedInTarget.LEAVE))
    world.target.remove(guest)
    await later(world)
    assert (await world.stored()).state is LinkState.LOST
    world.clock.advance(timedelta(hours=1))
    await later(world)
    world.target.add("other", "ada@home.example", displayName="Ada at home")
    await linked(world, ADA, "other")
    assert ((await world.stored()).target_id, world.target.users["other"].attributes["displayName"]) == ("other", "Ada")
    assert await world.storage.links.owner(world.sync.target.id, guest) is None


async def test_whose_guest_is_being_deleted_or_moved_is_not_linked_yet() -> None:
    """A restore may still arrive, and a word that was given stands."""
    world, _ = await deleted()
    world.target.add("other", "ada@home.example")
    before = await world.stored()
    begun = await world.storage.links.save(before.restore_begun(world.clock.now()))
    with pytest.raises(RefusedError, match="a deletion or a restore"):
        await linked(world, ADA, "other")
    await world.storage.links.save(begun.hand_over_begun(f"{NAME}/{NEW}"))
    with pytest.raises(RefusedError, match="asked for already"):
        await linked(world, ADA, "other")


@pytest.mark.parametrize("before", ["nobody's", "an ended pair's"])
async def test_a_pair_that_was_not_made_leaves_no_claim(before: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker invites the user meanwhile: the guest can be linked to somebody else."""
    world = World(owner_attribute=OWNER)
    world.target.add("old", "ada@home.example")
    owner = None
    if before == "an ended pair's":
        world.hire(BOB, "Bob")
        await linked(world, BOB, "old")
        await ended(world, BOB)
        owner = f"-/{NAME}/{BOB}"
    world.hire()
    runtime = world.instance(world.syncs, started=False)
    links, claim = type(world.storage.links), world.storage.links.claim

    async def and_invite(_self: object, tenant: str, target: str, wanted: str) -> str:
        found = await claim(tenant, target, wanted)
        if target == "old":
            await world.look()
        return found

    monkeypatch.setattr(links, "claim", and_invite)
    with pytest.raises(RefusedError, match="not made"):
        await link_pair(runtime, world.sync, ADA, "old", by=BY)
    assert await world.storage.links.owner(world.sync.target.id, "old") == owner

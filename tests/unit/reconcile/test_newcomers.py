"""Newcomers beyond the creation guard's ceiling wait, and come in by themselves or by a person's word."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import (
    Adoption,
    Clause,
    Control,
    Filter,
    InviteBy,
    Kind,
    Limit,
    LinkState,
    Mode,
    Operator,
    Policy,
    Why,
)
from sync_core.model.errors import GraphRefusedError
from sync_core.ops.creations import approve, list_creations
from sync_core.ports import Asked
from sync_core.upkeep.newcomers import Newcomers
from tests.support.directories import pages
from tests.support.faults import Crash
from tests.support.make import ADA, ADDRESS, BOB, GUEST, NAME
from tests.support.world import World, names

EVE = "eeeeeeee-0000-0000-0000-000000000003"
PEOPLE = {ADA: "Ada", BOB: "Bob", EVE: "Eve"}
DAY = timedelta(hours=24, minutes=15)


def ceiling(people: int) -> Limit:
    return Limit(max_percent=0, min_count=people, window=timedelta(hours=24))


def hired(people: int, **options: object) -> World:
    world = World(creation_guard=ceiling(people), **options)  # type: ignore[arg-type]
    for user, name in PEOPLE.items():
        world.hire(user, name)
    return world


async def looked(world: World) -> list[list[str]]:
    """What each of the three looks came to."""
    found = []
    for user in PEOPLE:
        world.clock.advance(timedelta(minutes=1))
        found.append(names(await world.look(user)))
    return found


def invited(world: World) -> list[str]:
    return [name for user, name in PEOPLE.items() if world.guests(f"{name.lower()}@contoso.example")]


async def polled(world: World) -> None:
    await world.upkeep.newcomers.run()
    assert await world.deliver() == []


async def approved(world: World, *, by: str = "anna") -> int:
    """As `xtsync creations approve` does, right after the list."""
    (listed,) = (await list_creations(world.runtime, [world.sync])).syncs
    done = await approve(world.runtime, [world.sync], listed.code or "-", by=by)
    return done.approved


async def test_newcomers_beyond_the_ceiling_wait() -> None:
    """They are not invited, not parked and not held; the look says what waits, and the link since when."""
    world = hired(1)
    assert await looked(world) == [["Invite", "Adopt", "Update"], ["WouldInvite"], ["WouldInvite"]]
    assert invited(world) == ["Ada"]
    waiting = await world.stored(BOB)
    assert (waiting.state, waiting.waits, waiting.parked) == (LinkState.SEEN, True, None)
    assert (await world.runtime.creations.waiting(world.sync)).people == 2


async def test_who_waits_is_recorded_once() -> None:
    """However often they are looked at."""
    world = hired(1)
    await looked(world)
    await looked(world)
    events = await world.events(BOB)
    assert [(each.kind, each.reason) for each in events] == [
        (Kind.WOULD_INVITE, "the ceiling of the creation guard is reached")
    ]


async def test_when_the_window_moves_on_the_next_poll_lets_them_in() -> None:
    """As many as there is room for, and no round of the feeds is needed."""
    world = hired(1)
    await looked(world)
    await polled(world)
    assert invited(world) == ["Ada"]
    for known in (["Ada", "Bob"], ["Ada", "Bob", "Eve"]):
        world.clock.advance(DAY)
        await polled(world)
        assert invited(world) == known
    assert (await world.runtime.creations.waiting(world.sync)).people == 0


@pytest.mark.parametrize("raised", [ceiling(3), None], ids=["raised", "off"])
async def test_a_raised_ceiling_lets_those_in_who_wait(raised: Limit | None) -> None:
    """At the next poll; nobody else is looked at."""
    world = hired(1)
    await looked(world)
    await world.first_round()
    world.deploy(creation_guard=raised)
    world.forget_calls()
    await polled(world)
    assert invited(world) == ["Ada", "Bob", "Eve"]
    assert [call for call in world.faults.calls if call.startswith("source.delta")] == []
    assert not (await world.feed()).phase.value.startswith("pages")


async def test_an_approval_lets_in_whom_its_list_showed() -> None:
    """Later newcomers wait on. The full round that follows finds everybody, and so does a poll alone."""
    world = hired(0)
    await world.look(ADA)
    world.clock.advance(timedelta(minutes=1))
    await world.look(BOB)
    assert await approved(world) == 2
    world.clock.advance(timedelta(minutes=1))
    await world.look(EVE)
    await polled(world)
    assert invited(world) == ["Ada", "Bob"]
    assert names(await world.look(EVE)) == ["WouldInvite"]


async def test_an_approval_starts_a_full_round() -> None:
    """Also if the command dies: the record says that one has to follow."""
    world = hired(0)
    await looked(world)
    await world.first_round()
    await approved(world)
    (run,) = await world.runs()
    assert (await world.feed()).full
    world.source.pages.update(pages([world.source.entry(user) for user in PEOPLE]))
    await world.feeds.run(run)
    assert await world.deliver() == []
    assert invited(world) == ["Ada", "Bob", "Eve"]


async def test_an_approval_is_recorded_with_its_author() -> None:
    """Of the sync as a whole, with the number of people."""
    world = hired(0)
    await looked(world)
    await approved(world, by="bea")
    page = await world.storage.activity.page(_of_the_sync())
    (event,) = [each for each in page.events if each.kind is Kind.APPROVED]
    assert (event.user, event.operator, event.reason) == ("", "bea", "3 newcomers")


def _of_the_sync() -> Asked:
    return Asked(of=[(NAME, "")])


async def test_an_edit_of_the_sync_ends_an_approval() -> None:
    """Those who have not come in by then wait for another one."""
    world = hired(0)
    await looked(world)
    assert await approved(world) == 3
    world.deploy(invite=InviteBy.PRINCIPAL_NAME)
    await polled(world)
    assert invited(world) == []
    (listed,) = (await list_creations(world.runtime, [world.sync])).syncs
    assert (listed.waiting, listed.approved) == (3, 0)


async def test_who_has_left_does_not_wait_any_more() -> None:
    """Deleted in the source, out of scope, or disabled: the next look ends the waiting."""
    world = hired(0, policy=Policy(), filters=())
    await looked(world)
    world.source.soft_delete(ADA)
    world.change(BOB, accountEnabled=False)
    world.deploy(filters=(Filter(name="nobody", clauses=_nobody()),))
    await looked(world)
    assert (await world.runtime.creations.waiting(world.sync)).people == 0


def _nobody() -> tuple[Clause, ...]:
    return (Clause(attribute="department", operator=Operator.EQUALS, value="Nowhere"),)


async def test_an_adoption_needs_no_permit() -> None:
    """The B2B user is in the target already."""
    world = World(creation_guard=ceiling(0), policy=Policy(adopt=Adoption.GUESTS))
    world.target.add(GUEST, ADDRESS)
    world.hire()
    assert names(await world.look()) == ["Adopt", "Update"]


async def test_a_restore_needs_no_permit() -> None:
    """A user who comes back was let in before."""
    world = World(creation_guard=ceiling(1))
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    world.clock.advance(timedelta(hours=1))
    world.source.restore(ADA)
    assert names(await world.look())[0] == "Restore"


async def test_an_invitation_that_died_half_way_goes_on_without_a_permit() -> None:
    """At each call of the look: the ceiling of one is kept, and Ada is invited in the end, or waits."""
    whole = hired(1)
    await whole.look(ADA)
    for n in range(len(whole.faults.calls)):
        for after in (False, True):
            world = hired(1)
            world.faults.fail_at(n, Crash(), after=after)
            with suppress(Crash):
                await world.look(ADA)
            world.faults.calm()
            for user in PEOPLE:
                world.clock.advance(timedelta(minutes=1))
                await world.look(user, redelivered=True)
            assert len(invited(world)) <= 1
            began = (await world.stored(ADA)).state is not LinkState.SEEN
            assert began is (invited(world) == ["Ada"])


async def test_who_waits_is_not_lost_by_a_death_at_any_call() -> None:
    """Before or after each request of the look that puts her off: the message comes again, and she waits."""
    whole = hired(0)
    await whole.look(ADA)
    for n in range(len(whole.faults.calls)):
        for after in (False, True):
            world = hired(0)
            world.faults.fail_at(n, Crash(), after=after)
            with suppress(Crash):
                await world.look(ADA)
            world.faults.calm()
            await world.look(ADA, redelivered=True)
            assert (await world.runtime.creations.waiting(world.sync)).people == 1
            assert await approved(world) == 1
            await polled(world)
            assert invited(world) == ["Ada"]


async def test_a_refused_invitation_does_not_use_up_the_ceiling() -> None:
    """The target takes no guest of Ada's domain; Bob and Eve come in however often she is tried."""
    world = hired(2)
    for _ in range(5):
        world.faults.fail_next("target.invite", GraphRefusedError(status=400, code="BadRequest"))
        assert (await world.look(ADA)).parked
        world.clock.advance(timedelta(minutes=1))
    await world.look(BOB)
    await world.look(EVE)
    assert invited(world) == ["Bob", "Eve"]


async def test_a_sync_that_observes_counts_nothing() -> None:
    """What would be invited is recorded as ever, and the ceiling is as it was."""
    world = hired(1, mode=Mode.OBSERVE)
    assert await looked(world) == [["WouldInvite"]] * 3
    reasons = {event.reason for user in PEOPLE for event in await world.events(user)}
    assert reasons == {"the sync observes"}
    found = await world.runtime.creations.ceiling(world.sync)
    assert found is not None
    assert found.used == 0


async def test_a_paused_sync_nominates_nobody_who_waits() -> None:
    """Their nominations would be let go; when the sync goes on, they come in."""
    world = hired(1)
    await looked(world)
    await world.runtime.pauses.say(NAME, Control.PAUSED, by="anna", reason="r")
    world.clock.advance(DAY)
    await world.upkeep.newcomers.run()
    assert await world.nominated() == []
    await world.runtime.pauses.say(NAME, Control.RUNNING, by="anna", reason="")
    await polled(world)
    assert invited(world) == ["Ada", "Bob"]


async def test_an_older_configuration_nominates_nobody_who_waits() -> None:
    """Its ceiling is not the one that counts."""
    world = hired(1)
    await looked(world)
    old = world.runtime
    world.deploy(invite=InviteBy.PRINCIPAL_NAME)
    world.clock.advance(DAY)
    await world.configurations.leads()
    step: Newcomers = old.upkeep.newcomers
    await step.run()
    assert await world.nominated() == []


async def test_an_instance_without_the_guard_beside_one_with_it() -> None:
    """The earlier version rewrites the row without the column: that newcomer waits anew from the next look on."""
    world = hired(0)
    await looked(world)
    assert await approved(world) == 3
    await world.storage.links.save(replace(await world.stored(BOB), waiting_since=None))
    await world.runs()
    await world.nominated()
    await polled(world)
    assert invited(world) == ["Ada", "Eve"]
    assert names(await world.look(BOB, Why.FEED)) == ["WouldInvite"]
    assert (await world.runtime.creations.waiting(world.sync)).people == 1

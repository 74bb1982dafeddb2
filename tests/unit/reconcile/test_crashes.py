"""A worker may die at any await: before a call was made, or after it was done and before anybody heard of it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import pytest

from sync_core.model import DeletedInTarget, LinkState, Policy, Why
from sync_core.model.errors import ConflictError, UnavailableError
from tests.support.faults import Crash
from tests.support.make import ADA, ADDRESS, BOB
from tests.support.world import World

type Story = Callable[[World], Awaitable[None]]


async def hired(world: World) -> None:
    world.hire()


async def changed(world: World) -> None:
    await world.linked()
    world.change(department="Sales", accountEnabled=False)


async def left(world: World) -> None:
    await world.linked()
    world.source.soft_delete(ADA)


async def returned(world: World) -> None:
    await left(world)
    await world.look()
    world.source.restore(ADA)
    world.change(department="Sales")


async def deleted_by_somebody_else(world: World) -> None:
    await world.linked()
    world.target.deleted |= world.target.users
    world.target.users.clear()
    world.change(department="Sales")


STORIES: list[Story] = [hired, changed, left, returned, deleted_by_somebody_else]


async def prepared(story: Story) -> World:
    """The story up to the message that is about to be handled, among people who are none of our business."""
    world = World(policy=Policy(deleted_in_target=DeletedInTarget.RESTORE))
    await story(world)
    world.target.add("bystander", "bob@contoso.example", department="Theirs")
    world.target.add("colleague", "colleague@fabrikam.example", external=False)
    world.hire(BOB, "Bob")
    world.forget_calls()
    await world.storage.queues.nominate([world.nomination(why=Why.OPERATOR)])
    world.forget_calls()
    return world


async def calls_of(story: Story) -> int:
    world = await prepared(story)
    await world.deliver()
    return len(world.faults.calls)


def check(world: World) -> None:
    """Both tenants agree, nobody was made twice, and nobody else was written."""
    if ADA in world.source.users:
        assert world.in_step()
    else:
        assert world.guests() == []
    assert len(world.guests()) + len([a for a in world.target.deleted.values() if a.address == ADDRESS]) == 1
    written = {whom for write, whom in world.target.writes if write != "invite"}
    assert not written & {"bystander", "colleague"}
    assert {whom for write, whom in world.target.writes if write == "invite"} <= {ADDRESS}
    assert world.target.users["bystander"].attributes == {"department": "Theirs"}
    assert world.target.users["colleague"].attributes == {}


async def finished(world: World) -> None:
    """What the record says is what there is: the next look has nothing to do."""
    world.faults.calm()
    link = await world.stored()
    assert not link.dirty
    assert link.parked is None
    assert link.state is (LinkState.LINKED if ADA in world.source.users else LinkState.DELETED)
    world.forget_calls()
    outcome = await world.look()
    assert outcome.changes == ()
    assert world.target.writes == []


@pytest.mark.parametrize("after", [False, True], ids=["before", "after"])
@pytest.mark.parametrize("error", [Crash, UnavailableError, ConflictError])
@pytest.mark.parametrize("story", STORIES)
async def test_a_failure_at_any_await_is_completed_by_redelivery(
    story: Story, error: type[Exception], after: bool
) -> None:
    """The worker dies (or the call fails) at each await in turn; the message comes again, and the story ends well."""
    for n in range(await calls_of(story)):
        world = await prepared(story)
        world.faults.fail_at(n, error(), after=after)
        await world.deliver()
        check(world)
        await finished(world)


@pytest.mark.parametrize("story", STORIES)
async def test_two_deaths_in_a_row_are_completed_as_well(story: Story) -> None:
    """The second delivery may die too: right away, or a few awaits later."""
    for n in range(await calls_of(story)):
        for later in (1, 2, 5, 8):
            world = await prepared(story)
            world.faults.fail_at(n, Crash(), after=True)
            world.faults.fail_at(n + later, Crash(), after=True)
            await world.deliver()
            check(world)
            await finished(world)


async def test_an_undisturbed_hire_invites_exactly_once() -> None:
    """The measure of the stories above: one invitation, one PATCH."""
    world = await prepared(hired)
    assert await world.deliver() == []
    assert [write for write, _ in world.target.writes] == ["invite", "update"]

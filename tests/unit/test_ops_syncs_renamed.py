"""What goes along with a rename: holds and decisions, counts, and whoever is being invited."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import GuardLimits, InviteBy, Limit, LinkState, Why
from sync_core.model.errors import UnavailableError
from sync_core.ops.errors import RefusedError
from sync_core.ops.proposals import propose_rename
from sync_core.ops.syncs import act
from tests.support.make import ADA, BOB, HOLD_ALL, NAME
from tests.support.world import World, names
from tests.unit.guard.test_causes import NOBODY, decide, full_round, held, narrowed, scoped
from tests.unit.test_ops_syncs import NEW, deployed, look, renamed


@pytest.mark.parametrize("rejected", [True, False])
async def test_a_rename_asks_anew(rejected: bool) -> None:
    """docs: holds are asked anew, so nobody whose deletion waits (or was rejected) is deleted for the same cause."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    scoped(world, replace(world.sync, filters=NOBODY, guard=HOLD_ALL))
    assert names(await world.look()) == ["Hold"]
    if rejected:
        await decide(world, approve=False)
    # room in the window by now, as after the window has moved on: the hold stands all the same
    world.deploy(guard=GuardLimits(max_percent=100, min_count=10))
    world.clock.advance(timedelta(days=40))
    assert names(await world.look()) == ["Hold"]
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    assert await look(world, app) == ["Hold"]
    assert world.guests() != []


async def test_with_default_limits_a_rename_deletes_held_people_two_days_later() -> None:
    """A filter was narrowed by mistake: 10 went, 15 wait. Two days later the sync gets another name."""

    world = await narrowed(25)
    waiting = sorted(await held(world))
    world.clock.advance(timedelta(days=2))
    assert {name for user in waiting for name in names(await world.look(user))} == {"Hold"}  # they still wait
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    changes = [name for user in waiting for name in await look(world, app, user)]
    assert changes.count("SoftDelete") == 0


async def test_a_rename_is_no_way_around_the_ceiling_of_newcomers() -> None:
    """docs: counts stay."""
    world = World(creation_guard=Limit(max_percent=0, min_count=1, window=timedelta(hours=24)))
    await world.linked()
    world.hire(BOB, "Bob")
    await world.look(BOB)
    assert world.guests("bob@contoso.example") == []
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    await look(world, app, BOB)
    assert world.guests("bob@contoso.example") == []


@pytest.mark.parametrize("how", ["disabled", "out of scope"])
async def test_an_invitation_that_came_to_nothing_ends_some_day(how: str) -> None:
    """The hint says: put the name back and wait for a full round; then rename it. After that, it has to work."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", UnavailableError())
    await world.look()
    if how == "disabled":
        world.change(accountEnabled=False)
    else:
        world.deploy(filters=NOBODY)
    for _ in range(3):
        world.clock.advance(timedelta(days=2))
        await world.deliver()
        await full_round(world)
    world.clock.advance(timedelta(days=2))
    assert world.target.users == {}
    _, command = await deployed(world, renamed(world))
    await propose_rename(command, NAME, NEW)


async def test_a_guest_whom_the_new_name_is_inviting_goes_with_its_user() -> None:
    """The sync of the old name invited by mail, that of the new name by the principal name; the answer was lost."""
    world = World()
    world.hire(mail="ada@contoso.example", userPrincipalName="ada.l@contoso.example")
    await world.look()
    world.clock.advance(timedelta(hours=1))
    other = replace(world.sync, name=NEW, invite=InviteBy.PRINCIPAL_NAME)
    world.syncs[NEW] = other
    world.clock.advance(timedelta(minutes=1))
    both = world.instance({NAME: world.sync, NEW: other})
    await both.feeds.poll()
    world.target.replication = timedelta(minutes=3)
    world.faults.fail_next("target.invite", UnavailableError(), after=True)
    await both.worker.handle(replace(world.nomination(why=Why.NOTIFICATION), sync=NEW))
    link = await world.storage.links.get(NEW, ADA)
    assert link is not None
    assert link.state is LinkState.INVITING
    app, command = await deployed(world, other)
    try:
        await act(command, await propose_rename(command, NAME, NEW), by="anna")
    except RefusedError:
        return  # that it is refused until the invitation is over would be right
    world.clock.advance(timedelta(hours=1))
    world.source.soft_delete(ADA)
    await look(world, app)
    assert world.target.users == {}

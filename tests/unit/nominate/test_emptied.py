"""A scope that had people and has nobody any more: a full round finds it, and whoever comes back ends it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_core.model import Assigned, Occasion, Sync
from sync_core.model.errors import UnavailableError
from sync_core.model.messages import GROUPS, USERS
from sync_core.nominate.groups import FULL_EVERY
from sync_core.scope.verdict import groups_decide
from tests.support.make import ADA, BOB, NAME, SALES, STAFF, sync
from tests.support.scopes import O, department, either, member, only
from tests.support.staff import TEAMS
from tests.support.world import World

ASSIGNED = Assigned(groups=frozenset({SALES}))


async def stands(world: World) -> bool | None:
    """What the poll finds."""
    (found,) = [each for each in await world.upkeep.measure.run() if each.occasion is Occasion.SCOPE_EMPTIED]
    assert (found.about, found.syncs) == (NAME, frozenset({NAME}))
    return found.stands


async def everybody_in() -> World:
    """Ada and Bob are linked by a first round; the scope is every internal user."""
    world = World()
    world.hire(ADA)
    world.hire(BOB, "Bob")
    assert await stands(world) is None
    assert await world.polled() == []
    assert await stands(world) is False
    return world


async def of_sales(*, filters: bool = False) -> World:
    """Ada and Bob are in Sales, which decides: as an assigned group or in a filter."""
    world = World(filters=only(member(O.IN, SALES))) if filters else World(assigned=ASSIGNED)
    world.hire(ADA)
    world.hire(BOB, "Bob")
    world.source.groups = {SALES: {ADA, BOB}}
    await world.polled()
    assert await stands(world) is False
    return world


async def test_an_edit_after_which_nobody_is_in_scope_is_found() -> None:
    """By the full round that follows it; the first who is in again ends it, in any round."""
    world = await everybody_in()
    world.deploy(filters=only(department("Nowhere")))
    await world.polled()
    assert await stands(world) is True
    world.change(BOB, jobTitle="Analyst")
    await world.polled()
    assert await stands(world) is True
    world.change(BOB, department="Nowhere")
    await world.polled()
    assert await stands(world) is False


async def test_it_stands_when_everybody_has_lost_access() -> None:
    """A later full round finds no linked user any more: what it said before still holds."""
    world = await everybody_in()
    world.deploy(filters=only(department("Nowhere")))
    await world.polled()
    assert [link async for link in world.storage.links.ids(NAME)] == []
    await world.feeds.run(await world.started(full=True))
    assert await stands(world) is True
    world.deploy(filters=())
    await world.polled()
    assert await stands(world) is False


async def test_a_scope_that_never_had_anybody_is_none_that_lost_them() -> None:
    """Without a linked user at the beginning of the round; and guests and the deleted are nobody."""
    world = World(filters=only(department("Nowhere")))
    world.hire(ADA)
    await world.polled()
    assert await stands(world) is False


async def test_who_is_gone_from_the_source_is_nobody() -> None:
    """The last two were deleted, and one is a guest: the round lists nobody who is in scope."""
    world = await everybody_in()
    world.source.soft_delete(ADA)
    world.change(BOB, userType="Guest", creationType="Invitation", externalUserState="Accepted")
    await world.feeds.run(await world.started(full=True))
    assert await stands(world) is True


@pytest.mark.parametrize("filters", [False, True], ids=["assigned", "filter"])
async def test_a_group_that_was_emptied_is_found_within_a_day(*, filters: bool) -> None:
    """By the full round of groups; the next round after somebody joined sees that it is over."""
    world = await of_sales(filters=filters)
    world.source.groups[SALES].clear()
    await world.polled()
    assert await stands(world) is False
    world.clock.advance(FULL_EVERY)
    await world.polled()
    assert await stands(world) is True
    world.source.groups[SALES].add(ADA)
    await world.polled()
    assert await stands(world) is False
    assert (await world.feed(GROUPS)).full


async def test_a_group_that_was_deleted_empties_nothing() -> None:
    """Nobody is out by a group that does not exist: it is undecided who is in."""
    world = await of_sales()
    del world.source.groups[SALES]
    world.clock.advance(FULL_EVERY)
    await world.polled()
    assert await stands(world) is False


@pytest.mark.parametrize(
    ("decide", "scope"),
    [
        (True, sync(assigned=ASSIGNED)),
        (True, sync(assigned=ASSIGNED, filters=only(department("Sales")))),
        (True, sync(filters=only(member(O.IN, SALES), department("Sales")))),
        (False, sync()),
        (False, sync(filters=only(member(O.NOT_IN, SALES)))),
        (False, sync(filters=either([department("Sales")], [member(O.IN, STAFF)]))),
        (False, sync(assigned=Assigned(members=frozenset({ADA})))),
    ],
)
def test_one_feed_judges_a_scope(*, decide: bool, scope: Sync) -> None:
    """That of groups, where nobody is in but their members; otherwise that of users."""
    assert groups_decide(scope) is decide


async def test_a_scope_that_groups_only_leave_out_of_is_never_called_empty() -> None:
    """A listing of users does not say who is in the group, so everybody may be in."""
    world = World(filters=only(member(O.NOT_IN, SALES)))
    world.hire(ADA)
    world.source.groups = {SALES: set()}
    await world.polled()
    world.source.groups[SALES].add(ADA)
    world.clock.advance(FULL_EVERY)
    await world.polled()
    await world.feeds.run(await world.started(full=True))
    assert await stands(world) is False


async def test_after_an_earlier_version_wrote_the_row_nothing_is_said() -> None:
    """It drops what was known. The next full round knows again; what it began stays unknown until then."""
    world = await everybody_in()
    state = await world.feed(USERS)
    await world.storage.feeds.save(replace(state, unseen=None, emptied=None))
    await world.polled()
    assert await stands(world) is None
    await world.feeds.run(await world.started(full=True))
    assert await stands(world) is False


async def test_another_directory_knows_nothing_of_it() -> None:
    """The tenant has another id: what was found of the former one is dropped, as its delta link is."""
    world = await everybody_in()
    state = await world.feed(USERS)
    await world.storage.feeds.save(replace(state, emptied=(NAME,), tenant_id="99999999-9999-9999-9999-999999999999"))
    world.source.users.clear()
    await world.started()
    begun = await world.feed(USERS)
    assert (begun.emptied, begun.peopled) == (None, ())


async def test_a_feed_that_cannot_be_read_leaves_it_open() -> None:
    """Nobody is told that it is over because storage is silent."""
    world = await everybody_in()
    world.faults.fail_next("table.feeds.get", UnavailableError("503"))
    assert await stands(world) is None
    assert await stands(world) is False


async def test_people_are_told_once_and_once_more_when_it_is_over() -> None:
    """By the polls after the rounds; in between nothing is told again."""
    world = World(receivers=[TEAMS])
    world.hire(ADA)
    await world.polled()

    async def told() -> list[str]:
        await world.upkeep.run()
        return [each.telling for each in await world.storage.notices.all() if each.occasion is Occasion.SCOPE_EMPTIED]

    assert await told() == []
    world.deploy(filters=only(department("Nowhere")))
    await world.polled()
    assert await told() == ["told"]
    assert await told() == ["told"]
    world.change(ADA, department="Nowhere")
    await world.polled()
    assert await told() == []

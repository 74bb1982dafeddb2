"""What the daily listing of groups nominates: everybody whom a read would now judge otherwise, and nobody every day.

Each of these histories once missed a person, or read many for nothing.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sync_core.model import Clause, Deprovision, LinkState, Operator, Policy
from tests.support.directories import pages
from tests.support.make import ADA, BOB, SALES, STAFF, link
from tests.support.scopes import CLUB, department, either, grouped, guarded, member, round_of_groups
from tests.support.world import World, names, whom

O = Operator  # noqa: E741
DISABLE = Policy(out_of_scope=Deprovision.DISABLE)


def kind(value: str) -> Clause:
    return Clause(attribute="employeeType", operator=O.EQUALS, value=value)


async def found_in_three_days(world: World) -> set[str]:
    """The users whom the daily listing of the groups nominates."""
    found: set[str] = set()
    for _ in range(3):
        world.clock.advance(timedelta(days=1))
        found |= {user for user, _ in await round_of_groups(world)}
    return found


# --- everybody is found -----------------------------------------------------------------------------------------


async def test_a_leaver_by_an_attribute_that_is_not_mapped_is_nominated() -> None:
    """The attribute ends one filter's hold on them, and by groups the other filter does not have them either."""
    world = grouped(either((kind("Employee"), member(O.NOT_IN, SALES)), (kind("Temporary"), member(O.IN, CLUB))))
    world.hire(ADA, "Ada", employeeType="Employee")
    await world.look()
    assert (await world.stored()).state is LinkState.LINKED
    await round_of_groups(world)
    await world.first_round()
    await world.runs()  # the full round of groups that follows: nobody has moved
    world.change(employeeType="Temporary")
    found: set[str] = set()
    for n in range(3):
        world.clock.advance(timedelta(days=1))
        state = await world.feed()
        world.source.pages.update(pages([world.source.entry(ADA)], start=state.delta_link, end=f"delta:{n + 3}"))
        await world.feeds.run(await world.started())
        found |= set(whom(await world.nominated()))
        found |= {user for user, _ in await round_of_groups(world)}
    assert found == {ADA}


async def test_whom_a_group_kept_out_is_found_beside_a_filter_without_groups() -> None:
    """A filter without groups looks to a listing as if it let everybody in."""
    world = grouped(either((member(O.NOT_IN, SALES), department("Research")), (department("Legal"),)))
    world.source.groups[SALES].add(BOB)
    world.hire(BOB, "Bob")
    await world.look(BOB)
    await round_of_groups(world)
    world.source.groups[SALES].clear()
    assert await found_in_three_days(world) == {BOB}


async def test_who_left_a_group_is_found_beside_a_filter_without_groups() -> None:
    """The second filter may not have them, which only a read can tell."""
    world = grouped(either((member(O.IN, CLUB),), (department("Legal"),)))
    world.source.groups[CLUB].add(ADA)
    await world.linked()
    await round_of_groups(world)
    world.source.groups[CLUB].clear()
    assert await found_in_three_days(world) == {ADA}


async def test_who_left_one_of_two_groups_is_found() -> None:
    """The other group still has them, and its filter does not let them in."""
    world = grouped(either((member(O.IN, CLUB), department("Legal")), (member(O.IN, STAFF), department("Research"))))
    world.source.groups[CLUB].add(ADA)
    world.source.groups[STAFF].add(ADA)
    await world.linked()
    await round_of_groups(world)
    world.source.groups[STAFF].clear()
    assert await found_in_three_days(world) == {ADA}


async def test_who_was_disabled_and_returns_is_found_beside_another_filter() -> None:
    """They were linked all the while."""
    world = grouped(either((member(O.IN, CLUB),), (department("Legal"),)), DISABLE)
    world.source.groups[CLUB].add(ADA)
    await world.linked()
    world.source.groups[CLUB].clear()
    assert names(await world.look()) == ["Disable"]
    await round_of_groups(world)
    world.source.groups[CLUB].add(ADA)
    assert await found_in_three_days(world) == {ADA}


async def test_another_combination_of_groups_and_attributes_is_found() -> None:
    """After the filters were changed, users and groups are listed anew."""
    filters = either((member(O.IN, CLUB), department("Research")), (member(O.IN, STAFF), department("Legal")))
    world = grouped(filters)
    world.source.groups[CLUB].add(ADA)
    await world.linked()
    world.source.pages.update(pages([]))
    await round_of_groups(world)
    await world.first_round()
    await world.runs()
    swapped = either((member(O.IN, CLUB), department("Legal")), (member(O.IN, STAFF), department("Research")))
    world.syncs[world.sync.name] = replace(world.sync, filters=swapped)
    world.source.pages.update(pages([world.source.entry(ADA)]))
    await world.feeds.run(await world.started())
    found = set(whom(await world.nominated()))
    for run in await world.runs():
        await world.feeds.run(run)
    found |= set(whom(await world.nominated()))
    assert found == {ADA}


# --- nobody is read for nothing ---------------------------------------------------------------------------------


async def test_who_was_read_and_is_out_by_an_attribute_is_not_read_every_day() -> None:
    """They are in the same groups as at the last look: nothing is new."""
    world = guarded(member(O.IN, SALES), department("Legal"))
    people = {f"user-{n}" for n in range(5)}
    for user in people:
        world.hire(user, user)
    world.source.groups[SALES] |= people
    first = await round_of_groups(world)
    for user in people:
        await world.look(user)
    world.clock.advance(timedelta(days=1))
    assert len(first) == 5
    assert await round_of_groups(world) == []


async def test_guests_in_a_group_are_not_read_every_day() -> None:
    """They are not synchronized, whatever groups have them."""
    world = guarded(member(O.IN, SALES))
    world.hire(userPrincipalName="ada#EXT#@contoso.example")
    world.source.groups[SALES].add(ADA)
    await world.look()
    await round_of_groups(world)
    world.clock.advance(timedelta(days=1))
    assert await round_of_groups(world) == []


async def test_those_kept_out_are_gone_through_once() -> None:
    """A listing of thousands does not begin again for each of its chunks."""
    world = guarded(member(O.NOT_IN, SALES))
    people = [f"user-{n:05}" for n in range(5000)]
    for user in people:
        await world.storage.links.save(link(source_id=user, member_of=frozenset({SALES})))
    world.source.groups[SALES] |= set(people)
    world.faults.rows.clear()
    await round_of_groups(world)
    listed_and_compared = 2 * len(people)
    assert world.faults.rows["table.links.query"] < 1.1 * listed_and_compared

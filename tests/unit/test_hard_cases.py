"""Histories that could take access away, or give it, wrongly: each of them once did."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from sync_core.model import (
    Assigned,
    Clause,
    DeletedInTarget,
    Deprovision,
    Filter,
    GuardLimits,
    Json,
    LinkState,
    Operator,
    Policy,
    Why,
)
from sync_core.model.errors import UnavailableError
from sync_core.nominate.rounds import GROUPS
from tests.support.directories import pages
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, OWNER, SALES, STAFF, link
from tests.support.scopes import CLUB, department, guarded, member, only, round_of_groups
from tests.support.world import World, names, whom

O = Operator  # noqa: E741
DISABLE = Policy(out_of_scope=Deprovision.DISABLE)


def enabled(world: World) -> list[Json]:
    return [account.attributes.get("accountEnabled") for account in world.target.users.values()]


def two(*filters: Sequence[Clause]) -> tuple[Filter, ...]:
    return tuple(Filter(name=f"F{n}", clauses=clauses) for n, clauses in enumerate(filters))


def world_of(filters: tuple[Filter, ...], policy: Policy | None = None) -> World:
    world = World(filters=filters, policy=policy)
    world.source.groups = {SALES: set(), STAFF: set(), CLUB: set()}
    return world


async def found_in_three_days(world: World) -> set[str]:
    """Whom the daily listing of the groups nominates."""
    found: set[str] = set()
    for _ in range(3):
        world.clock.advance(timedelta(days=1))
        found |= {user for user, _ in await round_of_groups(world)}
    return found


def kind(value: str) -> Clause:
    return Clause(attribute="employeeType", operator=O.EQUALS, value=value)


@pytest.mark.parametrize("how", [Deprovision.DISABLE, Deprovision.SOFT_DELETE])
async def test_lost_tables_and_a_deleted_group_disable_nobody(how: Deprovision) -> None:
    """What was read while nobody knew the pair does not do for deciding about it."""
    world = World(assigned=Assigned(groups=frozenset({SALES})), owner_attribute=OWNER, policy=Policy(out_of_scope=how))
    world.source.groups = {SALES: {ADA}}
    await world.linked()
    await world.lose_tables()
    del world.source.groups[SALES]
    world.forget_calls()
    outcome = await world.look(why=Why.MARKED)
    assert "Disable" not in names(outcome)
    assert outcome.error == "undecided"
    assert (await world.storage.guards.window(world.sync.name)).slices in ({}, {}), "nothing counted"


async def test_two_filters_a_deleted_group_enables_nobody() -> None:
    """A second filter without groups does not change what the first one asks."""
    world = world_of(two((member(O.NOT_IN, SALES), department("Research")), (department("Legal"),)), policy=DISABLE)
    await world.linked()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["Disable"]
    del world.source.groups[SALES]
    outcome = await world.look()
    assert names(outcome) == []
    assert enabled(world) == [False]


async def test_lost_tables_retry_enables_whom_deleted_group_had_disabled() -> None:
    """What the tables knew of it is gone; what the first look did not dare, the next must not."""
    world = World(filters=only(member(O.NOT_IN, SALES)), policy=DISABLE, owner_attribute=OWNER)
    world.source.groups = {SALES: set()}
    await world.linked()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["Disable"]
    await world.lose_tables()
    del world.source.groups[SALES]
    outcome = await world.look(why=Why.MARKED)
    assert outcome.error == "undecided"
    assert enabled(world) == [False]
    await world.deliver(timedelta(minutes=15))
    assert enabled(world) == [False]


async def test_deleted_and_restored_in_source_while_barred() -> None:
    """A look at somebody absent knows nothing of groups."""
    world = guarded(
        member(O.NOT_IN, SALES), policy=Policy(out_of_scope=Deprovision.DISABLE, source_deleted=Deprovision.DISABLE)
    )
    await world.linked()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["Disable"]
    world.source.soft_delete(ADA)
    await world.look()
    world.source.restore(ADA)
    del world.source.groups[SALES]
    outcome = await world.look()
    assert names(outcome) == []
    assert enabled(world) == [False]


@pytest.mark.parametrize("how", [Deprovision.DISABLE, Deprovision.SOFT_DELETE])
async def test_crash_before_kept_out_is_remembered(how: Deprovision) -> None:
    """Wherever the look that took access away broke off."""

    async def prepared() -> World:
        world = guarded(member(O.NOT_IN, SALES), policy=Policy(out_of_scope=how))
        await world.linked()
        world.source.groups[SALES].add(ADA)
        return world

    world = await prepared()
    world.forget_calls()
    await world.look()
    total = len(world.faults.calls)
    bad: list[tuple[int, bool]] = []
    for n in range(total):
        for after in (False, True):
            world = await prepared()
            world.forget_calls()
            world.faults.fail_at(n, Crash(), after=after)
            with pytest.raises(Crash):
                await world.look()
            lost = enabled(world) != [True]
            del world.source.groups[SALES]
            if not lost:
                continue
            await world.look(redelivered=True)
            if enabled(world) == [True]:
                bad.append((n, after))
    assert bad == []


async def test_missing_group_restores_nobody_whom_the_target_deleted() -> None:
    """The update that meets nobody was decided without asking for the group."""
    world = guarded(member(O.NOT_IN, SALES), policy=Policy(deleted_in_target=DeletedInTarget.RESTORE))
    await world.linked()
    world.source.groups[SALES].add(ADA)  # not seen yet
    del world.source.groups[SALES]
    (guest,) = world.guests()
    world.target.deleted[guest] = world.target.users.pop(guest)
    world.change(department="Legal")
    outcome = await world.look()
    assert "Restore" not in names(outcome)
    assert world.guests() == []


@pytest.mark.parametrize("other", [member(O.IN, CLUB)])
async def test_leaver_by_unmapped_attribute_is_nominated(other: Clause) -> None:
    """Attributes let go of them by one filter, and groups have them by neither."""
    world = world_of(two((kind("Employee"), member(O.NOT_IN, SALES)), (kind("Temporary"), other)))
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
        found |= {u for u, _ in await round_of_groups(world)}
    assert found == {ADA}


async def test_full_round_finds_whom_a_group_kept_out_beside_another_filter() -> None:
    """A filter without groups looks to a listing as if it let everybody in."""
    world = world_of(two((member(O.NOT_IN, SALES), department("Research")), (department("Legal"),)))
    world.source.groups[SALES].add(BOB)
    world.hire(BOB, "Bob")
    await world.look(BOB)
    await round_of_groups(world)
    world.source.groups[SALES].clear()
    assert await found_in_three_days(world) == {BOB}


async def test_full_round_finds_who_left_beside_a_filter_without_groups() -> None:
    """Likewise."""
    world = world_of(two((member(O.IN, CLUB),), (department("Legal"),)))
    world.source.groups[CLUB].add(ADA)
    await world.linked()
    await round_of_groups(world)
    world.source.groups[CLUB].clear()
    assert await found_in_three_days(world) == {ADA}


async def test_full_round_finds_who_left_one_of_two_groups() -> None:
    """The other one has them still, and does not let them in."""
    world = world_of(two((member(O.IN, CLUB), department("Legal")), (member(O.IN, STAFF), department("Research"))))
    world.source.groups[CLUB].add(ADA)
    world.source.groups[STAFF].add(ADA)
    await world.linked()
    await round_of_groups(world)
    world.source.groups[STAFF].clear()
    assert await found_in_three_days(world) == {ADA}


async def test_full_round_finds_disabled_who_returned_beside_other_filter() -> None:
    """Linked all the while."""
    world = world_of(two((member(O.IN, CLUB),), (department("Legal"),)), policy=DISABLE)
    world.source.groups[CLUB].add(ADA)
    await world.linked()
    world.source.groups[CLUB].clear()
    assert names(await world.look()) == ["Disable"]
    await round_of_groups(world)
    world.source.groups[CLUB].add(ADA)
    assert await found_in_three_days(world) == {ADA}


@pytest.mark.parametrize("gone", [False, True])
async def test_unfinished_invitation_of_somebody_who_is_barred(gone: bool) -> None:
    """The guest is not shown yet: somebody has to come back for it."""
    world = guarded(member(O.NOT_IN, SALES))
    world.hire()
    world.faults.calls.clear()
    # invite is done, nobody hears of it
    orig = world.target._invite

    async def invite(address: str, name: str, confirm: Any) -> None:
        await orig(address, name, confirm)
        raise UnavailableError

    world.target._invite = invite  # type: ignore[method-assign,assignment]
    world.clock.advance(timedelta(seconds=1))
    await world.worker.handle(world.nomination())
    (guest,) = world.guests()
    world.target.invisible.add(guest)
    world.source.groups[SALES].add(ADA)
    if gone:
        del world.source.groups[SALES]
    world.target._invite = orig  # type: ignore[method-assign]
    await world.deliver(timedelta(minutes=2))
    world.target.invisible.clear()
    await world.deliver(timedelta(hours=3))
    if gone:
        world.source.groups[SALES] = set()
        await world.deliver(timedelta(days=1, hours=12))
        assert (await world.stored()).state is LinkState.LINKED, await world.stored()
        return
    for _ in range(3):
        world.clock.advance(timedelta(days=1))
        await world.feeds.run(await world.started(GROUPS))
        await world.deliver()
    assert world.guests() == []


async def test_who_was_read_and_is_out_by_an_attribute_is_not_read_every_day() -> None:
    """In the same groups as at the last look: nothing new."""
    world = guarded(member(O.IN, SALES), department("Legal"))
    people = {f"user-{n}" for n in range(5)}
    for u in people:
        world.hire(u, u)
    world.source.groups[SALES] |= people
    first = await round_of_groups(world)
    for u in people:
        await world.look(u)
    world.clock.advance(timedelta(days=1))
    assert len(first) == 5
    assert await round_of_groups(world) == []


async def test_kept_out_are_gone_through_once() -> None:
    """Not all of them again for each chunk."""
    world = guarded(member(O.NOT_IN, SALES))
    n = 5000
    for i in range(n):
        await world.storage.links.save(link(source_id=f"user-{i:05}", member_of=frozenset({SALES})))
        world.source.groups[SALES].add(f"user-{i:05}")
    read = 0
    kept = world.storage.links.grouped

    async def counted(sync: str, after: str = "") -> AsyncIterator[str]:
        nonlocal read
        async for each in kept(sync, after):
            read += 1
            yield each

    object.__setattr__(world.feeds.kinds[GROUPS], "links", _Counting(world.storage.links, counted))
    await round_of_groups(world)
    assert read <= 2 * n, read


class _Counting:
    """Links, of which one listing is watched."""

    def __init__(self, links: Any, grouped: Any) -> None:
        self._links, self.grouped = links, grouped

    def __getattr__(self, name: str) -> Any:
        return getattr(self._links, name)


@pytest.mark.parametrize("how", [Deprovision.DISABLE, Deprovision.SOFT_DELETE])
async def test_a_group_that_is_restored_between_two_questions_takes_no_access(how: Deprovision) -> None:
    """First it had nobody, and then it was there."""
    world = guarded(member(O.IN, SALES), policy=Policy(out_of_scope=how))
    world.source.groups[SALES].add(ADA)
    await world.linked()
    del world.source.groups[SALES]

    def restored() -> None:
        world.source.groups[SALES] = {ADA}

    world.source.on_read = restored
    outcome = await world.look()
    assert "Disable" not in names(outcome)


async def test_a_hold_is_dropped_when_the_next_read_says_otherwise() -> None:
    """Held by one read, and by the next there is nothing to hold."""
    world = World(guard=GuardLimits(max_percent=0, min_count=0))
    await world.linked()
    world.change(accountEnabled=False, department="Legal")
    reads = 0

    def back() -> None:
        nonlocal reads
        reads += 1
        if reads == 1:
            world.change(accountEnabled=True)

    world.source.on_read = back
    outcome = await world.look()
    assert await world.storage.guards.holds(world.sync.name) == [], names(outcome)


async def test_another_combination_of_groups_and_attributes_is_found() -> None:
    """After a change of the filters."""
    world = world_of(two((member(O.IN, CLUB), department("Research")), (member(O.IN, STAFF), department("Legal"))))
    world.source.groups[CLUB].add(ADA)
    await world.linked()
    world.source.pages.update(pages([]))
    await round_of_groups(world)
    await world.first_round()
    await world.runs()
    swapped = two((member(O.IN, CLUB), department("Legal")), (member(O.IN, STAFF), department("Research")))
    world.syncs[world.sync.name] = replace(world.sync, filters=swapped)
    world.source.pages.update(pages([world.source.entry(ADA)]))
    await world.feeds.run(await world.started())
    found = set(whom(await world.nominated()))
    for run in await world.runs():
        await world.feeds.run(run)
    found |= set(whom(await world.nominated()))
    assert found == {ADA}


async def test_guests_in_a_group_are_not_read_every_day() -> None:
    """They are not synchronized, whatever groups have them."""
    world = guarded(member(O.IN, SALES))
    world.hire(userPrincipalName="ada#EXT#@contoso.example")
    world.source.groups[SALES].add(ADA)
    await world.look()
    await round_of_groups(world)
    world.clock.advance(timedelta(days=1))
    assert await round_of_groups(world) == []


@pytest.mark.parametrize("how", ["joins", "deleted"])
@pytest.mark.parametrize("dies", [False, True])
async def test_a_restore_of_unknown_outcome_leaves_nobody_with_access(how: str, dies: bool) -> None:
    """The account is there, and the record says that it is not."""
    world = guarded(member(O.NOT_IN, SALES))
    await world.linked()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["SoftDelete"]
    world.source.groups[SALES].clear()
    restore = world.target._restore

    async def lost(target_id: str) -> None:
        await restore(target_id)
        raise Crash if dies else UnavailableError

    world.target._restore = lost  # type: ignore[method-assign,assignment]
    if dies:
        with pytest.raises(Crash):
            await world.look()
    else:
        await world.look()
    world.target._restore = restore  # type: ignore[method-assign]
    assert len(world.guests()) == 1
    if how == "joins":
        world.source.groups[SALES].add(ADA)
    else:
        world.source.soft_delete(ADA)
    if dies:
        await world.look(redelivered=True)
    await world.deliver(timedelta(minutes=5))
    world.clock.advance(timedelta(days=1))
    await world.feeds.run(await world.started(GROUPS))
    await world.deliver()
    await world.look()
    assert world.guests() == []

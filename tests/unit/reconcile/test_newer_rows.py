"""A row of a newer version, after a roll-back: that user is parked alone, and the row stays as it is."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Why
from sync_core.storage.table import Row, key
from sync_core.upkeep.in_hand import LEFT_AFTER
from tests.support.directories import pages
from tests.support.make import ADA, BOB, NAME
from tests.support.world import World, names, whom


async def newer(world: World) -> Row:
    """Ada's row as version 0.3, say, left it."""
    await world.first_round()
    await world.linked()
    world.hire(BOB, "Bob")
    table = world.storage.tables_by_name["links"]
    row = await table.get(key(NAME), key(ADA))
    assert row is not None
    await table.upsert(replace(row, values={**row.values, "v": 3}))
    stored = await table.get(key(NAME), key(ADA))
    assert stored is not None
    return stored


async def test_a_row_of_a_newer_version_stops_no_feed() -> None:
    """Whatever it says, its user is nominated, and the round goes on with the others."""
    world = World()
    await newer(world)
    world.source.pages["delta:2"] = pages([world.source.entry(ADA), world.source.entry(BOB)])[None]
    await world.feeds.poll()
    for run in await world.runs():
        await world.feeds.run(run)
    state = await world.feed()
    assert (state.error, state.completed_at) == ("", world.clock.now())
    assert whom(await world.nominated()) == [ADA, BOB]


@pytest.mark.parametrize("why", [Why.FEED, Why.NOTIFICATION, Why.OPERATOR, Why.RETRY])
async def test_its_user_is_parked_and_the_row_is_left_alone(why: Why) -> None:
    """Nothing is read or written for the user; the newer version finds its row, and a message of ours."""
    world = World()
    before = await newer(world)
    world.forget_calls()
    outcome = await world.worker.handle(world.nomination(why=why))
    assert outcome is not None
    assert (outcome.error, outcome.changes, world.graph_calls()) == ("NewerSchema", (), [])
    [later] = await world.nominated()
    due = world.clock.now() + timedelta(minutes=30)
    assert later == replace(world.nomination(why=why), at=due, attempt=1)
    assert await world.storage.tables_by_name["links"].get(key(NAME), key(ADA)) == before
    bob = await world.look(BOB)
    assert names(bob)[0] == "Invite"


async def test_the_newer_version_looks_at_its_user_when_it_is_back() -> None:
    """What changed meanwhile is not told again: the message that is left is no retry of somebody who is not parked."""
    world = World()
    row = await newer(world)
    world.change(department="Sales")
    await world.worker.handle(world.nomination(why=Why.FEED))
    [later] = await world.nominated()
    world.clock.advance(timedelta(minutes=30))
    await world.storage.tables_by_name["links"].upsert(replace(row, values={**row.values, "v": 1}))
    outcome = await world.worker.handle(later)
    assert outcome is not None
    assert names(outcome) == ["Update"]


async def test_its_nominations_of_half_an_hour_are_one_message() -> None:
    """Or each of them would come back every half hour, for as long as the newer version is away."""
    world = World()
    await newer(world)
    for _ in range(3):
        await world.worker.handle(world.nomination(why=Why.FEED))
    assert len(await world.nominated()) == 1


async def test_it_hides_no_parked_user_of_this_version() -> None:
    """Status and doctor list the others."""
    world = World()
    await newer(world)
    assert await world.storage.links.parked(NAME) == []
    assert await world.storage.links.count(NAME) == 1


async def test_it_hides_no_user_whom_a_dead_worker_had_in_hand() -> None:
    """Bob is taken over, though Ada was left behind, too, by a worker of the newer version."""
    world = World()
    await newer(world)
    for user in (ADA, BOB):
        await world.storage.in_hand.take(world.nomination(user), world.clock.now())
    world.clock.advance(LEFT_AFTER + timedelta(seconds=1))
    await world.upkeep.takeover.run()
    assert whom(await world.nominated()) == [BOB]

"""How many operations on storage one look costs, by table: those of the worker, beside the queue's and the webhook's.

What a process reads at most every two seconds for all looks together is read before. The record's `get` is what it asks
once a minute. Permits to write are counted in tests/unit/graph/test_budget.py.
"""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from sync_core.model import Why
from tests.support.make import ADA, BOB
from tests.support.world import World, names

CAROL, DAN = "cccccccc-0000-0000-0000-000000000003", "dddddddd-0000-0000-0000-000000000004"

IN_HAND = {"guards.upsert": 1, "guards.delete": 1}
RECORD = {"activity.get": 1, "activity.upsert": 3}


async def company() -> World:
    """Bob, Carol and Dan are linked; Ada is to come, or came to report to Bob."""
    world = World()
    for user_id, name in ((BOB, "Bob"), (CAROL, "Carol"), (DAN, "Dan")):
        await world.linked(user_id, name)
    return world


async def reporting() -> World:
    world = await company()
    world.hire(ADA, manager=BOB)
    await world.look(ADA)
    return world


async def cost(world: World, *changes: str) -> Counter[str]:
    """The operations of Ada's next look, an hour later, which comes to these changes."""
    world.clock.advance(timedelta(hours=1))
    await world.look(DAN)
    world.forget_calls()
    outcome = await world.look(ADA, Why.NOTIFICATION)
    assert names(outcome) == [*changes]
    calls = Counter(world.faults.calls)
    return Counter(
        {name.removeprefix("table."): n for name, n in calls.items() if name.startswith(("table.", "queue."))}
    )


async def test_nothing_to_do() -> None:
    """One read of the link and of the manager's, and the time of the look."""
    spent = await cost(await reporting())
    assert spent == {"links.get": 2, "links.replace": 1, **IN_HAND}


async def test_a_change() -> None:
    """Two reads of the user, each with one of the manager's link."""
    world = await reporting()
    world.change(ADA, department="Harbours")
    spent = await cost(world, "Update")
    assert spent == {"links.get": 3, "links.replace": 2, **IN_HAND, **RECORD}


async def test_another_manager() -> None:
    """No more than any other change."""
    world = await reporting()
    world.change(ADA, manager=CAROL)
    spent = await cost(world, "Update")
    assert spent == {"links.get": 3, "links.replace": 2, **IN_HAND, **RECORD}


async def test_a_new_user() -> None:
    """The manager is read before the pair is there and after it."""
    world = await company()
    world.hire(ADA, manager=BOB)
    links = {"links.get": 5, "links.insert": 2, "links.replace": 4}
    permit = {"guards.get": 1, "guards.replace": 1}
    spent = await cost(world, "Invite", "Adopt", "Update")
    assert spent == Counter(links) + Counter(permit) + Counter(IN_HAND) + Counter(RECORD)


async def test_a_leaver() -> None:
    """Each window is read anew before a person is counted in it, and what says so is a row of its own."""
    world = await reporting()
    world.source.soft_delete(ADA)
    windows = {"links.query": 1, "guards.get": 13, "guards.insert": 5}
    spent = await cost(world, "SoftDelete")
    assert spent == Counter({"links.get": 1, "links.replace": 2, **RECORD}) + Counter(windows) + Counter(IN_HAND)

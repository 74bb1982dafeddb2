"""Two instances at one user: neither loses what the other one was asked for."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import Adoption, Link, Policy, Why
from sync_core.model.errors import ConflictError, GraphRefusedError, MissingManagerError
from sync_core.ports.writes import note_write
from tests.support.clock import START
from tests.support.make import ADA, ADDRESS, BOB, NAME, OWNER
from tests.support.world import World, names

REFUSED = GraphRefusedError(status=403, code="Authorization_RequestDenied")


async def test_a_park_that_could_not_be_recorded_nominates_anew() -> None:
    """An older read is recorded while the newer look goes on, which then parks: provisioned still, never parked."""
    world = World(policy=Policy(adopt=Adoption.NONE))
    world.hire()
    world.target.add("taken", ADDRESS)
    before = await world.storage.links.save(Link(sync=NAME, source_id=ADA))

    async def older() -> None:
        await world.storage.links.save(before.looked_at(world.clock.now()))

    world.faults.after_next("target.candidates", older)
    await world.look()
    tally = await world.storage.activity.tally(NAME, START, 10)
    assert tally.parked == 0
    del world.target.users["taken"]
    await world.deliver(timedelta(minutes=6))
    assert world.in_step()


async def test_a_retry_is_on_the_queue_only_when_its_row_is_there() -> None:
    """A worker that is frozen in between leaves a row; its message comes again, and nobody drops a retry."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", REFUSED)
    await world.look()
    calls = world.faults.calls
    saved = max(n for n, name in enumerate(calls) if name.startswith("table.links."))
    assert saved < calls.index("queue.user-changes.send")


async def test_the_look_that_asks_for_the_marker_is_not_swallowed() -> None:
    """All tables are lost; a look comes too early to find the guest, then a manager and the listing nominate."""
    world = World(owner_attribute=OWNER)
    world.hire(BOB, "Bob")
    await world.linked(ADA, "Ada")
    world.source.users[ADA]["accountEnabled"] = False
    await world.lose_tables()
    world.clock.advance(timedelta(hours=1))
    guest = next(iter(world.target.users))
    world.target.unsearchable.add(guest)
    await world.look(ADA)
    world.target.unsearchable.clear()
    world.clock.advance(timedelta(seconds=1))
    await world.worker.handle(world.nomination(ADA, Why.MANAGER))
    await world.worker.handle(world.nomination(ADA, Why.MARKED))
    await world.deliver(timedelta(seconds=20))
    assert world.target.users[guest].attributes["accountEnabled"] is False
    assert names(await world.look(ADA)) == []


@pytest.mark.parametrize("error", [ConflictError(), MissingManagerError(), REFUSED], ids=lambda error: error.code)
async def test_a_part_that_arrives_after_a_newer_record_is_not_trusted(error: Exception) -> None:
    """Its worker is told of another failure, and a newer one had recorded the user as in step."""
    world = World()
    account = await world.linked()
    world.change(city="Oslo")

    async def arrives_late() -> None:
        world.change(city="Bergen")
        await world.instance(world.syncs).worker.handle(world.nomination(ADA, Why.FEED))
        account.attributes["city"] = "Oslo"
        note_write("the part that came late")
        raise error

    world.faults.after_next("target.update", arrives_late)
    await world.look(why=Why.FEED)
    await world.deliver(timedelta(minutes=10))
    assert account.attributes["city"] == "Bergen"
    assert world.in_step()

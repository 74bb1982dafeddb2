"""The poison queues are emptied at every poll, and what no function can read stays where a person finds it."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from sync_core.model.errors import UnavailableError
from sync_core.model.messages import USER_CHANGES, WORK_QUEUES, encode, poison_queue
from sync_core.storage.queue import Queue
from sync_core.upkeep.poison import PoisonDrain
from tests.support.make import ADA
from tests.support.world import World


def drain(world: World) -> PoisonDrain:
    return PoisonDrain(poison=world.storage.poison, worker=world.worker, plans=world.storage.plans)


def poisoned(world: World, queue: str = USER_CHANGES) -> Queue:
    return world.storage.queues_by_name[poison_queue(queue)]


async def test_what_can_be_read_is_kept_and_parks_its_user() -> None:
    """Then it is gone from the queue: the next run has nothing to do."""
    world = World()
    world.hire()
    await poisoned(world).send(encode(world.nomination()))
    await drain(world).run()
    link = await world.link()
    assert link is not None
    assert link.parked is not None
    assert link.parked.reason == "poisoned"
    assert await poisoned(world).depth() == 0
    await drain(world).run()
    assert [each.queue for each in await world.storage.activity.kept()] == [USER_CHANGES]


@pytest.mark.parametrize("queue", WORK_QUEUES)
async def test_what_nobody_can_read_stays_and_can_be_seen(queue: str) -> None:
    """Not hidden either, so that a person who looks right after a poll sees it; a readable one behind it is kept."""
    world = World()
    for _ in range(40):  # more than one batch
        world.put_stored(poison_queue(queue), '{"v":1}')
    await poisoned(world, queue).send("{}")
    await drain(world).run()
    assert await poisoned(world, queue).depth() == 40
    assert [each.readable for each in await world.storage.poison.peek(queue)] == [False] * 32
    assert await world.storage.activity.poison_count(queue) == 1


async def test_nothing_is_deleted_that_could_not_be_recorded(caplog: pytest.LogCaptureFixture) -> None:
    """The next poll records it; the other queues are emptied meanwhile."""
    world = World()
    for queue in WORK_QUEUES:
        await poisoned(world, queue).send("{}")
    world.faults.fail_next("table.activity.insert", UnavailableError())
    caplog.set_level(logging.WARNING, "xtsync.poison")
    await drain(world).run()
    assert caplog.messages[0] == f"poison.not_drained queue={USER_CHANGES} error=Unavailable"
    assert [await poisoned(world, queue).depth() for queue in WORK_QUEUES] == [1, 0, 0, 0]
    await drain(world).run()
    assert await world.storage.activity.poison_count() == 4


async def test_a_version_with_poison_functions_beside_this_one_does_no_harm() -> None:
    """During an upgrade both may handle one message: it is kept once, and its user is parked."""
    world = World()
    world.hire()
    body = encode(world.nomination())
    await poisoned(world).send(body)
    (message,) = await poisoned(world).receive(visibility=1)
    await world.worker.poisoned(USER_CHANGES, message.id, message.body)  # as that version's function does
    world.clock.advance(timedelta(seconds=2))
    await drain(world).run()
    assert await world.storage.activity.poison_count() == 1
    assert await poisoned(world).depth() == 0
    assert [link.source_id for link in await world.storage.links.parked(world.sync.name)] == [ADA]


async def test_one_message_that_cannot_be_put_aside_does_not_stop_those_behind_it(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Its user has a name that no table takes: the fault that brought it here is met again by whoever parks them."""
    world = World()
    world.hire()
    await poisoned(world).send(encode(world.nomination("€" * 256)))
    await poisoned(world).send(encode(world.nomination()))
    caplog.set_level(logging.WARNING, "xtsync.poison")
    await drain(world).run()
    link = await world.link()
    assert link is not None
    assert link.parked is not None
    assert await poisoned(world).depth() == 1
    assert [line for line in caplog.messages if line.startswith(f"poison.not_drained queue={USER_CHANGES} message=")]

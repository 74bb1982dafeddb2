"""Trying again at a falling rate, parking, and what came out of the poison queue."""

from __future__ import annotations

import logging
from datetime import timedelta

import pytest

from sync_core.model import Kind, Parked
from sync_core.model.errors import GraphRefusedError, ThrottledError, UnavailableError
from sync_core.model.messages import FEED_PAGES, USER_CHANGES, encode
from sync_core.reconcile.worker import MAX_ATTEMPTS
from tests.support.make import ADA, ADDRESS, BOB, HOLD_ALL
from tests.support.world import World

REFUSED = GraphRefusedError(status=403, code="Authorization_RequestDenied")


@pytest.mark.parametrize(("attempt", "delay"), [(0, 1), (1, 2), (3, 8), (8, 256), (9, 300), (11, 300)])
async def test_transient_errors_are_tried_again_at_a_falling_rate(attempt: int, delay: float) -> None:
    """1, 2, 4 ... seconds, and never more than five minutes."""
    world = World()
    world.hire()
    world.faults.fail_next("source.read_user", UnavailableError())
    outcome = await world.worker.handle(world.nomination(attempt=attempt))
    assert outcome is not None
    assert (outcome.error, outcome.retry_after) == ("Unavailable", delay)
    (again,) = await world.nominated()
    assert again == world.nomination(attempt=attempt + 1, at=outcome.nominated_at)


async def parked(world: World) -> Parked:
    link = await world.stored()
    assert link.parked is not None
    return link.parked


async def test_graph_decides_how_long_to_wait() -> None:
    """A longer Retry-After wins over our own delay, a shorter one does not."""
    world = World()
    world.hire()
    for retry_after, waited in ((1000.5, 1000.5), (0.1, 1.0)):
        world.faults.fail_next("source.read_user", ThrottledError(retry_after=retry_after))
        outcome = await world.worker.handle(world.nomination())
        assert outcome is not None
        assert outcome.retry_after == waited


async def test_a_message_that_waits_is_not_delivered_too_early() -> None:
    """Graph said ten seconds."""
    world = World()
    world.hire()
    world.faults.fail_next("source.read_user", ThrottledError(retry_after=10))
    await world.look()
    world.forget_calls()
    await world.deliver(timedelta(seconds=8))
    assert world.graph_calls() == []
    await world.deliver(timedelta(seconds=3))
    assert world.in_step()


async def test_after_many_tries_the_user_is_parked() -> None:
    """A fault that has been transient for an hour is looked at later."""
    world = World()
    world.hire()
    world.faults.fail_next("source.read_user", UnavailableError())
    outcome = await world.worker.handle(world.nomination(attempt=MAX_ATTEMPTS))
    assert outcome is not None
    assert (outcome.error, outcome.retry_after) == ("Unavailable", 300)
    assert (await parked(world)).until == world.clock.now() + timedelta(minutes=5)


async def test_parked_users_are_looked_at_again_at_a_falling_rate() -> None:
    """5, 10, 20 ... minutes, in the end once a day."""
    world = World()
    world.hire()
    waits = []
    for _ in range(12):
        world.faults.fail_next("source.read_user", REFUSED)
        outcome = await world.look()
        assert outcome.error == "403 Authorization_RequestDenied"
        waits.append(outcome.retry_after)
    minutes = [300.0 * 2**n for n in range(9)]
    assert waits == [*minutes, 86_400.0, 86_400.0, 86_400.0]
    assert (await parked(world)).tries == 12


async def test_the_retries_of_a_parked_user_collapse_into_one() -> None:
    """Every notification of a parked user parks them anew; only the last of the retries costs a read."""
    world = World()
    world.hire()
    world.faults.fail_next("source.read_user", REFUSED, REFUSED, REFUSED)
    for _ in range(3):
        await world.look()
        world.clock.advance(timedelta(seconds=10))
    world.forget_calls()
    await world.deliver(timedelta(minutes=15))
    assert world.graph_calls() == [], "the retries of the first two times have been replaced"
    await world.deliver(timedelta(hours=1))
    assert world.faults.count("source.read_user") == 2, "the read, and the one that found nothing left to do"
    assert world.in_step()
    assert await world.nominated() == []


async def test_a_user_who_can_be_written_again_is_parked_no_longer() -> None:
    """The record of the trouble goes with the trouble."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", REFUSED)
    await world.look()
    assert (await parked(world)).reason == "403 Authorization_RequestDenied"
    await world.deliver(timedelta(minutes=6))
    link = await world.stored()
    assert link.parked is None
    assert world.in_step()


async def test_the_retry_of_a_user_who_is_not_parked_any_more_is_dropped() -> None:
    """Somebody nominated the user meanwhile, and it worked."""
    world = World()
    world.hire()
    world.faults.fail_next("source.read_user", REFUSED)
    await world.look()
    (retry,) = await world.nominated()
    await world.look()
    world.forget_calls()
    world.clock.advance(timedelta(minutes=5))
    assert await world.worker.handle(retry) is None
    assert world.graph_calls() == []


async def test_one_users_refusal_does_not_stop_another() -> None:
    """Each user is a message of their own."""
    world = World()
    world.hire()
    world.hire(BOB, "Bob")
    world.faults.fail_next("target.invite", REFUSED)
    await world.storage.queues.nominate([world.nomination(ADA), world.nomination(BOB)])
    assert await world.deliver(timedelta(seconds=5)) == []
    assert world.guests() == []
    assert world.in_step(BOB)


async def test_a_refused_user_is_recorded_with_the_code_and_nothing_else() -> None:
    """The timeline says what Graph said, without a word from a request."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", GraphRefusedError(status=400, code="BadRequest", message=ADDRESS))
    await world.look()
    (event,) = await world.events()
    assert (event.kind, event.reason) == (Kind.PARKED, "400 BadRequest")
    assert ADDRESS not in str(event)


async def test_what_is_logged_names_nobody(caplog: pytest.LogCaptureFixture) -> None:
    """Ids and numbers: no address, no name, no attribute."""
    world = World(guard=HOLD_ALL)
    with caplog.at_level(logging.DEBUG):
        world.hire()
        world.faults.fail_next("target.invite", UnavailableError(), REFUSED)
        await world.look()
        await world.deliver(timedelta(hours=1))
        world.source.soft_delete(ADA)
        await world.look()
        await world.worker.poisoned(USER_CHANGES, "m1", encode(world.nomination()))
    assert "user.parked" in caplog.text
    for secret in (ADDRESS, "Ada", "Research"):
        assert secret not in caplog.text


async def test_a_poisoned_message_parks_its_user_and_is_kept() -> None:
    """What our own program fails on again and again is looked at later, and can be looked at by a person."""
    world = World()
    world.hire()
    body = encode(world.nomination())
    await world.worker.poisoned(USER_CHANGES, "m1", body)
    await world.worker.poisoned(USER_CHANGES, "m1", body)
    (kept,) = [row async for row in world.storage.tables_by_name["activity"].query("poison:")]
    assert (kept.text("queue"), kept.text("message_id"), kept.text("body")) == (USER_CHANGES, "m1", body)
    assert (await parked(world)).reason == "poisoned"
    await world.deliver(timedelta(minutes=11))
    assert world.in_step()


@pytest.mark.parametrize("body", ["", "\ufffd", "{}", "null"])
async def test_a_poisoned_message_that_nobody_here_wrote_is_kept_and_parks_nobody(body: str) -> None:
    """Whatever can be read is recorded."""
    world = World()
    await world.worker.poisoned(USER_CHANGES, "m1", body)
    assert await world.storage.activity.poison_count() == 1
    assert await world.nominated() == []


async def test_a_poisoned_feed_message_parks_nobody() -> None:
    """The next poll wakes the round."""
    world = World()
    await world.worker.poisoned(FEED_PAGES, "m1", encode(world.nomination()))
    assert await world.storage.activity.poison_count() == 1
    assert await world.link() is None

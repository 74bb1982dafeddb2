"""What becomes of a message: dropped, deferred, handled, tried again later, parked, or kept as poison."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.errors import ConflictError, GraphRefusedError, ThrottledError, UnavailableError
from sync_core.holds import HELD
from sync_core.messages import FEED_PAGES, USER_CHANGES, encode
from sync_core.model import Deprovision, GuardLimits, Hold, LinkState, Policy, Update, Why
from sync_core.ports import HoldState
from sync_core.worker import MAX_ATTEMPTS, SETTLE, UserLocks
from tests.support.faults import Crash
from tests.support.make import ADA, ADDRESS, BOB, GUEST, NAME
from tests.support.world import World

REFUSED = GraphRefusedError(status=403, code="Authorization_RequestDenied")
HOLD_ALL = GuardLimits(max_percent=0, min_count=0)


def graph_calls(world: World) -> list[str]:
    return [call for call in world.faults.calls if call.startswith(("source.", "target."))]


# --- dropped and deferred ---------------------------------------------------------------------------------------


async def test_a_message_about_an_unknown_sync_is_dropped() -> None:
    """A sync that was taken out of sync.yaml leaves messages behind; they must not come back for ever."""
    world = World()
    assert await world.worker.handle(replace(world.nomination(), sync="no-such-sync")) is None
    assert world.faults.calls == []


async def test_an_out_of_date_nomination_costs_no_graph_call() -> None:
    """The user was read after the nomination was made: that read saw whatever it is about."""
    world = World()
    await world.linked()
    read_at = (await world.stored()).read_at
    assert read_at is not None
    for why in (Why.NOTIFICATION, Why.FEED, Why.ABSENT, Why.OPERATOR):
        assert await world.worker.handle(world.nomination(why=why, at=read_at)) is None
    assert graph_calls(world) == []
    assert await world.worker.handle(world.nomination(at=read_at + timedelta(microseconds=1))) is not None


async def test_a_redelivered_nomination_is_never_out_of_date() -> None:
    """The first delivery may have died in the middle, whatever the record says."""
    world = World()
    await world.linked()
    read_at = (await world.stored()).read_at
    world.forget_calls()
    assert await world.worker.handle(world.nomination(at=read_at), redelivered=True) is not None
    assert "target.update" in graph_calls(world)


async def test_a_retry_is_not_out_of_date_for_what_its_own_first_try_read() -> None:
    """Written, and then the last read failed: the change that came while writing would be missed."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    nomination = world.nomination(why=Why.OPERATOR)

    def moves_and_breaks() -> None:
        world.change(department="Legal")
        world.faults.fail_next("source.read_user", UnavailableError())
        world.source.on_read = lambda: None

    world.source.on_read = moves_and_breaks
    outcome = await world.worker.handle(nomination)
    assert outcome is not None
    assert outcome.error == "Unavailable"
    await world.deliver()
    assert world.in_step()


@pytest.mark.parametrize("why", [Why.NOTIFICATION, Why.FEED, Why.ABSENT])
async def test_a_user_who_was_looked_at_just_now_is_looked_at_once_afterwards(why: Why) -> None:
    """Graph tells of one edit several times within seconds: the rest waits, and one read answers them all."""
    world = World()
    await world.linked()
    await world.look()
    world.forget_calls()
    for _ in range(5):
        world.clock.advance(timedelta(milliseconds=10))
        assert await world.worker.handle(world.nomination(why=why)) is None
    assert graph_calls(world) == []
    world.change(department="Sales")
    await world.deliver(SETTLE + timedelta(seconds=2))
    assert graph_calls(world).count("target.update") == 1
    assert world.in_step()
    assert await world.nominated() == []


@pytest.mark.parametrize("why", [Why.OPERATOR, Why.APPROVED])
async def test_a_person_does_not_wait(why: Why) -> None:
    """Whoever asks for a look gets one."""
    world = World()
    await world.linked()
    await world.look()
    world.clock.advance(timedelta(milliseconds=10))
    assert await world.worker.handle(world.nomination(why=why)) is not None


async def test_one_user_is_handled_by_one_worker_at_a_time() -> None:
    """Within a process a lock does it: the second message finds the work done."""
    world = World()
    world.hire()
    world.hire(BOB, "Bob")
    first = [world.nomination(ADA) for _ in range(5)]
    await asyncio.gather(*(world.worker.handle(each) for each in [*first, world.nomination(BOB)]))
    assert len(world.guests()) == 1
    assert world.target.writes.count(("invite", ADDRESS)) == 1
    assert world.in_step(BOB)


async def test_locks_are_forgotten_when_nobody_waits() -> None:
    """A process that runs for months meets every user of the tenant."""
    locks = UserLocks()
    order = []

    async def work(n: int) -> None:
        async with locks.hold(NAME, ADA):
            order.append(("in", n))
            await asyncio.sleep(0)
            order.append(("out", n))

    await asyncio.gather(*(work(n) for n in range(3)))
    assert order == [(step, n) for n in range(3) for step in ("in", "out")]
    with pytest.raises(Crash):
        async with locks.hold(NAME, ADA):
            raise Crash
    assert locks._locks == {}


# --- redelivery and conflicts -----------------------------------------------------------------------------------


async def test_a_redelivery_applies_every_attribute_again() -> None:
    """An older worker may have written after the newer one recorded: what is recorded is not trusted."""
    world = World()
    account = await world.linked()
    account.attributes["department"] = "written late by a worker that was thought dead"
    await world.look()
    assert not world.in_step()
    await world.look(redelivered=True)
    assert world.in_step()


async def test_a_lost_compare_and_swap_applies_every_attribute_again() -> None:
    """Two workers wrote one user: whose write came last is unknown, so the newest source is written once more."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    before = await world.stored()

    world.faults.fail_at(4, ConflictError())  # link, read, mark, PATCH; and the record meets somebody else's
    outcome = await world.look()
    assert [call for call in world.faults.calls if call == "target.update"] == ["target.update"] * 2
    (written,) = outcome.changes
    assert isinstance(written, Update)
    assert len(written.attributes) > 10
    assert world.in_step()
    after = await world.stored()
    assert after.etag != before.etag
    assert not after.dirty


async def test_a_conflict_before_anything_was_written_starts_over_from_the_newer_link() -> None:
    """The mark was refused, so nothing was sent: the difference alone is written on the second try."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    world.faults.fail_next("table.links.replace", ConflictError())
    outcome = await world.look()
    assert [getattr(change, "attributes", None) for change in outcome.changes] == [{"department": "Sales"}]
    assert world.in_step()


async def test_conflicts_without_end_hand_the_message_back() -> None:
    """Somebody else writes this link all the time: later is better."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    world.faults.fail_next("table.links.replace", *(ConflictError() for _ in range(5)))
    outcome = await world.look()
    assert outcome.error == "Conflict"
    assert world.target.writes == []
    await world.deliver()
    assert world.in_step()


async def test_an_overtaken_record_of_nothing_is_no_failure(caplog: pytest.LogCaptureFixture) -> None:
    """There was nothing to do, and somebody else recorded first: their record is as good."""
    world = World()
    await world.linked()
    world.faults.fail_next("table.links.replace", ConflictError())
    with caplog.at_level(logging.INFO):
        outcome = await world.look()
    assert outcome.error == ""
    assert "link.overtaken" in caplog.text


# --- again and again --------------------------------------------------------------------------------------------


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
    assert graph_calls(world) == []
    await world.deliver(timedelta(seconds=3))
    assert world.in_step()


async def test_after_many_tries_the_user_is_parked() -> None:
    """What is transient for an hour is looked at later."""
    world = World()
    world.hire()
    world.faults.fail_next("source.read_user", UnavailableError())
    outcome = await world.worker.handle(world.nomination(attempt=MAX_ATTEMPTS))
    assert outcome is not None
    assert (outcome.error, outcome.retry_after) == ("Unavailable", 300)
    assert (await world.stored()).parked_until == world.clock.now() + timedelta(minutes=5)


# --- parked -----------------------------------------------------------------------------------------------------


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
    assert (await world.stored()).park_count == 12


async def test_the_retries_of_a_parked_user_collapse_into_one() -> None:
    """Every notification of a parked user parks them anew; only the last of the retries costs a read."""
    world = World()
    world.hire()
    world.faults.fail_next("source.read_user", REFUSED, REFUSED, REFUSED)
    for _ in range(3):
        await world.look()
        world.clock.advance(timedelta(seconds=10))
    world.forget_calls()
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
    assert (await world.stored()).reason == "403 Authorization_RequestDenied"
    await world.deliver(timedelta(minutes=6))
    link = await world.stored()
    assert (link.parked_until, link.park_count, link.reason) == (None, 0, "")
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
    assert graph_calls(world) == []


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
    (entry,) = await world.storage.activity.recent(NAME, 10)
    assert entry["error"] == "400 BadRequest"
    assert ADDRESS not in str(entry)


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
        await world.worker.poisoned(USER_CHANGES, "m1", encode(world.nomination()).encode())
    assert "user.parked" in caplog.text
    for secret in (ADDRESS, "Ada", "Research"):
        assert secret not in caplog.text


# --- poison -----------------------------------------------------------------------------------------------------


async def test_a_poisoned_message_parks_its_user_and_is_kept() -> None:
    """What our own program fails on again and again is looked at later, and can be looked at by a person."""
    world = World()
    world.hire()
    body = encode(world.nomination())
    await world.worker.poisoned(USER_CHANGES, "m1", body.encode())
    await world.worker.poisoned(USER_CHANGES, "m1", body.encode())
    (kept,) = await world.storage.activity.poison(10)
    assert (kept["queue"], kept["message_id"], kept["body"]) == (USER_CHANGES, "m1", body)
    assert (await world.stored()).reason == "poisoned"
    await world.deliver(timedelta(minutes=11))
    assert world.in_step()


@pytest.mark.parametrize("body", [b"", b"\xff\xfe", b"{}", b"null"])
async def test_a_poisoned_message_that_nobody_here_wrote_is_kept_and_parks_nobody(body: bytes) -> None:
    """The poison queue has no poison queue of its own: whatever comes is recorded."""
    world = World()
    await world.worker.poisoned(USER_CHANGES, "m1", body)
    assert await world.storage.activity.poison_count() == 1
    assert await world.nominated() == []


async def test_a_poisoned_feed_message_parks_nobody() -> None:
    """The next poll wakes the round."""
    world = World()
    await world.worker.poisoned(FEED_PAGES, "m1", encode(world.nomination()).encode())
    assert await world.storage.activity.poison_count() == 1
    assert await world.link() is None


# --- holds ------------------------------------------------------------------------------------------------------


async def test_a_held_deletion_waits_and_loses_nothing_else() -> None:
    """The leaver keeps the account; the hold is listed, and everybody else goes on."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    outcome = await world.look()
    assert isinstance(outcome.changes[-1], Hold)
    assert len(world.guests()) == 1
    link = await world.stored()
    assert (link.permit, link.reason, link.state) == (HELD, "held", LinkState.LINKED)
    (held,) = await world.storage.guards.holds(NAME)
    assert (held.source_id, held.target_id, held.change) == (ADA, link.target_id, "SoftDelete")


async def test_an_approved_deletion_is_carried_out_and_its_hold_released() -> None:
    """After a fresh read, like every deletion."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=True, by="grace")
    await world.look(why=Why.APPROVED)
    assert world.guests() == []
    assert await world.storage.guards.holds(NAME) == []
    assert (await world.stored()).permit is None


async def test_an_approval_for_somebody_who_came_back_deletes_nobody() -> None:
    """An approval is a permit, not an order: the fresh read decides, and the hold is gone."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=True, by="grace")
    world.source.restore(ADA)
    await world.look(why=Why.APPROVED)
    assert len(world.guests()) == 1
    assert await world.storage.guards.holds(NAME) == []
    world.source.soft_delete(ADA)
    outcome = await world.look()
    assert isinstance(outcome.changes[-1], Hold), "the old approval does not count for the next departure"


async def test_a_rejected_deletion_is_not_asked_for_again() -> None:
    """The account stays, and so does the answer."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=False, by="grace")
    await world.look()
    assert len(world.guests()) == 1
    (held,) = await world.storage.guards.holds(NAME)
    assert held.state is HoldState.REJECTED


async def test_a_held_disable_still_writes_the_other_attributes() -> None:
    """Only the part that takes access away waits."""
    world = World(guard=HOLD_ALL)
    account = await world.linked()
    world.change(accountEnabled=False, department="Sales")
    outcome = await world.look()
    assert [type(change).__name__ for change in outcome.changes] == ["Hold", "Hold"]
    assert account.attributes["department"] == "Sales"
    assert account.attributes["accountEnabled"] is True
    assert len(await world.storage.guards.holds(NAME)) == 1
    world.change(accountEnabled=True)
    await world.look()
    assert await world.storage.guards.holds(NAME) == []


async def test_a_mass_departure_is_held_after_the_limit() -> None:
    """Fifty leavers at once: ten go, forty wait for a person."""
    world = World()
    people = [f"user-{n:02}" for n in range(50)]
    for n, user_id in enumerate(people):
        world.hire(user_id, f"P{n}")
        await world.look(user_id)
    for user_id in people:
        world.source.soft_delete(user_id)
    await asyncio.gather(*(world.look(user_id) for user_id in people))
    assert len(world.target.users) == 40
    assert len(await world.storage.guards.holds(NAME)) == 40


async def test_a_deletion_interrupted_before_its_record_is_counted_once() -> None:
    """The worker died between the DELETE and its record; redelivery finds the permit on the link."""
    world = World(guard=GuardLimits(max_percent=0, min_count=1))
    await world.linked()
    world.source.soft_delete(ADA)
    world.faults.fail_next("target.soft_delete", Crash())
    with pytest.raises(Crash):
        await world.look()
    assert (await world.stored()).permit == "SoftDelete"
    await world.look(redelivered=True)
    assert world.guests() == []
    assert sum((await world.storage.guards.window(NAME)).slices.values()) == 1


async def test_a_permit_ends_with_the_refusal_of_its_user() -> None:
    """Counted, interrupted, and then not to be deleted any more: the next departure is counted for itself."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)
    world.faults.fail_next("target.soft_delete", UnavailableError())
    await world.look()
    assert (await world.stored()).permit == "SoftDelete"
    world.clock.advance(timedelta(hours=2))
    world.source.restore(ADA)
    world.change(department="Sales")
    world.target.deleted |= world.target.users  # by somebody else
    world.target.users.clear()
    assert (await world.look()).error == "deleted in target"
    assert (await world.stored()).permit is None


async def test_a_policy_that_leaves_leavers_says_so() -> None:
    """`leave` is a skip with its reason, and costs no target call."""
    world = World(policy=Policy(source_deleted=Deprovision.LEAVE))
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    assert world.target.writes == []
    assert (await world.stored()).reason == "left by policy"


async def test_a_refusal_is_parked_with_its_reason() -> None:
    """Somebody else's guest: the user waits, and `why` can say for what."""
    world = World()
    world.target.add(GUEST, ADDRESS)
    world.clock.advance(timedelta(days=1))
    world.hire()
    await world.look()
    link = await world.stored()
    assert link.reason == "unadopted"
    assert link.parked_until is not None
    assert [each.source_id for each in await world.storage.links.parked(NAME)] == [ADA]

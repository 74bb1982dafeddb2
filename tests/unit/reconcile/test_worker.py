"""What becomes of a message: dropped, deferred, handled by one worker at a time, or started over after a conflict."""

from __future__ import annotations

import asyncio
import logging
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Update, Why
from sync_core.model.errors import ConflictError, GraphRefusedError, UnavailableError
from sync_core.reconcile.coalescing import COALESCE_WITHIN
from sync_core.reconcile.locks import UserLocks
from tests.support.faults import Crash
from tests.support.make import ADA, ADDRESS, BOB, NAME
from tests.support.world import World

REFUSED = GraphRefusedError(status=403, code="Authorization_RequestDenied")


async def test_an_out_of_date_nomination_costs_no_graph_call() -> None:
    """The user was read after the nomination was made, and seconds after what a feed told, which it does not repeat."""
    world = World()
    await world.linked()
    read_at = (await world.stored()).read_at
    assert read_at is not None
    for why in (Why.NOTIFICATION, Why.OPERATOR):
        assert await world.worker.handle(world.nomination(why=why, at=read_at)) is None
    for why in (Why.FEED, Why.ABSENT):
        assert await world.worker.handle(world.nomination(why=why, at=read_at - COALESCE_WITHIN)) is None
    assert world.graph_calls() == []
    assert await world.worker.handle(world.nomination(at=read_at + timedelta(microseconds=1))) is not None


async def test_a_read_in_the_future_silences_nobody() -> None:
    """A machine whose clock ran an hour fast made it: a change of the next hour is not older than that read."""
    world = World()
    await world.linked()
    await world.storage.links.save(replace(await world.stored(), read_at=world.clock.now() + timedelta(hours=1)))
    world.change(department="Sales")
    assert isinstance((await world.look()).changes[-1], Update)


async def test_a_redelivered_nomination_is_never_out_of_date() -> None:
    """The first delivery may have died in the middle, whatever the record says."""
    world = World()
    await world.linked()
    read_at = (await world.stored()).read_at
    world.forget_calls()
    assert await world.worker.handle(world.nomination(at=read_at), redelivered=True) is not None
    assert "target.update" in world.graph_calls()


async def test_a_retry_is_not_out_of_date_for_what_its_own_first_try_read() -> None:
    """Written, and then the last read failed: the change that came while writing would be missed."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    nomination = world.nomination(why=Why.OPERATOR)

    def moves_and_breaks() -> None:
        world.change(department="Legal")
        world.faults.fail_next("source.read_user", UnavailableError())

    world.source.on_next_read(moves_and_breaks)
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
    assert await world.worker.handle(world.nomination(why=why)) is not None
    world.forget_calls()
    for _ in range(5):
        world.clock.advance(timedelta(milliseconds=10))
        assert await world.worker.handle(world.nomination(why=why)) is None
    assert world.graph_calls() == []
    world.change(department="Sales")
    await world.deliver(COALESCE_WITHIN + timedelta(seconds=2))
    assert world.graph_calls().count("target.update") == 1
    assert world.in_step()
    assert await world.nominated() == []


async def test_the_first_notification_does_not_wait_for_a_look_that_something_else_led_to() -> None:
    """A poll, or somebody's manager, had the user looked at a moment ago: that says nothing of this change."""
    world = World()
    await world.linked()
    await world.look()
    world.clock.advance(timedelta(seconds=1))
    assert await world.worker.handle(world.nomination(why=Why.FEED)) is None  # comes later
    world.change(department="Sales")
    assert await world.worker.handle(world.nomination(why=Why.NOTIFICATION)) is not None
    assert world.in_step()


async def test_a_leaver_who_returns_at_once_does_not_wait() -> None:
    """A deletion that was a mistake is undone within the moment in which it is seen."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)
    assert await world.worker.handle(world.nomination(why=Why.NOTIFICATION)) is not None
    world.clock.advance(timedelta(seconds=1))
    world.source.restore(ADA)
    assert await world.worker.handle(world.nomination(why=Why.NOTIFICATION)) is not None
    assert world.in_step()


@pytest.mark.parametrize("why", [Why.OPERATOR, Why.APPROVED])
async def test_a_person_does_not_wait(why: Why) -> None:
    """A person who asks for a look gets one at once."""
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
        async with locks.locked(NAME, ADA):
            order.append(("in", n))
            await asyncio.sleep(0)
            order.append(("out", n))

    await asyncio.gather(*(work(n) for n in range(3)))
    assert order == [(step, n) for n in range(3) for step in ("in", "out")]
    with pytest.raises(Crash):
        async with locks.locked(NAME, ADA):
            raise Crash
    assert locks._locks == {}


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
    """A newer worker wrote and recorded while our PATCH was on its way: the newest source is written once more."""
    world = World()
    await world.linked()
    other = replace(world.worker, locks=UserLocks())
    world.change(department="Sales")

    async def overtaken() -> None:
        world.change(department="Legal")
        assert await other.handle(world.nomination(why=Why.OPERATOR)) is not None
        assert world.in_step()

    world.target.before_update = overtaken
    outcome = await world.look()
    (written,) = outcome.changes
    assert isinstance(written, Update)
    assert len(written.attributes) > 10
    assert world.in_step()
    assert not (await world.stored()).dirty


async def test_who_was_overtaken_while_waiting_for_a_permit_does_not_write_what_was_read_before() -> None:
    """Disabled and enabled again meanwhile: the old decision would take access away once more, uncounted."""
    world = World()
    account = await world.linked()
    other = replace(world.worker, locks=UserLocks())
    world.change(accountEnabled=False)

    async def overtaken() -> None:
        world.clock.advance(timedelta(seconds=10))
        world.change(accountEnabled=True)
        assert await other.handle(world.nomination(why=Why.OPERATOR)) is not None

    world.target.before_update = overtaken
    outcome = await world.look()
    assert outcome.changes == ()
    assert account.attributes["accountEnabled"] is True
    assert world.target.writes.count(("update", "guest-1")) == 1
    assert world.in_step()


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


async def test_a_burst_about_one_user_leaves_one_message_and_one_read() -> None:
    """Whatever comes in shortly after a read waits for one later look, which is newer than all of it."""
    world = World()
    await world.linked()
    await world.look(why=Why.NOTIFICATION)
    world.forget_calls()
    for _ in range(20):
        world.clock.advance(timedelta(milliseconds=50))
        await world.worker.handle(world.nomination())
    assert await world.storage.queues_by_name["user-changes"].depth() == 1
    assert world.graph_calls() == []
    await world.deliver(timedelta(seconds=10))
    assert world.graph_calls() == ["source.read_user"]


async def test_a_change_after_the_later_look_gets_a_look_of_its_own() -> None:
    """The shortcut ends when the look is taken: what comes in afterwards is not covered by it."""
    world = World()
    await world.linked()
    await world.look(why=Why.NOTIFICATION)
    await world.worker.handle(world.nomination())
    await world.deliver(timedelta(seconds=10))
    world.clock.advance(timedelta(seconds=10))
    world.change(department="Later")
    await world.worker.handle(world.nomination())
    assert world.in_step()

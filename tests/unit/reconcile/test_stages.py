"""Leaving in stages, from the first look to the last: the clock, the notes, the guard, and who is kept."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from sync_core.model import (
    Clause,
    Control,
    Deprovision,
    Filter,
    GuardLimits,
    Kind,
    Limit,
    LinkState,
    Operator,
    Policy,
    Reason,
    Skip,
    Stage,
    Stages,
    Stay,
    Why,
)
from sync_core.ports import Due
from tests.support.clock import START
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, LATER, NAME, STAGES
from tests.support.target import Account
from tests.support.world import World, names

DAY = timedelta(days=1)
SALES = Filter(name="sales", clauses=[Clause(attribute="department", operator=Operator.EQUALS, value="Sales")])
STAGED = Policy(out_of_scope=STAGES, source_deleted=STAGES)
ONE_A_DAY = GuardLimits(max_percent=0, min_count=1, month=Limit(max_percent=0, min_count=100, window=30 * DAY))


async def staged(policy: Policy = STAGED, *, guard: GuardLimits | None = None) -> tuple[World, Account]:
    """Ada of Sales, linked an hour ago."""
    world = World(policy=policy, filters=[SALES], guard=guard)
    world.hire(ADA, "Ada", department="Sales")
    await world.look()
    world.clock.advance(timedelta(hours=1))
    (account,) = world.target.users.values()
    world.forget_calls()
    return world, account


async def left(policy: Policy = STAGED, *, guard: GuardLimits | None = None) -> tuple[World, Account]:
    """Ada has left Sales, and a look saw it."""
    world, account = await staged(policy, guard=guard)
    world.change(department="Research")
    await world.look(why=Why.NOTIFICATION)
    return world, account


async def due(world: World) -> list[Due]:
    return list(await world.storage.due.page(NAME, 100))


async def poll(world: World) -> None:
    """The upkeep of a poll, and the looks that it asks for."""
    await world.upkeep.leavers.run()
    assert await world.deliver(timedelta(seconds=5)) == []


async def test_the_second_stage_follows_the_first_by_a_note_and_no_message() -> None:
    """Disabled at once, deleted two weeks later: no message and no feed reminds of it in between."""
    world, account = await left()
    disabled = account.attributes["accountEnabled"]
    at = (await world.stored()).leaving
    assert disabled is False
    assert at is not None
    assert [each.at for each in await due(world)] == [at.since + 14 * DAY]
    assert await world.nominated() == []

    world.clock.advance(14 * DAY - timedelta(minutes=1))
    await poll(world)
    assert (await world.stored()).state is LinkState.LINKED

    world.clock.advance(timedelta(minutes=2))
    await poll(world)
    assert (await world.stored()).state is LinkState.DELETED
    world.clock.advance(timedelta(hours=7))
    await poll(world)
    assert await due(world) == []


async def test_who_returns_in_between_is_enabled_and_begins_anew() -> None:
    """The time of an earlier leaving counts for nothing after a return."""
    world, account = await left()
    world.clock.advance(10 * DAY)
    world.change(department="Sales")
    assert names(await world.look(why=Why.NOTIFICATION)) == ["Update"]
    assert account.attributes["accountEnabled"] is True
    assert (await world.stored()).leaving is None
    assert await due(world) == []

    world.clock.advance(10 * DAY)
    world.change(department="Research")
    await world.look(why=Why.NOTIFICATION)
    world.clock.advance(10 * DAY)
    await poll(world)
    assert (await world.stored()).state is LinkState.LINKED
    world.clock.advance(4 * DAY)
    await poll(world)
    assert (await world.stored()).state is LinkState.DELETED


async def test_the_return_is_recorded_before_the_write_that_it_asks_for() -> None:
    """A worker that dies while it enables somebody leaves no clock of before behind."""
    for n in range(100):
        for after in (False, True):
            world, _ = await left()
            world.clock.advance(10 * DAY)
            world.change(department="Sales")
            world.forget_calls()
            world.faults.fail_at(n, Crash(), after=after)
            done = False
            with suppress(Crash):
                await world.look(why=Why.NOTIFICATION)
                done = True
            if done:
                assert n > 3
                return
            enabled = [each for each in world.target.writes if "update" in str(each)]
            if enabled:
                assert (await world.stored()).leaving is None


async def test_a_crash_between_note_and_clock_loses_nobody() -> None:
    """The note is there before the clock, so whatever dies, the redelivered message or the note leads to a look."""
    for n in range(100):
        world, _ = await staged()
        world.change(department="Research")
        world.forget_calls()
        world.faults.fail_at(n, Crash(), after=True)
        try:
            await world.look(why=Why.NOTIFICATION)
        except Crash:
            link = await world.stored()
            if link.leaving is not None:
                assert [each.at for each in await due(world)] == [link.leaving.until]
            world.clock.advance(timedelta(minutes=10))
            await world.look(why=Why.NOTIFICATION, redelivered=True)
            link = await world.stored()
            assert link.leaving is not None
            assert link.leaving.until in [each.at for each in await due(world)]
        else:
            assert n > 5
            return


async def test_each_stage_passes_the_guard() -> None:
    """Disabling was approved; the deletion is a removal of its own, and waits for its own approval."""
    world, _ = await left(guard=GuardLimits(max_percent=0, min_count=0, month=Limit(max_percent=0, min_count=0)))
    (hold,) = await world.storage.guards.holds(NAME)
    assert (hold.change, (await world.stored()).leaving) == ("Disable", None)
    await world.guard.decide([hold], approve=True, by="op")
    assert names(await world.look(why=Why.APPROVED)) == ["Disable"]

    world.clock.advance(14 * DAY)
    await poll(world)
    (hold,) = await world.storage.guards.holds(NAME)
    assert (hold.change, (await world.stored()).state) == ("SoftDelete", LinkState.LINKED)
    assert [each.at - world.clock.now() > timedelta(hours=5) for each in await due(world)] == [True]
    await world.guard.decide([hold], approve=True, by="op")
    assert names(await world.look(why=Why.APPROVED)) == ["SoftDelete"]


async def test_one_person_counts_once_in_a_window_for_both_stages() -> None:
    """The month's window holds one person, who was disabled and is deleted within it."""
    one = Limit(max_percent=0, min_count=1)
    world, _ = await left(guard=GuardLimits(max_percent=0, min_count=1, month=replace(one, window=30 * DAY)))
    world.clock.advance(14 * DAY)
    await poll(world)
    assert (await world.stored()).state is LinkState.DELETED


async def test_a_stage_waits_until_deletions_go_on() -> None:
    """While deletions are paused nobody is nominated for one, and the note stays."""
    world, _ = await left()
    await world.runtime.pauses.say(NAME, Control.DELETIONS_PAUSED, by="op", reason="who?")
    world.clock.advance(20 * DAY)
    await poll(world)
    assert (await world.stored()).state is LinkState.LINKED
    await world.runtime.pauses.say(NAME, Control.RUNNING, by="op", reason="")
    await poll(world)
    assert (await world.stored()).state is LinkState.DELETED


async def test_another_cause_keeps_the_clock() -> None:
    """Out of scope for ten days, then deleted in the source: four days later the stage is due."""
    world, _ = await left()
    world.clock.advance(10 * DAY)
    world.source.soft_delete(ADA)
    await world.look(why=Why.ABSENT)
    world.clock.advance(3 * DAY)
    await poll(world)
    assert (await world.stored()).state is LinkState.LINKED
    world.clock.advance(DAY + timedelta(hours=7))
    await poll(world)
    assert (await world.stored()).state is LinkState.DELETED


async def test_a_link_that_an_earlier_version_rewrote_begins_anew() -> None:
    """That version leaves the column out. The note still leads to a look, and the stage takes its full time again."""
    world, _ = await left()
    table = world.storage.tables_by_name["links"]
    (row,) = [row async for row in table.query(NAME)]
    values = {name: value for name, value in row.values.items() if name != "leaving"}
    await table.replace(replace(row, values=values), row.etag)

    world.clock.advance(14 * DAY)
    await poll(world)
    link = await world.stored()
    assert link.leaving is not None
    assert [each.at for each in await due(world)] == [link.leaving.since + 14 * DAY]
    assert link.leaving.since > START + 14 * DAY


async def test_nothing_is_said_of_a_stage_that_is_not_due_as_if_nothing_were_to_come() -> None:
    """The decision says what comes, and when."""
    world, _ = await left()
    change = (await world.engine.preview(world.sync, ADA)).change
    assert isinstance(change, Stay)
    assert (change.reason, change.leaving.then) == (Reason.LEAVING, Deprovision.SOFT_DELETE)


async def test_a_policy_of_one_word_keeps_no_clock() -> None:
    """Nothing is stored of who leaves by one word."""
    world, _ = await left(Policy(out_of_scope=Deprovision.DISABLE))
    assert ((await world.stored()).leaving, await due(world)) == (None, [])
    assert (await world.engine.preview(world.sync, ADA)).change == Skip(reason=Reason.NO_CHANGE)


async def kept(world: World, until: datetime) -> None:
    await world.runtime.kept.say(NAME, ADA, until, by="op", reason="her handover")


@pytest.mark.parametrize("policy", [Policy(), Policy(out_of_scope=Deprovision.DISABLE), Policy(out_of_scope=LATER)])
async def test_who_is_kept_keeps_access_until_that_ends(policy: Policy) -> None:
    """Nothing is taken before, whatever the policy, and by the next poll it is. The word is dropped a week later."""
    world, account = await staged(policy)
    await kept(world, world.clock.now() + 5 * DAY)
    world.change(department="Research")
    await world.look(why=Why.NOTIFICATION)
    world.clock.advance(4 * DAY)
    await poll(world)
    await world.look()
    assert (world.target.writes, account.attributes["accountEnabled"]) == ([], True)

    world.clock.advance(2 * DAY)
    await poll(world)
    assert len(world.target.writes) == 1
    world.clock.advance(6 * DAY)
    await poll(world)
    assert await world.storage.keeps.all(NAME) == []


@pytest.mark.parametrize("how", [Deprovision.SOFT_DELETE, Deprovision.DISABLE])
@pytest.mark.parametrize("moment", ["target.read_user", "table.links.replace"])
async def test_a_word_to_keep_comes_in_time_right_before_the_write(how: Deprovision, moment: str) -> None:
    """Between the decision and the write, also once the link says that it begins: nothing is sent."""
    world, _ = await staged(Policy(out_of_scope=how))
    world.change(department="Research")
    world.faults.after_next(moment, lambda: kept(world, world.clock.now() + DAY))
    await world.look(why=Why.NOTIFICATION)
    assert (world.target.writes, world.target.deleted) == ([], {})


async def test_the_source_disables_who_is_kept() -> None:
    """A word to keep is about leaving: whom the source itself disables is disabled."""
    world, account = await staged()
    await kept(world, world.clock.now() + DAY)
    world.change(accountEnabled=False)
    await world.look(why=Why.NOTIFICATION)
    assert account.attributes["accountEnabled"] is False


async def test_a_word_to_keep_that_cannot_be_read_takes_nobodys_access() -> None:
    """A row of a newer version is not the lack of one."""
    world, _ = await staged(Policy())
    await kept(world, world.clock.now() + DAY)
    table = world.storage.tables_by_name["guards"]
    (row,) = [row async for row in table.query(f"keep:{NAME}")]
    await table.replace(replace(row, values={**row.values, "v": 3}), row.etag)
    world.change(department="Research")
    await world.look(why=Why.NOTIFICATION)
    assert world.target.writes == []


async def test_the_record_tells_of_each_stage() -> None:
    """The stage that was reached, since when, and what comes when."""
    world, _ = await left()
    told = {event.kind: event.reason for event in await world.events(ADA)}
    assert told[Kind.LEAVING] == (
        "out of scope: filter 'sales': department EQUALS does not hold;"
        " disable since 2026-01-05 10:00 UTC; at 2026-01-19 10:00 UTC soft_delete"
    )
    events = len(await world.events(ADA))
    await world.look()
    assert len(await world.events(ADA)) == events


async def test_somebody_else_is_not_looked_at() -> None:
    """The poll nominates the due alone."""
    world, _ = await left()
    world.hire(BOB, "Bob", department="Sales")
    await world.look(BOB)
    world.clock.advance(15 * DAY)
    await world.upkeep.leavers.run()
    assert [each.user for each in await world.nominated()] == [ADA]


async def test_a_word_to_keep_leaves_a_hold_to_be_decided() -> None:
    """The guard held a deletion that is not to come now; when it would come, it waits for a person still."""
    none = Limit(max_percent=0, min_count=0)
    world, _ = await left(Policy(), guard=GuardLimits(max_percent=0, min_count=0, month=none))
    assert len(await world.storage.guards.holds(NAME)) == 1
    await kept(world, world.clock.now() + DAY)
    await world.look()
    assert len(await world.storage.guards.holds(NAME)) == 1
    world.deploy(guard=GuardLimits(max_percent=100, min_count=10))
    world.clock.advance(DAY)
    await poll(world)
    assert len(await world.storage.guards.holds(NAME)) == 1
    assert world.target.deleted == {}


async def test_a_lost_note_is_found_by_a_full_round() -> None:
    """Each linked user who is out of scope or gone is looked at then, and leaves a note again."""
    world, _ = await left()
    await world.storage.due.forget(NAME)
    await world.feeds.start_round("contoso", full=True)
    assert await world.polled() == []
    assert [each.source_id for each in await due(world)] == [ADA]


async def test_a_handed_over_user_begins_no_stage_anew_and_ends_the_old_one() -> None:
    """Another sync has the person: the clock of the first one counts for nothing any more."""
    world, _ = await left()
    link = (await world.stored()).hand_over_begun("other")
    assert link.leaving is None


async def bob_leaves(world: World) -> None:
    """He takes the one deletion that a day has room for."""
    world.hire(BOB, "Bob", department="Sales")
    await world.look(BOB)
    world.clock.advance(timedelta(hours=1))
    world.change(BOB, department="Research")
    await world.look(BOB, why=Why.NOTIFICATION)


async def rejected(world: World) -> None:
    """A person says that Ada is to stay, and a look knows it."""
    (hold,) = await world.storage.guards.holds(NAME)
    assert hold.source_id == ADA
    await world.guard.decide([hold], approve=False, by="op")
    world.clock.advance(timedelta(minutes=1))
    await world.look(why=Why.OPERATOR)


async def rejected_and_kept() -> World:
    """The guard held Ada's deletion, a person rejected it, and another one keeps her for five days."""
    world, _ = await staged(Policy(), guard=ONE_A_DAY)
    await bob_leaves(world)
    world.change(department="Research")
    await world.look(why=Why.NOTIFICATION)
    await rejected(world)
    await kept(world, world.clock.now() + 5 * DAY)
    world.clock.advance(timedelta(minutes=1))
    await world.look(why=Why.OPERATOR)
    return world


async def test_a_word_to_keep_does_not_end_a_rejection() -> None:
    """Another operator keeps her to be on the safe side: when that ends, she is still not to be deleted."""
    world = await rejected_and_kept()
    world.clock.advance(6 * DAY)
    await poll(world)
    assert (await world.stored()).state is LinkState.LINKED


async def test_a_longer_stage_does_not_end_a_rejection() -> None:
    """The policy waits longer by now, and what comes then is what a person rejected."""
    world, _ = await left(guard=ONE_A_DAY)
    world.clock.advance(13 * DAY + timedelta(hours=22))
    await bob_leaves(world)
    world.clock.advance(timedelta(hours=2))
    await poll(world)
    await rejected(world)
    longer = Stages(stages=(Stage(then=Deprovision.DISABLE), Stage(then=Deprovision.SOFT_DELETE, after=30 * DAY)))
    world.deploy(policy=replace(STAGED, out_of_scope=longer, source_deleted=longer))
    world.clock.advance(timedelta(minutes=1))
    await world.look(why=Why.FEED)
    world.clock.advance(17 * DAY)
    await poll(world)
    assert (await world.stored()).state is LinkState.LINKED


async def test_who_returns_ends_a_rejection() -> None:
    """A later leaving is judged anew, also after a look in between that only put the removal off."""
    world = await rejected_and_kept()
    world.change(department="Sales")
    world.clock.advance(timedelta(minutes=1))
    await world.look(why=Why.NOTIFICATION)
    assert await world.storage.guards.holds(NAME) == []


@pytest.mark.parametrize("out_of_scope", [Deprovision.DISABLE, Deprovision.SOFT_DELETE])
async def test_a_removal_that_a_pause_met_leaves_no_trace(out_of_scope: Deprovision) -> None:
    """It was begun and never sent: a month later it counts like any other, and the guard is full."""
    world, _ = await staged(Policy(out_of_scope=out_of_scope), guard=ONE_A_DAY)
    world.hire(BOB, "Bob", department="Sales")
    await world.look(BOB)
    world.clock.advance(timedelta(hours=1))
    world.change(department="Research")

    async def pause() -> None:
        await world.runtime.pauses.say(NAME, Control.DELETIONS_PAUSED, by="op", reason="stop")

    world.faults.after_next("table.links.replace", pause)
    await world.look(why=Why.NOTIFICATION)
    assert ((await world.stored()).guarded, world.target.deleted, world.enabled()) == (None, {}, [True, True])
    world.clock.advance(40 * DAY)
    await world.runtime.pauses.say(NAME, Control.RUNNING, by="op", reason="")
    world.clock.advance(timedelta(minutes=1))
    world.change(BOB, department="Research")
    await world.look(BOB, why=Why.NOTIFICATION)
    await world.look(ADA, why=Why.ABSENT)
    assert len(world.target.deleted) + world.enabled().count(False) == 1


async def test_a_clock_that_ran_ahead_at_one_poll_ends_no_word_to_keep() -> None:
    """Six days ahead, and right again a minute later."""
    world, _ = await staged(Policy())
    await kept(world, world.clock.now() + 5 * DAY)
    world.change(department="Research")
    await world.look(why=Why.NOTIFICATION)
    world.clock.advance(6 * DAY)
    await world.upkeep.leavers.run()
    world.clock.advance(-6 * DAY + timedelta(minutes=1))
    await world.look(why=Why.ABSENT)
    assert world.target.deleted == {}


async def test_a_return_that_a_pause_let_go_begins_the_stages_anew() -> None:
    """Nobody looked while she was back, but a message told of it."""
    world, _ = await left()
    world.clock.advance(DAY)
    await world.runtime.pauses.say(NAME, Control.PAUSED, by="op", reason="")
    world.clock.advance(DAY)
    world.change(department="Sales")
    await world.worker.handle(world.nomination())
    world.clock.advance(11 * DAY)
    world.change(department="Research")
    await world.worker.handle(world.nomination())
    world.clock.advance(2 * DAY)
    await world.runtime.pauses.say(NAME, Control.RUNNING, by="op", reason="")
    world.clock.advance(timedelta(minutes=1))
    await poll(world)
    assert (await world.stored()).state is LinkState.LINKED

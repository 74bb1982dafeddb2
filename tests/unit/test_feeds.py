"""Feeds nominate: never too few, never on the word of an incomplete listing, and a page is lost to no crash."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.errors import (
    ConflictError,
    GraphRefusedError,
    ResyncRequiredError,
    SyncError,
    ThrottledError,
    UnavailableError,
)
from sync_core.feeds import STALLED, TIME_BUDGET, worth_a_look
from sync_core.model import FeedRun, LinkState, Nomination, Why
from sync_core.ports import DeltaPage, FeedPhase, FeedState, LinkDigest
from tests.support.directories import pages
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, CONTOSO, NAME, link, sync
from tests.support.world import World


async def started(world: World, *, full: bool = False) -> FeedRun:
    await world.feeds.start_round(CONTOSO.key, full=full)
    (run,) = await world.runs()
    return run


async def state(world: World) -> FeedState:
    return await world.storage.feeds.get(CONTOSO.key)


def whom(nominations: list[Nomination]) -> list[str]:
    return [each.user for each in nominations]


async def first_round(world: World) -> None:
    """Everybody is known, and the delta link is stored."""
    world.source.pages.update(pages([]))
    await world.feeds.run(await started(world))
    assert (await state(world)).delta_link == "delta:2"
    world.clock.advance(timedelta(minutes=5))
    world.forget_calls()


# --- rounds -----------------------------------------------------------------------------------------------------


async def test_the_first_round_is_full_and_nominates_everybody_in_scope() -> None:
    """Page by page, then the sweep; the delta link is where the next round starts."""
    world = World()
    world.hire(ADA)
    world.hire(BOB, "Bob")
    world.source.pages.update(pages([world.source.entry(ADA)], [world.source.entry(BOB)]))
    await world.feeds.run(await started(world))
    nominations = await world.nominated()
    assert nominations == [
        Nomination(sync=NAME, user=user_id, why=Why.FEED, at=world.clock.now()) for user_id in (ADA, BOB)
    ]
    done = await state(world)
    assert (done.phase, done.full, done.delta_link, done.link) == (FeedPhase.IDLE, True, "delta:2", None)
    assert (done.pages, done.entries, done.nominated) == (2, 2, 2)
    assert done.completed_at == world.clock.now()


async def test_the_next_round_starts_at_the_delta_link_and_sweeps_nobody() -> None:
    """Only what changed since; a sweep is for full rounds."""
    world = World()
    await first_round(world)
    world.source.pages.update(pages([], start="delta:2", end="delta:3"))
    await world.feeds.run(await started(world))
    assert world.faults.count("source.existing") == 0
    done = await state(world)
    assert (done.full, done.delta_link, done.phase) == (False, "delta:3", FeedPhase.IDLE)


async def test_an_unchanged_entry_sends_no_message() -> None:
    """Whoever looks as the record says costs nothing; whoever differs is nominated."""
    world = World()
    await world.linked(ADA)
    await world.linked(BOB, "Bob")
    world.change(BOB, department="Sales")
    await first_round(world)
    world.source.pages.update(pages([world.source.entry(ADA), world.source.entry(BOB)], start="delta:2"))
    await world.feeds.run(await started(world))
    assert whom(await world.nominated()) == [BOB]


async def test_a_user_who_is_listed_twice_on_a_page_is_judged_by_the_newest() -> None:
    """Delta queries repeat themselves."""
    world = World()
    await world.linked(ADA)
    stale = world.source.entry(ADA)
    world.change(ADA, department="Sales")
    world.source.pages.update(pages([stale, world.source.entry(ADA), world.source.entry(ADA)]))
    await world.feeds.run(await started(world))
    assert whom(await world.nominated()) == [ADA]


async def test_every_sync_of_the_tenant_gets_its_own_nominations() -> None:
    """One feed serves all syncs of a source, and each has links of its own."""
    world = World(more=[sync(name="contoso-to-initech")])
    world.hire(ADA)
    world.source.pages.update(pages([world.source.entry(ADA)]))
    await world.feeds.run(await started(world))
    assert {each.sync for each in await world.nominated()} == {NAME, "contoso-to-initech"}


# --- crashes and errors -----------------------------------------------------------------------------------------


async def test_nominations_are_stored_before_the_page_is_checkpointed() -> None:
    """A crash in between repeats the page: somebody is nominated twice, and nobody never."""
    world = World()
    world.hire(ADA)
    world.source.pages.update(pages([world.source.entry(ADA)]))
    run = await started(world)
    before = await state(world)
    world.faults.fail_next("table.feeds.replace", Crash())
    with pytest.raises(Crash):
        await world.feeds.run(run)
    assert whom(await world.nominated()) == [ADA]
    assert await state(world) == before
    await world.feeds.run(run)
    assert whom(await world.nominated()) == [ADA]
    assert (await state(world)).phase is FeedPhase.IDLE


async def test_a_round_that_dies_at_any_await_loses_no_nomination() -> None:
    """Pages and sweep, before and after each call: the redelivered message brings everybody onto the queue."""

    async def prepared() -> tuple[World, FeedRun]:
        world = World()
        await world.linked("user-0", "Zoe")
        world.source.purge("user-0")
        for user_id, name in ((ADA, "Ada"), (BOB, "Bob")):
            world.hire(user_id, name)
        world.source.pages.update(pages([world.source.entry(ADA)], [world.source.entry(BOB)]))
        run = await started(world)
        world.forget_calls()
        return world, run

    world, run = await prepared()
    await world.feeds.run(run)
    total = len(world.faults.calls)
    assert total > 10
    for n in range(total):
        for after in (False, True):
            world, run = await prepared()
            world.faults.fail_at(n, Crash(), after=after)
            with pytest.raises(Crash):
                await world.feeds.run(run)
            await world.feeds.run(run)
            assert set(whom(await world.nominated())) == {"user-0", ADA, BOB}
            assert (await state(world)).phase is FeedPhase.IDLE


@pytest.mark.parametrize(
    "error",
    [UnavailableError(), ThrottledError(retry_after=7), GraphRefusedError(status=403, code="Forbidden")],
    ids=["unavailable", "throttled", "refused"],
)
async def test_a_page_error_deletes_nobody(error: SyncError) -> None:
    """A listing that breaks off says nothing about those whom it did not come to."""
    world = World()
    await world.linked(ADA)
    await world.linked(BOB, "Bob")
    page = DeltaPage(users=[world.source.entry(ADA)], next_link="next:1")
    world.source.pages.update({None: page, "next:1": error})
    run = await started(world)
    await world.feeds.run(run)
    assert await world.nominated() == []
    assert world.faults.count("source.existing") == 0
    assert world.target.writes == []
    stopped = await state(world)
    assert (stopped.phase, stopped.link, stopped.delta_link) == (FeedPhase.PAGES, "next:1", None)


async def test_a_transient_error_goes_on_with_the_same_page_later() -> None:
    """With a falling rate, or as Graph says; what was read is not read again."""
    world = World()
    world.hire(BOB, "Bob")
    world.source.pages.update(pages([], [world.source.entry(BOB)]))
    run = await started(world)
    world.faults.fail_at(3, ThrottledError(retry_after=30))  # state, page, checkpoint; the second page
    await world.feeds.run(run)
    queue = world.storage.queues_by_name["feed-pages"]
    world.clock.advance(timedelta(seconds=29))
    assert await queue.receive() == []
    (again,) = await world.runs()
    assert again == replace(run, attempt=1)
    await world.feeds.run(again)
    assert world.faults.count("source.delta_page") == 3
    assert whom(await world.nominated()) == [BOB]


async def test_a_refusal_stops_the_round_where_it_is_until_the_poll_wakes_it() -> None:
    """Trying again at once cannot mend it, and a fresh start would only meet it again."""
    world = World()
    world.source.pages.update({None: GraphRefusedError(status=403, code="Forbidden")})
    await world.feeds.run(await started(world))
    assert await world.runs() == []
    assert (await state(world)).error == "403 Forbidden", "so that somebody can see why it stands still"
    world.source.pages.update(pages([]))
    world.clock.advance(STALLED)
    await world.feeds.run(await started(world))
    done = await state(world)
    assert (done.phase, done.error) == (FeedPhase.IDLE, "")


async def test_a_dead_delta_link_leads_to_a_full_round_and_deletes_nobody() -> None:
    """The feed starts over from our own beginning; the sweep finds whoever was deleted in the gap."""
    world = World()
    await world.linked(ADA)
    await world.linked(BOB, "Bob")
    await first_round(world)
    world.source.purge(BOB)
    world.source.pages.update({"delta:2": ResyncRequiredError(location="restart:1")})
    world.source.pages.update(pages([world.source.entry(ADA)], end="delta:9"))
    await world.feeds.run(await started(world))
    done = await state(world)
    assert (done.full, done.delta_link, done.phase) == (True, "delta:9", FeedPhase.IDLE)
    assert world.target.writes == []
    assert [(each.user, each.why) for each in await world.nominated()] == [(BOB, Why.ABSENT)]


async def test_a_fresh_start_that_is_refused_too_is_not_tried_at_full_speed() -> None:
    """Graph asks for a resync of the resync: wait."""
    world = World()
    world.source.pages.update({None: ResyncRequiredError()})
    run = await started(world)
    await world.feeds.run(run)
    assert world.faults.count("source.delta_page") == 1
    (again,) = await world.runs()
    assert again == replace(run, attempt=1)


async def test_a_round_that_has_to_start_over_in_the_middle_sweeps_all_the_same() -> None:
    """The link to the next page died: a full round from the beginning, and nobody is nominated for being unread."""
    world = World()
    await world.linked(ADA)
    await first_round(world)
    page = DeltaPage(users=[], next_link="next:1")
    world.source.pages.update({"delta:2": page, "next:1": ResyncRequiredError(), **pages([], end="delta:9")})
    await world.feeds.run(await started(world))
    done = await state(world)
    assert (done.full, done.delta_link, done.phase) == (True, "delta:9", FeedPhase.IDLE)
    assert await world.nominated() == []


async def test_an_outage_of_a_week_does_not_break_the_arithmetic_of_waiting() -> None:
    """However many tries there were, the next is five minutes later."""
    world = World()
    world.source.pages.update({None: UnavailableError()})
    run = replace(await started(world), attempt=5000)
    await world.feeds.run(run)
    assert await world.runs() == [replace(run, attempt=5001)]


# --- the sweep --------------------------------------------------------------------------------------------------


async def test_the_sweep_nominates_only_the_missing() -> None:
    """Whoever Graph still knows is not mentioned; whoever it does not is looked at, not deleted."""
    world = World()
    await world.linked(ADA)
    await world.linked(BOB, "Bob")
    world.source.purge(BOB)
    world.source.pages.update(pages([world.source.entry(ADA)]))
    await world.feeds.run(await started(world))
    assert [(each.user, each.why) for each in await world.nominated()] == [(BOB, Why.ABSENT)]
    assert len(world.target.users) == 2


async def test_a_forged_absence_costs_a_read_and_no_account() -> None:
    """The sweep nominates somebody who is there: the fresh read finds nothing to do."""
    world = World()
    await world.linked(ADA)
    await world.storage.queues.nominate([world.nomination(why=Why.ABSENT)])
    await world.deliver(timedelta(seconds=5))
    assert world.target.writes == []
    assert world.in_step()


async def test_an_incomplete_answer_to_the_sweep_nominates_nobody() -> None:
    """Who is there could not be read, so nobody is missing."""
    world = World()
    await world.linked(ADA)
    world.source.pages.update(pages([]))
    world.faults.fail_next("source.existing", UnavailableError())
    await world.feeds.run(await started(world))
    assert await world.nominated() == []
    assert (await state(world)).phase is FeedPhase.SWEEP


async def test_the_sweep_comes_to_every_sync_of_the_tenant() -> None:
    """One after the other, by a cursor that names the sync and the user."""
    world = World(more=[sync(name="a-first"), sync(name="z-last")])
    for name in world.syncs:
        for n in range(3):
            await world.storage.links.save(link(LinkState.LINKED, sync=name, source_id=f"u{n}", target_id=f"{name}{n}"))
    world.source.pages.update(pages([]))
    await world.feeds.run(await started(world))
    nominations = await world.nominated()
    assert [each.sync for each in nominations] == sorted(["a-first", NAME, "z-last"] * 3)
    assert world.faults.count("source.existing") == 3


async def test_a_large_sweep_goes_in_chunks() -> None:
    """getByIds takes a thousand ids."""
    world = World()
    for n in range(2100):
        await world.storage.links.save(link(LinkState.LINKED, source_id=f"u{n:04}", target_id=f"g{n}"))
    world.source.pages.update(pages([]))
    await world.feeds.run(await started(world))
    assert world.faults.count("source.existing") == 3
    assert len(set(whom(await world.nominated()))) == 2100


# --- messages and rounds ----------------------------------------------------------------------------------------


async def test_a_round_in_progress_is_left_alone_and_a_stalled_one_is_woken() -> None:
    """The poll starts nothing twice; a round that lost its message gets another one, and goes on where it was."""
    world = World()
    run = await started(world)
    world.clock.advance(STALLED - timedelta(seconds=1))
    await world.feeds.start_round(CONTOSO.key)
    assert await world.runs() == []
    world.clock.advance(timedelta(seconds=1))
    await world.feeds.start_round(CONTOSO.key)
    assert await world.runs() == [run]


async def test_a_full_round_may_be_asked_for_in_the_middle_of_another() -> None:
    """The message of the old round finds that it is over."""
    world = World()
    old = await started(world)
    world.clock.advance(timedelta(seconds=1))
    new = await started(world, full=True)
    assert old.round != new.round
    world.forget_calls()
    await world.feeds.run(old)
    assert world.faults.count("source.delta_page") == 0


async def test_a_message_of_a_finished_round_reads_nothing() -> None:
    """Queues deliver twice."""
    world = World()
    world.source.pages.update(pages([]))
    run = await started(world)
    await world.feeds.run(run)
    world.forget_calls()
    await world.feeds.run(run)
    await world.feeds.run(replace(run, tenant="no-such-tenant"))
    assert world.faults.count("source.") == 0


async def test_a_second_reader_of_a_page_stops_on_the_conflict() -> None:
    """Two deliveries of one message read the same page: one checkpoint wins, the other delivery ends quietly."""
    world = World()
    world.hire(ADA)
    world.source.pages.update(pages([world.source.entry(ADA)], []))
    run = await started(world)
    world.faults.fail_next("table.feeds.replace", ConflictError())
    await world.feeds.run(run)
    assert await world.runs() == []
    assert world.faults.count("source.delta_page") == 1


async def test_a_long_round_puts_itself_on_the_queue_again() -> None:
    """One message reads for a minute, far from any function time-out."""
    world = World()
    world.source.pages.update(pages([], [], []))
    run = await started(world)
    world.source.on_page = lambda: world.clock.advance(TIME_BUDGET)
    for _ in range(4):
        await world.feeds.run(replace(run, attempt=3))
        runs = await world.runs()
        if not runs:
            break
        assert runs == [run], "the count of tries starts anew"
    done = await state(world)
    assert (done.pages, done.phase) == (3, FeedPhase.IDLE)


async def test_another_mapping_or_selection_judges_everybody_anew() -> None:
    """What is compared has changed, so a delta of yesterday says too little."""
    world = World()
    await first_round(world)
    world.source.select = "id,accountEnabled,city"
    await world.feeds.start_round(CONTOSO.key)
    assert (await state(world)).full


async def test_one_tenants_failure_does_not_stop_another() -> None:
    """The poll starts a round for each tenant, and logs the one that it could not start."""
    world = World()
    world.faults.fail_next("table.feeds.get", UnavailableError())
    await world.feeds.poll()
    assert await world.runs() == []
    await world.feeds.poll()
    assert len(await world.runs()) == 1


# --- worth a look -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("user", "known", "worth"),
    [
        ("live", None, True),
        ("live", LinkDigest(digest="", state=LinkState.SEEN), True),
        ("live", LinkDigest(digest="another", state=LinkState.LINKED), True),
        ("live", LinkDigest(digest="", state=LinkState.LINKED), True),
        ("disabled", None, False),
        ("disabled", LinkDigest(digest="another", state=LinkState.LINKED), True),
        ("external", None, False),
        ("external", LinkDigest(digest="", state=LinkState.LINKED), False),
        ("gone", None, False),
        ("gone", LinkDigest(digest="", state=LinkState.SEEN), False),
        ("gone", LinkDigest(digest="", state=LinkState.LINKED), True),
    ],
)
def test_an_entry_is_worth_a_look_when_a_read_like_it_would_mean_work(
    user: str, known: LinkDigest | None, worth: bool
) -> None:
    """Saying no is safe only when a fresh read would be skipped."""
    world = World()
    world.hire(accountEnabled=user != "disabled", creationType="Invitation" if user == "external" else None)
    if user == "gone":
        world.source.purge(ADA)
    assert worth_a_look(world.sync, world.source.entry(ADA), known) is worth

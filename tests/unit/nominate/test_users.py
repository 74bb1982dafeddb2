"""Feeds nominate: never too few, and a page is lost to no crash."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Clause, FeedRun, Filter, Link, LinkState, Nomination, Operator, Why
from sync_core.model.errors import GraphRefusedError, ResyncRequiredError, SyncError, ThrottledError, UnavailableError
from sync_core.nominate.rounds import STALLED
from sync_core.ports import DeltaPage, FeedPhase
from tests.support.directories import pages
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, NAME, sync
from tests.support.world import World, deaths, whom


async def test_the_first_round_is_full_and_nominates_everybody_in_scope() -> None:
    """Page by page, then the sweep; the delta link is where the next round starts."""
    world = World()
    world.hire(ADA)
    world.hire(BOB, "Bob")
    world.source.pages.update(pages([world.source.entry(ADA)], [world.source.entry(BOB)]))
    await world.feeds.run(await world.started())
    nominations = await world.nominated()
    assert nominations == [
        Nomination(sync=NAME, user=user_id, why=Why.FEED, at=world.clock.now()) for user_id in (ADA, BOB)
    ]
    done = await world.feed()
    assert (done.phase, done.full, done.delta_link, done.link) == (FeedPhase.IDLE, True, "delta:2", None)
    assert (done.pages, done.entries, done.nominated) == (2, 2, 2)
    assert done.completed_at == world.clock.now()


async def test_the_next_round_starts_at_the_delta_link_and_sweeps_nobody() -> None:
    """Only what changed since; a sweep is for full rounds."""
    world = World()
    await world.first_round()
    world.source.pages.update(pages([], start="delta:2", end="delta:3"))
    await world.feeds.run(await world.started())
    assert world.faults.count("source.existing") == 0
    done = await world.feed()
    assert (done.full, done.delta_link, done.phase) == (False, "delta:3", FeedPhase.IDLE)


async def test_an_unchanged_entry_sends_no_message() -> None:
    """An entry that agrees with the record costs nothing; one that differs is nominated."""
    world = World()
    await world.linked(ADA)
    await world.linked(BOB, "Bob")
    world.change(BOB, department="Sales")
    await world.first_round()
    world.source.pages.update(pages([world.source.entry(ADA), world.source.entry(BOB)], start="delta:2"))
    await world.feeds.run(await world.started())
    assert whom(await world.nominated()) == [BOB]


async def test_a_user_who_is_listed_twice_on_a_page_is_judged_by_the_newest() -> None:
    """Delta queries repeat themselves."""
    world = World()
    await world.linked(ADA)
    stale = world.source.entry(ADA)
    world.change(ADA, department="Sales")
    world.source.pages.update(pages([stale, world.source.entry(ADA), world.source.entry(ADA)]))
    await world.feeds.run(await world.started())
    assert whom(await world.nominated()) == [ADA]


async def test_every_sync_of_the_tenant_gets_its_own_nominations() -> None:
    """One feed serves all syncs of a source, and each has links of its own."""
    world = World(more=[sync(name="contoso-to-initech")])
    world.hire(ADA)
    world.source.pages.update(pages([world.source.entry(ADA)]))
    await world.feeds.run(await world.started())
    assert {each.sync for each in await world.nominated()} == {NAME, "contoso-to-initech"}


async def test_nominations_are_stored_before_the_page_is_checkpointed() -> None:
    """A crash in between repeats the page: somebody is nominated twice, and nobody never."""
    world = World()
    world.hire(ADA)
    world.source.pages.update(pages([world.source.entry(ADA)]))
    run = await world.started()
    before = await world.feed()
    world.faults.fail_next("table.feeds.replace", Crash())
    with pytest.raises(Crash):
        await world.feeds.run(run)
    assert whom(await world.nominated()) == [ADA]
    assert await world.feed() == before
    await world.feeds.run(run)
    assert whom(await world.nominated()) == [ADA]
    assert (await world.feed()).phase is FeedPhase.IDLE


async def test_a_round_that_dies_at_any_await_loses_no_nomination() -> None:
    """Pages and sweep, before and after each call: the redelivered message brings everybody onto the queue."""

    async def prepared() -> tuple[World, FeedRun]:
        world = World()
        await world.linked("user-0", "Zoe")
        world.source.purge("user-0")
        for user_id, name in ((ADA, "Ada"), (BOB, "Bob")):
            world.hire(user_id, name)
        world.source.pages.update(pages([world.source.entry(ADA)], [world.source.entry(BOB)]))
        run = await world.started()
        world.forget_calls()
        return world, run

    async for world, run in deaths(prepared, more_than=10):
        await world.feeds.run(run)
        assert set(whom(await world.nominated())) == {"user-0", ADA, BOB}
        assert (await world.feed()).phase is FeedPhase.IDLE


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
    run = await world.started()
    await world.feeds.run(run)
    assert await world.nominated() == []
    assert world.faults.count("source.existing") == 0
    assert world.target.writes == []
    stopped = await world.feed()
    assert (stopped.phase, stopped.link, stopped.delta_link) == (FeedPhase.PAGES, "next:1", None)


async def test_a_transient_error_goes_on_with_the_same_page_later() -> None:
    """With a falling rate, or as Graph says; what was read is not read again."""
    world = World()
    world.hire(BOB, "Bob")
    world.source.pages.update(pages([], [world.source.entry(BOB)]))
    run = await world.started()
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
    await world.feeds.run(await world.started())
    assert await world.runs() == []
    assert (await world.feed()).error == "403 Forbidden", "so that somebody can see why it stands still"
    world.source.pages.update(pages([]))
    world.clock.advance(STALLED)
    await world.feeds.run(await world.started())
    done = await world.feed()
    assert (done.phase, done.error) == (FeedPhase.IDLE, "")


async def test_a_dead_delta_link_leads_to_a_full_round_and_deletes_nobody() -> None:
    """The feed starts over from our own beginning; the sweep finds whoever was deleted in the gap."""
    world = World()
    await world.linked(ADA)
    await world.linked(BOB, "Bob")
    await world.first_round()
    world.source.purge(BOB)
    world.source.pages.update({"delta:2": ResyncRequiredError()})
    world.source.pages.update(pages([world.source.entry(ADA)], end="delta:9"))
    await world.feeds.run(await world.started())
    done = await world.feed()
    assert (done.full, done.delta_link, done.phase) == (True, "delta:9", FeedPhase.IDLE)
    assert world.target.writes == []
    assert [(each.user, each.why) for each in await world.nominated()] == [(BOB, Why.ABSENT)]


async def test_a_fresh_start_that_is_refused_too_is_not_tried_at_full_speed() -> None:
    """Graph asks for a resync of the resync: wait."""
    world = World()
    world.source.pages.update({None: ResyncRequiredError()})
    run = await world.started()
    await world.feeds.run(run)
    assert world.faults.count("source.delta_page") == 1
    (again,) = await world.runs()
    assert again == replace(run, attempt=1)


async def test_a_round_that_has_to_start_over_in_the_middle_sweeps_all_the_same() -> None:
    """The link to the next page died: a full round from the beginning, and nobody is nominated for being unread."""
    world = World()
    await world.linked(ADA)
    await world.first_round()
    page = DeltaPage(users=[], next_link="next:1")
    world.source.pages.update({"delta:2": page, "next:1": ResyncRequiredError(), **pages([], end="delta:9")})
    await world.feeds.run(await world.started())
    done = await world.feed()
    assert (done.full, done.delta_link, done.phase) == (True, "delta:9", FeedPhase.IDLE)
    assert await world.nominated() == []


async def test_an_outage_of_a_week_does_not_break_the_arithmetic_of_waiting() -> None:
    """However many tries there were, the next is five minutes later."""
    world = World()
    world.source.pages.update({None: UnavailableError()})
    run = replace(await world.started(), attempt=5000)
    await world.feeds.run(run)
    assert await world.runs() == [replace(run, attempt=5001)]


@pytest.mark.parametrize("meanwhile", ["left the company", "was disabled", "left the scope"])
async def test_a_full_round_finds_an_invitation_that_nobody_finishes_any_more(meanwhile: str) -> None:
    """Its message is gone, as after a stop of the sync; the guest is there, and the user may have no access by now."""
    sales = Filter(name="Sales", clauses=[Clause(attribute="department", operator=Operator.EQUALS, value="Sales")])
    world = World(filters=[sales])
    world.hire(department="Sales")
    world.faults.fail_next("table.links.replace", Crash(), after=True)
    with suppress(Crash):
        await world.look()
    assert (await world.stored()).state is LinkState.INVITING
    assert world.guests()
    await world.nominated()
    match meanwhile:
        case "left the company":
            world.source.purge(ADA)
        case "was disabled":
            world.change(accountEnabled=False)
        case _:
            world.change(department="Research")
    world.clock.advance(timedelta(days=1))
    world.source.pages.update(pages([world.source.entry(each) for each in world.source.users]))
    await world.feeds.run(await world.started(full=True))
    await world.deliver(timedelta(minutes=30))  # a user who was just linked and is not found is waited for
    assert world.enabled() in ([], [False])


async def test_a_full_round_finds_a_restore_whose_answer_was_lost() -> None:
    """The target user is back; the source user left for good, and no page names them."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    world.clock.advance(timedelta(hours=1))
    world.source.restore(ADA)
    world.faults.fail_next("target.restore", UnavailableError(), after=True)
    await world.look()
    link = await world.stored()
    assert (link.state, link.dirty, len(world.guests())) == (LinkState.DELETED, True, 1)
    await world.nominated()
    world.source.purge(ADA)
    world.clock.advance(timedelta(days=1))
    await world.first_round()
    await world.deliver(timedelta(minutes=10))
    assert world.guests() == []


async def test_who_was_deleted_within_minutes_is_looked_at_once_more_and_then_left_alone() -> None:
    """The first full round finds that they stay deleted, so the next one costs nothing."""
    world = World()
    world.hire()
    await world.look()
    world.source.soft_delete(ADA)
    await world.look()
    link = await world.stored()
    assert (link.state, link.dirty) == (LinkState.DELETED, True)
    await world.nominated()
    looked_at = []
    for _ in range(4):
        world.source.pages.update(pages([]))
        await world.feeds.run(await world.started(full=True))
        nominated = await world.nominated()
        for each in nominated:
            await world.worker.handle(each)
        looked_at.append(whom(nominated))
        world.clock.advance(timedelta(hours=1))
    assert looked_at == [[], [ADA], [], []]


@pytest.mark.parametrize("full", [True, False])
async def test_unfinished_work_is_looked_for_in_full_rounds(*, full: bool) -> None:
    """Otherwise its own message is on its way; what is settled is left alone."""
    world = World()
    await world.first_round()
    await world.nominated()
    at = world.clock.now()
    begun = Link(sync=NAME, source_id=ADA).invitation_begun(at, "nonce")
    await world.storage.links.save(begun)
    deleted = replace(begun, source_id=BOB, state=LinkState.DELETED, target_id="guest-of-bob", deleted_at=at)
    await world.storage.links.save(deleted)
    world.source.pages.update({**pages([]), **pages([], start="delta:2")})
    await world.feeds.run(await world.started(full=full))
    assert whom(await world.nominated()) == ([ADA] if full else [])

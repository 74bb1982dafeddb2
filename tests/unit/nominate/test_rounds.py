"""The sweep, the messages of a round, and what makes an entry worth a look: nothing is concluded from absence."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import FeedRun, LifecycleEvent, LinkDigest, LinkState, Why
from sync_core.model.errors import ConflictError, GraphRefusedError, UnavailableError
from sync_core.nominate.rounds import STALLED, TIME_BUDGET
from sync_core.nominate.users import worth_a_look
from sync_core.ports import DeltaPage, FeedPhase
from tests.support.directories import pages
from tests.support.make import ADA, BOB, CONTOSO, NAME, link, person, sync
from tests.support.world import World, whom


async def test_the_sweep_nominates_only_the_missing() -> None:
    """A user whom Graph still knows is not mentioned; one whom it does not know is looked at, not deleted."""
    world = World()
    await world.linked(ADA)
    await world.linked(BOB, "Bob")
    world.source.purge(BOB)
    world.source.pages.update(pages([world.source.entry(ADA)]))
    await world.feeds.run(await world.started())
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
    """The list of those who are there could not be read, so nobody is missing."""
    world = World()
    await world.linked(ADA)
    world.source.pages.update(pages([]))
    world.faults.fail_next("source.existing", UnavailableError())
    await world.feeds.run(await world.started())
    assert await world.nominated() == []
    assert (await world.feed()).phase is FeedPhase.SWEEP


async def test_the_sweep_comes_to_every_sync_of_the_tenant() -> None:
    """One after the other, by a cursor that names the sync and the user."""
    world = World(more=[sync(name="a-first"), sync(name="z-last")])
    for name in world.syncs:
        for n in range(3):
            await world.storage.links.save(link(LinkState.LINKED, sync=name, source_id=f"u{n}", target_id=f"{name}{n}"))
    world.source.pages.update(pages([]))
    await world.feeds.run(await world.started())
    nominations = await world.nominated()
    assert [each.sync for each in nominations] == sorted(["a-first", NAME, "z-last"] * 3)
    assert world.faults.count("source.existing") == 3


async def test_a_large_sweep_goes_in_chunks() -> None:
    """getByIds takes a thousand ids."""
    world = World()
    for n in range(2100):
        await world.storage.links.save(link(LinkState.LINKED, source_id=f"u{n:04}", target_id=f"g{n}"))
    world.source.pages.update(pages([]))
    await world.feeds.run(await world.started())
    assert world.faults.count("source.existing") == 3
    assert len(set(whom(await world.nominated()))) == 2100


async def test_a_round_in_progress_is_left_alone_and_a_stalled_one_is_woken() -> None:
    """The poll starts nothing twice; a round that lost its message gets another one, and goes on where it was."""
    world = World()
    run = await world.started()
    world.clock.advance(STALLED - timedelta(seconds=1))
    await world.feeds.start_round(CONTOSO.key)
    assert await world.runs() == []
    world.clock.advance(timedelta(seconds=1))
    await world.feeds.start_round(CONTOSO.key)
    assert await world.runs() == [run]


async def test_a_full_round_may_be_asked_for_in_the_middle_of_another() -> None:
    """The message of the old round finds that it is over."""
    world = World()
    old = await world.started()
    world.clock.advance(timedelta(seconds=1))
    new = await world.started(full=True)
    assert old.round != new.round
    world.forget_calls()
    await world.feeds.run(old)
    assert world.faults.count("source.delta_page") == 0


async def test_a_message_of_a_finished_round_reads_nothing() -> None:
    """Queues deliver twice."""
    world = World()
    world.source.pages.update(pages([]))
    run = await world.started()
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
    run = await world.started()
    world.faults.fail_next("table.feeds.replace", ConflictError())
    await world.feeds.run(run)
    assert await world.runs() == []
    assert world.faults.count("source.delta_page") == 1


async def test_a_long_round_puts_itself_on_the_queue_again() -> None:
    """One message reads for a minute, far from any function time-out."""
    world = World()
    world.source.pages.update(pages([], [], []))
    run = await world.started()
    world.source.on_page = lambda: world.clock.advance(TIME_BUDGET)
    for _ in range(4):
        await world.feeds.run(replace(run, attempt=3))
        runs = await world.runs()
        if not runs:
            break
        assert runs == [run], "the count of tries starts anew"
    done = await world.feed()
    assert (done.pages, done.phase) == (3, FeedPhase.IDLE)


async def test_another_mapping_or_selection_judges_everybody_anew() -> None:
    """The things to compare have changed, so a delta of yesterday says too little."""
    world = World()
    await world.first_round()
    world.source.select = "id,accountEnabled,city"
    await world.feeds.start_round(CONTOSO.key)
    assert (await world.feed()).full


async def test_one_tenants_failure_does_not_stop_another() -> None:
    """The poll starts a round for each tenant, and logs the one that it could not start."""
    world = World()
    world.faults.fail_next("table.feeds.get", UnavailableError())
    await world.feeds.poll()
    assert await world.runs() == []
    await world.feeds.poll()
    assert len(await world.runs()) == 1


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
        ("external", LinkDigest(digest="", state=LinkState.LINKED), True),
        ("external", LinkDigest(digest="", state=LinkState.DELETED), False),
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


async def test_a_round_that_waits_for_graph_is_not_woken_again() -> None:
    """While Graph is down, the polls of an hour leave one message in the queue, not one each."""
    world = World()
    await world.feeds.start_round(CONTOSO.key)
    for _ in range(12):
        world.faults.fail_next("source.delta_page", UnavailableError())
        for run in await world.runs():
            await world.feeds.run(run)
        assert await world.storage.queues_by_name["feed-pages"].depth() <= 1
        world.clock.advance(timedelta(minutes=5))
        await world.feeds.poll()
    assert (await world.feed()).error == "Unavailable"


async def test_a_message_of_a_tenant_that_was_taken_out_is_let_go() -> None:
    """The configuration changed while it waited: there is nothing to read, and nothing fails."""
    world = World()
    await world.feeds.run(FeedRun(tenant="gone", feed="users", round="r"))
    await world.keeper.lifecycle(LifecycleEvent(tenant="gone", event="missed", at=world.clock.now()))
    assert world.graph_calls() == []


@pytest.mark.parametrize("full", [True, False])
async def test_a_page_link_that_ran_out_starts_the_round_over(full: bool) -> None:
    """A round that stood still for hours goes on from where it began, and not from a link that is refused for ever."""
    world = World()
    if not full:
        await world.first_round()
    world.hire(ADA)
    run = await world.started()
    state = await world.feed()
    await world.storage.feeds.save(replace(state, link="next:old", pages=1))
    start = None if full else "delta:2"
    world.faults.fail_next("source.delta_page", GraphRefusedError(status=400, code="Directory_ExpiredPageToken"))
    await world.feeds.run(run)
    assert (await world.feed()).link == start
    world.source.pages[start] = DeltaPage(users=[world.source.entry(ADA)], delta_link="delta:9")
    world.clock.advance(timedelta(seconds=5))
    for waiting in await world.runs():
        await world.feeds.run(waiting)
    assert (await world.feed()).delta_link == "delta:9"
    assert whom(await world.nominated()) == [ADA]


async def test_a_delta_link_refused_for_no_known_reason_is_not_thrown_away() -> None:
    """Starting over on any error would hide it: the feed stands still, says why, and an operator decides."""
    world = World()
    await world.first_round()
    run = await world.started()
    world.faults.fail_next("source.delta_page", GraphRefusedError(status=400, code="Request_BadRequest"))
    await world.feeds.run(run)
    state = await world.feed()
    assert (state.link, state.delta_link, state.error) == ("delta:2", "delta:2", "400 Request_BadRequest")


async def test_a_page_that_leads_to_itself_is_an_error() -> None:
    """It is asked for once more after a pause, and no message is made of it again and again."""
    world = World()
    world.source.users[ADA] = person("Ada")
    page = DeltaPage(users=[world.source.entry(ADA)], next_link="next:1")
    world.source.pages.update({None: page, "next:1": page})
    await world.feeds.run(await world.started())
    assert (await world.feed()).error == "Unavailable"
    assert world.faults.calls.count("source.delta_page") == 2


async def test_ever_new_links_to_the_same_page_are_an_error() -> None:
    """Eleven messages about the same person, not one for each of endless pages."""
    world = World()
    world.source.users[ADA] = person("Ada")
    links: list[str | None] = [None, *(f"next:{n}" for n in range(1, 100))]
    users = [world.source.entry(ADA)]
    world.source.pages.update(
        {at: DeltaPage(users=users, next_link=after) for at, after in itertools.pairwise(links) if after}
    )
    await world.feeds.run(await world.started())
    assert (await world.feed()).error == "Unavailable"
    assert len(await world.nominated()) < 20


@pytest.mark.parametrize("older", [False, True])
async def test_a_deletion_that_no_delta_page_mentions_is_found_within_a_day(*, older: bool) -> None:
    """The daily sweep asks Graph which linked users still exist; version 0.1 swept in full rounds, and kept no time."""
    world = World()
    await world.linked(ADA)
    await world.first_round()
    world.source.users.pop(ADA)
    for hours, absent in ((12, []), (13, [ADA])):
        world.clock.advance(timedelta(hours=hours))
        state = await world.feed()
        if older:
            state = await world.storage.feeds.save(replace(state, swept_at=None))
        world.source.pages.update(pages([], start=state.delta_link, end=f"{state.delta_link}+"))
        await world.feeds.run(await world.started())
        assert whom(await world.nominated()) == absent

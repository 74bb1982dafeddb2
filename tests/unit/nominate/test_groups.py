"""The groups feed nominates whoever joins or leaves, at any depth; it decides about nobody."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

import pytest

from sync_core.model import Assigned, FeedRun, LinkDigest, LinkState, Nomination, Why
from sync_core.model.errors import GraphRefusedError, ResyncRequiredError, SyncError, UnavailableError
from sync_core.model.messages import GROUPS
from sync_core.nominate.groups import FULL_EVERY
from sync_core.nominate.rounds import STALLED
from sync_core.nominate.users import worth_a_look
from sync_core.ops.rehearsal import Rehearsal
from sync_core.ports import FeedPhase, GroupChanges
from tests.support.directories import pages
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, CONTOSO, NAME, SALES, STAFF, link, sync
from tests.support.scopes import CLUB, known_as
from tests.support.world import World, deaths, whom

ASSIGNED = Assigned(groups=frozenset({STAFF}))


def changes(
    *users: str, link: str = "latest:1", after: str = "delta:2", regrouped: bool = False
) -> dict[str, GroupChanges]:
    return {link: GroupChanges(joined=users, left=(), regrouped=regrouped, delta_link=after)}


async def staffed(assigned: Assigned = ASSIGNED) -> World:
    """Ada is in Sales, which is in Staff; Bob is in neither, and linked since he once was."""
    world = World(assigned=assigned)
    world.hire(ADA)
    world.hire(BOB, "Bob")
    world.source.groups = {STAFF: {SALES}, SALES: {ADA}, CLUB: set()}
    await world.storage.links.save(link(LinkState.LINKED, source_id=BOB, target_id="guest-of-bob"))
    world.target.add("guest-of-bob", "bob@contoso.example")
    return world


async def settled() -> World:
    """A first full round is over; the next one begins at `latest:1`."""
    world = await staffed()
    await world.feeds.run(await world.started(GROUPS))
    await world.nominated()
    world.clock.advance(timedelta(minutes=5))
    world.forget_calls()
    return world


async def round_of_groups(world: World) -> list[Nomination]:
    await world.feeds.run(await world.started(GROUPS))
    return await world.nominated()


# --- full rounds ------------------------------------------------------------------------------------------------


async def test_a_full_round_nominates_who_joined_and_who_left() -> None:
    """Members without a target user of ours, and users of ours who are no members; the rest costs nothing."""
    world = await staffed()
    world.hire("carol", "Carol")
    world.source.groups[STAFF].add("carol")
    await world.storage.links.save(link(LinkState.LINKED, source_id="carol", target_id="guest-of-carol"))
    nominations = await round_of_groups(world)
    assert [(each.user, each.why) for each in nominations] == [(ADA, Why.FEED), (BOB, Why.ABSENT)]
    done = await world.feed(GROUPS)
    assert (done.phase, done.full, done.delta_link, done.full_at) == (
        FeedPhase.IDLE,
        True,
        "latest:1",
        world.clock.now(),
    )
    assert (done.entries, done.nominated) == (2, 2)


async def test_a_busy_groups_feed_does_not_strand_the_round_of_users() -> None:
    """Another host reads the groups just when the users' round asks for a listing of them: the round tries again."""
    world = await staffed()
    await world.feeds.start_round(CONTOSO.key, GROUPS)
    await world.runs()
    world.source.pages.update(pages([world.source.entry(ADA)]))
    run = await world.started()
    table = world.storage.tables_by_name["feeds"]
    row = await table.get(CONTOSO.key, GROUPS)
    assert row is not None
    for _ in range(21):  # its own row is read once and that of the groups twenty times, which changes after each
        world.faults.after_next("table.feeds.get", partial(table.upsert, row))
    await world.feeds.run(run)
    (again,) = await world.runs()
    assert (again.feed, again.round) == (run.feed, run.round)
    await world.feeds.run(again)
    assert ((await world.feed()).phase, (await world.feed(GROUPS)).full) == (FeedPhase.IDLE, True)
    assert [each.feed for each in await world.runs()] == [GROUPS]


async def test_the_delta_link_is_from_before_the_listing() -> None:
    """A user who joins while the members are listed is in the round after it."""
    world = await staffed()
    await round_of_groups(world)
    calls = [call for call in world.faults.calls if call.startswith("groups.")]
    assert calls == ["groups.closure", "groups.latest", "groups.members"]


async def test_single_users_are_no_leavers() -> None:
    """A user who is assigned by id needs no group, and is nominated like a member."""
    world = await staffed(replace(ASSIGNED, members=frozenset({BOB, "carol"})))
    assert whom(await round_of_groups(world)) == [ADA, "carol"]


@pytest.mark.parametrize("call", ["groups.closure", "groups.latest", "groups.members"])
@pytest.mark.parametrize("error", [UnavailableError(), GraphRefusedError(status=403, code="Forbidden")])
async def test_a_listing_that_breaks_off_nominates_nobody(call: str, error: SyncError) -> None:
    """It says nothing about those whom it did not come to; the round stands where it was."""
    world = await staffed()
    world.faults.fail_next(call, error)
    assert await round_of_groups(world) == []
    stopped = await world.feed(GROUPS)
    assert (stopped.phase is FeedPhase.IDLE, stopped.error) == (False, error.code)


async def test_a_group_that_does_not_exist_makes_no_leavers(caplog: pytest.LogCaptureFixture) -> None:
    """Nothing could be decided about them; it is logged, and the members of the other groups are found all the same."""
    world = await staffed(Assigned(groups=frozenset({STAFF, "gone"})))
    assert whom(await round_of_groups(world)) == [ADA]
    assert f"group.missing sync={NAME} group=gone" in caplog.text


async def test_a_full_round_that_dies_at_any_await_loses_no_nomination() -> None:
    """A worker dies before and after each call; the message comes again, perhaps to another instance."""

    async def prepared() -> tuple[World, FeedRun]:
        world = await staffed()
        run = await world.started(GROUPS)
        world.forget_calls()
        return world, run

    async for world, run in deaths(prepared, more_than=8):
        world.feeds.kinds[GROUPS]._listed.clear()  # type: ignore[attr-defined]  # another process
        await world.feeds.run(run)
        assert set(whom(await world.nominated())) == {ADA, BOB}
        assert (await world.feed(GROUPS)).phase is FeedPhase.IDLE


async def test_many_members_go_in_chunks() -> None:
    """One listing, and a checkpoint after each thousand."""
    world = World(assigned=ASSIGNED)
    people = {f"user-{n:04}" for n in range(2100)}
    for user_id in people:
        world.hire(user_id)
    world.source.groups = {STAFF: people}
    run = await world.started(GROUPS)
    world.forget_calls()
    await world.feeds.run(run)
    assert set(whom(await world.nominated())) == people
    assert world.faults.count("groups.members") == 1
    assert world.faults.count("table.feeds.replace") == 6  # begun, three chunks, then the sweep, and its end


async def test_a_full_round_lists_what_is_true_now() -> None:
    """What an earlier round listed is forgotten, also when that one never came to its end."""
    world = await staffed()
    world.faults.fail_next("table.links.get", UnavailableError())
    await world.feeds.run(await world.started(GROUPS))
    assert len(await world.runs()) == 1
    assert (await world.feed(GROUPS)).phase is FeedPhase.MEMBERS
    world.source.groups[SALES].add(BOB)
    world.clock.advance(timedelta(seconds=1))
    await world.feeds.run(await world.started(GROUPS, full=True))
    assert whom(await world.nominated()) == [ADA]


# --- incremental rounds -----------------------------------------------------------------------------------------


async def test_an_incremental_round_nominates_who_came_and_who_went() -> None:
    """For every sync with groups; the delta link of the page is where the next round starts."""
    world = await settled()
    world.groups.pages.update(changes(ADA, BOB, ADA))
    nominations = await round_of_groups(world)
    assert nominations == [
        Nomination(sync=NAME, user=user_id, why=Why.FEED, at=world.clock.now()) for user_id in (ADA, BOB)
    ]
    done = await world.feed(GROUPS)
    assert (done.full, done.delta_link, done.phase) == (False, "delta:2", FeedPhase.IDLE)
    assert world.faults.count("groups.members") == 0


@pytest.mark.parametrize(
    ("state", "nominated"),
    [(None, []), (LinkState.SEEN, []), (LinkState.INVITING, [ADA]), (LinkState.LINKED, [ADA])],
)
async def test_who_left_is_looked_at_when_there_is_something_to_lose(
    state: LinkState | None, nominated: list[str]
) -> None:
    """A group that is not ours to follow for them, a purged user, a repeated entry: no read."""
    world = await settled()
    if state is not None:
        await world.storage.links.save(link(state, target_id="guest-of-ada"))
    world.groups.pages["latest:1"] = GroupChanges(joined=(), left=(ADA, ADA), regrouped=False, delta_link="delta:2")
    assert whom(await round_of_groups(world)) == nominated


async def test_every_page_is_checkpointed() -> None:
    """The next page after a crash, not the first."""
    world = await settled()
    world.groups.pages["latest:1"] = GroupChanges(joined=(ADA,), left=(), regrouped=False, next_link="next:1")
    world.groups.pages["next:1"] = UnavailableError()
    assert whom(await round_of_groups(world)) == [ADA]
    assert (await world.feed(GROUPS)).link == "next:1"
    assert (await world.feed(GROUPS)).delta_link == "latest:1"


async def test_a_sync_without_groups_is_no_concern_of_this_feed() -> None:
    """Its users come by the users feed; a tenant with no other sync has no groups feed at all."""
    world = await settled()
    other = sync(name="all-of-them")
    world.syncs[other.name] = other
    world.groups.pages.update(changes(ADA))
    assert {each.sync for each in await round_of_groups(world)} == {NAME}
    assert World().feeds.resources() == [(CONTOSO.key, "users")]
    assert sorted(world.feeds.resources()) == [(CONTOSO.key, "groups"), (CONTOSO.key, "users")]


@pytest.mark.parametrize("group", [SALES, CLUB])
async def test_another_closure_makes_the_round_full(group: str) -> None:
    """A group was taken in, or out: its members are listed, since a delta query tells of nobody in it."""
    world = await settled()
    if group == SALES:
        world.source.groups[STAFF].remove(SALES)
        await world.storage.links.save(link(LinkState.LINKED, source_id=ADA, target_id="guest-of-ada"))
    else:
        world.source.groups[STAFF].add(CLUB)
        world.source.groups[CLUB].add("carol")
        world.hire("carol")
    found = whom(await round_of_groups(world))
    assert found == ([ADA, BOB] if group == SALES else [ADA, "carol", BOB])
    assert (await world.feed(GROUPS)).delta_link == "latest:2"


async def test_a_page_that_contradicts_the_closure_makes_the_round_full() -> None:
    """The list of nested groups was read before the change; whom the page names is nominated first."""
    world = await settled()
    world.groups.pages.update(changes("carol", regrouped=True))
    assert whom(await round_of_groups(world)) == ["carol", ADA, BOB]
    assert (await world.feed(GROUPS)).full


async def test_a_day_makes_a_round_full() -> None:
    """Group delta has been seen to miss removals."""
    world = await settled()
    for passed, full in ((FULL_EVERY - timedelta(minutes=6), False), (timedelta(minutes=6), True)):
        world.clock.advance(passed)
        await round_of_groups(world)
        assert (await world.feed(GROUPS)).full is full


async def test_other_groups_in_the_scope_make_a_round_full() -> None:
    """And other single users: whoever was taken off the list has to be looked at."""
    world = await settled()
    world.syncs[NAME] = sync(assigned=replace(ASSIGNED, members=frozenset({"carol"})))
    assert whom(await round_of_groups(world)) == [ADA, "carol", BOB]


async def test_a_dead_delta_link_leads_to_a_full_round() -> None:
    """What it would have said is listed instead."""
    world = await settled()
    world.groups.pages["latest:1"] = ResyncRequiredError()
    assert whom(await round_of_groups(world)) == [ADA, BOB]
    done = await world.feed(GROUPS)
    assert (done.full, done.delta_link, done.phase) == (True, "latest:2", FeedPhase.IDLE)


async def test_a_page_link_that_ran_out_starts_the_round_over() -> None:
    """Where it began still stands."""
    world = await settled()
    world.groups.pages["latest:1"] = GroupChanges(joined=(ADA,), left=(), regrouped=False, next_link="next:1")
    world.groups.pages["next:1"] = GraphRefusedError(status=400, code="Directory_ExpiredPageToken")
    await round_of_groups(world)
    assert (await world.feed(GROUPS)).link == "latest:1"


# --- beside the users feed --------------------------------------------------------------------------------------


async def test_a_full_round_of_users_is_followed_by_one_of_groups() -> None:
    """A user who joined while no delta link of the users was valid, and had changed since, is found by the listing."""
    world = await settled()
    world.source.pages.update(pages([world.source.entry(ADA)]))
    users = await world.started(full=True)
    await world.feeds.run(users)
    (groups,) = await world.runs()
    assert (groups.feed, (await world.feed(GROUPS)).full) == (GROUPS, True)
    assert await world.nominated() == [], "the listing of users puts nobody on the queue whom perhaps no group has"


async def test_the_users_feed_is_complete_only_when_the_groups_are_on_their_way() -> None:
    """A crash in between repeats both."""
    world = await settled()
    world.source.pages.update(pages([]))
    run = await world.started(full=True)
    world.faults.fail_next("queue.feed-pages.send", Crash())
    with pytest.raises(Crash):
        await world.feeds.run(run)
    assert (await world.feed()).phase is not FeedPhase.IDLE
    await world.feeds.run(run)
    assert (await world.feed()).phase is FeedPhase.IDLE
    assert len(await world.runs()) == 1


async def test_a_rehearsal_goes_through_the_groups_as_well() -> None:
    """The listing of users nominates no newcomer, so a plan without the groups would leave them out."""
    world = await staffed()
    world.source.pages.update(pages([world.source.entry(ADA)]))
    rehearsal = Rehearsal(
        syncs=world.syncs,
        feeds=world.feeds,
        engine=world.engine,
        guard=world.guard,
        clock=world.clock,
    )
    assert set(whom(await rehearsal.nominees(CONTOSO.key))) == {ADA, BOB}
    assert (await world.feed(GROUPS)).round == ""


@pytest.mark.parametrize("error", [UnavailableError(), GraphRefusedError(status=403, code="Forbidden")])
async def test_a_broken_groups_feed_does_not_stop_the_users_feed(error: SyncError) -> None:
    """The poll starts both, each with its own message."""
    world = await settled()
    world.faults.fail_next("groups.closure", error)
    world.clock.advance(STALLED)
    await world.feeds.poll()
    world.source.pages.update(pages([]))
    for run in await world.runs():
        await world.feeds.run(run)
    assert (await world.feed()).phase is FeedPhase.IDLE
    assert (await world.feed(GROUPS)).error == error.code


@pytest.mark.parametrize(
    ("assigned", "known", "full", "worth"),
    [
        (ASSIGNED, None, False, True),
        (ASSIGNED, None, True, False),
        (ASSIGNED, LinkDigest(digest="", state=LinkState.SEEN), True, False),
        (ASSIGNED, LinkDigest(digest="another", state=LinkState.LINKED), True, True),
        (ASSIGNED, LinkDigest(digest="same", state=LinkState.LINKED), True, False),
        (ASSIGNED, LinkDigest(digest="same", state=LinkState.LINKED), False, False),
        (Assigned(members=frozenset({ADA})), None, True, True),
        (Assigned(members=frozenset({BOB})), None, False, False),
        (Assigned(members=frozenset({BOB})), LinkDigest(digest="same", state=LinkState.LINKED), False, True),
    ],
)
async def test_an_entry_of_the_users_feed_knows_no_memberships(
    assigned: Assigned, known: LinkDigest | None, full: bool, worth: bool
) -> None:
    """A user who changed may be a member; in a full round the groups tell. Users assigned by id are known."""
    world = World(assigned=assigned)
    world.hire()
    known = await known_as(known)
    assert worth_a_look(world.sync, world.source.entry(ADA), known, full=full) is worth

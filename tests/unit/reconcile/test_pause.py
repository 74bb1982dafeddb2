"""A sync that a person paused: nothing is written from then on, and nothing is lost when it goes on."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.guard.configurations import FRESH
from sync_core.guard.pauses import Pauses
from sync_core.model import Control, LinkState, Mode, Sync, Why
from sync_core.ops.controls import control
from sync_core.reconcile.let_go import KEPT_FOR
from tests.support.make import ADA, BOB, NAME, sync
from tests.support.stories import STORIES, Story
from tests.support.world import World, names

TAKES_ACCESS = {"WouldSoftDelete", "WouldDisable"}


async def say(world: World, said: Control) -> None:
    syncs: list[Sync] = list(world.syncs.values())
    await control(world.runtime, syncs, said, by="anna", reason="let me look")


async def pause(world: World, said: Control = Control.PAUSED) -> None:
    await say(world, said)
    world.clock.advance(FRESH)


async def resume(world: World) -> None:
    await say(world, Control.RUNNING)


async def parked(world: World) -> int:
    return len(await world.storage.links.parked(NAME))


@pytest.mark.parametrize("name", STORIES)
async def test_nothing_is_written_while_a_sync_is_paused_and_nothing_is_lost(name: str) -> None:
    """Each story while it is paused: nobody fails, nobody is parked. It goes on: the tenants are in step."""
    story = STORIES[name]
    world = story.world()
    await world.polled()
    await story.before(world)
    await pause(world)
    await story.meanwhile(world)
    there = deepcopy(world.target.users)
    world.forget_calls()
    for _ in range(3):
        assert await world.polled() == []
    world.clock.advance(timedelta(days=40))
    assert await world.polled() == []
    assert (world.target.writes, world.target.users, await parked(world)) == ([], there, 0)
    await resume(world)
    await in_the_end(world)
    assert await story.wanted(world)


async def in_the_end(world: World) -> None:
    """The rounds that a resume started, and what was kept on the queue."""
    assert await world.polled() == []
    assert await world.deliver(timedelta(minutes=40)) == []
    assert await parked(world) == 0


@pytest.mark.parametrize("name", STORIES)
async def test_with_deletions_paused_all_goes_on_but_what_takes_access(name: str) -> None:
    """A user who is to lose access keeps it until deletions go on; for everybody else nothing is different."""
    story = STORIES[name]
    world = story.world()
    await world.polled()
    await story.before(world)
    await pause(world, Control.DELETIONS_PAUSED)
    await story.meanwhile(world)
    assert await world.polled() == []
    assert await world.deliver(timedelta(minutes=40)) == []
    takes = story.would in TAKES_ACCESS or name == "tables lost"
    assert await story.wanted(world) is not takes
    assert not any(write == "soft_delete" for write, _ in world.target.writes)
    await resume(world)
    await in_the_end(world)
    assert await story.wanted(world)


async def test_what_a_disabled_person_s_record_says_besides_is_written_though_deletions_are_paused() -> None:
    """The department is; that sign-in is off waits."""
    world = World()
    await world.polled()
    await world.linked()
    await pause(world, Control.DELETIONS_PAUSED)
    world.change(accountEnabled=False, department="Sales")
    outcome = await world.look()
    assert names(outcome) == ["WouldDisable", "WouldDisable"]
    ((_, account),) = world.target.of("ada@contoso.example")
    assert (account.attributes["department"], account.attributes["accountEnabled"]) == ("Sales", True)
    await resume(world)
    await in_the_end(world)
    assert world.enabled() == [False]


@pytest.mark.parametrize("name", STORIES)
@pytest.mark.parametrize("said", [Control.PAUSED, Control.DELETIONS_PAUSED])
async def test_a_pause_in_the_middle_of_a_look_stops_before_the_next_write(name: str, said: Control) -> None:
    """At every call of it: after two seconds no request is made any more. It goes on, and loses nothing."""
    story = STORIES[name]
    for n in range(await calls(story)):
        world = await prepared(story)
        made: list[int] = []

        async def stop(world: World = world, made: list[int] = made) -> None:
            await pause(world, said)
            made.append(len(world.target.writes))

        world.faults.meanwhile_at(n, stop)
        assert await world.deliver() == []
        after = world.target.writes[made[0] :]
        assert [write for write in after if said is Control.PAUSED or write[0] == "soft_delete"] == [], n
        assert await parked(world) == 0
        await resume(world)
        await in_the_end(world)
        assert await story.wanted(world), n


async def prepared(story: Story) -> World:
    """The story up to the messages that are about to be handled."""
    world = story.world()
    await world.polled()
    await story.before(world)
    await story.meanwhile(world)
    world.clock.advance(timedelta(minutes=5))
    await world.storage.queues.nominate([world.nomination(why=Why.FEED)])
    world.forget_calls()
    return world


async def calls(story: Story) -> int:
    world = await prepared(story)
    await world.deliver()
    return len(world.faults.calls)


async def test_a_pause_is_heard_of_within_two_seconds_by_every_instance() -> None:
    """And by one that had just read that the sync runs."""
    world = World()
    await world.polled()
    other = world.instance(world.syncs)
    assert await other.pauses.control(NAME) is Control.RUNNING
    await say(world, Control.PAUSED)
    world.clock.advance(FRESH)
    world.hire()
    assert await other.worker.handle(world.nomination()) is None
    assert world.target.writes == []


async def with_slow_answers(times: int) -> World:
    """Ada is hired, and so many answers about the pause take longer than one may be old."""
    world = World()
    await world.polled()
    world.hire()
    world.clock.advance(FRESH)

    async def slow() -> None:
        world.clock.advance(FRESH)

    for _ in range(times):
        world.faults.after_next("table.controls.get", slow)
    return world


async def test_a_slow_answer_is_asked_for_again() -> None:
    """A look whose question about the pause took two seconds goes on: its write happens once, and is in no doubt."""
    world = await with_slow_answers(1)
    assert (await world.look()).error == ""
    assert world.in_step()


async def test_a_pause_that_was_said_during_a_slow_answer_lets_nobody_be_written() -> None:
    """The sync was paused while "it runs" was on its way: it is read again, and says so."""
    world = await with_slow_answers(1)

    async def late() -> None:
        await say(world, Control.PAUSED)
        world.clock.advance(timedelta(seconds=10))

    world.faults.after_next("table.controls.get", late)
    await world.look()
    assert (world.target.writes, await parked(world)) == ([], 0)
    await resume(world)
    await in_the_end(world)
    assert world.in_step()


async def test_answers_that_all_took_too_long_let_nobody_be_written() -> None:
    """Nothing is written on a word that is two seconds old, and the user is looked at again."""
    world = await with_slow_answers(6)  # the decision's question and the write's, three times each
    assert (await world.look()).error == "Unavailable"
    assert world.target.writes == []
    await world.deliver()
    assert world.in_step()


async def test_a_nomination_made_after_a_resume_is_looked_at_by_every_instance() -> None:
    """Also by one that read a moment ago that the sync is paused: it reads once more before it lets anybody go."""
    world = World()
    await world.polled()
    other = world.instance(world.syncs)
    await pause(world)
    assert await other.pauses.control(NAME) is Control.PAUSED
    await resume(world)
    world.hire()
    assert await other.worker.handle(world.nomination()) is not None
    assert world.in_step()


async def test_a_resume_starts_a_full_round_even_if_nothing_starts_it() -> None:
    """The command died after its record was written: the next poll begins the round."""
    world = World()
    await world.polled()
    await pause(world)
    await world.runtime.pauses.say(NAME, Control.RUNNING, by="anna", reason="")
    world.clock.advance(timedelta(minutes=5))
    await world.feeds.poll()
    assert (await world.feed()).full


@pytest.mark.parametrize(
    ("before", "after", "full"),
    [
        (Control.RUNNING, Control.PAUSED, False),
        (Control.RUNNING, Control.DELETIONS_PAUSED, False),
        (Control.DELETIONS_PAUSED, Control.PAUSED, False),
        (Control.PAUSED, Control.PAUSED, False),
        (Control.RUNNING, Control.RUNNING, False),
        (Control.PAUSED, Control.DELETIONS_PAUSED, False),
        (Control.PAUSED, Control.RUNNING, True),
        (Control.DELETIONS_PAUSED, Control.RUNNING, True),
    ],
)
async def test_a_full_round_follows_whatever_lets_something_through(
    before: Control, after: Control, full: bool
) -> None:
    """Every other word of a person costs no round."""
    world = World()
    await world.polled()
    await say(world, before)
    await world.runs()
    world.clock.advance(timedelta(minutes=5))
    await say(world, after)
    await world.feeds.poll()
    assert (await world.feed()).full is full


@pytest.mark.parametrize("why", Why)
@pytest.mark.parametrize("state", LinkState)
async def test_a_nomination_that_is_let_go_leaves_a_trace_where_no_round_would_find_the_user(
    why: Why, state: LinkState
) -> None:
    """A dirty link, or the message itself; where a full round sees as much, neither."""
    world = World()
    await world.linked()
    await world.storage.links.save(replace(await world.stored(), state=state))
    await pause(world)
    assert await world.worker.handle(world.nomination(why=why)) is None
    seen_again = why in {Why.NOTIFICATION, Why.FEED, Why.ABSENT, Why.MARKED, Why.TARGET}
    assert (await world.stored()).dirty is (state is LinkState.LINKED and not seen_again)
    assert [each.user for each in await world.nominated()] == ([ADA] if state is LinkState.INVITING else [])


async def test_what_is_kept_on_the_queue_comes_back_without_counting_as_a_failure() -> None:
    """Each time it is a new message, so that nothing of it is poison."""
    world = World()
    world.hire()
    world.faults.fail_next("target.invite", RuntimeError())
    with pytest.raises(RuntimeError):
        await world.worker.handle(world.nomination())
    assert (await world.stored()).state is LinkState.INVITING
    await pause(world)
    await world.worker.handle(world.nomination(), redelivered=True)
    (kept,) = await world.nominated()
    assert kept.attempt == 1
    for _ in range(20):
        world.clock.advance(timedelta(seconds=KEPT_FOR))
        await world.worker.handle(kept)
        (kept,) = await world.nominated()
    assert kept.attempt == 1


async def test_another_sync_goes_on() -> None:
    """One sync is paused, and only that one."""
    other = sync(name="staff")
    world = World(more=[other])
    await world.polled()
    await control(world.runtime, [world.sync], Control.PAUSED, by="anna", reason="r")
    world.hire(BOB, "Bob")
    assert await world.polled() == []
    assert await world.storage.links.get(NAME, BOB) is None
    link = await world.storage.links.get("staff", BOB)
    assert link is not None
    assert link.state is LinkState.LINKED


async def test_an_instance_of_an_older_configuration_leaves_the_messages_of_a_paused_sync() -> None:
    """It may know no pause. It does not judge beside a newer one, whose release alone makes another fingerprint."""
    world = World()
    older = world.instance({NAME: replace(world.sync, domains=frozenset({"old.example"}))})
    older = replace(older, worker=replace(older.worker, pauses=_Deaf.of(older.worker.pauses)))
    await older.feeds.poll()
    world.clock.advance(timedelta(minutes=1))
    world.deploy(Mode.RUN)
    await world.polled()
    await pause(world)
    world.hire()
    assert await older.worker.handle(world.nomination()) is None
    (left,) = await world.nominated()
    assert (left.user, world.target.writes) == (ADA, [])


class _Deaf(Pauses):
    """Of a version that knows no pause."""

    @classmethod
    def of(cls, pauses: Pauses) -> Pauses:
        return cls(records=pauses.records, clock=pauses.clock)

    async def let_go(self, sync: str) -> bool:
        return False


async def test_a_pause_never_starts_writes() -> None:
    """The description: the way back is `xtsync resume`. A pause of deletions lets nothing through that was stopped."""
    world = World()
    await control(world.runtime, [world.sync], Control.PAUSED, by="anna", reason="wrong scope")
    world.clock.advance(timedelta(seconds=5))
    await control(world.runtime, [world.sync], Control.DELETIONS_PAUSED, by="ben", reason="and no deletions")
    world.clock.advance(timedelta(seconds=5))
    world.hire()
    await world.worker.handle(world.nomination())
    assert world.target.writes == []

"""The windows of a sync and of its target tenant: who counts in them, and what passes."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, settings, strategies as st

from sync_core.guard import window as arithmetic
from sync_core.guard.deletions import DeletionGuard
from sync_core.guard.ledger import Ledger, longest
from sync_core.model import MONTH, Change, Counts, GuardLimits, Hold, Limit, LinkState, SoftDelete, Sync
from sync_core.model.errors import ConflictError
from sync_core.ports import GuardWindow
from sync_core.storage.guards import TableGuards
from sync_core.storage.repositories import Storage, memory_storage
from sync_core.storage.table import Row, check_row
from tests.support.clock import START, ManualClock
from tests.support.faults import Crash, Faults, FaultyTable
from tests.support.make import ADA, FABRIKAM, GUEST, NAME, link, sync
from tests.support.world import World, names

DELETE = SoftDelete(why="source user gone")
DAY = timedelta(days=1)
TARGET = f"target:{FABRIKAM.id}"


def limits(day: int, month: int | None = None, *, window: timedelta = DAY) -> GuardLimits:
    """Of so many people, whatever the number of links."""
    of_month = None if month is None else Limit(max_percent=0, min_count=month, window=MONTH)
    return GuardLimits(max_percent=0, min_count=day, window=window, month=of_month)


class Guarded:
    """A guard over tables in memory, and one person after another who is to lose access."""

    def __init__(self, *syncs: Sync, faults: Faults | None = None) -> None:
        self.clock = ManualClock()
        self.syncs = syncs
        self.faults = faults or Faults()
        self.storage = memory_storage(self.clock, wrap_table=lambda name, t: FaultyTable(name, t, self.faults))
        self.guard = self.instance()

    def instance(self, clock: ManualClock | None = None) -> DeletionGuard:
        guards, clock = self.storage.guards, clock or self.clock
        syncs = {each.name: each for each in self.syncs}
        ledger = Ledger(guards=guards, links=self.storage.links, clock=clock, syncs=syncs)
        return DeletionGuard(guards=guards, history=guards, ledger=ledger, clock=clock)

    async def link(self, people: int, sync: Sync | None = None, first: int = 0) -> None:
        for n in range(first, first + people):
            name = (sync or self.syncs[0]).name
            each = link(LinkState.LINKED, sync=name, source_id=f"user-{n}", target_id=f"guest-{n}")
            await self.storage.links.save(each)

    async def gone(self, user: int, sync: Sync | None = None) -> None:
        stored = await self.storage.links.get((sync or self.syncs[0]).name, f"user-{user}")
        assert stored is not None
        await self.storage.links.save(replace(stored, state=LinkState.DELETED))

    async def judge(self, user: int, sync: Sync | None = None, *, dry_run: bool = False) -> Change:
        of = sync or self.syncs[0]
        each = link(LinkState.LINKED, sync=of.name, source_id=f"user-{user}", target_id=GUEST)
        return await self.guard.judge(of, each, DELETE, dry_run=dry_run)

    async def passes(self, user: int, sync: Sync | None = None) -> bool:
        return await self.judge(user, sync) == DELETE

    async def used(self, of: str = NAME, *, month: bool = False) -> int:
        return sum((await self.storage.guards.window(of, month=month)).slices.values())


async def test_a_slow_bleed_is_held() -> None:
    """5 % of those who are left, every day, with the limits of a newcomer: 20 of 200 go within thirty days, not all."""
    guarded = Guarded(sync())
    await guarded.link(200)
    asked, gone = 0, 0
    for _ in range(29):
        for user in range(asked, asked + max(1, (200 - gone) // 20)):
            if user < 200 and await guarded.passes(user):
                await guarded.gone(user)
                gone += 1
            asked = user + 1
        guarded.clock.advance(DAY + timedelta(minutes=10))
    assert gone == 20
    assert await guarded.storage.guards.holds(NAME)


async def test_room_of_the_month_comes_back_as_it_was_used() -> None:
    """After thirty days, and one slice of that window more."""
    guarded = Guarded(sync(guard=limits(2, 3)))
    assert [await guarded.passes(user) for user in (1, 2)] == [True, True]
    guarded.clock.advance(2 * DAY)
    assert [await guarded.passes(user) for user in (3, 4)] == [True, False]
    guarded.clock.advance(29 * DAY)
    assert [await guarded.passes(user) for user in (5, 6, 7)] == [True, True, False]


async def test_ten_syncs_into_one_tenant_share_its_window() -> None:
    """One emptied group feeds them all: ten people go, and not ten of each sync."""
    syncs = [sync(name=f"sync-{n}") for n in range(10)]
    guarded = Guarded(*syncs)
    for n, each in enumerate(syncs):
        await guarded.link(10, each, first=100 * n)
    passed = [await guarded.passes(100 * n + user, each) for n, each in enumerate(syncs) for user in range(10)]
    assert sum(passed) == 10
    assert len(await guarded.storage.guards.holds("sync-0")) == 0
    assert len(await guarded.storage.guards.holds("sync-9")) == 10


async def test_the_percentage_of_the_target_is_of_the_links_of_all_its_syncs() -> None:
    """A tenth of 40 and 60 is ten, though a tenth of 40 is four."""
    tenth = GuardLimits(max_percent=10, min_count=0)
    all_go = limits(100)
    first, second = (replace(sync(name=name, guard=all_go), target_guard=tenth) for name in ("first", "second"))
    other = replace(sync(name="elsewhere"), target=replace(FABRIKAM, id="33333333-3333-3333-3333-333333333333"))
    guarded = Guarded(first, second, other)
    await guarded.link(40, first)
    await guarded.link(60, second, first=100)
    await guarded.link(500, other, first=1000)
    assert sum([await guarded.passes(user, first) for user in range(20)]) == 10


async def test_a_sync_alone_never_meets_its_target_before_itself() -> None:
    """The target's limits are the sync's where nothing else is said."""
    guarded = Guarded(sync(guard=limits(3)))
    judged = [await guarded.judge(user) for user in range(4)]
    assert judged[:3] == [DELETE] * 3
    assert judged[3] == Hold(held=DELETE, used=3, limit=3, counts=Counts.SYNC, window=DAY)


@pytest.mark.parametrize(
    ("of_sync", "of_target", "met"),
    [
        (limits(1, 5), limits(5, 5), (Counts.SYNC, DAY)),
        (limits(5, 1), limits(5, 5), (Counts.SYNC, MONTH)),
        (limits(5, 5), limits(1, 5), (Counts.TARGET, DAY)),
        (limits(5, 5), limits(5, 1), (Counts.TARGET, MONTH)),
    ],
)
async def test_a_hold_says_which_window_was_met(
    of_sync: GuardLimits, of_target: GuardLimits, met: tuple[Counts, timedelta]
) -> None:
    """In the change and in words; the windows with room have counted nothing for it."""
    guarded = Guarded(replace(sync(guard=of_sync), target_guard=of_target))
    assert await guarded.passes(1)
    held = await guarded.judge(2)
    assert isinstance(held, Hold)
    assert (held.counts, held.window, held.used, held.limit) == (*met, 1, 1)
    assert [await guarded.used(of, month=month) for of in (NAME, TARGET) for month in (False, True)] == [1] * 4
    (record,) = await guarded.storage.guards.holds(NAME)
    into = " into the target tenant" if met[0] is Counts.TARGET else ""
    assert record.reason == f"1 of at most 1 deletions{into} in {'24 h' if met[1] == DAY else '30 days'} were used"
    assert await guarded.judge(2) == held, "and so does the next look"


async def test_one_person_who_comes_and_goes_counts_once() -> None:
    """Ten times in and out of a group, and the guard has room for a real leaver."""
    world = World(guard=limits(2))
    await world.linked()
    for _ in range(10):
        world.source.soft_delete(ADA)
        assert "SoftDelete" in names(await world.look())
        world.clock.advance(timedelta(minutes=20))
        world.source.restore(ADA)
        await world.look()
        world.clock.advance(timedelta(minutes=20))
    await world.linked("leaver", "Leaver")
    world.source.soft_delete("leaver")
    assert names(await world.look("leaver")) == ["SoftDelete"]


async def test_one_person_counts_once_in_a_month() -> None:
    """Once a day, for a month: the window of thirty days has seen one person."""
    guarded = Guarded(sync(guard=limits(1, 2)))
    for _ in range(30):
        assert await guarded.passes(1)
        guarded.clock.advance(DAY + timedelta(minutes=20))
    assert await guarded.used(month=True) == 1
    assert [await guarded.passes(user) for user in (2, 3)] == [True, False]


async def test_a_person_stays_in_the_window_from_the_last_removal_on() -> None:
    """Somebody who left yesterday and again just now is of today: 20 people must not go within a minute."""
    guarded = Guarded(sync(guard=limits(10)))
    assert all([await guarded.passes(user) for user in range(10)])
    guarded.clock.advance(DAY - timedelta(minutes=1))
    assert all([await guarded.passes(user) for user in range(10)])
    guarded.clock.advance(timedelta(minutes=30))
    assert not any([await guarded.passes(user) for user in range(10, 20)])


async def test_one_person_of_two_syncs_counts_once_in_the_target() -> None:
    """Removed by Sales and later by Staff: two syncs, and one person."""
    sales, staff = sync(name="sales"), sync(name="staff")
    guarded = Guarded(sales, staff)
    assert await guarded.passes(1, sales)
    guarded.clock.advance(timedelta(hours=1))
    assert await guarded.passes(1, staff)
    assert [await guarded.used(of) for of in ("sales", "staff", TARGET)] == [1, 1, 1]


async def test_a_dry_run_counts_nobody_in_any_window() -> None:
    """Neither windows nor people are stored."""
    guarded = Guarded(sync())
    assert await guarded.judge(1, dry_run=True) == DELETE
    assert [row async for row in guarded.storage.tables_by_name["guards"].query(None)] == []


_REMOVALS = st.lists(st.tuples(st.integers(0, 7), st.integers(0, 20_000)), min_size=1, max_size=40)


@settings(max_examples=60)
@given(_REMOVALS, st.integers(1, 4))
async def test_no_stretch_as_long_as_the_window_sees_more_people_than_the_limit(
    removals: Sequence[tuple[int, int]], limit: int
) -> None:
    """However often people come and go: of any hour, at most so many of them have lost access in it."""
    hour = timedelta(hours=1)
    guarded = Guarded(sync(guard=limits(limit, 100, window=hour)))
    passed: list[tuple[datetime, int]] = []
    for user, gap in removals:
        guarded.clock.advance(timedelta(seconds=gap / 10))
        for hold in await guarded.storage.guards.holds(NAME):  # nobody waits for a person here
            await guarded.storage.guards.drop_hold(hold)
        if await guarded.passes(user):
            passed.append((guarded.clock.now(), user))
    for end, _ in passed:
        assert len({user for at, user in passed if end - hour < at <= end}) <= limit


@pytest.mark.parametrize(("user", "people"), [(1, 2), (3, 3)])
async def test_a_death_while_counting_leaves_no_count_too_few(user: int, people: int) -> None:
    """Wherever the worker dies: who is let go, somebody new or once more, has been counted."""
    for calls in range(40):
        for after in (False, True):
            guarded = Guarded(sync(guard=limits(9)))
            assert all([await guarded.passes(each) for each in (1, 2)])
            guarded.clock.advance(timedelta(hours=2))
            guarded.faults.fail_at(calls, Crash(), after=after)
            with suppress(Crash):
                await guarded.passes(user)
                assert calls > 8
                return
            assert await guarded.passes(user), "the redelivered message"
            for of in (NAME, TARGET):
                for month in (False, True):
                    assert await guarded.used(of, month=month) >= people
    raise AssertionError("more than 40 calls of storage")


async def test_two_versions_side_by_side_let_no_more_go_than_the_older_alone() -> None:
    """Version 0.1 knows one window and no people, and writes the row back as it knows it: the shared count holds."""
    guarded = Guarded(sync(guard=limits(6)))
    old, limit = Version01(guarded), limits(6)
    gone: set[int] = set()
    for turn in range(30):
        user = turn % 15
        if await (old.passes(user, limit) if turn % 2 else guarded.passes(user)):
            gone.add(user)
        guarded.clock.advance(timedelta(minutes=7))
    assert len(gone) == 6


async def test_a_hold_that_version_0_1_wrote_back_is_decided_as_there() -> None:
    """It drops the cause. Then an approval counts whatever the cause, as it does with version 0.1 alone."""
    guarded = Guarded(sync(guard=limits(0)))
    each = link(LinkState.LINKED, target_id=GUEST)
    await guarded.guard.judge(guarded.syncs[0], each, DELETE, cause="deleted in the source")
    (held,) = await guarded.storage.guards.holds(NAME)
    old = await guarded.storage.guards.save_hold(replace(held, cause=""))
    await guarded.guard.decide([old], approve=True, by="grace")
    assert await guarded.guard.judge(guarded.syncs[0], each, DELETE, cause="out of scope: no group") == DELETE


async def test_a_rejection_without_a_cause_takes_that_of_the_next_look() -> None:
    """Version 0.1 stored none: the rejection stands, and from then on it is about something."""
    guarded = Guarded(sync(guard=limits(0)))
    each, of = link(LinkState.LINKED, target_id=GUEST), guarded.syncs[0]
    await guarded.guard.judge(of, each, DELETE)
    await guarded.guard.decide(await guarded.storage.guards.holds(NAME), approve=False, by="grace")
    assert isinstance(await guarded.guard.judge(of, each, DELETE, cause="out of scope: no group"), Hold)
    (held,) = await guarded.storage.guards.holds(NAME)
    assert (held.state, held.cause) == ("rejected", "out of scope: no group")


async def test_clocks_that_differ_by_seconds_let_no_more_go() -> None:
    """Two instances, ten seconds apart, at the edge of a slice and of the window."""
    guarded = Guarded(sync(guard=limits(10)))
    fast = guarded.instance(ManualClock(START + timedelta(seconds=10)))
    each = link(LinkState.LINKED, target_id=GUEST)
    passed = []
    for user in range(40):
        guard = fast if user % 2 else guarded.guard
        changed = await guard.judge(guarded.syncs[0], replace(each, source_id=f"user-{user}"), DELETE)
        passed.append(changed == DELETE)
        for clock in (guarded.clock, fast.clock):
            assert isinstance(clock, ManualClock)
            clock.advance(timedelta(minutes=36))
    assert sum(passed) == 10


def test_ten_thousand_people_in_thirty_days_fit_a_row() -> None:
    """A window has as many columns of text as slices, however many people it counts and however long it lives."""
    of = Limit(max_percent=0, min_count=10_000, window=MONTH)
    seen = GuardWindow(of=NAME, month=True)
    for n in range(20_000):
        counted = arithmetic.count(seen, of, START + n * timedelta(seconds=260))
        if counted is not None:
            seen = counted
    assert 9_900 < sum(seen.slices.values()) <= 10_000
    assert len(seen.slices) <= 146
    check_row(Row(pk=NAME, rk="window:month", values={"slices": str(dict(seen.slices))}))


async def test_people_are_forgotten_once_no_window_can_count_them() -> None:
    """Twice the longest window after their last removal, and not before."""
    of = sync()
    guarded = Guarded(of)
    assert await guarded.passes(1)
    guarded.clock.advance(40 * DAY)
    assert await guarded.passes(2)
    guarded.clock.advance(longest(of) - 40 * DAY)
    assert await prune(guarded.storage, of, guarded.clock.now()) == 1
    assert (await guarded.storage.guards.counted(FABRIKAM.id, "user-1")).at == {}
    assert (await guarded.storage.guards.counted(FABRIKAM.id, "user-2")).at != {}


async def prune(storage: Storage, of: Sync, now: datetime) -> int:
    return await storage.guards.prune_counted(of.target.id, now - longest(of), 100)


async def test_a_decision_is_kept_after_it_was_carried_out() -> None:
    """The operator, the cause, the decision and its time; a decision that was taken back is there, too."""
    world = World(guard=limits(0))
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=False, by="grace")
    world.clock.advance(timedelta(minutes=1))
    await world.guard.decide(await world.storage.guards.holds(NAME), approve=True, by="alan")
    assert names(await world.look()) == ["SoftDelete"]
    assert await world.storage.guards.holds(NAME) == []
    decisions = await world.storage.guards.decisions(NAME, 10)
    assert [(each.source_id, each.state, each.decided_by, each.cause) for each in decisions] == [
        (ADA, "approved", "alan", "deleted in the source"),
        (ADA, "rejected", "grace", "deleted in the source"),
    ]


async def test_a_decision_that_came_too_late_is_not_kept() -> None:
    """The hold changed meanwhile: nobody decided about what it is now."""
    guarded = Guarded(sync(guard=limits(0)))
    await guarded.judge(1)
    listed = await guarded.storage.guards.holds(NAME)
    await guarded.storage.guards.save_hold(replace(listed[0], cause="another one"))
    with pytest.raises(ConflictError):
        await guarded.guard.decide(listed, approve=True, by="grace")
    assert await guarded.storage.guards.decisions(NAME, 10) == []


class Version01:
    """How version 0.1.0 counted: one row, and its columns written anew."""

    def __init__(self, guarded: Guarded) -> None:
        self.guarded = guarded
        self.guards = TableGuards(guarded.storage.tables_by_name["guards"])

    async def passes(self, user: int, of: GuardLimits) -> bool:
        del user  # it knows nobody
        stored = await self.guards.window(NAME)
        counted = arithmetic.count(stored, of, self.guarded.clock.now())
        if counted is None:
            return False
        await self.guards.save_window(counted)
        return True

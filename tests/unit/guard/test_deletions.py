"""The deletion guard at work over stored windows and holds: many workers, and one person who decides."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.guard.deletions import APPROVAL_LASTS, DeletionGuard
from sync_core.guard.ledger import Ledger
from sync_core.model import Change, Disable, Guarded, GuardLimits, Hold, LinkState, Reason, Skip, SoftDelete, Update
from sync_core.model.errors import ConflictError
from sync_core.ports import HoldRecord, HoldState
from sync_core.storage.repositories import Storage, memory_storage
from tests.support.clock import ManualClock
from tests.support.faults import Faults, FaultyTable
from tests.support.make import ADA, BOB, GUEST, HOLD_ALL, NAME, link, sync
from tests.support.world import World, names

DELETE = SoftDelete(why="source user gone")
DISABLE = Disable(attributes={"accountEnabled": False})
THREE = sync(guard=GuardLimits(max_percent=0, min_count=3))
NONE = sync(guard=HOLD_ALL)
LINK = link(LinkState.LINKED, target_id=GUEST)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def storage(clock: ManualClock, faults: Faults) -> Storage:
    return memory_storage(clock, wrap_table=lambda name, table: FaultyTable(name, table, faults))


@pytest.fixture
def guard(storage: Storage, clock: ManualClock) -> DeletionGuard:
    ledger = Ledger(guards=storage.guards, links=storage.links, clock=clock)
    return DeletionGuard(guards=storage.guards, history=storage.guards, ledger=ledger, clock=clock)


async def only_hold(storage: Storage) -> HoldRecord:
    (held,) = await storage.guards.holds(NAME)
    return held


async def total(storage: Storage) -> int:
    return sum((await storage.guards.window(NAME)).slices.values())


async def test_what_takes_nothing_away_costs_no_storage_call(guard: DeletionGuard, faults: Faults) -> None:
    """An update or a skip passes without a look at the window."""
    for change in (Update(attributes={"city": "Oslo"}), Skip(reason=Reason.NO_CHANGE)):
        assert await guard.judge(THREE, LINK, change) == change
    assert faults.calls == []


async def test_workers_who_count_at_once_lose_nothing(guard: DeletionGuard, storage: Storage) -> None:
    """Three of ten simultaneous deletions pass, seven are held, and the window has counted three."""
    people = [replace(LINK, source_id=f"user-{n}") for n in range(10)]
    judged = await asyncio.gather(*(guard.judge(THREE, each, DELETE) for each in people))
    assert sum(change == DELETE for change in judged) == 3
    assert sum(isinstance(change, Hold) for change in judged) == 7
    assert await total(storage) == 3
    assert len(await storage.guards.holds(NAME)) == 7


async def test_deletions_and_disables_share_one_window(guard: DeletionGuard) -> None:
    """Both take access away, so both use the same room."""
    changes: list[Change] = [DELETE, DISABLE, DELETE, DISABLE]
    judged = [await guard.judge(THREE, replace(LINK, source_id=f"user-{n}"), each) for n, each in enumerate(changes)]
    assert judged[:3] == changes[:3]
    assert judged[3] == Hold(held=DISABLE, used=3, limit=3)


async def test_the_percentage_is_of_the_links_that_are_present(guard: DeletionGuard, storage: Storage) -> None:
    """The guard counts the sync's own present target users, not those it has only seen."""
    for n in range(40):
        state = LinkState.LINKED if n < 20 else LinkState.SEEN
        await storage.links.save(link(state, source_id=f"user-{n}", target_id=f"guest-{n}"))
    tenth = sync(guard=GuardLimits(max_percent=10, min_count=0))
    judged = [await guard.judge(tenth, replace(LINK, source_id=f"user-{n}"), DELETE) for n in range(3)]
    assert [isinstance(change, Hold) for change in judged] == [False, False, True]


async def test_the_number_of_links_is_counted_again_after_a_while(
    guard: DeletionGuard, storage: Storage, clock: ManualClock
) -> None:
    """A listing for every deletion would be dear, so a count is good for a quarter of an hour."""
    half = sync(guard=GuardLimits(max_percent=50, min_count=1))
    assert await guard.judge(half, LINK, DELETE) == DELETE
    for n in range(10):
        await storage.links.save(link(LinkState.LINKED, source_id=f"user-{n}", target_id=f"guest-{n}"))
    bob = replace(LINK, source_id=BOB)
    assert isinstance(await guard.judge(half, bob, DELETE, dry_run=True), Hold)
    clock.advance(timedelta(minutes=15))
    assert await guard.judge(half, bob, DELETE, dry_run=True) == DELETE


async def test_a_deletion_is_held_once_however_often_it_is_asked_for(guard: DeletionGuard, storage: Storage) -> None:
    """Asking again neither adds a hold nor touches the one that somebody may be deciding on."""
    first = await guard.judge(NONE, LINK, DELETE)
    held = await only_hold(storage)
    assert first == Hold(held=DELETE, used=0, limit=0)
    assert (held.change, held.target_id, held.state) == ("SoftDelete", GUEST, HoldState.HELD)
    assert await guard.judge(NONE, LINK, DELETE) == first
    assert await only_hold(storage) == held


async def test_room_in_the_window_does_not_lift_a_hold(guard: DeletionGuard, clock: ManualClock) -> None:
    """What a person was asked about waits for the person."""
    await guard.judge(NONE, LINK, DELETE)
    clock.advance(timedelta(days=3))
    assert isinstance(await guard.judge(THREE, LINK, DELETE), Hold)


async def test_an_approved_deletion_passes_and_is_not_counted(guard: DeletionGuard, storage: Storage) -> None:
    """Approved deletions do not use up the room of those that need no approval."""
    await guard.judge(NONE, LINK, DELETE)
    (approved,) = await guard.decide([await only_hold(storage)], approve=True, by="grace")
    assert (approved.state, approved.decided_by) == (HoldState.APPROVED, "grace")
    assert await guard.judge(NONE, LINK, DELETE) == DELETE
    assert await total(storage) == 0


async def test_an_approval_is_bound_to_the_user(guard: DeletionGuard, storage: Storage) -> None:
    """The approval of Ada's deletion is none of Bob's."""
    await guard.judge(NONE, LINK, DELETE)
    await guard.decide([await only_hold(storage)], approve=True, by="grace")
    assert isinstance(await guard.judge(NONE, replace(LINK, source_id=BOB), DELETE), Hold)


async def test_an_approval_is_bound_to_the_kind_of_change(guard: DeletionGuard, storage: Storage) -> None:
    """The approval of a disabling is none of a deletion, which is held anew."""
    await guard.judge(NONE, LINK, DISABLE)
    await guard.decide([await only_hold(storage)], approve=True, by="grace")
    assert await guard.judge(NONE, LINK, DELETE) == Hold(held=DELETE, used=0, limit=0)
    held = await only_hold(storage)
    assert (held.change, held.state) == ("SoftDelete", HoldState.HELD)


async def test_an_approval_runs_out(guard: DeletionGuard, storage: Storage, clock: ManualClock) -> None:
    """After a day the approver may not know the situation any more."""
    await guard.judge(NONE, LINK, DELETE)
    await guard.decide([await only_hold(storage)], approve=True, by="grace")
    clock.advance(APPROVAL_LASTS - timedelta(seconds=1))
    assert await guard.judge(NONE, LINK, DELETE) == DELETE
    clock.advance(timedelta(seconds=1))
    assert isinstance(await guard.judge(NONE, LINK, DELETE), Hold)


async def test_a_rejected_deletion_stays_held(guard: DeletionGuard, storage: Storage) -> None:
    """No is no, also when there is room."""
    await guard.judge(NONE, LINK, DELETE)
    await guard.decide([await only_hold(storage)], approve=False, by="grace")
    assert isinstance(await guard.judge(THREE, LINK, DELETE), Hold)


async def test_a_hold_that_changed_since_it_was_listed_cannot_be_decided(
    guard: DeletionGuard, storage: Storage
) -> None:
    """An approval is for what was shown; a hold that became another one meanwhile is refused."""
    await guard.judge(NONE, LINK, DISABLE)
    listed = await only_hold(storage)
    await guard.judge(NONE, LINK, DELETE)
    with pytest.raises(ConflictError):
        await guard.decide([listed], approve=True, by="grace")
    assert isinstance(await guard.judge(NONE, LINK, DELETE), Hold)


async def test_whoever_is_not_to_be_deleted_any_more_loses_the_hold(guard: DeletionGuard, storage: Storage) -> None:
    """A returner's hold is dropped, so that nobody approves what is not asked for."""
    await guard.judge(NONE, LINK, DELETE)
    change = Skip(reason=Reason.NO_CHANGE)
    assert await guard.judge(NONE, replace(LINK, guarded=Guarded.HELD), change, dry_run=True) == change
    assert len(await storage.guards.holds(NAME)) == 1, "a dry run drops nothing"
    assert await guard.judge(NONE, replace(LINK, guarded=Guarded.HELD), change) == change
    assert await storage.guards.holds(NAME) == []
    await guard.release(NAME, ADA)  # safe to repeat


async def test_a_dry_run_counts_and_holds_nothing(guard: DeletionGuard, storage: Storage) -> None:
    """Judging for show says what would happen, and leaves no trace."""
    assert await guard.judge(THREE, LINK, DELETE, dry_run=True) == DELETE
    assert isinstance(await guard.judge(NONE, LINK, DELETE, dry_run=True), Hold)
    assert await total(storage) == 0
    assert await storage.guards.holds(NAME) == []


async def test_an_interrupted_deletion_is_not_counted_twice(guard: DeletionGuard, storage: Storage) -> None:
    """Nor is another kind of change: it is of the same person."""
    assert await guard.judge(THREE, LINK, DELETE) == DELETE
    marked = replace(LINK, guarded=Guarded.SOFT_DELETE)
    assert await guard.judge(THREE, marked, DELETE) == DELETE
    assert await total(storage) == 1
    assert await guard.judge(THREE, marked, DISABLE) == DISABLE
    assert await total(storage) == 1


async def test_an_interrupted_deletion_counts_when_it_is_tried_again(
    guard: DeletionGuard, clock: ManualClock, storage: Storage
) -> None:
    """Its first count may have left the window by then, and others may have filled it."""
    one = sync(guard=GuardLimits(max_percent=0, min_count=1))
    begun = replace(LINK, dirty=True, guarded=Guarded.SOFT_DELETE)
    assert await guard.judge(one, LINK, DELETE) is DELETE
    clock.advance(timedelta(hours=20))
    assert await guard.judge(one, begun, DELETE) is DELETE  # as of now, in place of the earlier count
    assert await total(storage) == 1
    clock.advance(timedelta(hours=20))
    bob = link(LinkState.LINKED, source_id=BOB, target_id="guest-of-bob")
    assert isinstance(await guard.judge(one, bob, DELETE), Hold)
    clock.advance(timedelta(hours=20))
    await guard.release(NAME, BOB)
    assert await guard.judge(one, bob, DELETE) is DELETE
    assert isinstance(await guard.judge(one, begun, DELETE), Hold)


async def test_a_deletion_that_version_0_1_began_is_not_counted_again(guard: DeletionGuard, storage: Storage) -> None:
    """It counted people in the same window, and wrote down of nobody when that was."""
    begun = replace(LINK, dirty=True, guarded=Guarded.SOFT_DELETE)
    assert await guard.judge(NONE, begun, DELETE) is DELETE
    assert await total(storage) == 0


async def test_a_window_that_everybody_writes_gives_up_after_a_while(guard: DeletionGuard, faults: Faults) -> None:
    """Rather no deletion than one that was not counted."""
    faults.fail_next("table.guards.insert", *(ConflictError() for _ in range(50)))
    with pytest.raises(ConflictError):
        await guard.judge(THREE, LINK, DELETE)


async def test_a_hold_is_released_when_the_next_read_says_otherwise() -> None:
    """What one read led to be held is gone by the next, so that nothing is left to approve."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.change(accountEnabled=False, department="Legal")
    reads = 0

    def back() -> None:
        nonlocal reads
        reads += 1
        if reads == 1:
            world.change(accountEnabled=True)

    world.source.on_read = back
    outcome = await world.look()
    assert await world.storage.guards.holds(world.sync.name) == [], names(outcome)

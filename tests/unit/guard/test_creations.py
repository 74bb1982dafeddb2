"""The creation guard at work over stored windows: many workers, and one person who lets more in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta

import pytest

from sync_core.guard.creations import BLOCK, LASTS, CreationGuard
from sync_core.guard.ledger import Ledger
from sync_core.model import (
    Adopt,
    Change,
    Invite,
    Limit,
    Link,
    LinkState,
    Postpone,
    Postponed,
    Reason,
    Restore,
    Skip,
    Sync,
    Update,
)
from sync_core.model.errors import UnavailableError
from sync_core.ports import CreationApproval, CreationRecord, Creations
from sync_core.storage.repositories import Storage, memory_storage
from tests.support.clock import ManualClock
from tests.support.faults import Crash, Faults, FaultyTable
from tests.support.make import GUEST, NAME, link, sync

DAY = timedelta(hours=24)
INVITE = Invite(address="ada@contoso.example", display_name="Ada", attributes={})


def of(people: int, *, percent: float = 0, window: timedelta = DAY) -> Sync:
    return sync(creation_guard=Limit(max_percent=percent, min_count=people, window=window))


class Desk:
    """Newcomers who come to a guard of one of several processes, which share their storage."""

    def __init__(self) -> None:
        self.clock, self.faults = ManualClock(), Faults()
        self.storage: Storage = memory_storage(
            self.clock, wrap_table=lambda name, table: FaultyTable(name, table, self.faults)
        )
        self.guard = self.process()

    def process(self) -> CreationGuard:
        ledger = Ledger(guards=self.storage.guards, links=self.storage.links, clock=self.clock)
        return CreationGuard(records=self.storage.creations, links=self.storage.links, ledger=ledger, clock=self.clock)

    async def comes(self, user: str, of: Sync, *, guard: CreationGuard | None = None) -> bool:
        """Whether this newcomer is let in now. The others wait."""
        known = await self.storage.links.get(NAME, user) or link(source_id=user)
        read_at = self.clock.now()
        change = await (guard or self.guard).judge(of, known, INVITE, read_at=read_at)
        if change == INVITE:
            await self.storage.links.save(known.invitation_begun(read_at, "nonce"))
            return True
        assert change == Postpone(postponed=INVITE, because=Postponed.CREATIONS_FULL)
        await self.storage.links.save(known.postponed(change, read_at))
        return False

    async def come(self, users: Sequence[str], of: Sync) -> list[str]:
        """Those who are let in, of some who come one after another."""
        admitted = []
        for user in users:
            self.clock.advance(timedelta(milliseconds=1))
            if await self.comes(user, of):
                admitted.append(user)
        return admitted

    async def approve(self, people: int, of: Sync, listed: CreationApproval | None = None) -> CreationApproval | None:
        self.clock.advance(timedelta(seconds=1))
        return await self.guard.approve(of, people, by="anna", listed=listed)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def people(count: int, name: str = "user") -> list[str]:
    return [f"{name}-{n:03}" for n in range(count)]


@pytest.mark.parametrize(
    "change", [Adopt(target_id=GUEST), Restore(), Update(attributes={}), Skip(reason=Reason.NO_CHANGE)], ids=repr
)
async def test_only_an_invitation_needs_a_permit(desk: Desk, change: Change) -> None:
    """Whatever else is decided passes, and costs no storage call."""
    assert await desk.guard.judge(of(0), link(), change, read_at=desk.clock.now()) == change
    assert desk.faults.calls == []


async def test_newcomers_beyond_the_ceiling_wait(desk: Desk) -> None:
    """As many as the ceiling says are let in, the others are counted, and no hold is stored for them."""
    assert await desk.come(people(5), of(3)) == people(3)
    waiting = await desk.guard.waiting(of(3))
    assert (waiting.people, waiting.approved) == (2, 0)
    assert waiting.since == (await desk.storage.links.get(NAME, "user-003") or link()).waiting_since
    assert await desk.storage.guards.holds(NAME) == []


async def test_who_waits_is_counted_once(desk: Desk) -> None:
    """However often somebody is looked at, they wait since the first time."""
    await desk.come([*people(2), "user-001", "user-001"], of(1))
    waiting = await desk.guard.waiting(of(1))
    assert waiting.people == 1


async def test_an_invitation_that_is_tried_again_takes_no_second_permit(desk: Desk) -> None:
    """The link says that it began, and the ceiling is left as it is."""
    begun = link(LinkState.INVITING, invited_at=desk.clock.now())
    assert await desk.guard.judge(of(0), begun, INVITE, read_at=desk.clock.now()) == INVITE
    assert desk.faults.calls == []


async def test_the_guard_can_be_switched_off(desk: Desk) -> None:
    """Then nobody waits, and nothing is counted."""
    assert await desk.guard.judge(sync(creation_guard=None), link(), INVITE, read_at=desk.clock.now()) == INVITE
    assert await desk.guard.ceiling(sync(creation_guard=None)) is None
    assert desk.faults.calls == []


async def test_the_ceiling_is_a_share_of_the_linked_users(desk: Desk) -> None:
    """The larger of the two limits counts."""
    for user in people(20, "linked"):
        await desk.storage.links.save(link(LinkState.LINKED, source_id=user, target_id=f"guest-of-{user}"))
    assert len(await desk.come(people(6), of(1, percent=20))) == 4
    ceiling = await desk.guard.ceiling(of(1, percent=20))
    assert ceiling is not None
    assert (ceiling.used, ceiling.limit, ceiling.room) == (4, 4, 0)


async def test_thousands_of_invitations_cost_few_requests(desk: Desk) -> None:
    """Permits are taken in blocks: beside the links, less than one request for ten newcomers."""
    for n in range(1000):
        change = await desk.guard.judge(of(2000), link(source_id=f"user-{n}"), INVITE, read_at=desk.clock.now())
        assert change == INVITE
    assert len(desk.faults.calls) < 100


async def test_a_trickle_of_newcomers_wastes_no_permit(desk: Desk) -> None:
    """Permits that a process did not use up in time are given back with its next request."""
    admitted = []
    for burst in range(4):
        admitted += await desk.come(people(5, f"burst-{burst}"), of(20))
        desk.clock.advance(2 * LASTS)
    assert len(admitted) == 20
    assert await desk.come(["late"], of(20)) == []


@dataclass(frozen=True)
class SlowToRead:
    """Its process stands still in these of its reads, for longer than a permit lasts."""

    records: Creations
    clock: ManualClock
    stands_still: list[bool]

    async def get(self, sync: str) -> CreationRecord:
        if self.stands_still.pop(0):
            self.clock.advance(LASTS)
        return await self.records.get(sync)

    async def save(self, record: CreationRecord) -> CreationRecord:
        return await self.records.save(record)


async def test_a_process_whose_permit_was_over_before_it_used_it_takes_another(desk: Desk) -> None:
    """Nobody would look again at a newcomer who is put off while the window has room."""
    slow = replace(desk.guard, records=SlowToRead(desk.storage.creations, desk.clock, [True, False]), _known={})
    assert await desk.comes("ada", of(3), guard=slow)


async def test_a_process_that_always_stands_still_tries_again_later(desk: Desk) -> None:
    """Its message comes back, and the newcomer does not wait for a person."""
    slow = replace(desk.guard, records=SlowToRead(desk.storage.creations, desk.clock, [True] * 9), _known={})
    with pytest.raises(UnavailableError):
        await desk.comes("ada", of(100), guard=slow)


async def test_two_workers_at_the_last_permit(desk: Desk) -> None:
    """One of them gets it, however their requests meet."""
    await desk.come(people(2), of(3))
    one, other = desk.process(), desk.process()
    admitted = await asyncio.gather(
        desk.comes("ada", of(3), guard=one), desk.comes("bob", of(3), guard=other), desk.comes("eve", of(3), guard=one)
    )
    assert sorted(admitted) == [False, False, True]


async def test_many_processes_at_once_keep_the_ceiling(desk: Desk) -> None:
    """And at most a block of each is left unused, for as long as the process lives."""
    processes = [desk.process() for _ in range(4)]
    admitted = await asyncio.gather(
        *(desk.comes(user, of(100), guard=processes[n % 4]) for n, user in enumerate(people(160)))
    )
    assert 100 - 4 * BLOCK < sum(admitted) <= 100
    rest = [user for user, done in zip(people(160), admitted, strict=True) if not done]
    desk.clock.advance(2 * LASTS)
    for n, user in enumerate(rest * 2):
        admitted.append(await desk.comes(user, of(100), guard=processes[n % 4]))
    assert sum(admitted) == 100


async def test_when_the_window_moves_on_the_next_are_let_in(desk: Desk) -> None:
    """A permit counts for the whole window, from its use on."""
    await desk.come(people(4), of(2))
    desk.clock.advance(DAY - timedelta(minutes=1))
    assert await desk.come(people(4)[2:], of(2)) == []
    assert await desk.guard.admissible(of(2), 10) == []
    desk.clock.advance(timedelta(minutes=15))
    assert sorted(await desk.guard.admissible(of(2), 10)) == people(4)[2:]
    assert await desk.come(people(4)[2:], of(2)) == people(4)[2:]


async def test_no_more_are_nominated_than_may_be_let_in(desk: Desk) -> None:
    """A raised ceiling lets in as many as it has room for; without a ceiling, all of them come."""
    await desk.come(people(6), of(1))
    assert len(await desk.guard.admissible(of(3), 10)) == 2
    assert len(await desk.guard.admissible(sync(creation_guard=None), 10)) == 5
    assert len(await desk.guard.admissible(sync(creation_guard=None), 4)) == 4


async def test_an_approval_lets_in_exactly_those_who_have_waited_the_longest(desk: Desk) -> None:
    """As many as were approved; whoever came later waits on, and so does whoever comes now."""
    await desk.come(people(5), of(1))
    assert await desk.approve(3, of(1)) is not None
    waiting = await desk.guard.waiting(of(1))
    assert (waiting.people, waiting.approved) == (1, 3)
    assert await desk.guard.admissible(of(1), 10) == people(4)[1:]
    assert await desk.come(["late", *reversed(people(5)[1:])], of(1)) == ["user-003", "user-002", "user-001"]


async def test_an_approval_lets_nobody_in_whose_row_came_after_its_list(desk: Desk) -> None:
    """They were looked at before those who are listed, and their row was stored late: they wait from now on."""
    early = desk.clock.now()
    await desk.come(people(3), of(1))
    late = link(source_id="late").postponed(Postpone(postponed=INVITE, because=Postponed.CREATIONS_FULL), early)
    assert await desk.approve(2, of(1)) is not None
    await desk.storage.links.save(late)
    await desk.guard.listed_first(of(1), late)
    assert not await desk.comes("late", of(1))
    assert await desk.come(people(3)[1:], of(1)) == people(3)[1:]


async def test_without_an_approval_a_newcomer_waits_since_they_were_put_off(desk: Desk) -> None:
    """Nothing is stored anew."""
    await desk.come(people(2), of(1))
    before = await desk.storage.links.get(NAME, "user-001")
    assert before is not None
    await desk.guard.listed_first(of(1), before)
    assert await desk.storage.links.get(NAME, "user-001") == before


async def test_an_approval_uses_no_permit_of_the_window(desk: Desk) -> None:
    """The approved do not count against those who come when the window has moved on."""
    await desk.come(people(3), of(1))
    await desk.approve(2, of(1))
    desk.clock.advance(DAY + timedelta(minutes=15))
    assert len(await desk.come([*people(3)[1:], "late", "later"], of(1))) == 3


async def test_an_approval_ends_with_an_edit(desk: Desk) -> None:
    """Of the sync, or of its ceiling alone: those who were approved and have not come wait again."""
    await desk.come(people(3), of(1))
    await desk.approve(2, of(1))
    edited = replace(of(1), domains=frozenset({"contoso.example"}))
    for other in (edited, of(1, percent=1)):
        guard = desk.process()
        assert (await guard.waiting(other)).people == 2
        assert not await desk.comes("user-001", other, guard=guard)
    assert await desk.comes("user-001", of(1))


async def test_an_approval_stands_for_one_list(desk: Desk) -> None:
    """A second one by the same list is none, also of two people who approve at once."""
    await desk.come(people(5), of(1))
    first = await asyncio.gather(desk.approve(2, of(1)), desk.approve(2, of(1)))
    assert [each is None for each in first].count(True) == 1
    assert await desk.approve(2, of(1)) is None
    assert (await desk.guard.waiting(of(1))).approved == 2


async def test_a_second_approval_adds_to_the_first(desk: Desk) -> None:
    """Those of the first list come in as before."""
    await desk.come(people(5), of(1))
    first = await desk.approve(2, of(1))
    assert await desk.approve(1, of(1), first) is not None
    waiting = await desk.guard.waiting(of(1))
    assert (waiting.people, waiting.approved) == (1, 3)


async def test_nobody_is_approved_where_nobody_waits(desk: Desk) -> None:
    """An approval of nobody is not stored: it could let in somebody who comes later."""
    await desk.come(people(1), of(1))
    assert await desk.approve(5, of(1)) is None
    assert (await desk.storage.creations.get(NAME)).approval is None


async def test_who_is_looked_at_after_an_approval_is_judged_by_it(desk: Desk) -> None:
    """A full window that was read before the newcomer's own read is read again."""
    await desk.come(people(3), of(1))
    desk.clock.advance(timedelta(milliseconds=1))
    await desk.process().approve(of(1), 2, by="anna", listed=None)
    desk.clock.advance(timedelta(milliseconds=1))
    assert await desk.come(people(3)[1:], of(1)) == people(3)[1:]


async def test_a_full_window_is_read_once_for_all_who_wait_at_the_door(desk: Desk) -> None:
    """Ten looks that began before it was read share the answer."""
    await desk.come(people(1), of(1))
    began = desk.clock.now()
    desk.clock.advance(timedelta(milliseconds=1))
    desk.faults.calls.clear()
    judged = await asyncio.gather(
        *(desk.guard.judge(of(1), link(source_id=user), INVITE, read_at=began) for user in people(10, "more"))
    )
    assert all(isinstance(each, Postpone) for each in judged)
    assert len(desk.faults.calls) <= 6


async def test_nobody_reads_all_links_where_nobody_waits(desk: Desk) -> None:
    """The question who waits costs one request then; an hour after the last who waited it does so again."""
    await desk.come(people(2), of(1))
    assert await desk.storage.links.get(NAME, "user-001") is not None
    waiting = await desk.storage.links.get(NAME, "user-001") or link()
    await desk.storage.links.save(waiting.invitation_begun(desk.clock.now(), "nonce"))
    assert await desk.guard.admissible(of(1), 10) == []
    desk.clock.advance(timedelta(hours=2))
    assert await desk.guard.admissible(of(1), 10) == []
    desk.faults.calls.clear()
    assert (await desk.guard.waiting(of(1))).people == 0
    assert await desk.guard.admissible(of(1), 10) == []
    assert desk.faults.calls == ["table.guards.get"] * 2


async def test_a_refused_invitation_gives_its_permit_back(desk: Desk) -> None:
    """Otherwise users whom the target never takes would use up the ceiling by being tried again and again."""
    for _ in range(5):
        assert await desk.guard.judge(of(1), link(), INVITE, read_at=desk.clock.now()) == INVITE
        desk.guard.give_back(of(1), link())
    assert await desk.come(people(2), of(1)) == people(1)


async def test_a_dry_run_counts_nothing(desk: Desk) -> None:
    """It says what would be decided now."""
    for _ in range(3):
        change = await desk.guard.judge(of(1), link(), INVITE, read_at=desk.clock.now(), dry_run=True)
        assert change == INVITE
    await desk.come(people(3), of(1))
    before = await desk.storage.creations.get(NAME)
    change = await desk.guard.judge(of(1), link(), INVITE, read_at=desk.clock.now(), dry_run=True)
    assert isinstance(change, Postpone)
    await desk.approve(1, of(1))
    approved = await desk.storage.links.get(NAME, "user-001") or link()
    assert await desk.guard.judge(of(1), approved, INVITE, read_at=desk.clock.now(), dry_run=True) == INVITE
    assert (await desk.storage.creations.get(NAME)).window == before.window


async def test_a_process_that_dies_at_any_call_lets_nobody_in_beyond_the_ceiling() -> None:
    """Before or after each request to storage: another process goes on, and the guard errs towards waiting."""

    async def lived(desk: Desk, first: CreationGuard) -> list[str]:
        """The newcomers whose links say that they were let in."""
        with suppress(Crash):
            for user in people(8):
                desk.clock.advance(timedelta(milliseconds=1))
                await desk.comes(user, of(5), guard=first)
        desk.faults.calm()
        for user in people(16):
            desk.clock.advance(timedelta(milliseconds=1))
            known = await desk.storage.links.get(NAME, user)
            if known is None or known.state is LinkState.SEEN:
                await desk.comes(user, of(5))
        links = [each async for each in desk.storage.links.every(NAME)]
        return [each.source_id for each in links if each.state is LinkState.INVITING]

    whole = Desk()
    assert len(await lived(whole, whole.process())) == 5
    total = len(whole.faults.calls)
    for n in range(total):
        for after in (False, True):
            desk = Desk()
            desk.faults.fail_at(n, Crash(), after=after)
            with suppress(Crash):
                assert len(await lived(desk, desk.process())) <= 5


async def test_an_answer_that_is_lost_lets_nobody_in_beyond_the_ceiling(desk: Desk) -> None:
    """The rest of a block is given back once, although the save that did so is tried again."""
    await desk.come(people(7), of(20))
    desk.clock.advance(2 * LASTS)
    for _ in range(3):
        desk.faults.fail_next("table.guards.replace", Crash(), after=True)
        with suppress(Crash):
            await desk.come(["unlucky"], of(20))
        desk.clock.advance(2 * LASTS)
    admitted = await desk.come(people(30, "late"), of(20))
    assert len(admitted) + 7 <= 20


def test_a_waiting_link_is_one_that_nothing_else_keeps(desk: Desk) -> None:
    """A newcomer who is parked is tried again by itself, and one who was invited is not waiting any more."""
    change = Postpone(postponed=INVITE, because=Postponed.CREATIONS_FULL)
    waiting: Link = link().postponed(change, desk.clock.now())
    assert waiting.waits
    assert not waiting.set_aside(until=desk.clock.now(), reason="r", at=desk.clock.now()).waits
    assert not waiting.invitation_begun(desk.clock.now(), "nonce").waits
    observed = Postpone(postponed=INVITE, because=Postponed.OBSERVED)
    assert not waiting.postponed(observed, desk.clock.now()).waits
    assert waiting.postponed(change, desk.clock.now() + DAY).waiting_since == waiting.waiting_since

"""Each week is told of once, on its Monday."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count

import pytest

from sync_core.model import Event, Finding, Kind, Occasion, Receiver, ReceiverKind, Week
from sync_core.model.errors import NotDeliveredError, SyncError, UnavailableError
from sync_core.upkeep import weekly
from sync_core.upkeep.delivery import Delivery
from sync_core.upkeep.weekly import Weekly
from tests.support.make import NAME
from tests.support.postbox import Postbox
from tests.support.world import World

HOOK = Receiver(kind=ReceiverKind.WEBHOOK, address="XTSYNC_NOTIFY_HOOK", secret="XTSYNC_NOTIFY_KEY")
TEAMS = Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_TEAMS")
# A Monday at six, when the week before is told of.
MONDAY = datetime(2026, 11, 30, 6, tzinfo=UTC)
WEEK = timedelta(days=7)


class Desk:
    def __init__(self, *receivers: Receiver) -> None:
        self.world, self.post = World(), Postbox()
        self.receivers: Sequence[Receiver] = receivers
        self._ids = count(1)

    async def poll(self, at: datetime, *findings: Finding) -> None:
        self.world.clock.advance(at - self.world.clock.now())
        await Weekly(
            receivers=self.receivers,
            records=self.world.storage.weekly,
            activity=self.world.storage.activity,
            syncs=[NAME, "another"],
            delivery=Delivery(messenger=self.post, clock=self.world.clock),
            clock=self.world.clock,
            new_id=lambda: f"w{next(self._ids)}",
        ).tell(findings)

    async def happened(self, at: datetime, kind: Kind, people: int = 1) -> None:
        events = [Event(at=at, sync=NAME, user=str(n), kind=kind) for n in range(people)]
        for event in events:
            await self.world.storage.activity.record([event])


async def test_a_week_is_told_of_once() -> None:
    """By the first poll after Monday at six; what happened before or after it does not count."""
    desk = Desk(HOOK)
    await desk.poll(MONDAY - timedelta(days=3))
    await desk.happened(MONDAY - WEEK - timedelta(hours=1), Kind.INVITED, 5)
    await desk.happened(MONDAY - timedelta(days=2), Kind.INVITED, 3)
    await desk.happened(MONDAY - timedelta(days=1), Kind.SOFT_DELETED)
    await desk.poll(MONDAY - timedelta(minutes=1))
    assert desk.post.sent == []
    await desk.happened(MONDAY + timedelta(minutes=1), Kind.INVITED, 7)
    for minutes in (4, 9, 14):
        await desk.poll(MONDAY + timedelta(minutes=minutes))
    ((address, notice),) = desk.post.sent
    assert (address, notice.id, notice.since) == (HOOK.address, "w1-began", MONDAY - WEEK)
    assert notice.weeks == [
        Week(sync="another", events={}, waiting={}),
        Week(sync=NAME, events={Kind.INVITED: 3, Kind.SOFT_DELETED: 1}, waiting={}),
    ]


async def test_who_waits_is_told_with_it() -> None:
    """As the figures of this poll have it."""
    desk = Desk(HOOK)
    await desk.poll(MONDAY - WEEK)
    held = Finding(occasion=Occasion.HELD, about=NAME, syncs=frozenset({NAME}), stands=True, count=4)
    await desk.poll(MONDAY, held)
    assert desk.post.sent[0][1].weeks[1].waiting == {Occasion.HELD: 4}


async def test_a_receiver_of_one_sync_hears_of_that_one() -> None:
    """Another sync's figures are somebody else's."""
    desk = Desk(Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_TEAMS", syncs=frozenset({NAME})))
    await desk.poll(MONDAY - WEEK)
    await desk.poll(MONDAY)
    assert [week.sync for week in desk.post.sent[0][1].weeks] == [NAME]


async def test_a_receiver_that_does_not_hear_of_it_is_told_nothing() -> None:
    """And nothing is kept about it; neither is it of one that is configured no more."""
    desk = Desk(Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_TEAMS", occasions=frozenset({Occasion.HELD})))
    await desk.poll(MONDAY - WEEK)
    await desk.poll(MONDAY)
    desk.receivers = [HOOK]
    await desk.poll(MONDAY + WEEK)
    desk.receivers = [TEAMS]
    await desk.poll(MONDAY + WEEK)
    assert desk.post.sent == []
    assert [record.receiver for record in await desk.world.storage.weekly.all()] == [TEAMS.address]


async def test_weeks_without_a_poll_are_not_told_of_afterwards() -> None:
    """But the last one is."""
    desk = Desk(HOOK)
    await desk.poll(MONDAY)
    await desk.poll(MONDAY + 4 * WEEK + timedelta(days=2))
    assert [notice.since for _, notice in desk.post.sent] == [MONDAY + 3 * WEEK]


@pytest.mark.parametrize(
    ("fault", "receiver", "ids"),
    [
        (NotDeliveredError(), HOOK, ["w1-began"]),
        (NotDeliveredError(), TEAMS, ["w1-began"]),
        (UnavailableError(), HOOK, ["w1-began", "w1-began"]),
        (UnavailableError(), TEAMS, ["w1-began"]),
    ],
)
async def test_a_message_that_fails_is_one_like_any_other(fault: SyncError, receiver: Receiver, ids: list[str]) -> None:
    """What certainly did not arrive is sent again; what perhaps did, only to who knows it by its id."""
    desk = Desk(receiver)
    await desk.poll(MONDAY - WEEK)
    desk.post.faults = [fault]
    for minutes in (0, 5, 11, 16):
        await desk.poll(MONDAY + timedelta(minutes=minutes))
    assert [notice.id for _, notice in desk.post.sent] == ids


async def test_a_count_ends_at_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    """A poll does not read a hundred thousand rows for a message."""
    monkeypatch.setattr(weekly, "MOST_COUNTED", 4)
    monkeypatch.setattr(weekly, "_PAGE", 2)
    desk = Desk(HOOK)
    await desk.poll(MONDAY - WEEK)
    await desk.happened(MONDAY - timedelta(days=2), Kind.UPDATED, 9)
    await desk.poll(MONDAY)
    assert desk.post.sent[0][1].weeks[1].events == {Kind.UPDATED: 4}


async def test_a_version_before_the_weekly_message_does_not_see_its_record() -> None:
    """It knows no such occasion: its reading of the other notices would fail at every poll."""
    desk = Desk(HOOK)
    await desk.poll(MONDAY)
    assert await desk.world.storage.notices.all() == []
    assert len(await desk.world.storage.weekly.all()) == 1

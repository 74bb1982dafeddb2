"""A receiver is told once when something begins, once when it is over, and nothing twice."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from itertools import count

import pytest

from sync_core.model import Control, Finding, Occasion, Receiver, ReceiverKind
from sync_core.model.errors import NotDeliveredError, SyncError, UnavailableError
from sync_core.upkeep.delivery import Delivery
from sync_core.upkeep.notices import Noticing
from tests.support.faults import Crash
from tests.support.make import NAME
from tests.support.postbox import Postbox
from tests.support.world import World

HOOK = Receiver(kind=ReceiverKind.WEBHOOK, address="XTSYNC_NOTIFY_HOOK", secret="XTSYNC_NOTIFY_KEY")
TEAMS = Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_TEAMS")
SYNCS = frozenset({NAME})


class Desk:
    def __init__(self, *receivers: Receiver) -> None:
        self.world, self.post = World(), Postbox()
        self.receivers: Sequence[Receiver] = receivers
        self._ids = count(1)

    async def tell(self, *findings: Finding, later: timedelta = timedelta(minutes=5)) -> None:
        """One poll."""
        self.world.clock.advance(later)
        noticing = Noticing(
            receivers=self.receivers,
            records=self.world.storage.notices,
            delivery=Delivery(messenger=self.post, clock=self.world.clock),
            clock=self.world.clock,
            new_id=lambda: f"n{next(self._ids)}",
        )
        await noticing.tell(findings)


def held(stands: bool | None = True, people: int = 3, *, occasion: Occasion = Occasion.HELD) -> Finding:
    return Finding(occasion=occasion, about=NAME, syncs=SYNCS, stands=stands, count=people)


async def test_what_stands_is_told_once_and_its_end_once() -> None:
    """However many polls see it; a message says how many people, and since when."""
    desk = Desk(HOOK)
    for _ in range(3):
        await desk.tell(held())
    for _ in range(3):
        await desk.tell(held(stands=False, people=0))
    assert desk.post.said == [(HOOK.address, "held", False), (HOOK.address, "held", True)]
    began, over = (notice for _, notice in desk.post.sent)
    assert (began.count, began.about, began.since, over.since) == (3, NAME, began.at, began.at)
    assert (began.id, over.id) == ("n1-began", "n1-over")
    assert await desk.world.storage.notices.all() == []


async def test_what_stands_again_is_a_thing_of_its_own() -> None:
    """It has another id."""
    desk = Desk(HOOK)
    for stands in (True, False, True):
        await desk.tell(held(stands))
    assert [notice.id for _, notice in desk.post.sent] == ["n1-began", "n1-over", "n2-began"]


async def test_what_could_not_be_measured_neither_begins_nor_ends() -> None:
    """Storage did not answer: nobody is told that all is well."""
    desk = Desk(HOOK)
    await desk.tell(held(stands=None))
    await desk.tell(held())
    await desk.tell(held(stands=None))
    assert desk.post.said == [(HOOK.address, "held", False)]


async def test_what_is_over_before_anybody_heard_of_it_is_not_told() -> None:
    """The receiver was down for that long."""
    desk = Desk(HOOK)
    desk.post.faults = [NotDeliveredError(), NotDeliveredError()]
    await desk.tell(held())
    await desk.tell(held())
    await desk.tell(held(stands=False))
    assert desk.post.said == []
    assert await desk.world.storage.notices.all() == []


@pytest.mark.parametrize("receiver", [HOOK, TEAMS])
async def test_what_did_not_arrive_is_sent_at_the_next_poll(receiver: Receiver) -> None:
    """Beginning and end alike."""
    desk = Desk(receiver)
    desk.post.faults = [NotDeliveredError()]
    await desk.tell(held())
    await desk.tell(held())
    desk.post.faults = [NotDeliveredError()]
    await desk.tell(held(stands=False))
    await desk.tell(held(stands=False))
    assert desk.post.said == [(receiver.address, "held", False), (receiver.address, "held", True)]


@pytest.mark.parametrize(("receiver", "times"), [(HOOK, 2), (TEAMS, 1)])
async def test_what_may_have_arrived_is_sent_again_with_its_id_to_a_webhook_alone(
    receiver: Receiver, times: int
) -> None:
    """A channel would show it twice; a webhook's receiver knows it by the id."""
    desk = Desk(receiver)
    desk.post.faults = [UnavailableError()]
    for _ in range(5):
        await desk.tell(held())
    assert [notice.id for _, notice in desk.post.sent] == ["n1-began"] * times
    await desk.tell(held(stands=False))
    assert desk.post.said[-1] == (receiver.address, "held", True)


@pytest.mark.parametrize(("receiver", "times"), [(HOOK, 2), (TEAMS, 1)])
async def test_a_death_after_the_message_does_not_tell_a_channel_twice(receiver: Receiver, times: int) -> None:
    """The note comes before the message."""
    desk = Desk(receiver)
    desk.world.faults.fail_next("table.guards.replace", Crash())
    with pytest.raises(Crash):
        await desk.tell(held())
    desk.world.faults.calm()
    for _ in range(4):
        await desk.tell(held())
    assert len(desk.post.sent) == times


async def test_two_instances_tell_of_one_thing_once() -> None:
    """The slower one loses its compare-and-swap, and says nothing."""
    desk = Desk(HOOK)
    other = Desk(HOOK)
    other.world, other.post = desk.world, desk.post

    async def meanwhile() -> None:
        await other.tell(held(), later=timedelta())

    desk.world.faults.after_next("table.guards.query", meanwhile)
    await desk.tell(held())
    assert len(desk.post.sent) == 1


async def test_a_receiver_that_fails_stops_no_other() -> None:
    """Each thing has a row for each receiver."""
    desk = Desk(HOOK, TEAMS)
    desk.post.faults = [SyncError()]
    await desk.tell(held())
    assert (TEAMS.address, "held", False) in desk.post.said


async def test_a_receiver_hears_of_its_own_events_and_syncs() -> None:
    """Of a source tenant it hears if one of its syncs is of it."""
    sales = Receiver(
        kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_SALES", occasions=frozenset({Occasion.FEED_LATE}), syncs=SYNCS
    )
    others = Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_OTHERS", syncs=frozenset({"other"}))
    desk = Desk(sales, others)
    late = Finding(occasion=Occasion.FEED_LATE, about="contoso", syncs=SYNCS, stands=True)
    await desk.tell(held(), late)
    assert desk.post.said == [(sales.address, "feed-late", False)]


async def test_parked_users_are_told_of_above_a_number() -> None:
    """And it is over when there are as few again."""
    few = Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_FEW", parked_over=10)
    desk = Desk(few)
    for people in (10, 11, 12, 10, 0):
        await desk.tell(held(bool(people), people, occasion=Occasion.PARKED))
    assert [over for _, _, over in desk.post.said] == [False, True]


async def test_a_receiver_that_is_configured_no_more_is_forgotten() -> None:
    """So is what it should have heard of a sync that is not there any more."""
    desk = Desk(HOOK)
    await desk.tell(held())
    desk.receivers = (TEAMS,)
    await desk.tell(held(stands=False))
    assert [record.receiver for record in await desk.world.storage.notices.all()] == []
    assert desk.post.said == [(HOOK.address, "held", False)]


async def test_every_poll_says_what_stands() -> None:
    """The findings are those of the figures behind the alerts."""
    world = World()
    await world.linked()
    await world.runtime.pauses.say(NAME, Control.PAUSED, by="anna", reason="a look")
    before = {each.occasion: each.stands for each in await world.upkeep.measure.run()}
    assert before == {
        Occasion.FEED_LATE: True,
        Occasion.SUBSCRIPTION_DEAD: True,
        Occasion.HELD: False,
        Occasion.PARKED: False,
        Occasion.CREATIONS_WAIT: False,
        Occasion.ADOPTION_WAITS: False,
        Occasion.PAUSED_LONG: False,
        Occasion.SYNC_STOPPED: False,
        Occasion.SCOPE_EMPTIED: None,
    }
    world.clock.advance(timedelta(days=1))
    after = {each.occasion: each.stands for each in await world.upkeep.measure.run()}
    assert after == {**before, Occasion.PAUSED_LONG: True}

"""One trace from Graph's notification to the write in the target, and what is counted of it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest

from sync_core.model import Nomination, Why
from sync_core.model.errors import GraphRefusedError, UnavailableError
from sync_core.model.messages import decode_nomination
from sync_core.nominate.webhook import Known, Post, client_state_hash, receive_notifications
from tests.support import make
from tests.support.clock import START
from tests.support.directories import pages
from tests.support.make import ADA, ADDRESS, CONTOSO, HOLD_ALL, NAME
from tests.support.spans import recording
from tests.support.world import World

POSTED, LOOKED = "POST graph/notifications", "process user-changes"
OF_ADA = (("xtsync.sync", NAME),)
KNOWN = Known(
    subscription_id="subscription-1",
    tenant=CONTOSO.key,
    tenant_id=CONTOSO.id,
    client_state_hash=client_state_hash("state"),
    syncs=[NAME],
    config="",
)


def notified(*users: str, at: datetime = START, state: str = "state", **more: Any) -> Sequence[Nomination]:
    """The nominations that one post of Graph at this time leads to."""
    items = [
        {
            "subscriptionId": KNOWN.subscription_id,
            "tenantId": CONTOSO.id,
            "clientState": state,
            "resourceData": {"id": user},
            **more,
        }
        for user in users
    ]
    post = Post(
        validation_token=None, content_type="application/json", body=json.dumps({"value": items, **more}).encode()
    )
    answer = receive_notifications(post, {KNOWN.subscription_id: KNOWN}, at)
    return [decode_nomination(body) for body in answer.messages]


async def test_the_look_and_its_writes_are_part_of_the_notification_s_trace() -> None:
    """From the post through the message to each change."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    world.clock.advance(timedelta(minutes=1))
    with recording() as recorded:
        [nomination] = notified(ADA, at=world.clock.now())
        await world.worker.handle(nomination)
    assert recorded.tree() == {POSTED: None, LOOKED: POSTED, "apply Update": LOOKED}
    assert len(recorded.traces()) == 1
    attributes = recorded.named(LOOKED).attributes or {}
    assert attributes["xtsync.user"] == ADA
    assert attributes["xtsync.changes"] == "Update"
    assert (attributes["xtsync.decision"], attributes["xtsync.reason"]) == ("Skip", "no change")


async def test_no_value_of_a_user_is_in_a_span() -> None:
    """Neither when somebody is invited by their address."""
    world = World()
    world.hire()
    with recording() as recorded:
        [nomination] = notified(ADA, at=world.clock.now())
        await world.worker.handle(nomination)
    assert "apply Invite" in recorded.tree()
    assert not any(text in str(value) for value in recorded.values() for text in (ADDRESS, "Ada", "@"))


async def test_a_second_try_and_a_deferred_look_stay_in_the_trace() -> None:
    """A message that is put on the queue again for a nomination carries its trace."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    world.clock.advance(timedelta(minutes=1))
    world.faults.fail_next("source.read_user", UnavailableError())
    with recording() as recorded:
        [nomination] = notified(ADA, at=world.clock.now())
        await world.worker.handle(nomination)
        await world.worker.handle(nomination)
        await world.deliver()
        retries = recorded.measured()["xtsync.retries"]
    assert len(recorded.traces()) == 1
    assert retries == {(("error.type", "Unavailable"), *OF_ADA): 1}


def test_a_trace_that_a_post_names_is_not_believed() -> None:
    """Anybody can post. Graph sends none; each post begins a trace of its own."""
    forged = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
    with recording() as recorded:
        [good] = notified(ADA, traceparent=forged)
        assert notified(ADA, state="forged", traceparent=forged) == []
    assert good.traceparent != forged
    assert [each.parent for each in recorded.spans] == [None, None]
    assert [(each.attributes or {})["xtsync.refused"] for each in recorded.spans] == [0, 1]
    assert len(recorded.traces()) == 2


def test_while_telemetry_is_off_a_message_carries_nothing() -> None:
    """Its body is that of the version before."""
    [nomination] = notified(ADA)
    assert nomination.traceparent == ""


async def test_a_round_and_what_it_nominates_are_traces_of_their_own() -> None:
    """Thousands of people in one trace would be kept or left out together."""
    world = World()
    await world.first_round()
    world.hire()
    world.source.pages.update(pages([make.source()], start="delta:2", end="delta:3"))
    with recording() as recorded:
        assert await world.polled() == []
    tree = recorded.tree()
    assert (tree["process feed-pages"], tree[LOOKED], tree["apply Invite"]) == (None, None, LOOKED)


async def test_changes_are_counted_by_kind_with_the_time_they_took() -> None:
    """By sync, and by what led to the look."""
    world = World()
    world.hire()
    with recording() as recorded:
        await world.look(why=Why.NOTIFICATION)
        found = recorded.measured()
    changed = {dict(key)["xtsync.change"]: count for key, count in found["xtsync.changes"].items()}
    assert changed == {"Invite": 1, "Adopt": 1, "Update": 1}
    assert list(found["xtsync.change.latency"]) == [(*OF_ADA, ("xtsync.why", "notification"))]


async def test_who_is_set_aside_or_held_is_counted_by_the_reason() -> None:
    """A refusal parks the user; the guard holds a removal, and nothing was carried out then."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    with recording() as recorded:
        world.faults.fail_next("source.read_user", GraphRefusedError(status=403, code="Authorization_RequestDenied"))
        await world.look()
        world.source.soft_delete(ADA)
        await world.look()
        found = recorded.measured()
    [parked] = found["xtsync.parked"].items()
    assert parked[1] == 1
    assert found["xtsync.held"] == {OF_ADA: 1}
    assert "SoftDelete" not in str(found.get("xtsync.changes"))


@pytest.mark.parametrize("name", ["users.linked", "users.parked", "users.held", "users.waiting"])
async def test_the_poll_measures_what_the_alerts_rest_on(name: str) -> None:
    """The same figures as in the log, as metrics."""
    world = World()
    await world.linked()
    with recording() as recorded:
        await world.upkeep.measure.run()
        found = recorded.measured()
    assert found[f"xtsync.{name}"] == {OF_ADA: 1 if name == "users.linked" else 0}
    for each in ("queue.stood", "poison.waiting", "feed.behind", "subscription.unkept"):
        assert found[f"xtsync.{each}"]

"""The keeper: one subscription for each source tenant, never two, and a secret that only Graph knows."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Assigned, LifecycleEvent
from sync_core.model.errors import ConflictError, GraphRefusedError, UnavailableError
from sync_core.model.messages import TARGET
from sync_core.nominate.subscriptions import LIFETIME
from sync_core.nominate.webhook import client_state_hash
from sync_core.ports import FeedPhase, GraphSubscription, SubscriptionRecord
from tests.support.faults import Crash
from tests.support.make import CONTOSO, FABRIKAM, SALES, sync
from tests.support.world import World


def calls(world: World) -> list[str]:
    return [call.partition(".")[2] for call in world.faults.calls if call.startswith("subscriptions.")]


async def record(world: World) -> SubscriptionRecord:
    (found,) = await world.storage.subscriptions.all()
    return found


async def check(world: World) -> None:
    """Graph has one subscription, and the record proves its posts."""
    (one,) = world.api.subscriptions.values()
    kept = await record(world)
    assert (kept.subscription_id, kept.tenant_id, kept.expires_at) == (one.id, CONTOSO.id, one.expires_at)
    assert kept.client_state_hash == client_state_hash(world.api.client_states[one.id])


async def test_the_first_run_creates_the_subscription() -> None:
    """For two days, with a fresh client state."""
    world = World()
    await world.keeper.keep_all()
    assert calls(world) == ["create"]
    assert (await record(world)).expires_at == world.clock.now() + LIFETIME
    await check(world)


async def test_the_client_state_is_stored_only_as_its_hash() -> None:
    """A reader of the tables cannot post in Graph's name."""
    world = World()
    await world.keeper.keep_all()
    (state,) = world.api.client_states.values()
    rows = [row async for row in world.storage.tables_by_name["subscriptions"].query(None)]
    assert rows
    assert state not in str(rows)


async def test_every_run_renews() -> None:
    """Renewing is the proof that Graph still knows the subscription."""
    world = World()
    await world.keeper.keep_all()
    first = await record(world)
    world.clock.advance(timedelta(hours=6))
    await world.keeper.keep_all()
    assert calls(world) == ["create", "renew"]
    after = await record(world)
    assert after.subscription_id == first.subscription_id
    assert after.client_state_hash == first.client_state_hash
    assert after.expires_at == world.clock.now() + LIFETIME
    await check(world)


async def test_a_subscription_that_graph_forgot_is_replaced() -> None:
    """404 on the renewal: a new one, with a new client state."""
    world = World()
    await world.keeper.keep_all()
    before = await record(world)
    world.api.subscriptions.clear()
    await world.keeper.keep_all()
    assert calls(world) == ["create", "renew", "create"]
    after = await record(world)
    assert after.subscription_id != before.subscription_id
    assert after.client_state_hash != before.client_state_hash
    await check(world)


async def test_a_subscription_that_posts_elsewhere_is_replaced() -> None:
    """The app has moved: the old one is deleted, the new one posts here."""
    world = World()
    await world.keeper.keep_all()
    world.api.notification_url = "https://new.example/api/graph/notifications"
    await world.keeper.keep_all()
    assert calls(world) == ["create", "renew", "delete", "create"]
    (one,) = world.api.subscriptions.values()
    assert one.notification_url == world.api.notification_url
    await check(world)


async def test_one_that_is_found_there_is_replaced_because_nobody_knows_its_secret() -> None:
    """409 on the creation, after our record was lost: delete and create, never two."""
    world = World()
    await world.keeper.keep_all()
    old = await record(world)
    await world.storage.tables_by_name["subscriptions"].delete(CONTOSO.key, "users")
    await world.keeper.keep_all()
    assert calls(world) == ["create", "create", "list", "delete", "create"]
    assert (await record(world)).subscription_id != old.subscription_id
    await check(world)


async def test_subscriptions_to_other_things_are_left_alone() -> None:
    """What the app subscribes to elsewhere is none of the keeper's business."""
    world = World()
    tomorrow = world.clock.now() + timedelta(days=1)
    for resource in ("groups", "/users/"):
        world.api.subscriptions[resource] = GraphSubscription(
            id=resource, resource=resource.strip("/"), notification_url="", expires_at=tomorrow
        )
    await world.keeper.keep_all()
    assert set(world.api.subscriptions) == {"groups", "subscription-1"}


async def test_a_target_tenant_has_one_where_its_sync_says_so() -> None:
    """By the app on the target. Graph's word that a post was missed has the target read, and nothing else."""
    world = World()
    await world.keeper.keep_all()
    assert world.target_api.subscriptions == {}
    world.deploy(subscribe_target=True)
    await world.keeper.keep_all()
    assert [each.resource for each in world.target_api.subscriptions.values()] == ["users"]
    assert [each.resource for each in world.api.subscriptions.values()] == ["users"]
    assert {each.tenant for each in await world.storage.subscriptions.all()} == {CONTOSO.key, FABRIKAM.key}
    await world.keeper.lifecycle(LifecycleEvent(tenant=FABRIKAM.key, event="missed", at=world.clock.now()))
    assert (await world.feed(TARGET)).phase is FeedPhase.PAGES
    assert (await world.feed()).phase is FeedPhase.IDLE


async def test_a_tenant_that_is_both_has_one() -> None:
    """Graph gives an app one for each resource: it tells of the tenant as a source and as a target."""
    world = World(more=[replace(sync(name="back"), source=FABRIKAM, target=CONTOSO, subscribe_target=True)])
    await world.keeper.keep_all()
    assert sorted(world.feeds.resources()) == [(CONTOSO.key, "users"), (FABRIKAM.key, "users")]
    assert sorted(world.feeds.told_by(CONTOSO.key, "users")) == ["target", "users"]
    assert world.feeds.told_by(FABRIKAM.key, "users") == ["users"]
    assert world.target_api.subscriptions == {}


async def test_another_tenant_id_under_the_same_name_gets_its_own_subscription() -> None:
    """The record of the old tenant is not renewed in the new one."""
    world = World()
    await world.keeper.keep_all()
    await world.storage.subscriptions.save(replace(await record(world), tenant_id="another"))
    world.api.subscriptions.clear()
    await world.keeper.keep_all()
    assert calls(world) == ["create", "create"]
    await check(world)


async def test_of_two_instances_one_goes_on() -> None:
    """The record is stored before Graph is asked; whoever loses it creates nothing."""
    world = World()
    world.faults.fail_next("table.subscriptions.insert", ConflictError())
    with pytest.raises(ConflictError):
        await world.keeper.keep(CONTOSO.key)
    assert calls(world) == []


async def test_a_keeper_that_dies_at_any_await_leaves_one_subscription_in_the_end() -> None:
    """Before and after each call of a creation and of a replacement: the next run sets it right."""
    for moved in (False, True):
        for n in range(8):
            for after in (False, True):
                world = World()
                if moved:
                    await world.keeper.keep_all()
                    world.api.notification_url = "https://new.example/api/graph/notifications"
                world.faults.fail_at(n, Crash(), after=after)
                with suppress(Crash):
                    await world.keeper.keep_all()
                world.faults.calm()
                await world.keeper.keep_all()
                await check(world)


async def test_one_tenants_failure_does_not_stop_another(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged by its code, and tried again by the next run."""
    world = World()
    world.faults.fail_next("subscriptions.create", UnavailableError())
    await world.keeper.keep_all()
    assert "subscription.failed tenant=contoso resource=users error=Unavailable" in caplog.text
    await world.keeper.keep_all()
    await check(world)


@pytest.mark.parametrize(
    ("event", "starts"), [("reauthorizationRequired", False), ("subscriptionRemoved", True), ("missed", True)]
)
async def test_a_lifecycle_event_keeps_the_subscription_and_reads_the_feed_when_events_were_lost(
    event: str, starts: bool
) -> None:
    """What Graph did not post is in the delta query."""
    world = World()
    await world.keeper.keep_all()
    if event == "subscriptionRemoved":
        world.api.subscriptions.clear()
    await world.keeper.lifecycle(LifecycleEvent(tenant=CONTOSO.key, event=event, at=world.clock.now()))
    await check(world)
    assert len(await world.runs()) == (1 if starts else 0)


async def test_a_tenant_with_groups_has_a_subscription_for_each_feed() -> None:
    """Each with a client state of its own; one that is refused does not stop the other."""
    world = World(assigned=Assigned(groups=frozenset({SALES})))
    world.faults.fail_next("subscriptions.create", GraphRefusedError(status=403, code="Forbidden"))
    await world.keeper.keep_all()
    assert [each.resource for each in world.api.subscriptions.values()] == ["groups"]
    await world.keeper.keep_all()
    records = {record.resource: record for record in await world.storage.subscriptions.all()}
    assert records.keys() == {"users", "groups"}
    for one in world.api.subscriptions.values():
        kept = records[one.resource]
        assert kept.subscription_id == one.id
        assert kept.client_state_hash == client_state_hash(world.api.client_states[one.id])


async def test_lost_events_have_every_feed_of_the_tenant_read() -> None:
    """Graph does not say whose they were."""
    world = World(assigned=Assigned(groups=frozenset({SALES})))
    await world.keeper.lifecycle(LifecycleEvent(tenant=CONTOSO.key, event="missed", at=world.clock.now()))
    assert [run.feed for run in await world.runs()] == ["users", "groups"]

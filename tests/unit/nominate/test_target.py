"""The feed of a target tenant: only users of ours are nominated, and only where they are not as we left them."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Control, Drift, Edited, FeedRun, Json, Nomination, Policy, Why
from sync_core.model.errors import ResyncRequiredError, UnavailableError
from sync_core.model.messages import TARGET
from sync_core.nominate.target import FULL_EVERY
from sync_core.ports import FeedPhase
from tests.support.make import ADA, BOB, CONTOSO, FABRIKAM, NAME, make_newer, sync
from tests.support.world import World, deaths, whom


async def told(world: World) -> list[Nomination]:
    """What the next round of the target's feed nominates."""
    await world.nominated()
    world.clock.advance(timedelta(minutes=5))
    await world.feeds.run(await world.started(TARGET))
    assert (await world.feed(TARGET)).phase is FeedPhase.IDLE
    return await world.nominated()


async def watched(policy: Policy | None = None) -> tuple[World, str]:
    """Ada is linked, and the target's feed has seen her as she is."""
    world = World(policy=policy)
    await world.linked()
    assert await told(world) == []
    (guest,) = world.guests()
    return world, guest


async def test_what_we_wrote_ourselves_is_no_difference() -> None:
    """A full round over everybody whom we just made, and the next one over what we changed."""
    world, _ = await watched()
    world.change(department="Sales")
    await world.look()
    assert await told(world) == []
    world.change(department=None)
    await world.look()
    assert await told(world) == []


@pytest.mark.parametrize(
    ("name", "value"), [("department", "Their own"), ("department", None), ("accountEnabled", False)]
)
async def test_an_edit_of_somebody_else_is_told(name: str, value: Json) -> None:
    """By name and value alone; the look reads the target user."""
    world, guest = await watched()
    world.target.users[guest].attributes[name] = value
    assert [(each.sync, each.user, each.why) for each in await told(world)] == [(NAME, ADA, Why.TARGET)]


async def test_an_attribute_that_no_rule_writes_is_not_told() -> None:
    """It is theirs."""
    world, guest = await watched()
    world.target.users[guest].attributes["faxNumber"] = "1"
    assert await told(world) == []


async def test_an_edit_that_is_left_alone_is_not_told() -> None:
    """Nobody wants to know; access is a matter of its own."""
    world, guest = await watched(Policy(drift=Drift(attributes=Edited.LEAVE)))
    world.target.users[guest].attributes["department"] = "Their own"
    assert await told(world) == []
    world.target.users[guest].attributes["accountEnabled"] = False
    assert whom(await told(world)) == [ADA]


async def test_who_was_deleted_restored_or_converted_is_told() -> None:
    """Each where the record says something else."""
    world, guest = await watched()
    world.target.remove(guest)
    assert whom(await told(world)) == [ADA]
    world.target.users[guest] = world.target.deleted.pop(guest)
    world.target.users[guest].external = False
    assert whom(await told(world)) == [ADA]


async def test_who_was_deleted_by_us_is_told_only_when_restored() -> None:
    """The record says that she is deleted."""
    world, guest = await watched()
    world.source.soft_delete(ADA)
    await world.look()
    assert await told(world) == []
    world.target.users[guest] = world.target.deleted.pop(guest)
    assert whom(await told(world)) == [ADA]


async def test_nobody_is_nominated_without_a_claim() -> None:
    """A guest of others, and one whose claim names a link that has another target user by now."""
    world, guest = await watched()
    world.target.add("theirs", "bob@elsewhere.example", department="X")
    await world.storage.links.claim(FABRIKAM.id, "another", f"{NAME}/{ADA}")
    world.target.add("another", "eve@elsewhere.example", department="X")
    await world.storage.links.claim(FABRIKAM.id, "of-nobody", f"{NAME}/{BOB}")
    world.target.add("of-nobody", "mallory@elsewhere.example", department="X")
    await world.storage.links.claim(FABRIKAM.id, "of-a-former-sync", f"gone/{ADA}")
    world.target.add("of-a-former-sync", "trent@elsewhere.example", department="X")
    world.target.remove(guest)
    assert whom(await told(world)) == [ADA]


async def test_somebody_with_a_difference_on_record_is_told_when_it_is_over() -> None:
    """Otherwise the list would have her for ever."""
    world, guest = await watched()
    account = world.target.users[guest]
    before = dict(account.attributes)
    account.attributes["department"] = "Their own"
    assert await world.polled() == []
    assert [record.source_id for record in (await world.storage.drifts.page(NAME, 9))[0]] == [ADA]
    account.attributes.update(before)
    assert await world.polled() == []
    assert (await world.storage.drifts.page(NAME, 9))[0] == []


async def test_what_a_feed_says_is_not_dropped_for_a_read_of_the_source() -> None:
    """A notification came in between: that look read the source user alone."""
    world, guest = await watched()
    world.target.users[guest].attributes["department"] = "Their own"
    (nomination,) = await told(world)
    await world.look(why=Why.NOTIFICATION)
    assert await world.storage.drifts.get(NAME, ADA) is None
    await world.worker.handle(nomination)
    assert await world.storage.drifts.get(NAME, ADA) is not None


async def test_a_round_is_full_each_day_and_after_a_dead_link() -> None:
    """Graph may leave out a change, and drops a link after a week."""
    world, _ = await watched()
    await told(world)
    assert not (await world.feed(TARGET)).full
    world.clock.advance(FULL_EVERY)
    await told(world)
    assert (await world.feed(TARGET)).full
    world.faults.fail_next("target.delta_page", ResyncRequiredError())
    await told(world)
    assert (await world.feed(TARGET)).full


async def test_a_deletion_is_told_though_the_sweep_failed_at_first() -> None:
    """With the dead link went the entry of the deletion, so that the sweep alone can tell: it asks until it is told."""
    world, guest = await watched()
    await told(world)
    world.target.remove(guest)
    world.faults.fail_next("target.delta_page", ResyncRequiredError())
    world.faults.fail_next("target.existing", UnavailableError())
    await world.feeds.run(await world.started(TARGET))
    assert (await world.feed(TARGET)).phase is FeedPhase.SWEEP
    for run in await world.runs(feeds={TARGET}):
        await world.feeds.run(run)
    assert ((await world.feed(TARGET)).phase, whom(await world.nominated())) == (FeedPhase.IDLE, [ADA])


async def test_a_listed_pair_of_a_newer_version_does_not_stop_the_feed() -> None:
    """After a rollback: whether that pair is over cannot be told, and the round ends as ever."""
    world, guest = await watched()
    world.target.users[guest].attributes["department"] = "Their own"
    assert await world.polled() == []
    await make_newer(world.storage.links._table, NAME, ADA)  # type: ignore[attr-defined]
    world.clock.advance(FULL_EVERY)
    await told(world)
    assert [record.source_id for record in (await world.storage.drifts.page(NAME, 9))[0]] == [ADA]


async def test_a_full_round_follows_a_pause() -> None:
    """What a feed told meanwhile was let go."""
    world, guest = await watched()
    await told(world)
    await world.runtime.pauses.say(NAME, Control.PAUSED, by="ops", reason="a test")
    world.target.users[guest].attributes["department"] = "Their own"
    world.clock.advance(timedelta(minutes=5))
    assert await world.polled() == []
    assert (await world.storage.drifts.page(NAME, 9))[0] == []
    await world.runtime.pauses.say(NAME, Control.RUNNING, by="ops", reason="a test")
    assert await world.polled() == []
    assert [record.source_id for record in (await world.storage.drifts.page(NAME, 9))[0]] == [ADA]


async def test_a_tenant_that_is_both_has_its_own_feeds() -> None:
    """Fabrikam is the source of another sync: its users feed and its target feed do not know each other."""
    world = World(more=[replace(sync(name="back"), source=FABRIKAM, target=CONTOSO)])
    assert sorted(world.feeds.resources()) == [(CONTOSO.key, "users"), (FABRIKAM.key, "users")]
    assert {each for each in world.feeds.every() if each[1] == TARGET} == {
        (CONTOSO.key, TARGET),
        (FABRIKAM.key, TARGET),
    }
    assert [each.name for each in world.feeds.kinds[TARGET].concerned(FABRIKAM.key)] == [NAME]


async def test_no_death_loses_a_nomination() -> None:
    """The round is stored as over only after them (invariant 7)."""

    async def prepared() -> tuple[World, FeedRun]:
        world, guest = await watched()
        world.target.users[guest].attributes["department"] = "Their own"
        await world.nominated()
        world.clock.advance(timedelta(minutes=5))
        run = await world.started(TARGET)
        world.forget_calls()
        return world, run

    async for world, run in deaths(prepared, more_than=5):
        world.clock.advance(timedelta(minutes=15))
        await world.feeds.run(run)
        assert ADA in whom(await world.nominated()) or (await world.feed(TARGET)).phase is not FeedPhase.IDLE

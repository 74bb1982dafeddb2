"""Instances with different configurations on one storage: whom they may touch, and whose turn a nomination is."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.assembly import Runtime
from sync_core.guard.configurations import FRESH, LEFT_AGAIN_S, LEFT_FOR, within
from sync_core.model import (
    Adoption,
    Assigned,
    Clause,
    Deprovision,
    FeedRun,
    Filter,
    GuardLimits,
    InviteBy,
    LinkState,
    Mode,
    Nomination,
    Operator,
    Outcome,
    Policy,
    Sync,
    Tenant,
    Why,
)
from sync_core.model.errors import OtherConfigurationError, OtherTenantError
from sync_core.model.messages import USER_CHANGES, encode
from sync_core.ports import ConfigurationRecord, FeedPhase, SubscriptionRecord
from sync_core.upkeep.in_hand import LEFT_AFTER
from tests.support.cli import Bench
from tests.support.directories import MemorySource, pages
from tests.support.make import ADA, ADDRESS, BOB, CONTOSO, FABRIKAM, NAME, OWNER, link, person, sync
from tests.support.world import World, names, whom

NORTHWIND = "33333333-3333-3333-3333-333333333333"
SALES = Filter(name="Sales", clauses=[Clause(attribute="department", operator=Operator.EQUALS, value="Sales")])

EDITS: Mapping[str, Sync] = {
    "another source id": replace(sync(), source=replace(CONTOSO, id=NORTHWIND)),
    "another target id": replace(sync(), target=replace(FABRIKAM, id=NORTHWIND)),
    "ids swapped": replace(sync(), source=replace(CONTOSO, id=FABRIKAM.id), target=replace(FABRIKAM, id=CONTOSO.id)),
    "names swapped": replace(sync(), source=FABRIKAM, target=CONTOSO),
    "another target": replace(sync(), target=Tenant(key="northwind", id=NORTHWIND)),
}


def nobody(world: World) -> MemorySource:
    """Another directory: it knows none of Contoso's people, and each read of one is an honest 404."""
    elsewhere = MemorySource(world.clock, world.faults)
    elsewhere.pages.update(pages([]))
    return elsewhere


@pytest.mark.parametrize("edit", EDITS)
async def test_another_tenant_under_the_name_of_a_sync_touches_nobody(edit: str) -> None:
    """Neither those who are linked nor a stranger of the other directory."""
    world = World(guard=GuardLimits(max_percent=100))
    await world.linked()
    elsewhere = nobody(world)
    elsewhere.users[BOB] = {**world.source.users[ADA], "mail": "bob@northwind.example"}
    other = world.instance({NAME: EDITS[edit]}, elsewhere)
    for user in (ADA, BOB):
        assert await other.worker.handle(world.nomination(user, Why.OPERATOR)) is None
    await other.feeds.poll()
    for run in await world.runs():
        await other.feeds.run(run)
    assert (await world.nominated(), world.target.writes) == ([], [])
    assert world.guests() == [(await world.stored()).target_id]


@pytest.mark.parametrize("edit", EDITS)
async def test_a_stopped_sync_names_both_pairs_of_tenants_and_a_way_out(edit: str) -> None:
    """The error of every look that a person asks for."""
    world = World()
    await world.linked()
    with pytest.raises(OtherTenantError) as stopped:
        await world.instance({NAME: EDITS[edit]}).configurations.check(EDITS[edit])
    assert f"stored for source {CONTOSO.id} and target {FABRIKAM.id}" in str(stopped.value)
    assert "Put the former tenant ids back" in stopped.value.hint
    await world.configurations.check(world.sync)


@pytest.mark.parametrize("command", [["status"], ["doctor"], ["plan"], ["sync", ADA], ["sync", ADA, "--dry-run"]])
def test_every_look_of_an_operator_says_that_a_sync_is_stopped(tmp_path: Path, command: Sequence[str]) -> None:
    """Instead of a plan that deletes everybody, or of contentment."""
    bench = Bench(tmp_path)
    bench.do(bench.storage.links.save(replace(bench.link(ADA), tenants=(NORTHWIND, FABRIKAM.id))))
    result = bench.run(*command)
    said = f"{NAME}: stored for source {NORTHWIND}"
    assert said in " ".join((result.out + result.err).split())
    assert result.code == (0 if command == ["status"] else 1)
    assert bench.target.writes == []


async def test_a_sync_whose_tenants_are_back_looks_at_everybody() -> None:
    """What was let go while it was stopped is made up for by a full round, also of those parked."""
    world = World()
    await world.first_round()
    await world.linked()
    wrong = world.instance({NAME: EDITS["another source id"]}, nobody(world))
    await wrong.feeds.poll()
    await world.runs()
    world.clock.advance(timedelta(minutes=1))
    right = world.instance(world.syncs)
    await right.feeds.poll()
    state = await world.feed()
    assert (state.full, state.tenant_id, state.link) == (True, CONTOSO.id, None)


async def test_the_delta_link_of_another_directory_is_never_asked_with() -> None:
    """The feed says of which directory it is; both ways, the round starts from the beginning."""
    world = World()
    await world.first_round()
    assert (await world.feed()).tenant_id == CONTOSO.id
    wrong = world.instance({NAME: EDITS["another source id"]}, nobody(world))
    await wrong.feeds.start_round(CONTOSO.key)
    state = await world.feed()
    assert (state.full, state.delta_link, state.tenant_id) == (True, None, NORTHWIND)


async def test_a_link_of_another_tenant_is_not_read_by_this_one() -> None:
    """Also where the record of the sync was lost: the link's own tenants are the last wall."""
    pair = link(tenants=(CONTOSO.id, NORTHWIND))
    with pytest.raises(OtherTenantError, match=NORTHWIND):
        within(sync(), pair)
    assert within(sync(), link()).tenants == (CONTOSO.id, FABRIKAM.id)


async def test_a_link_takes_the_tenants_at_its_next_look() -> None:
    """A row of version 0.1 has none; it keeps everything else."""
    world = World()
    await world.linked()
    stored = await world.storage.links.save(replace(await world.stored(), tenants=None))
    world.change(department="Sales")
    await world.look()
    assert (stored.tenants, (await world.stored()).tenants) == (None, (CONTOSO.id, FABRIKAM.id))


@pytest.mark.parametrize("edit", EDITS)
async def test_a_slip_that_comes_together_with_the_upgrade_is_seen(edit: str) -> None:
    """Version 0.1 left no record of a sync: its subscription and its claims say which tenants it had."""
    world = World()
    await world.linked()
    await world.storage.links.save(replace(await world.stored(), tenants=None))
    await world.storage.tables_by_name["guards"].delete("sync:", NAME)
    await world.storage.subscriptions.save(SubscriptionRecord(tenant=CONTOSO.key, tenant_id=CONTOSO.id))
    with pytest.raises(OtherTenantError):
        await world.instance({NAME: EDITS[edit]}).configurations.check(EDITS[edit])
    await world.configurations.check(world.sync)


async def test_a_sync_under_another_name_touches_nobody_of_the_old_one() -> None:
    """Its people are the old name's, and are let go on under it when that is put back."""
    world = World()
    await world.linked()
    renamed = world.instance({"renamed": replace(sync(), name="renamed")})
    assert await renamed.worker.handle(replace(world.nomination(why=Why.OPERATOR), sync="renamed")) is None
    assert world.guests() == [(await world.stored()).target_id]
    world.clock.advance(timedelta(minutes=1))
    back = world.instance(world.syncs)
    await back.feeds.poll()
    assert (await world.feed()).full


@pytest.mark.parametrize("phase", [FeedPhase.IDLE, FeedPhase.PAGES])
async def test_a_feed_of_version_0_1_begins_a_full_round(phase: FeedPhase) -> None:
    """Also beside a process of it, which goes on in its own round and writes the row without the tenant."""
    world = World()
    await world.first_round()
    await world.linked()
    world.source.pages.update(pages([world.source.entry(ADA)]))
    left = replace(await world.feed(), tenant_id="", fingerprint="of version 0.1", phase=phase, round="of 0.1")
    await world.storage.feeds.save(left)
    await world.feeds.run(FeedRun(tenant=CONTOSO.key, feed=left.feed, round=left.round))
    assert await world.nominated() == []
    await world.feeds.poll()
    state = await world.feed()
    assert (state.full, state.tenant_id, state.link) == (True, CONTOSO.id, None)
    for run in await world.runs():
        await world.feeds.run(run)
    assert (await world.feed()).completed_at == world.clock.now()


# --- side by side ---


NEW = {NAME: sync(filters=[SALES], guard=GuardLimits(max_percent=100))}


async def narrowed() -> tuple[World, Runtime]:
    """Ada of Research is linked, and the old instance still runs; a new one has a configuration for Sales alone."""
    old = World()
    await old.first_round()
    await old.linked()
    new = old.instance(NEW)
    assert await new.configurations.leads()
    old.clock.advance(FRESH)
    return old, new


def by(world: World, runtime: Runtime, user: str = ADA) -> Nomination:
    """As this instance nominates."""
    return replace(world.nomination(user, Why.OPERATOR), config=runtime.configurations.config)


def deleted(outcome: Outcome | None) -> bool:
    return outcome is not None and names(outcome) == ["SoftDelete"]


async def test_a_nomination_says_by_which_configuration_it_was_made() -> None:
    """The same for feed, worker and person; and version 0.1 reads it, since it skips what it does not know."""
    old, new = await narrowed()
    await new.storage.queues.nominate([old.nomination(BOB)])
    assert [each.config for each in await old.stamped()] == [new.config.fingerprint]
    assert json.loads(encode(by(old, new)))["v"] == 1


@pytest.mark.parametrize("nominator", ["new", "old", "version 0.1"])
async def test_an_old_instance_leaves_every_nomination_to_the_new_one(nominator: str) -> None:
    """By the old scope Ada would stay or come back, and nobody would look again; the message comes back as it was."""
    old, new = await narrowed()
    stamp = {"new": new.configurations.config, "old": old.configurations.config, "version 0.1": ""}[nominator]
    nomination = replace(old.nomination(why=Why.OPERATOR), config=stamp)
    assert await old.worker.handle(nomination) is None
    assert old.graph_calls() == []
    assert await old.stamped() == [nomination]
    assert deleted(await new.worker.handle(nomination))


async def test_a_redelivered_message_that_is_left_stays_one_that_nothing_makes_out_of_date() -> None:
    """An old instance was killed at Ada, after its read, which does not stand for one of the new instance."""
    old, new = await narrowed()
    nomination = old.nomination()
    old.clock.advance(FRESH)
    await old.storage.links.save(replace(await old.stored(), read_at=old.clock.now()))
    assert await old.worker.handle(nomination, redelivered=True) is None
    (left,) = await old.stamped()
    assert left == replace(nomination, attempt=1)
    assert await new.worker.handle(nomination) is None
    assert deleted(await new.worker.handle(left))


async def test_a_look_of_an_old_instance_that_ends_under_the_new_one_is_taken_again() -> None:
    """It may have undone what the new one did, and its read seems the newer one."""
    old = World()
    await old.first_round()
    await old.linked()
    old.change(displayName="Ada King")
    nomination = old.nomination(why=Why.OPERATOR)

    async def upgraded() -> None:
        assert await old.instance(NEW).configurations.leads()
        old.clock.advance(FRESH)

    old.faults.after_next("target.update", upgraded)
    outcome = await old.worker.handle(nomination)
    assert outcome is not None
    assert names(outcome) == ["Update"]
    (left,) = await old.nominated()
    assert left == replace(nomination, attempt=1)
    assert deleted(await old.instance(NEW).worker.handle(left))


async def test_an_old_instance_does_not_undo_what_a_new_one_did() -> None:
    """A notification that comes to the old one would bring Ada back by the old scope, for good."""
    old, new = await narrowed()
    assert deleted(await new.worker.handle(by(old, new)))
    await old.deliver()
    assert await old.worker.handle(old.nomination()) is None
    assert (await old.stored()).state is LinkState.DELETED


async def test_a_message_that_is_left_is_not_visible_at_once() -> None:
    """The two instances do not spin, and the message does not count towards poison: it is a new one."""
    old, new = await narrowed()
    await old.worker.handle(by(old, new))
    queue = old.storage.queues_by_name[USER_CHANGES]
    assert await queue.receive() == []
    old.clock.advance(timedelta(seconds=LEFT_AGAIN_S))
    assert [message.dequeue_count for message in await queue.receive()] == [1]


async def test_a_nomination_of_an_instance_that_just_started_is_left_to_it() -> None:
    """Its webhook nominates before any of its processes took the lead; after a while nobody may be there to do so."""
    world = World()
    await world.linked()
    nomination = by(world, world.instance(NEW))
    assert await world.worker.handle(nomination) is None
    assert await world.stamped() == [nomination]
    world.clock.advance(LEFT_FOR)
    assert await world.worker.handle(nomination) is not None


async def test_a_configuration_that_is_put_back_leads_at_once() -> None:
    """A scope that was narrowed by mistake is in force no longer than the old file needs to be deployed."""
    old, new = await narrowed()
    assert deleted(await new.worker.handle(by(old, new)))
    back = old.instance(old.syncs)
    outcome = await back.worker.handle(old.nomination(why=Why.OPERATOR))
    assert outcome is not None
    assert names(outcome) == ["Restore", "Update"]
    old.clock.advance(FRESH)
    assert await new.worker.handle(by(old, new)) is None


async def test_a_configuration_that_is_put_back_looks_at_everybody() -> None:
    """Also where the other one never began a round, so that the feed knows nothing of it."""
    old, new = await narrowed()
    assert deleted(await new.worker.handle(by(old, new)))
    back = old.instance(old.syncs)
    await back.feeds.poll()
    assert (await old.feed()).full


async def test_the_lead_of_an_instance_that_is_gone_is_taken_over() -> None:
    """The new package crashed as it started, and was taken back; the old processes never stopped."""
    old, new = await narrowed()
    nomination = by(old, new)
    old.clock.advance(LEFT_FOR)
    assert await old.worker.handle(nomination) is not None
    await old.feeds.poll()
    assert (await old.feed()).full


async def test_a_leader_that_is_there_keeps_the_lead() -> None:
    """However long it is ago that it took it: it says so every few minutes."""
    old, new = await narrowed()
    for _ in range(4):
        old.clock.advance(LEFT_FOR / 2)
        await new.feeds.poll()
    assert not await old.configurations.leads()


async def test_an_old_instance_keeps_no_subscription() -> None:
    """Its tenant may be another one under the same name: the two would take turns in making one."""
    old, new = await narrowed()
    await old.keep()
    assert await old.storage.subscriptions.get(CONTOSO.key) is None
    await new.keep()
    assert await old.storage.subscriptions.get(CONTOSO.key) is not None


async def test_the_tenants_of_version_0_1_are_read_before_a_subscription_is_made_in_another() -> None:
    """The timer of the subscriptions may be the first to run after an upgrade with a slip in sync.yaml."""
    world = World()
    await world.linked()
    await world.storage.links.save(replace(await world.stored(), tenants=None))
    await world.storage.tables_by_name["guards"].delete("sync:", NAME)
    await world.storage.subscriptions.save(SubscriptionRecord(tenant=CONTOSO.key, tenant_id=CONTOSO.id))
    slip = EDITS["another source id"]
    world.clock.advance(FRESH)
    upgraded = world.instance({NAME: slip})
    await upgraded.keep()
    with pytest.raises(OtherTenantError):
        await upgraded.configurations.check(slip)


async def test_an_old_instance_takes_nothing_over_from_a_dead_worker() -> None:
    """Its round would be of the old rules, and begun anew by the new one; that one takes over what is left."""
    old, new = await narrowed()
    await old.storage.in_hand.take(old.nomination(), old.clock.now())
    old.clock.advance(LEFT_AFTER + timedelta(seconds=1))
    before = await old.feed()
    await old.upkeep.takeover.run()
    assert (await old.nominated(), await old.feed()) == ([], before)
    await new.upkeep.takeover.run()
    assert whom(await old.nominated()) == [ADA]


def test_a_plan_is_of_its_own_file_whatever_leads(tmp_path: Path) -> None:
    """An edit is planned before it is deployed: nothing of it is stored, so the deployed one goes on to lead."""
    bench = Bench(tmp_path)
    leading = ConfigurationRecord(configs=("deployed",), led_at=bench.clock.now(), seen_at=bench.clock.now())
    bench.do(bench.storage.syncs.lead(leading))
    bench.source.users[ADA] = person("Ada")
    bench.source.pages.update(pages([bench.source.entry(ADA)]))
    before = bench.stored()
    result = bench.run("plan", "--json")
    assert (result.code, [each["user"] for each in json.loads(result.out)["syncs"][0]["users"]]) == (0, [ADA])
    assert bench.stored() == before


async def test_an_edit_of_the_guard_alone_changes_no_lead() -> None:
    """Limits decide about nobody by themselves: both instances go on, and nobody is looked at again."""
    world = World()
    await world.first_round()
    other = world.instance({NAME: sync(guard=GuardLimits(max_percent=1))})
    await other.feeds.poll()
    assert not (await world.feed()).full
    assert await world.configurations.leads()


async def test_a_message_of_a_sync_that_was_taken_out_is_let_go() -> None:
    """It must not come back for ever: a sync that is put back looks at everybody."""
    world = World()
    assert await world.worker.handle(replace(world.nomination(), sync="no-such-sync")) is None
    assert await world.stamped() == []


async def test_a_sync_that_was_taken_out_and_put_back_looks_at_everybody() -> None:
    """Nominations of those who left meanwhile were in vain, and so were retries of the parked."""
    world = World()
    await world.first_round()
    without = world.instance({"another": replace(sync(name="another"), source=FABRIKAM, target=CONTOSO)})
    await without.feeds.poll()
    world.clock.advance(timedelta(minutes=1))
    back = world.instance(world.syncs)
    await back.feeds.poll()
    assert (await world.feed()).full


async def test_a_command_of_an_operator_never_leads_and_acts_by_the_deployed_file_alone() -> None:
    """The sync.yaml of a laptop may be another one; with the deployed one the command works as always."""
    world = World()
    await world.linked()
    laptop = world.instance(NEW, started=False)
    with pytest.raises(OtherConfigurationError, match="works by another"):
        await laptop.worker.handle(world.nomination(why=Why.OPERATOR))
    assert await world.configurations.leads()
    same = world.instance(world.syncs, started=False)
    assert await same.worker.handle(world.nomination(why=Why.OPERATOR)) is not None
    await same.storage.queues.nominate([world.nomination()])
    assert [each.config for each in await world.stamped()] == [""]


DECIDING: Mapping[str, Sequence[Sync]] = {
    "name": [replace(sync(), name="another")],
    "source": [
        replace(sync(), source=replace(CONTOSO, id=NORTHWIND)),
        replace(sync(), source=replace(CONTOSO, cloud="china")),
    ],
    "target": [replace(sync(), target=replace(FABRIKAM, id=NORTHWIND))],
    "mapping": [replace(sync(), mapping=())],
    "assigned": [replace(sync(), assigned=Assigned(members=frozenset({ADA})))],
    "filters": [sync(filters=[SALES])],
    "policy": [
        sync(policy=Policy(out_of_scope=Deprovision.LEAVE)),
        sync(policy=Policy(source_deleted=Deprovision.DISABLE)),
        sync(policy=Policy(adopt=Adoption.GUESTS)),
    ],
    "mode": [sync(mode=Mode.OBSERVE)],
    "owner_attribute": [sync(owner_attribute=OWNER)],
    "invite": [sync(invite=InviteBy.PRINCIPAL_NAME)],
    "domains": [sync(domains=frozenset({"partner.example"}))],
}
LIMITS = {"guard", "target_guard", "creation_guard", "record_values", "subscribe_target"}


def test_all_that_decides_about_people_is_part_of_the_fingerprint() -> None:
    """Each such edit starts a full round; limits and the record do not. Each setting is one of the two."""
    assert {each.name for each in fields(Sync)} == DECIDING.keys() | LIMITS
    edited = [each for edits in DECIDING.values() for each in edits]
    assert len({sync().fingerprint, *(each.fingerprint for each in edited)}) == 1 + len(edited)
    limits = GuardLimits(max_percent=1)
    others = replace(
        sync(guard=limits),
        target_guard=limits,
        creation_guard=None,
        record_values=frozenset({"mail"}),
        subscribe_target=True,
    )
    assert others.fingerprint == sync().fingerprint


async def test_a_policy_that_takes_access_looks_at_everybody_again() -> None:
    """From leave to soft_delete: who left the scope under the old policy is nominated."""
    left = sync(policy=Policy(out_of_scope=Deprovision.LEAVE), filters=[SALES])
    world = World(policy=left.policy, filters=left.filters)
    world.hire(ADA, department="Sales")
    await world.look()
    await world.first_round()
    world.change(department="Research")
    await world.look()
    assert world.guests(ADDRESS) == [(await world.stored()).target_id]
    edited = world.instance({NAME: replace(left, policy=Policy())})
    world.source.pages.update(pages([world.source.entry(ADA)]))
    await edited.feeds.poll()
    for run in await world.runs():
        await edited.feeds.run(run)
    assert [each.user for each in await world.nominated()] == [ADA]


async def test_an_old_instance_does_not_read_on_in_a_round_of_a_new_one() -> None:
    """By the old scope it would drop entries as unchanged; the message waits for the instance that it is of."""
    old, new = await narrowed()
    old.source.pages.update(pages([old.source.entry(ADA)]))
    await new.feeds.start_round(CONTOSO.key)
    (run,) = await old.runs()
    await old.feeds.run(run)
    assert await old.nominated() == []
    assert await old.runs() == [run]
    await new.feeds.run(run)
    assert whom(await old.nominated()) == [ADA]


async def test_an_old_instance_begins_no_round() -> None:
    """It would be full, and by the old rules; the two would take turns."""
    old, new = await narrowed()
    await new.feeds.poll()
    before = await old.feed()
    await old.feeds.poll()
    assert await old.feed() == before


async def test_a_round_of_another_configuration_begins_anew() -> None:
    """The new instance takes over in the middle of a round of the old one, and reads everybody by its own rules."""
    old = World()
    await old.linked()
    old.source.pages.update(pages([old.source.entry(ADA)]))
    run = await old.started()
    new = old.instance(NEW)
    await new.feeds.run(run)
    assert await old.nominated() == []
    await new.feeds.poll()
    (run,) = await old.runs()
    await new.feeds.run(run)
    assert whom(await old.nominated()) == [ADA]

"""Faults of reading the target back that were there once: access given, repairs without end, deletions missed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.decision.drift import A_DAY, ROUNDS_OF_A_FIGHT
from sync_core.model import (
    Apply,
    Attributes,
    Blocked,
    Clause,
    Control,
    DeletedInTarget,
    Deprovision,
    Drift,
    Edited,
    Filter,
    Mode,
    Operator,
    Policy,
    Rule,
    TargetUser,
    WhenNull,
    Why,
)
from sync_core.model.errors import ConflictError, GraphRefusedError, ResyncRequiredError
from sync_core.model.messages import TARGET
from sync_core.ops.drift import drifted_users
from sync_core.ports import DriftRecord, FeedPhase, TargetPage
from tests.support.make import ADA, BOB, NAME, make_newer, sync
from tests.support.target import Account
from tests.support.world import World, names, whom

ENFORCING = Drift(attributes=Edited.ENFORCE, blocked_in_target=Blocked.ENFORCE)
RESPECTING = Policy(drift=Drift())
THEIRS = "Their own"
CAT = "cccccccc-0000-0000-0000-000000000003"


async def edited(drift: Drift, **attributes: object) -> tuple[World, Account]:
    """Somebody gave Ada's guest these values."""
    world = World(policy=Policy(drift=drift))
    account = await world.linked()
    account.attributes.update(attributes)  # type: ignore[arg-type]
    world.forget_calls()
    return world, account


async def test_a_block_that_was_seen_while_observing_is_respected_later() -> None:
    """Only the rehearsal would have enabled her; by the policy that holds once the sync writes, she stays blocked."""
    world, account = await edited(ENFORCING, accountEnabled=False)
    world.deploy(Mode.OBSERVE)
    assert names(await world.look(why=Why.TARGET)) == ["WouldUpdate"]
    world.deploy(Mode.RUN, policy=RESPECTING)
    assert await world.polled() == []
    assert account.attributes["accountEnabled"] is False


async def test_a_block_seen_while_observing_is_not_lifted_by_the_sync_that_takes_over() -> None:
    """The second sync respects blocks, and so does the first by now: a hand-over waits for a person."""
    world, account = await edited(ENFORCING, accountEnabled=False)
    world.deploy(Mode.OBSERVE)
    await world.look(why=Why.TARGET)
    nobody = Clause(attribute="department", operator=Operator.EQUALS, value="Nobody")
    world.syncs["second"] = sync(name="second")
    world.deploy(Mode.RUN, filters=[Filter(name="nobody", clauses=[nobody])], policy=RESPECTING)
    assert await world.polled() == []
    assert account.attributes["accountEnabled"] is False


async def test_a_block_that_a_pause_came_between_is_respected_later() -> None:
    """A person paused the sync after the difference was read: nothing was written, and the policy is another one."""
    world, account = await edited(ENFORCING, accountEnabled=False)
    read = world.target.read_values

    async def pausing(target_id: str, names: Sequence[str]) -> Attributes | None:
        await world.runtime.pauses.say(NAME, Control.PAUSED, by="ops", reason="a test")
        return await read(target_id, names)

    world.target.read_values = pausing  # type: ignore[method-assign]
    await world.look(why=Why.TARGET)
    world.target.read_values = read  # type: ignore[method-assign]
    world.deploy(policy=RESPECTING)
    await world.runtime.pauses.say(NAME, Control.RUNNING, by="ops", reason="a test")
    assert await world.polled() == []
    assert account.attributes["accountEnabled"] is False


async def test_a_block_that_nothing_lifted_is_not_taken_for_ours() -> None:
    """Disabled in the source, and no rule for access: nothing was written, so the block is somebody else's still."""
    world, account = await edited(ENFORCING)
    world.deploy(mapping=[rule for rule in world.sync.mapping if rule.target != "accountEnabled"])
    await world.look(why=Why.FEED)
    world.change(accountEnabled=False)
    account.attributes["accountEnabled"] = False
    assert names(await world.look(why=Why.TARGET)) == []
    world.deploy(policy=RESPECTING)
    world.change(accountEnabled=True)
    await world.look(why=Why.NOTIFICATION)
    assert account.attributes["accountEnabled"] is False


async def test_a_block_that_graph_would_not_lift_is_respected_later() -> None:
    """Graph said no, so that nothing was written: once the policy is to respect a block, it stays."""
    world, account = await edited(ENFORCING, accountEnabled=False)
    world.target.refuses["accountEnabled"] = "Authorization_RequestDenied"
    await world.look(why=Why.TARGET)
    world.target.refuses.clear()
    world.deploy(policy=RESPECTING)
    await world.look(why=Why.FEED)
    assert account.attributes["accountEnabled"] is False


async def test_the_ceiling_of_repairs_holds_while_deletions_are_paused() -> None:
    """One repair a day is one, whatever is paused besides."""
    world, ada = await edited(replace(ENFORCING, repairs=1))
    bob = await world.linked(BOB, "Bob")
    await world.runtime.pauses.say(NAME, Control.DELETIONS_PAUSED, by="ops", reason="a test")
    world.clock.advance(timedelta(minutes=5))
    ada.attributes["accountEnabled"] = bob.attributes["accountEnabled"] = False
    assert await world.polled() == []
    assert [ada.attributes["accountEnabled"], bob.attributes["accountEnabled"]].count(True) == 1


async def test_a_fight_ends_while_deletions_are_paused() -> None:
    """A pause of deletions puts no repair off, so that repairs are counted as ever."""
    world, account = await edited(ENFORCING)
    await world.runtime.pauses.say(NAME, Control.DELETIONS_PAUSED, by="ops", reason="a test")
    world.clock.advance(timedelta(minutes=5))
    repaired = 0
    for _ in range(ROUNDS_OF_A_FIGHT + 5):
        account.attributes["department"] = THEIRS
        repaired += names(await world.look(why=Why.TARGET)) == ["Update"]
    assert repaired == ROUNDS_OF_A_FIGHT


async def test_the_ceiling_of_repairs_holds_once_the_sync_no_longer_observes() -> None:
    """What was found while it observed is repaired within the ceiling, too."""
    world, ada = await edited(replace(ENFORCING, repairs=1))
    bob = await world.linked(BOB, "Bob")
    ada.attributes["accountEnabled"] = bob.attributes["accountEnabled"] = False
    world.deploy(Mode.OBSERVE)
    assert await world.polled() == []
    world.deploy(Mode.RUN)
    assert await world.polled() == []
    assert [ada.attributes["accountEnabled"], bob.attributes["accountEnabled"]].count(True) == 1


async def restoring() -> tuple[World, str]:
    """Users who are deleted in the target come back by the policy; the feed has seen Ada as she is."""
    world = World(policy=Policy(deleted_in_target=DeletedInTarget.RESTORE))
    await world.linked()
    assert await world.polled() == []
    (guest,) = world.guests()
    return world, guest


async def test_a_deletion_that_a_dead_delta_link_hides_is_found() -> None:
    """Graph has dropped the link: the full round that follows lists those who are there."""
    world, guest = await restoring()
    world.target.remove(guest)
    world.faults.fail_next("target.delta_page", ResyncRequiredError())
    assert await world.polled() == []
    world.clock.advance(A_DAY)
    assert await world.polled() == []
    assert guest in world.target.users


async def test_a_deletion_within_minutes_of_linking_is_found() -> None:
    """A new pair may not be replicated yet, so that the look waits; and Graph tells of a deletion once."""
    world = World(policy=Policy(deleted_in_target=DeletedInTarget.RESTORE))
    assert await world.polled() == []
    world.hire()
    await world.look()
    assert await world.polled() == []
    (guest,) = world.guests()
    world.target.remove(guest)
    for _ in range(6):
        assert await world.polled() == []
    world.clock.advance(A_DAY)
    assert await world.polled() == []
    assert guest in world.target.users


async def test_a_leaver_whom_somebody_restored_at_once_is_deleted_again() -> None:
    """Minutes after our deletion an old answer may show her, and Graph tells of the restore once: so it is asked on."""
    world, guest = await restoring()
    world.source.soft_delete(ADA)
    await world.look()
    assert await world.polled() == []
    world.target.users[guest] = world.target.deleted.pop(guest)
    for _ in range(7):
        assert await world.polled() == []
    assert guest in world.target.deleted


async def test_what_is_done_to_one_who_came_back_at_once_is_found() -> None:
    """Deleted by us and restored within minutes: then somebody edits her, and somebody deletes her."""
    world, guest = await restoring()
    world.source.soft_delete(ADA)
    await world.look()
    world.source.users[ADA] = world.source.deleted.pop(ADA)
    await world.look()
    assert await world.polled() == []
    world.target.users[guest].attributes["department"] = THEIRS
    assert await world.polled() == []
    assert [list(each.differs) for each in (await world.storage.drifts.page(NAME, 9))[0]] == [["department"]]
    world.target.remove(guest)
    for _ in range(7):
        assert await world.polled() == []
    assert guest in world.target.users


async def test_an_edit_is_repaired_though_its_look_was_parked() -> None:
    """Graph refused the read, and it tells of an edit once: the look that ends the parking compares, too."""
    for why in (Why.RETRY, Why.NOTIFICATION):
        world, account = await edited(ENFORCING, department=THEIRS)
        world.faults.fail_next("target.read_values", GraphRefusedError(status=400, code="BadRequest"))
        assert (await world.look(why=Why.TARGET)).parked
        world.clock.advance(timedelta(minutes=5))
        await world.look(why=why)
        assert account.attributes["department"] != THEIRS


async def test_a_row_of_a_newer_version_does_not_stop_the_feed() -> None:
    """After a rollback: of that one user nothing can be said, and all others are told."""
    world = World()
    ada = await world.linked()
    bob = await world.linked(BOB, "Bob")
    ada.attributes["department"] = bob.attributes["department"] = THEIRS
    await make_newer(world.storage.links._table, NAME, ADA)  # type: ignore[attr-defined]
    await world.nominated()
    await world.feeds.run(await world.started(TARGET))
    assert (await world.feed(TARGET)).phase is FeedPhase.IDLE
    assert BOB in whom(await world.nominated())


async def test_a_drift_row_of_a_newer_version_parks_nobody() -> None:
    """After a rollback: what differs cannot be recorded, and the user is synchronized as ever."""
    world, _ = await edited(Drift(), department=THEIRS)
    await world.look(why=Why.TARGET)
    await make_newer(world.storage.drifts._table, f"drift:{NAME}", ADA)  # type: ignore[attr-defined]
    outcome = await world.look(why=Why.TARGET)
    assert (outcome.error, outcome.parked) == ("", False)


async def test_an_edit_is_told_wherever_its_entry_stands_on_a_page() -> None:
    """Graph replays entries and promises no order (delta-query-overview), so the last one is not the newest."""
    world = World()
    account = await world.linked()
    as_left = await world.target.delta_page(None)
    account.attributes["department"] = THEIRS
    now = await world.target.delta_page(None)
    world.target.pages = [TargetPage(users=[*now.users, *as_left.users], delta_link="target-1")]
    await world.nominated()
    await world.feeds.run(await world.started(TARGET))
    assert whom(await world.nominated()) == [ADA]


async def test_the_list_survives_a_rule_that_is_gone() -> None:
    """Sync.yaml lost the rule of a listed attribute, and no look came since."""
    world, _ = await edited(Drift(), department=THEIRS)
    await world.look(why=Why.TARGET)
    world.deploy(mapping=[rule for rule in world.sync.mapping if rule.target != "department"])
    page = await drifted_users(world.runtime, [world.sync])
    assert [each.attributes for each in page.users if each.attributes] == []


async def test_a_repair_that_writes_nothing_is_neither_counted_nor_off_the_list() -> None:
    """Disabled in the source, and no rule for access: nobody enables her, and the list goes on saying so."""
    world, account = await edited(ENFORCING)
    world.deploy(mapping=[rule for rule in world.sync.mapping if rule.target != "accountEnabled"])
    await world.look(why=Why.FEED)
    world.change(accountEnabled=False)
    account.attributes["accountEnabled"] = False
    assert names(await world.look(why=Why.TARGET)) == []
    record = await world.storage.drifts.get(NAME, ADA)
    assert record is not None
    assert (sorted(record.differs), list(record.repairs)) == (["accountEnabled"], [])


@pytest.mark.parametrize(
    "rule",
    [
        Rule(target="accountEnabled", source="accountEnabled", apply=Apply.ON_CREATE),
        Rule(target="accountEnabled", source="jobTitle", when_null=WhenNull.KEEP),
    ],
)
async def test_a_block_that_no_value_lifts_is_listed_and_counts_as_no_repair(rule: Rule) -> None:
    """The rule for access is for new users, or has no value for this one."""
    world, account = await edited(ENFORCING)
    world.deploy(mapping=[rule if each.target == rule.target else each for each in world.sync.mapping])
    await world.look(why=Why.FEED)
    account.attributes["accountEnabled"] = False
    assert names(await world.look(why=Why.TARGET)) == []
    record = await world.storage.drifts.get(NAME, ADA)
    assert record is not None
    assert (sorted(record.differs), list(record.repairs)) == (["accountEnabled"], [])


async def test_an_edit_at_a_leaver_counts_as_no_repair() -> None:
    """She is disabled, since she is out of scope: nothing is written, so nothing is counted and nothing forgotten."""
    world, account = await edited(ENFORCING, department=THEIRS)
    nobody = Clause(attribute="department", operator=Operator.EQUALS, value="Nobody")
    away = Policy(drift=ENFORCING, out_of_scope=Deprovision.DISABLE)
    world.deploy(filters=[Filter(name="nobody", clauses=[nobody])], policy=away)
    await world.look(why=Why.FEED)
    assert account.attributes["accountEnabled"] is False
    before = await world.storage.links.get(NAME, ADA)
    assert names(await world.look(why=Why.TARGET)) == []
    after, record = await world.storage.links.get(NAME, ADA), await world.storage.drifts.get(NAME, ADA)
    assert before is not None
    assert after is not None
    assert account.attributes["department"] == THEIRS
    assert (list(record.repairs) if record else [], after.applied == before.applied) == ([], True)


async def test_a_read_that_is_seconds_old_costs_no_repair() -> None:
    """One lagging answer after each of our own writes: somebody's real edit is repaired still."""
    world, account = await edited(ENFORCING)
    real, lag = world.target._read_values, [False]

    async def lagging(target_id: str, names: Sequence[str]) -> Attributes | None:
        values = await real(target_id, names) or {}
        late, lag[0] = lag[0], False
        return {**values, "department": "Before"} if late else values

    world.target._read_values = lagging  # type: ignore[method-assign]
    for n in range(ROUNDS_OF_A_FIGHT):
        world.change(department=f"Sales {n}")
        await world.look()
        lag[0] = True
        await world.look(why=Why.TARGET)
    world.clock.advance(timedelta(hours=1))
    account.attributes["department"] = THEIRS
    await world.look(why=Why.TARGET)
    assert account.attributes["department"] != THEIRS


async def test_a_read_that_is_seconds_old_is_no_edit() -> None:
    """A replica answers with the value from before our own write of a moment ago."""
    world, account = await edited(Drift())
    world.change(department="Sales")
    await world.look(why=Why.NOTIFICATION)
    real, first = world.target._read_values, [True]

    async def lagging(target_id: str, names: Sequence[str]) -> Attributes | None:
        values = await real(target_id, names) or {}
        return {**values, "department": "Research"} if first and first.pop() else values

    world.target._read_values = lagging  # type: ignore[method-assign]
    await world.look(why=Why.TARGET)
    assert account.attributes["department"] == "Sales"
    assert (await world.storage.drifts.page(NAME, 9))[0] == []


async def test_a_read_from_before_our_own_disabling_costs_no_write() -> None:
    """All attributes would be written with it, also one that somebody edited and the policy leaves."""
    world, account = await edited(Drift())
    world.change(accountEnabled=False)
    await world.look(why=Why.NOTIFICATION)
    account.attributes["department"] = THEIRS
    real, first = world.target._read_user, [True]

    async def lagging(target_id: str) -> TargetUser | None:
        user = await real(target_id)
        return replace(user, enabled=True) if user is not None and first and first.pop() else user

    world.target._read_user = lagging  # type: ignore[method-assign]
    assert names(await world.look(why=Why.TARGET)) == []
    assert (account.attributes["accountEnabled"], account.attributes["department"]) == (False, THEIRS)
    assert [list(each.differs) for each in (await world.storage.drifts.page(NAME, 9))[0]] == [["department"]]


async def test_the_rest_is_repaired_on_the_next_day() -> None:
    """Beyond the ceiling, the full round of the next day finds the rest."""
    world, ada = await edited(replace(ENFORCING, repairs=1))
    bob = await world.linked(BOB, "Bob")
    await world.polled()
    ada.attributes["department"] = bob.attributes["department"] = THEIRS
    began = world.clock.now()
    while world.clock.now() - began < A_DAY + timedelta(hours=2):
        assert await world.polled() == []
        if THEIRS not in (ada.attributes["department"], bob.attributes["department"]):
            break
    else:
        raise AssertionError("the next day's full round repaired nobody")


async def test_one_permit_is_taken_for_one_repair() -> None:
    """Another instance wrote the row in between: the second attempt has its permit already."""
    world, account = await edited(replace(ENFORCING, repairs=1), department=THEIRS)
    save, first = world.storage.drifts.save, [True]

    async def overtaken(record: DriftRecord) -> DriftRecord:
        if first and first.pop():
            raise ConflictError("a test")
        return await save(record)

    world.storage.drifts.save = overtaken  # type: ignore[method-assign]
    await world.look(why=Why.TARGET)
    assert account.attributes["department"] == "Research"


async def test_an_extension_attribute_that_is_written_once_is_no_difference_of_the_others() -> None:
    """They share one property: nobody edited anything, and nobody is looked at."""
    world = World()
    world.deploy(
        mapping=[
            *world.sync.mapping,
            Rule(target="extensionAttribute1", source="department"),
            Rule(target="extensionAttribute2", constant="new", apply=Apply.ON_CREATE),
        ]
    )
    await world.linked()
    await world.nominated()
    await world.feeds.run(await world.started(TARGET))
    assert whom(await world.nominated()) == []


async def test_nothing_is_kept_of_a_pair_that_is_forgotten() -> None:
    """The person was deleted a long time ago, and so is the row about their edits."""
    world, _ = await edited(Drift(), department=THEIRS)
    await world.look(why=Why.TARGET)
    world.source.soft_delete(ADA)
    await world.look()
    world.clock.advance(timedelta(days=40))
    world.source.deleted.pop(ADA, None)
    world.target.deleted.clear()
    await world.look()
    assert await world.storage.links.get(NAME, ADA) is None
    assert (await world.storage.drifts.page(NAME, 9))[0] == []


async def test_who_left_the_scope_is_not_listed_as_waiting() -> None:
    """Nothing is written again at one who was disabled, since she is out of scope."""
    world, _ = await edited(replace(ENFORCING, repairs=0), department=THEIRS)
    await world.look(why=Why.TARGET)
    world.deploy(policy=Policy(drift=replace(ENFORCING, repairs=0), source_deleted=Deprovision.DISABLE))
    world.source.soft_delete(ADA)
    await world.look()
    await world.look(why=Why.TARGET)
    assert (await drifted_users(world.runtime, [world.sync])).users == []


async def test_a_person_is_not_told_of_a_repair_that_is_not_made() -> None:
    """After a fight nothing is written for a day, and `why` says the same."""
    world, account = await edited(ENFORCING)
    for _ in range(ROUNDS_OF_A_FIGHT + 1):
        account.attributes["department"] = THEIRS
        await world.look(why=Why.TARGET)
    assert (await world.engine.preview(world.sync, ADA)).change.name == "Skip"


async def test_rows_of_a_newer_version_do_not_end_the_list() -> None:
    """After a rollback: those that can be read follow."""
    world, ada = await edited(Drift())
    bob = await world.linked(BOB, "Bob")
    cat = await world.linked(CAT, "Cat")
    for account in (ada, bob, cat):
        account.attributes["department"] = THEIRS
    for user in (ADA, BOB, CAT):
        await world.look(user, Why.TARGET)
    await make_newer(world.storage.drifts._table, f"drift:{NAME}", ADA)  # type: ignore[attr-defined]
    await make_newer(world.storage.drifts._table, f"drift:{NAME}", BOB)  # type: ignore[attr-defined]
    page = await drifted_users(world.runtime, [world.sync], limit=1)
    assert [each.source_id for each in page.users] == [CAT]

"""The manager: a reference to another target user, set when they are linked and cleared when they are not."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import (
    Clause,
    DeletedInTarget,
    Deprovision,
    Filter,
    Leaves,
    LinkState,
    Operator,
    Policy,
    Rule,
    SourceUser,
    Stage,
    Stages,
    Update,
    Why,
    digest,
    fingerprint,
)
from sync_core.nominate.users import worth_a_look
from tests.support.directories import pages
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, HOLD_ALL, NAME, OWNER
from tests.support.world import World, names, whom

AWAIT = Stages(stages=(Stage(then=Deprovision.LEAVE), Stage(then=Deprovision.DISABLE, after=timedelta(hours=20))))
CAROL = "cccccccc-0000-0000-0000-000000000003"


def silent(entry: SourceUser) -> SourceUser:
    """A delta entry that does not speak of the manager."""
    return replace(entry, attributes={name: value for name, value in entry.attributes.items() if name != "manager"})


async def guest_of(world: World, user_id: str) -> str:
    return (await world.stored(user_id)).target_id or ""


async def manager_of(world: World, user_id: str = ADA) -> object:
    """The manager of the target user."""
    return world.target.users[await guest_of(world, user_id)].attributes.get("manager")


async def team(**policy: object) -> World:
    """Ada reports to Bob; both were linked a while ago, Bob after Ada."""
    world = World(policy=Policy(**policy))  # type: ignore[arg-type]
    world.hire(ADA, manager=BOB)
    world.hire(BOB, "Bob")
    for user_id in (ADA, BOB):
        await world.look(user_id)
    await world.deliver()
    world.clock.advance(timedelta(hours=1))
    world.forget_calls()
    return world


async def test_a_manager_who_is_linked_is_set_with_the_first_attributes() -> None:
    """PATCH, then the reference: three writes for somebody new, and none afterwards."""
    world = World()
    await world.linked(BOB, "Bob")
    world.hire(ADA, manager=BOB)
    outcome = await world.look(ADA)
    assert names(outcome) == ["Invite", "Adopt", "Update"]
    assert [write for write, _ in world.target.writes] == ["invite", "update", "set_manager"]
    assert await manager_of(world) == await guest_of(world, BOB)
    world.forget_calls()
    assert (await world.look(ADA)).changes == ()
    assert world.target.writes == []


async def test_a_manager_who_is_linked_later_is_set_then() -> None:
    """The link that comes to be nominates those who report to it: one write, and nobody else is looked at."""
    world = World()
    world.hire(CAROL, "Carol", manager=None)
    world.hire(ADA, manager=BOB)
    world.hire(BOB, "Bob")
    for user_id in (CAROL, ADA):
        await world.look(user_id)
    assert await manager_of(world) is None
    world.clock.advance(timedelta(hours=1))
    await world.look(BOB)
    world.forget_calls()
    await world.deliver()
    assert world.target.writes == [("set_manager", await guest_of(world, ADA))]
    assert world.faults.count("source.read_user") == 2
    assert await manager_of(world) == await guest_of(world, BOB)


async def test_a_manager_who_is_away_when_their_reports_are_asked_for_is_set_all_the_same() -> None:
    """Deleted right after the invitation, and restored before the next read: who reports to them is asked again."""
    world = World()
    world.hire(ADA, manager=BOB)
    world.hire(BOB, "Bob")
    await world.look(ADA)

    async def away() -> None:
        world.source.soft_delete(BOB)

    async def back() -> None:
        world.source.restore(BOB)

    world.faults.after_next("target.invite", away)
    world.faults.after_next("source.reports", back)
    await world.look(BOB)
    await world.deliver(timedelta(hours=1))
    assert await manager_of(world) == await guest_of(world, BOB)


async def test_a_new_manager_costs_one_write() -> None:
    """Nothing else differs, so nothing else is sent."""
    world = await team()
    await world.linked(CAROL, "Carol")
    world.change(ADA, manager=CAROL)
    outcome = await world.look(ADA)
    carol = await world.stored(CAROL)
    assert outcome.changes == (Update(attributes={"manager": carol.reference}),)
    assert world.target.writes == [("set_manager", await guest_of(world, ADA))]
    assert await manager_of(world) == carol.target_id


async def test_a_manager_who_is_removed_is_cleared() -> None:
    """A manager who is gone in the source does not linger in the target."""
    world = await team()
    assert await manager_of(world) is not None
    world.change(ADA, manager=None)
    await world.look(ADA)
    assert world.target.writes == [("set_manager", await guest_of(world, ADA))]
    assert await manager_of(world) is None


@pytest.mark.parametrize("manager", [ADA, "somebody-unknown"], ids=["themselves", "not linked"])
async def test_who_is_nobodys_target_user_is_no_manager(manager: str) -> None:
    """Neither an account that refers to itself nor one that refers to nothing; nothing is sent for either."""
    world = World()
    world.hire(ADA, manager=manager)
    await world.look(ADA)
    assert [write for write, _ in world.target.writes] == ["invite", "update"]
    assert await manager_of(world) is None


async def test_a_manager_who_comes_back_is_set_again() -> None:
    """Entra drops references to a user whom it deletes; what was recorded before is of another life."""
    world = await team()
    world.source.soft_delete(BOB)
    await world.look(BOB)
    assert await manager_of(world) is None, "as the directory has it; Ada was not looked at"
    world.clock.advance(timedelta(days=1))
    world.source.restore(BOB)
    world.forget_calls()
    await world.look(BOB)
    await world.deliver()
    assert await manager_of(world) == await guest_of(world, BOB)
    assert ("set_manager", await guest_of(world, ADA)) in world.target.writes


async def test_who_is_looked_at_while_the_manager_is_away_has_none() -> None:
    """And has them again when they are back."""
    world = await team()
    world.source.soft_delete(BOB)
    await world.look(BOB)
    await world.look(ADA)
    assert (await world.stored(ADA)).manager is None
    world.source.restore(BOB)
    world.clock.advance(timedelta(hours=1))
    await world.look(BOB)
    await world.deliver()
    assert await manager_of(world) == await guest_of(world, BOB)


@pytest.mark.parametrize("how", list(Deprovision))
@pytest.mark.parametrize("looks", [(ADA,), (ADA, BOB), (BOB, ADA)], ids=["unnoticed", "report first", "manager first"])
async def test_a_manager_who_was_deleted_for_a_while_is_set_again(how: Deprovision, looks: Sequence[str]) -> None:
    """No feed speaks of the reports when their manager is restored; the manager is counted once, if at all."""
    world = await team(source_deleted=how)
    world.source.soft_delete(BOB)
    world.change(ADA, manager=None)  # Graph shows no manager who is deleted
    for user_id in looks:
        await world.look(user_id)
    if len(looks) > 1:
        await world.deliver()
    assert await manager_of(world) is None
    world.source.restore(BOB)
    world.change(ADA, manager=BOB)
    await world.look(BOB, why=Why.NOTIFICATION)
    await world.deliver()
    assert await manager_of(world) == await guest_of(world, BOB)
    window = await world.storage.guards.window(NAME)
    assert sum(window.slices.values()) == (0 if how is Deprovision.LEAVE or len(looks) == 1 else 1)


@pytest.mark.parametrize("changed", [False, True], ids=["only back", "back with another name"])
@pytest.mark.parametrize(
    "how", [Deprovision.LEAVE, Deprovision.SOFT_DELETE, AWAIT], ids=["left alone", "held", "later"]
)
async def test_a_manager_who_was_given_and_deleted_at_once_is_set_when_they_are_back(
    how: Leaves, *, changed: bool
) -> None:
    """No look has ever seen whose manager they are, and nothing was taken from them that is to be given back."""
    world = World(policy=Policy(source_deleted=how), guard=HOLD_ALL)
    for user_id, name in ((ADA, "Ada"), (BOB, "Bob")):
        world.hire(user_id, name)
        await world.look(user_id)
    world.source.soft_delete(BOB)
    for user_id in (BOB, ADA):
        await world.look(user_id)
    world.source.restore(BOB)
    world.change(ADA, manager=BOB)
    if changed:
        world.change(BOB, displayName="Robert")
    await world.look(BOB, why=Why.NOTIFICATION)
    await world.deliver()
    assert await manager_of(world) == await guest_of(world, BOB)


async def test_a_manager_who_is_linked_while_the_report_is_out_of_scope_is_set_when_they_are_in_again() -> None:
    """The report was disabled meanwhile, so that nothing but the manager differs; a full round has to see it."""
    world = World(policy=Policy(out_of_scope=Deprovision.DISABLE))
    world.hire(ADA, manager=BOB)
    world.hire(BOB, "Bob")
    await world.look(ADA)
    clauses = [Clause(attribute="department", operator=Operator.EQUALS, value="Nobody's")]
    everybody, nobody = world.sync, replace(world.sync, filters=[Filter(name="nobody", clauses=clauses)])
    world.syncs[NAME] = nobody
    await world.look(ADA)
    world.syncs[NAME] = everybody
    world.change(ADA, accountEnabled=False)
    await world.look(BOB)
    world.syncs[NAME] = nobody
    await world.deliver()
    world.syncs[NAME] = everybody
    world.source.pages.update(pages([world.source.entry(user_id) for user_id in (ADA, BOB)]))
    await world.feeds.run(await world.started(full=True))
    await world.deliver()
    assert await manager_of(world) == await guest_of(world, BOB)


async def test_a_manager_who_stays_and_is_nobodys_any_more_is_left_alone() -> None:
    """One question to the source, and no write but the one that clears the reference."""
    world = await team()
    world.change(ADA, manager=None)
    await world.look(ADA)
    assert world.target.writes == [("set_manager", await guest_of(world, ADA))]
    assert world.faults.count("source.existing") == 1
    assert await world.nominated() == []
    assert not (await world.stored(BOB)).dirty


async def test_a_manager_whom_somebody_in_the_target_deleted_is_found_out() -> None:
    """The reference meets a 404 that names the manager: then their link is put right, and those who report to them."""
    world = await team(deleted_in_target=DeletedInTarget.RESTORE)
    bob = await guest_of(world, BOB)
    world.target.deleted[bob] = world.target.users.pop(bob)
    world.change(ADA, manager=None)
    await world.look(ADA)
    world.clock.advance(timedelta(hours=1))
    world.change(ADA, manager=BOB)
    assert (await world.look(ADA)).error == "MissingManager"
    await world.deliver(timedelta(minutes=2))
    assert bob in world.target.users
    assert await manager_of(world) == bob
    assert not (await world.stored(ADA)).dirty


async def test_a_manager_who_stays_deleted_in_the_target_is_cleared() -> None:
    """By policy nobody restores them: they are lost, and who reports to them has no manager, which is no failure."""
    world = await team()
    bob = await guest_of(world, BOB)
    world.change(ADA, manager=None)
    await world.look(ADA)
    del world.target.users[bob]
    world.change(ADA, manager=BOB)
    world.clock.advance(timedelta(hours=1))
    await world.look(ADA)
    await world.deliver(timedelta(minutes=2))
    assert (await world.stored(BOB)).state is LinkState.LOST
    ada = await world.stored(ADA)
    assert (ada.dirty, ada.parked) == (False, None)
    assert await manager_of(world) is None


async def test_a_manager_whom_the_target_restored_by_hand_is_set_again() -> None:
    """Lost, and found again by whoever looks at them: that is another life, too."""
    world = await team()
    bob, ada = await guest_of(world, BOB), await guest_of(world, ADA)
    world.target.deleted[bob] = world.target.users.pop(bob)
    world.target.users[ada].attributes["manager"] = None  # as Entra drops it
    world.change(BOB, department="Sales")
    await world.look(BOB)
    assert (await world.stored(BOB)).state is LinkState.LOST
    world.clock.advance(timedelta(hours=1))
    world.target.users[bob] = world.target.deleted.pop(bob)
    await world.look(BOB)
    await world.deliver()
    assert await manager_of(world) == bob


async def test_a_manager_who_was_given_once_can_be_removed_though_the_mapping_was_silent_meanwhile() -> None:
    """The line was taken out of the mapping and put back in; the source has no manager any more."""
    world = await team()
    world.syncs[world.sync.name] = replace(world.sync, mapping=[Rule(target="city", source="city")])
    world.change(ADA, city="Oslo")
    await world.look(ADA)
    world.syncs[world.sync.name] = world.sync
    world.change(ADA, manager=None)
    await world.look(ADA)
    assert await manager_of(world) is None


@pytest.mark.parametrize(("first", "second"), [(ADA, BOB), (BOB, ADA)])
async def test_a_manager_linked_at_any_moment_of_a_look_is_set(first: str, second: str) -> None:
    """Two instances look at them side by side, whoever is faster: in the end the reference is there."""

    async def lived(n: int | None) -> World:
        world = World()
        world.hire(ADA, manager=BOB)
        world.hire(BOB, "Bob")
        other = world.instance(world.syncs).worker
        if n is not None:
            nomination = world.nomination(second, Why.OPERATOR)
            world.faults.meanwhile_at(n, lambda: other.handle(nomination))
        await world.look(first)
        await world.deliver()
        return world

    for n in range(len((await lived(None)).faults.calls)):
        world = await lived(n)
        assert await manager_of(world) == await guest_of(world, BOB), f"call {n}"


async def test_a_manager_who_left_and_is_left_alone_is_set_again_after_all_tables_were_lost() -> None:
    """The adoption by marker is followed by no write; the reports were looked at before it, and had no reference."""
    leaves = Filter(name="staff", clauses=[Clause(attribute="jobTitle", operator=Operator.IS_NULL, value="")])
    world = World(policy=Policy(out_of_scope=Deprovision.LEAVE), owner_attribute=OWNER, filters=[leaves])
    await world.linked(BOB, "Bob")
    world.hire(ADA, manager=BOB)
    await world.look(ADA)
    world.change(BOB, jobTitle="left")
    await world.look(BOB)
    before = world.target.users[await guest_of(world, ADA)].attributes["manager"]
    await world.lose_tables()
    world.clock.advance(timedelta(hours=1))
    assert names(await world.look(ADA, why=Why.MARKED)) == ["Adopt", "Update"]
    assert await manager_of(world) is None
    assert names(await world.look(BOB, why=Why.MARKED)) == ["Adopt"]
    await world.deliver()
    assert await manager_of(world) == before


async def test_a_crash_while_a_manager_is_linked_loses_nobody_who_reports_to_them() -> None:
    """The worker dies at each await of linking Bob; the message comes again, and Ada reports to him."""

    async def prepared() -> World:
        world = World()
        world.hire(ADA, manager=BOB)
        world.hire(BOB, "Bob")
        await world.look(ADA)
        world.clock.advance(timedelta(hours=1))
        await world.storage.queues.nominate([world.nomination(BOB)])
        world.forget_calls()
        return world

    world = await prepared()
    await world.deliver()
    total = len(world.faults.calls)
    for n in range(total):
        for after in (False, True):
            world = await prepared()
            world.faults.fail_at(n, Crash(), after=after)
            await world.deliver()
            world.faults.calm()
            assert await manager_of(world) == await guest_of(world, BOB), f"call {n}"


async def test_a_crash_while_a_manager_is_first_set_leaves_none_behind() -> None:
    """The worker dies at each await, and the source has no manager any more: whatever was set is removed."""

    async def prepared() -> World:
        world = World()
        await world.linked(BOB, "Bob")
        world.hire(ADA, manager=BOB)
        await world.storage.queues.nominate([world.nomination(ADA)])
        world.forget_calls()
        return world

    world = await prepared()
    await world.deliver()
    assert await manager_of(world) is not None
    for n in range(len(world.faults.calls)):
        world = await prepared()
        world.faults.fail_at(n, Crash(), after=True)
        await world.deliver(timedelta())
        world.faults.calm()
        world.change(ADA, manager=None)
        await world.storage.queues.nominate([world.nomination(ADA)])
        await world.deliver()
        assert await manager_of(world) is None, f"call {n}"


async def test_whoever_has_the_reference_is_not_looked_at_again() -> None:
    """Graph throttles the manager's PATCH again and again, and each try tells those who wait, and nobody else."""
    world = await team()
    await world.worker.handle(world.nomination(BOB), redelivered=True)
    assert world.faults.count("source.reports") == 1
    assert await world.nominated() == []


@pytest.mark.parametrize(("ahead", "looks"), [(timedelta(seconds=3), True), (timedelta(seconds=20), False)])
async def test_clocks_that_differ_lose_no_reference(ahead: timedelta, looks: bool) -> None:
    """A read that another machine made "after" the manager was linked may have been before; one long after was not."""
    world = await team()
    nomination = world.nomination(ADA, Why.MANAGER)
    world.clock.advance(timedelta(minutes=1))
    link = await world.stored(ADA)
    await world.storage.links.save(replace(link, read_at=nomination.at + ahead))
    await world.worker.handle(nomination)
    assert bool(world.faults.count("source.read_user")) is looks


async def test_a_manager_counts_for_the_syncs_that_map_them() -> None:
    """Another sync of the same tenant neither asks who reports to whom nor looks again for it."""
    world = await team()
    world.syncs[world.sync.name] = bare = replace(world.sync, mapping=[Rule(target="city", source="city")])
    world.change(ADA, manager=None)
    digests = await world.storage.links.digests(bare.name, [ADA])
    assert not worth_a_look(
        bare, world.source.entry(ADA), replace(digests[ADA], digest=digest({"city": fingerprint(None)}))
    )
    await world.worker.handle(world.nomination(BOB), redelivered=True)
    assert world.faults.count("source.reports") == 0


# --- feeds ------------------------------------------------------------------------------------------------------


async def test_an_entry_that_does_not_speak_of_the_manager_nominates_nobody() -> None:
    """An incremental entry names the manager only when that changed."""
    world = await team()
    await world.first_round()
    world.source.pages.update(pages([silent(world.source.entry(ADA))], start="delta:2", end="delta:3"))
    await world.feeds.run(await world.started())
    assert await world.nominated() == []


@pytest.mark.parametrize("manager", [None, CAROL])
async def test_an_entry_with_another_manager_nominates(manager: str | None) -> None:
    """Set, replaced or removed: that is a change like any other."""
    world = await team()
    world.hire(CAROL, "Carol")
    await world.first_round()
    world.change(ADA, manager=manager)
    world.source.pages.update(pages([world.source.entry(ADA)], start="delta:2", end="delta:3"))
    await world.feeds.run(await world.started())
    assert whom(await world.nominated()) == [ADA]


async def test_a_replay_without_the_manager_does_not_hide_their_change() -> None:
    """The same user twice on a page: the last word on each attribute counts."""
    world = await team()
    await world.first_round()
    world.change(ADA, manager=None)
    twice = [world.source.entry(ADA), silent(world.source.entry(ADA))]
    world.source.pages.update(pages(twice, start="delta:2", end="delta:3"))
    await world.feeds.run(await world.started())
    assert whom(await world.nominated()) == [ADA]


async def test_a_full_round_names_every_manager_there_is() -> None:
    """An entry without a manager means that there is none, so a removal that nobody heard of is found."""
    world = await team()
    world.change(ADA, manager=None)
    world.source.pages.update(pages([silent(world.source.entry(user_id)) for user_id in (ADA, BOB)]))
    await world.feeds.run(await world.started(full=True))
    assert whom(await world.nominated()) == [ADA]

"""A sync is renamed, moved or removed: what becomes of its people, whatever happens in the middle of it."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.assembly import Runtime
from sync_core.model import Assigned, Control, GuardLimits, Kind, LinkState, Policy, Sync, Tenant, Why
from sync_core.model.errors import OtherTenantError, UnavailableError
from sync_core.ops.errors import RefusedError, UsageError
from sync_core.ops.proposals import Proposal, propose_cancel, propose_move, propose_removal, propose_rename
from sync_core.ops.syncs import act
from sync_core.ports import Asked
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, NAME, SALES, STAFF, STAGES, sync
from tests.support.world import World, names

NEW = "people"
NORTHWIND = Tenant(key="northwind", id="33333333-3333-3333-3333-333333333333")
ALL = GuardLimits(max_percent=100)


async def two(*, owner_attribute: str | None = None, guard: GuardLimits | None = ALL) -> World:
    """Ada and Bob are linked."""
    world = World(owner_attribute=owner_attribute, guard=guard)
    await world.linked()
    await world.linked(BOB, "Bob")
    return world


async def deployed(world: World, *syncs: Sync) -> tuple[Runtime, Runtime]:
    """The function app with these syncs after its poll, and a command of an operator beside it."""
    world.clock.advance(timedelta(minutes=1))
    by_name = {each.name: each for each in syncs}
    app = world.instance(by_name)
    await app.feeds.poll()
    world.forget_calls()
    return app, world.instance(by_name, started=False)


async def look(world: World, app: Runtime, user: str = ADA, name: str = NEW) -> list[str]:
    world.clock.advance(timedelta(minutes=1))
    outcome = await app.worker.handle(replace(world.nomination(user, Why.OPERATOR), sync=name))
    return [] if outcome is None else names(outcome)


def renamed(world: World) -> Sync:
    return replace(world.sync, name=NEW)


async def test_a_new_name_touches_nobody_until_it_is_said_what_it_means() -> None:
    """The error names the former sync and both ways out."""
    world = await two()
    app, _ = await deployed(world, renamed(world))
    world.source.soft_delete(ADA)
    assert await app.worker.handle(replace(world.nomination(), sync=NEW)) is None
    assert world.target.writes == []
    with pytest.raises(OtherTenantError) as stopped:
        await app.configurations.check(renamed(world))
    assert f"xtsync rename {NAME} {NEW}" in stopped.value.hint
    assert f"xtsync remove {NAME} --keep-users" in stopped.value.hint


async def test_what_a_person_did_to_a_sync_is_on_record() -> None:
    """With the person who did it; a rename under both names, since one asks by either of them."""
    world = await two()
    _, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    page = await world.storage.activity.page(Asked(of=[(NAME, ""), (NEW, "")], kinds=frozenset({Kind.RENAMED})))
    assert {(event.sync, event.operator, event.reason) for event in page.events} == {
        (NAME, "anna", f"{NAME} to {NEW}"),
        (NEW, "anna", f"{NAME} to {NEW}"),
    }
    await act(command, await propose_removal(command, NEW, keep_users=False), by="ben")
    world.clock.advance(timedelta(minutes=1))
    await act(command, await propose_cancel(command, NEW), by="anna")
    page = await world.storage.activity.page(Asked(of=[(NEW, "")], kinds=frozenset({Kind.REMOVED})))
    assert {(event.operator, event.reason) for event in page.events} == {
        ("anna", "remove, cancel"),
        ("ben", "remove, delete users"),
    }


@pytest.mark.parametrize("owner_attribute", [None, "extension_0_owner"])
async def test_a_renamed_sync_goes_on_with_its_people(owner_attribute: str | None) -> None:
    """Nobody is written but for the owner that a marker names; a leaver is deleted, a change arrives."""
    world = await two(owner_attribute=owner_attribute)
    guests = sorted(world.target.users)
    app, command = await deployed(world, renamed(world))
    said = await act(command, await propose_rename(command, NAME, NEW), by="anna")
    assert (said.linked, said.others, said.done) == (2, 0, True)
    written = {"Update"} if owner_attribute else set()
    for user in (ADA, BOB):
        assert {*await look(world, app, user)} == written
    assert sorted(world.target.users) == guests
    assert await world.storage.links.get(NAME, ADA) is None
    world.source.soft_delete(ADA)
    world.change(BOB, department="Sales")
    assert await look(world, app, ADA) == ["SoftDelete"]
    assert await look(world, app, BOB) == ["Update"]


@pytest.mark.parametrize("said", [Control.PAUSED, Control.DELETIONS_PAUSED])
async def test_a_paused_sync_is_paused_under_its_new_name(said: Control) -> None:
    """A new name is no resume: a leaver keeps access until a person says so."""
    world = await two()
    await world.runtime.pauses.say(NAME, said, by="anna", reason="why 40?")
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    kept = await app.pauses.read(NEW)
    assert (kept.control, kept.by, kept.reason) == (said, "anna", "why 40?")
    world.source.soft_delete(ADA)
    await look(world, app, ADA)
    assert world.target.writes == []


async def test_a_stage_of_leaving_and_a_word_to_keep_go_on_under_the_new_name() -> None:
    """The time that ran counts, the poll finds who is due, and whoever is kept keeps access."""
    world = World(policy=Policy(source_deleted=STAGES), guard=ALL)
    for user, name in ((ADA, "Ada"), (BOB, "Bob")):
        await world.linked(user, name)
        world.source.soft_delete(user)
        await world.look(user)
    await world.runtime.kept.say(NAME, BOB, world.clock.now() + timedelta(days=40), by="anna", reason="a handover")
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    world.clock.advance(timedelta(days=14))
    await app.poll()
    await world.nominated()
    assert await look(world, app, ADA) == ["SoftDelete"]
    assert await look(world, app, BOB) == []
    link = await world.storage.links.get(NEW, BOB)
    assert link is not None
    assert link.state is LinkState.LINKED
    assert [each.source_id for each in await world.storage.keeps.all(NAME)] == []
    assert list(await world.storage.due.page(NAME, 10)) == []
    assert {each.source_id for each in await world.storage.due.page(NEW, 10)} >= {BOB}


async def test_a_kept_user_keeps_access_while_the_sync_is_removed() -> None:
    """The removal goes on when that ends; until then it is not over."""
    world = await two()
    await world.runtime.kept.say(NAME, ADA, world.clock.now() + timedelta(days=1), by="anna", reason="a handover")
    app, _, proposal = await removing(world)
    assert await look(world, app, ADA, NAME) == []
    assert await look(world, app, BOB, NAME) == ["SoftDelete"]
    assert proposal.name == NAME
    world.clock.advance(timedelta(days=1))
    assert await look(world, app, ADA, NAME) == ["SoftDelete"]


async def test_a_rename_is_followed_by_a_full_round() -> None:
    """What happened while the sync was stopped is found."""
    world = await two()
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    world.clock.advance(timedelta(minutes=5))
    await app.feeds.poll()
    assert (await world.feed()).full


async def test_who_is_deleted_returns_as_the_same_guest_under_the_new_name() -> None:
    """The links of those who are away move first."""
    world = await two()
    world.source.soft_delete(ADA)
    await world.look()
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    world.source.restore(ADA)
    assert await look(world, app) == ["Restore", "Update"]


async def test_the_guard_remembers_under_the_new_name() -> None:
    """A rename is no way around it."""
    world = await two(guard=GuardLimits(max_percent=0, min_count=1))
    world.source.soft_delete(ADA)
    await world.look()
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    world.source.soft_delete(BOB)
    assert await look(world, app, BOB) == ["Hold"]


async def test_a_rename_that_dies_or_fails_anywhere_is_finished_by_another() -> None:
    """Before and after each call, with looks of the app in between: each person has one guest and one owner."""
    world = await two()
    _, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    total = len(world.faults.calls)
    assert total > 15
    for n in range(total):
        for after in (False, True):
            for error in (Crash(), UnavailableError()):
                world = await two()
                guests = sorted(world.target.users)
                app, command = await deployed(world, renamed(world))
                world.faults.fail_at(n, error, after=after)
                with suppress(Crash, UnavailableError):
                    await act(command, await propose_rename(command, NAME, NEW), by="anna")
                world.faults.calm()
                for user in (ADA, BOB):
                    await look(world, app, user)
                with suppress(UsageError):  # all was done, and only the answer was lost
                    await act(command, await propose_rename(command, NAME, NEW), by="anna")
                world.clock.advance(timedelta(hours=1))
                for user in (ADA, BOB):
                    await look(world, app, user)
                    link = await world.storage.links.get(NEW, user)
                    assert link is not None, (n, after, error)
                    assert link.state is LinkState.LINKED
                    owner = await world.storage.links.owner(world.sync.target.id, link.target_id or "")
                    assert owner == link.owner, (n, after, error)
                    assert await world.storage.links.get(NAME, user) is None
                assert sorted(world.target.users) == guests
                assert not world.target.deleted


async def test_a_rename_before_the_deployment_is_refused() -> None:
    """The app would go on under the old name."""
    world = await two()
    await deployed(world, world.sync)
    command = world.instance({NEW: renamed(world)}, started=False)
    with pytest.raises(RefusedError, match="still works by"):
        await propose_rename(command, NAME, NEW)


async def test_a_user_with_a_target_user_under_either_name_is_not_renamed() -> None:
    """Nobody can say which of the two is meant."""
    world = await two()
    _, command = await deployed(world, renamed(world))
    link = await world.stored()
    await world.storage.links.save(replace(link, sync=NEW, target_id="another", etag=None))
    with pytest.raises(RefusedError, match="nothing was renamed"):
        await propose_rename(command, NAME, NEW)


async def test_a_name_of_which_nothing_is_stored_is_not_renamed() -> None:
    """A slip of the finger."""
    world = await two()
    _, command = await deployed(world, renamed(world))
    with pytest.raises(UsageError, match="nothing is stored"):
        await propose_rename(command, "stuff", NEW)


async def test_a_moved_sync_begins_anew_and_leaves_the_former_guests_alone() -> None:
    """They stay as they are; the people are invited into the other tenant."""
    world = await two()
    former = sorted(world.target.users)
    moved = replace(world.sync, target=NORTHWIND)
    app, command = await deployed(world, moved)
    said = await act(command, await propose_move(command, NAME), by="anna")
    assert (said.linked, world.target.writes) == (2, [])
    world.target.users.clear()  # the twin stands for the other tenant from here on
    assert (await look(world, app, name=NAME))[0] == "Invite"
    link = await world.stored()
    assert (link.tenants, link.state) == (moved.tenants, LinkState.LINKED)
    assert [await world.storage.links.owner(world.sync.target.id, guest) for guest in former] == [None, None]
    with pytest.raises(UsageError, match="nothing to move"):
        await propose_move(command, NAME)


async def test_a_move_that_breaks_off_touches_nobody_and_is_finished_by_another() -> None:
    """Until the record names the other tenant, the sync is stopped."""
    world = await two()
    app, command = await deployed(world, replace(world.sync, target=NORTHWIND))
    proposal = await propose_move(command, NAME)
    for n in range(4):
        world.faults.fail_at(n, UnavailableError())
        with suppress(UnavailableError):
            await act(command, proposal, by="anna")
        world.faults.calm()
        assert await app.worker.handle(world.nomination()) is None
    assert world.target.writes == []
    await act(command, await propose_move(command, NAME), by="anna")


async def test_a_sync_is_removed_and_its_users_stay() -> None:
    """Nobody is written; their claims are free, so that another sync may have them."""
    world = await two()
    guests = sorted(world.target.users)
    _, command = await deployed(world, replace(world.sync, name="other", target=NORTHWIND))
    said = await act(command, await propose_removal(command, NAME, keep_users=True), by="anna")
    assert (said.linked, world.target.writes, sorted(world.target.users)) == (2, [], guests)
    assert [await world.storage.links.owner(world.sync.target.id, guest) for guest in guests] == [None, None]
    assert NAME not in (await world.storage.syncs.all())[1]


async def test_users_are_kept_of_a_sync_only_once_it_is_out_of_sync_yaml() -> None:
    """Otherwise the next look would invite them again."""
    world = await two()
    _, command = await deployed(world, world.sync)
    with pytest.raises(UsageError, match="still has"):
        await propose_removal(command, NAME, keep_users=True)


async def removing(world: World, *more: Sync) -> tuple[Runtime, Runtime, Proposal]:
    app, command = await deployed(world, world.sync, *more)
    proposal = await propose_removal(command, NAME, keep_users=False)
    await act(command, proposal, by="anna")
    return app, command, proposal


async def test_a_removed_sync_deletes_its_users_through_the_guard() -> None:
    """One may go today; the other one waits for a person."""
    world = await two(guard=GuardLimits(max_percent=0, min_count=1))
    app, _, proposal = await removing(world)
    assert proposal.linked == 2
    world.clock.advance(timedelta(seconds=5))
    assert {each.user for each in await world.nominated()} >= {ADA, BOB}
    assert await look(world, app, ADA, NAME) == ["SoftDelete"]
    assert await look(world, app, BOB, NAME) == ["Hold"]


async def test_who_is_in_scope_of_another_sync_into_that_tenant_is_handed_over() -> None:
    """Not deleted: the other sync keeps the guest."""
    staff = sync(name="staff", assigned=Assigned(groups=frozenset({STAFF})))
    world = World(guard=ALL, assigned=Assigned(groups=frozenset({SALES})), more=[staff])
    world.source.groups = {SALES: {ADA}, STAFF: {ADA}}
    await world.linked()
    app, _, _ = await removing(world, staff)
    world.clock.advance(timedelta(seconds=5))
    assert await look(world, app, ADA, NAME) == ["HandOver"]
    assert world.enabled() == [True]


async def test_a_removal_that_is_cancelled_brings_them_back() -> None:
    """By the full round that follows, as the same guests."""
    world = await two()
    app, command, _ = await removing(world)
    world.clock.advance(timedelta(seconds=5))
    assert await look(world, app, ADA, NAME) == ["SoftDelete"]
    await act(command, await propose_cancel(command, NAME), by="anna")
    world.clock.advance(timedelta(hours=1))
    await app.feeds.poll()
    assert (await world.feed()).full
    assert await look(world, app, ADA, NAME) == ["Restore", "Update"]
    with pytest.raises(UsageError, match="not being removed"):
        await propose_cancel(command, NAME)


async def test_a_look_of_an_operator_says_what_a_removal_does() -> None:
    """`plan`, `sync --dry-run` and `why` judge as the app does."""
    world = await two()
    _, command, _ = await removing(world)
    judged = await command.configurations.check(world.sync)
    assert type((await command.engine.preview(judged, ADA)).change).__name__ == "SoftDelete"


async def test_the_row_of_a_removal_is_read_by_an_older_version_as_that_of_any_sync() -> None:
    """It ignores the column, and drops it when it writes the row: then the removal is over, and nobody is lost."""
    world = await two()
    await removing(world)
    _, records = await world.storage.syncs.all()
    await world.storage.syncs.save(replace(records[NAME], removing=False))
    _, records = await world.storage.syncs.all()
    assert not records[NAME].removing

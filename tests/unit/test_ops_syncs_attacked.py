"""Renames, moves and removals while something else happens: a deployment, a look, another command."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.assembly import Runtime
from sync_core.model import Assigned, GuardLimits, LinkState, Sync, Tenant, Why
from sync_core.model.errors import UnavailableError
from sync_core.ops.errors import RefusedError
from sync_core.ops.proposals import propose_cancel, propose_move, propose_removal, propose_rename
from sync_core.ops.syncs import act
from sync_core.ports import SubscriptionRecord, SyncRecord
from tests.support.directories import pages
from tests.support.faults import Crash
from tests.support.make import ADA, ADDRESS, BOB, CONTOSO, FABRIKAM, NAME, STAFF, sync
from tests.support.world import World
from tests.unit.test_ops_syncs import ALL, NEW, NORTHWIND, deployed, look, removing, renamed, two

CYD = "cccccccc-0000-0000-0000-000000000003"


def other(world: World) -> Sync:
    """A sync in whose favour the one of the world is taken out."""
    return replace(world.sync, name="other", target=NORTHWIND)


async def a_round(world: World, app: Runtime, during: timedelta = timedelta(minutes=30)) -> None:
    """A full round of the users feed, and what comes of its messages."""
    world.clock.advance(timedelta(minutes=1))
    world.source.pages.update(pages([world.source.entry(user) for user in world.source.users]))
    await app.feeds.poll()
    for _ in range(3):
        for run in await world.runs():
            await app.feeds.run(run)
    world.worker = app.worker
    await world.deliver(during)


async def of_0_1(world: World) -> None:
    """The rows of the links as version 0.1 left them, without a record of the sync."""
    for user in (ADA, BOB):
        await world.storage.links.save(replace(await world.stored(user), tenants=None))
    _, records = await world.storage.syncs.all()
    for record in records.values():
        await world.storage.syncs.drop(record)
    await world.storage.subscriptions.save(SubscriptionRecord(tenant=CONTOSO.key, tenant_id=CONTOSO.id))


async def test_users_are_not_let_go_of_when_the_sync_was_deployed_again_before_the_answer() -> None:
    """The checks are repeated once the operator has confirmed."""
    world = await two()
    _, command = await deployed(world, other(world))
    proposal = await propose_removal(command, NAME, keep_users=True)
    await deployed(world, world.sync)
    with pytest.raises(RefusedError):
        await act(command, proposal, by="anna")
    assert await world.link(ADA) is not None


async def test_a_move_is_refused_when_the_former_tenants_were_deployed_again_before_the_answer() -> None:
    """Its links are those of a live sync again."""
    world = await two()
    _, command = await deployed(world, replace(world.sync, target=NORTHWIND))
    proposal = await propose_move(command, NAME)
    await deployed(world, world.sync)
    with pytest.raises(RefusedError):
        await act(command, proposal, by="anna")
    assert await world.link(ADA) is not None


async def test_a_rename_is_refused_when_the_old_name_was_deployed_again_before_the_answer() -> None:
    """The people stay with the name by which the app works, and a leaver is found."""
    world = await two()
    _, command = await deployed(world, renamed(world))
    proposal = await propose_rename(command, NAME, NEW)
    app, _ = await deployed(world, world.sync)
    with pytest.raises(RefusedError):
        await act(command, proposal, by="anna")
    world.source.soft_delete(ADA)
    assert await look(world, app, ADA, NAME) == ["SoftDelete"]
    assert await world.storage.links.get(NEW, BOB) is None


@pytest.mark.parametrize("stored", [True, False])
async def test_a_command_is_refused_whose_sync_is_taken_up_between_its_checks_and_its_first_write(stored: bool) -> None:
    """The first write is a compare-and-swap, of a record of version 0.1's rows as well."""
    for tried in (True, False):
        world = await two()
        if not stored:
            await of_0_1(world)
        _, command = await deployed(world, other(world))
        proposal = await propose_removal(command, NAME, keep_users=True)
        if tried:
            before = len(world.faults.calls)
            await act(command, proposal, by="anna")
            calls = world.faults.calls[before:]
            first = next(n for n, call in enumerate(calls) if call in {"table.guards.insert", "table.guards.replace"})
            continue

        async def taken_up(world: World = world, record: SyncRecord = proposal.record) -> None:
            await world.storage.syncs.save(replace(record, config="another"))

        world.faults.meanwhile_at(first, taken_up)
        with pytest.raises(RefusedError, match="nothing was done"):
            await act(command, proposal, by="anna")
        assert await world.link(ADA) is not None


async def test_a_command_ends_when_its_sync_is_taken_up_in_the_middle(monkeypatch: pytest.MonkeyPatch) -> None:
    """The app works by it again: it keeps everybody who was not let go of yet."""
    monkeypatch.setattr("sync_core.ops.syncs._LOOK_AFTER", 1)
    world = await two()
    _, command = await deployed(world, other(world))

    async def taken_up() -> None:
        await deployed(world, world.sync)

    world.faults.after_next("table.links.delete", taken_up)
    with pytest.raises(RefusedError, match="not finished"):
        await act(command, await propose_removal(command, NAME, keep_users=True), by="anna")
    assert await world.link(ADA) is None
    assert await world.link(BOB) is not None


async def test_users_are_not_let_go_of_by_another_sync_yaml_than_the_deployed_one() -> None:
    """The deployed one has the sync, stopped by a slip; the operator's has not."""
    world = await two()
    await deployed(world, replace(world.sync, target=NORTHWIND))
    command = world.instance(
        {"other": replace(world.sync, name="other", source=FABRIKAM, target=CONTOSO)}, started=False
    )
    with pytest.raises(RefusedError, match="works by another"):
        await propose_removal(command, NAME, keep_users=True)


@pytest.mark.parametrize(
    "slip", [{"target": replace(FABRIKAM, id=NORTHWIND.id)}, {"source": replace(CONTOSO, id=NORTHWIND.id)}]
)
async def test_links_of_version_0_1_are_not_renamed_to_other_tenants(slip: dict[str, Tenant]) -> None:
    """An upgrade, a new name and a slip in an id at once: the claims and the subscription know better."""
    world = await two()
    await of_0_1(world)
    _, command = await deployed(world, replace(renamed(world), **slip))  # type: ignore[arg-type]
    with pytest.raises(RefusedError, match="other tenants"):
        await propose_rename(command, NAME, NEW)


async def test_links_of_version_0_1_are_renamed() -> None:
    """An upgrade and a new name at once."""
    world = await two()
    await of_0_1(world)
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    assert (await world.storage.links.get(NEW, ADA)) is not None
    world.source.soft_delete(ADA)
    assert await look(world, app, ADA) == ["SoftDelete"]


async def broken_off(world: World) -> Runtime:
    """A rename broke off after the first new link; the old name was put back. The app of that."""
    _, command = await deployed(world, renamed(world))
    world.faults.fail_next("table.links.insert", UnavailableError(), after=True)
    with suppress(UnavailableError):
        await act(command, await propose_rename(command, NAME, NEW), by="anna")
    world.faults.calm()
    app, _ = await deployed(world, world.sync)
    return app


async def test_a_repeated_rename_takes_the_newer_record() -> None:
    """Ada got another name under the old sync, and her former name back under the new one."""
    world = await two()
    app = await broken_off(world)
    world.change(ADA, displayName="Ada King")
    assert await look(world, app, ADA, NAME) == ["Update"]
    app, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    world.change(ADA, displayName="Ada")
    await a_round(world, app)
    ((_, account),) = world.target.of(ADDRESS)
    assert account.attributes["displayName"] == "Ada"


async def test_a_repeated_rename_takes_the_newer_record_of_access() -> None:
    """Ada was disabled under the old name, and is enabled while the rename goes on: her guest is enabled."""
    world = await two()
    app = await broken_off(world)
    world.change(ADA, accountEnabled=False)
    assert await look(world, app, ADA, NAME) == ["Disable"]
    app, command = await deployed(world, renamed(world))
    world.change(ADA, accountEnabled=True)
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    await a_round(world, app)
    assert world.enabled() == [True, True]


async def test_a_sync_with_an_unfinished_invitation_is_not_renamed() -> None:
    """The guest's mark is made of the name. Under the old one it is finished, and then all are renamed."""
    world = World(guard=ALL)
    await world.linked(BOB, "Bob")
    world.hire()
    world.faults.fail_next("table.links.replace", Crash(), after=True)  # invited, recorded, and then dead
    with suppress(Crash):
        await world.look()
    assert (await world.stored()).state is LinkState.INVITING
    _, command = await deployed(world, renamed(world))
    with pytest.raises(RefusedError, match="not finished") as refused:
        await propose_rename(command, NAME, NEW)
    assert f"Put the name {NAME} back" in refused.value.hint
    app, _ = await deployed(world, world.sync)
    await a_round(world, app)
    assert (await world.stored()).state is LinkState.LINKED
    _, command = await deployed(world, renamed(world))
    await act(command, await propose_rename(command, NAME, NEW), by="anna")
    link = await world.storage.links.get(NEW, ADA)
    assert link is not None
    assert link.state is LinkState.LINKED


async def test_a_rename_that_breaks_off_is_no_way_around_the_guard() -> None:
    """The counts of the old name are those of the new one before its first link is."""
    world = await two(guard=GuardLimits(max_percent=0, min_count=1))
    world.source.soft_delete(ADA)
    await world.look()
    _, command = await deployed(world, renamed(world))
    world.faults.fail_next("table.links.insert", UnavailableError())
    with pytest.raises(UnavailableError):
        await act(command, await propose_rename(command, NAME, NEW), by="anna")
    for month in (False, True):
        assert sum((await world.storage.guards.window(NEW, month=month)).slices.values()) == 1


async def test_a_sync_that_is_being_removed_is_not_moved() -> None:
    """Else nobody would be in scope in the other tenant, and nobody would lose access in the former one."""
    world = await two()
    await removing(world)
    _, command = await deployed(world, replace(world.sync, target=NORTHWIND))
    with pytest.raises(RefusedError, match="being removed"):
        await propose_move(command, NAME)


async def test_a_sync_that_is_being_removed_is_not_renamed() -> None:
    """Its people would get access back."""
    world = await two()
    await removing(world)
    _, command = await deployed(world, renamed(world))
    with pytest.raises(RefusedError, match="being removed") as refused:
        await propose_rename(command, NAME, NEW)
    assert f"xtsync remove {NAME} --cancel" in refused.value.hint


async def test_nobody_is_renamed_into_a_sync_that_is_being_removed() -> None:
    """They would lose access; and the removal goes on."""
    people = sync(name="people", assigned=Assigned(groups=frozenset({STAFF})))
    world = await two()
    _, command = await deployed(world, world.sync, people)
    await act(command, await propose_removal(command, "people", keep_users=False), by="anna")
    _, command = await deployed(world, people)
    with pytest.raises(RefusedError, match="being removed"):
        await propose_rename(command, NAME, "people")
    assert (await world.storage.syncs.all())[1]["people"].removing


async def test_a_sync_that_is_put_back_after_its_removal_is_not_being_removed() -> None:
    """Its name is used again a year later."""
    world = await two()
    await removing(world)
    await deployed(world, other(world))
    world.clock.advance(timedelta(days=300))
    await deployed(world, world.sync)
    assert not (await world.storage.syncs.all())[1][NAME].removing


async def test_a_slip_in_a_tenant_does_not_end_a_removal() -> None:
    """Nobody gets access back for a stop that is mended."""
    world = await two()
    await removing(world)
    await deployed(world, replace(world.sync, target=NORTHWIND))
    await deployed(world, world.sync)
    assert (await world.storage.syncs.all())[1][NAME].removing


async def test_a_removal_is_ended_by_its_way_out_alone_when_an_earlier_version_took_the_sync_out() -> None:
    """That one leaves the time in the row of a sync that is out: side by side, the removal goes on until a cancel."""
    world = await two()
    await removing(world)
    record = (await world.storage.syncs.all())[1][NAME]
    await world.storage.syncs.save(replace(record, config=""))
    app, command = await deployed(world, world.sync)
    assert (await app.configurations.sync(NAME)).assigned == Assigned()
    await act(command, await propose_cancel(command, NAME), by="anna")
    assert not (await world.storage.syncs.all())[1][NAME].removing


async def test_a_removal_that_was_ended_takes_nobody_by_an_old_record() -> None:
    """One instance had read the record just before; the full round of another one waits until that is read anew."""
    world = await two()
    app, command, _ = await removing(world)
    world.clock.advance(timedelta(seconds=5))
    await look(world, app, ADA, NAME)
    await act(command, await propose_cancel(command, NAME), by="anna")
    fresh = world.instance({NAME: world.sync})
    world.source.pages.update(pages([world.source.entry(user) for user in world.source.users]))
    await fresh.feeds.poll()
    for _ in range(3):
        for run in await world.runs():
            await fresh.feeds.run(run)
    for each in await world.nominated():
        await app.worker.handle(each)
    world.worker = app.worker
    await world.deliver(timedelta(minutes=30))
    assert len(world.target.users) == 2


async def test_messages_of_a_removal_that_meet_an_old_record_are_made_up_for() -> None:
    """The app has read the records just before, and judges by them for two seconds."""
    world = await two()
    app, command = await deployed(world, world.sync)
    await app.configurations.leads()
    world.clock.advance(timedelta(seconds=2))
    await app.configurations.leads()
    await act(command, await propose_removal(command, NAME, keep_users=False), by="anna")
    world.worker = app.worker
    await world.deliver(timedelta(minutes=3))
    assert world.target.users == {}


async def test_the_message_of_a_removal_is_not_dropped_for_a_look_just_before() -> None:
    """That look was by the old record."""
    world = await two()
    app, command = await deployed(world, world.sync)
    proposal = await propose_removal(command, NAME, keep_users=False)
    await app.configurations.leads()
    await act(command, proposal, by="anna")
    world.clock.advance(timedelta(seconds=1))
    await app.worker.handle(world.nomination(ADA, Why.NOTIFICATION))
    world.clock.advance(timedelta(seconds=5))
    world.worker = app.worker
    await world.deliver(timedelta(minutes=30))
    assert world.target.users == {}


async def test_a_removal_that_dies_before_its_messages_is_completed_by_the_full_round() -> None:
    """It judges as the worker does: nobody is in scope."""
    world = await two()
    app, command = await deployed(world, world.sync)
    world.faults.fail_next("queue.user-changes.send", UnavailableError())
    with suppress(UnavailableError):
        await act(command, await propose_removal(command, NAME, keep_users=False), by="anna")
    world.faults.calm()
    assert (await world.storage.syncs.all())[1][NAME].removing
    await world.nominated()
    await a_round(world, app)
    assert world.target.users == {}


async def test_an_invitation_under_way_while_a_removal_begins_ends_in_a_deletion() -> None:
    """The full round finds who was linked meanwhile."""
    world = await two()
    world.hire(CYD, "Cyd")
    app, command = await deployed(world, world.sync)

    async def begin() -> None:
        await act(command, await propose_removal(command, NAME, keep_users=False), by="anna")

    world.faults.after_next("target.invite", begin)
    await look(world, app, CYD, NAME)
    await a_round(world, app)
    assert world.target.users == {}

"""A write whose answer nobody heard may have been done: the next look finds out, and nobody keeps access by it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest

from sync_core.model import LinkState, Operator
from sync_core.model.errors import GraphRefusedError, SyncError, ThrottledError, UnavailableError
from sync_core.model.messages import GROUPS
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, NAME, SALES
from tests.support.scopes import guarded, member
from tests.support.world import World, names

REFUSED = GraphRefusedError(status=404, code="unknown")
NEW_ADDRESS = "ada.king@contoso.example"


@pytest.mark.parametrize("how", ["joins", "deleted"])
@pytest.mark.parametrize("dies", [False, True])
async def test_a_restore_of_unknown_outcome_leaves_nobody_with_access(how: str, dies: bool) -> None:
    """The account is there, and the record says that it is not."""
    world = guarded(member(Operator.NOT_IN, SALES))
    await world.linked()
    world.source.groups[SALES].add(ADA)
    assert names(await world.look()) == ["SoftDelete"]
    world.source.groups[SALES].clear()
    world.faults.fail_next("target.restore", Crash() if dies else UnavailableError(), after=True)
    if dies:
        with pytest.raises(Crash):
            await world.look()
    else:
        await world.look()
    assert len(world.guests()) == 1
    if how == "joins":
        world.source.groups[SALES].add(ADA)
    else:
        world.source.soft_delete(ADA)
    if dies:
        await world.look(redelivered=True)
    await world.deliver(timedelta(minutes=5))
    world.clock.advance(timedelta(days=1))
    await world.feeds.run(await world.started(GROUPS))
    await world.deliver()
    await world.look()
    assert world.guests() == []


@pytest.mark.parametrize("dies", [False, True])
async def test_a_restore_that_is_done_late_leaves_no_leaver_with_access(dies: bool) -> None:
    """Another worker restored and deleted the account again, and recorded that, before Graph did the older restore."""
    world = World()
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    world.source.restore(ADA)
    world.forget_calls()

    async def nothing() -> None:
        pass

    async def overtake() -> None:
        await world.engine.reconcile(world.sync, ADA, await world.stored())
        world.source.soft_delete(ADA)
        await world.engine.reconcile(world.sync, ADA, await world.stored())
        assert (await world.stored()).state is LinkState.DELETED

    # As every look at a deleted user who is live again begins.
    before = ["links.get", "guards.upsert", "source.read_user", "target.deleted_user", "links.replace"]
    world.faults.meanwhile_at(len(before), overtake)
    if dies:
        world.faults.after_next("target.restore", nothing)  # that of the other worker
        world.faults.fail_next("target.restore", Crash(), after=True)
        with pytest.raises(Crash):
            await world.look()
    assert names(await world.look(redelivered=dies))[-1] == "SoftDelete"
    assert world.guests() == []


async def late_guest(then: Callable[[World, str], Awaitable[None]]) -> World:
    """A frozen worker's invitation came after the pair was made at another address. The target does not show its guest
    until then; `then` is what happens before that worker goes on."""
    world = World()
    world.hire()
    other = world.instance(world.syncs)

    async def meanwhile() -> None:
        (late,) = world.guests()
        world.target.invisible.add(late)
        world.clock.advance(timedelta(minutes=20))
        world.change(mail=NEW_ADDRESS)
        await other.worker.handle(world.nomination())
        await then(world, late)

    world.faults.after_next("target.invite", meanwhile)
    await world.look()
    return world


@pytest.mark.parametrize("claimed", [False, True])
async def test_a_late_guest_whom_the_target_does_not_show_yet_is_taken_back_once_it_does(claimed: bool) -> None:
    """A guest whom another pair has by then stays."""

    async def then(world: World, late: str) -> None:
        if claimed:
            await world.storage.links.claim(world.sync.target.id, late, f"{NAME}/{BOB}")

        async def appears() -> None:
            world.target.invisible.discard(late)

        world.faults.after_next("target.read_user", appears)

    world = await late_guest(then)
    assert len(world.target.users) == (2 if claimed else 1)
    assert NEW_ADDRESS in [account.address for account in world.target.users.values()]


@pytest.mark.parametrize("error", [REFUSED, UnavailableError(), ThrottledError()], ids=["404", "503", "429"])
@pytest.mark.parametrize("step", ["target.read_user", "target.soft_delete", "links.owner"])
async def test_a_late_guest_is_taken_back_though_graph_or_the_storage_fails_meanwhile(
    step: str, error: SyncError
) -> None:
    """Nobody else knows this guest, so that nobody takes it back later."""

    async def then(world: World, late: str) -> None:
        world.target.invisible.discard(late)
        world.faults.fail_next(step, error)

    world = await late_guest(then)
    (left,) = world.target.users.values()
    assert left.address == NEW_ADDRESS

"""A manager who was away comes back and cannot be judged yet: the reports are asked for once."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sync_core.model import Assigned, Clause, Control, Deprovision, Filter, Operator, Policy, Why
from sync_core.ports import ControlRecord
from tests.support.make import ADA, BOB, NAME, SALES
from tests.support.world import World
from tests.unit.reconcile.test_manager import guest_of, manager_of

NOBODY = (Filter(name="nobody", clauses=(Clause(attribute="department", operator=Operator.EQUALS, value="None"),)),)
LEAVE = Policy(source_deleted=Deprovision.LEAVE, out_of_scope=Deprovision.LEAVE)


async def test_whoever_manages_themselves_and_returns_undecided_is_looked_at_as_seldom_as_anybody_parked() -> None:
    """Their group is gone. A look that nominates its own user would come again every eight seconds."""
    world = World(policy=LEAVE, assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups = {SALES: {ADA}}
    await world.linked()
    world.change(manager=ADA)
    world.source.soft_delete(ADA)
    await world.look()
    assert (await world.stored()).away
    world.source.restore(ADA)
    del world.source.groups[SALES]
    world.forget_calls()
    assert (await world.look(why=Why.NOTIFICATION)).error == "undecided"
    await world.deliver(timedelta(minutes=4))
    assert world.graph_calls().count("source.read_user") <= 4


async def test_whoever_manages_themselves_and_returns_out_of_scope_during_a_pause_is_looked_at_once() -> None:
    """Deletions are paused, so that a removal is put off at each look."""
    world = World(policy=Policy(source_deleted=Deprovision.LEAVE, out_of_scope=Deprovision.SOFT_DELETE))
    await world.linked()
    world.change(manager=ADA)
    world.source.soft_delete(ADA)
    await world.look()
    world.source.restore(ADA)
    world.syncs[NAME] = replace(world.sync, filters=NOBODY)
    await world.storage.controls.save(ControlRecord(sync=NAME, control=Control.DELETIONS_PAUSED))
    world.clock.advance(timedelta(minutes=1))
    world.forget_calls()
    await world.look(why=Why.NOTIFICATION)
    await world.deliver(timedelta(minutes=4))
    assert world.graph_calls().count("source.read_user") <= 4


async def test_two_who_manage_each_other_and_return_undecided_do_not_keep_asking() -> None:
    """Neither look would be the last one."""
    world = World(policy=LEAVE, assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups = {SALES: {ADA, BOB}}
    await world.linked()
    await world.linked(BOB, "Bob")
    world.change(ADA, manager=BOB)
    world.change(BOB, manager=ADA)
    for user_id in (ADA, BOB):
        world.source.soft_delete(user_id)
    for user_id in (ADA, BOB):
        await world.look(user_id)
    for user_id in (ADA, BOB):
        world.source.restore(user_id)
    del world.source.groups[SALES]
    world.forget_calls()
    for user_id in (ADA, BOB):
        await world.look(user_id, why=Why.NOTIFICATION)
    await world.deliver(timedelta(minutes=4))
    assert world.graph_calls().count("source.read_user") <= 8


async def test_two_who_manage_each_other_and_whose_record_is_distrusted_do_not_keep_asking() -> None:
    """A write of each was cut off; by now their group is gone, so that neither look decides anything."""
    world = World(policy=LEAVE, assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups = {SALES: {ADA, BOB}}
    await world.linked()
    await world.linked(BOB, "Bob")
    world.change(ADA, manager=BOB)
    world.change(BOB, manager=ADA)
    for user_id in (ADA, BOB):
        await world.storage.links.save((await world.stored(user_id)).distrusted())
    del world.source.groups[SALES]
    world.clock.advance(timedelta(minutes=1))
    world.forget_calls()
    assert (await world.look(ADA, why=Why.NOTIFICATION)).error == "undecided"
    await world.deliver(timedelta(minutes=4))
    assert world.graph_calls().count("source.read_user") <= 4


async def test_a_report_who_came_into_scope_while_the_manager_was_deleted_unnoticed_gets_the_manager_back() -> None:
    """Nobody noticed that Bob was deleted and came back: the row of the report alone leads to him."""
    world = World(policy=Policy(out_of_scope=Deprovision.DISABLE))
    await world.linked(BOB, "Bob")
    world.hire(ADA, manager=BOB)
    await world.look(ADA)
    world.clock.advance(timedelta(hours=1))
    everybody = world.sync
    world.syncs[NAME] = replace(everybody, filters=NOBODY)
    await world.look(ADA)
    world.syncs[NAME] = everybody
    world.source.soft_delete(BOB)
    await world.look(ADA)
    assert await manager_of(world) is None
    world.source.restore(BOB)
    await world.deliver()
    assert await manager_of(world) == await guest_of(world, BOB)

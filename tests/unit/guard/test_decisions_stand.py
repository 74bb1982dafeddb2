"""What a person said of a removal stands, or is asked for anew: no edit of words turns it into a deletion."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Assigned, Clause, Deprovision, Filter, GuardLimits, Operator, Policy, Why
from tests.support.make import ADA, HOLD_ALL, NAME, SALES, STAFF
from tests.support.world import World, names
from tests.unit.guard.test_causes import NOBODY, decide

ROOM = GuardLimits(max_percent=100, min_count=10)


async def test_a_hold_that_waits_still_waits_when_a_word_to_keep_is_over() -> None:
    """Somebody protects Ada for a day while it is found out why she is held: that is no approval of her deletion."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    assert names(await world.look()) == ["Hold"]
    await world.runtime.kept.say(NAME, ADA, world.clock.now() + timedelta(days=1), by="anna", reason="who is this?")
    await world.look()
    world.deploy(guard=ROOM)
    world.clock.advance(timedelta(days=2))
    assert names(await world.look()) == ["Hold"]


async def test_who_was_not_even_to_be_disabled_is_not_deleted() -> None:
    """Rejected as out of scope. Then `out_of_scope: disable` becomes `soft_delete`, and the cause is the same."""
    world = World(guard=HOLD_ALL, policy=Policy(out_of_scope=Deprovision.DISABLE))
    await world.linked()
    world.deploy(filters=NOBODY)
    assert names(await world.look()) == ["Hold"]
    await decide(world, approve=False)
    world.deploy(guard=ROOM, policy=Policy(out_of_scope=Deprovision.SOFT_DELETE))
    assert names(await world.look()) == ["Hold"]
    assert len(world.guests()) == 1


LABELLED = (replace(NOBODY[0], name="Nobody at all"),)
INTERNS = Clause(attribute="department", operator=Operator.EQUALS, value="Interns")
WIDENED = (*NOBODY, Filter(name="Interns", clauses=(INTERNS,)))


@pytest.mark.parametrize("edited", [LABELLED, WIDENED], ids=["another label", "a wider scope"])
async def test_a_rejection_outlives_an_edit_that_changes_nothing_about_it(edited: Sequence[Filter]) -> None:
    """Out of scope by the same clause as before, and a person said no: at least a person is asked again."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.deploy(filters=NOBODY)
    assert names(await world.look()) == ["Hold"]
    await decide(world, approve=False)
    world.deploy(guard=ROOM)
    world.clock.advance(timedelta(days=40))
    assert names(await world.look()) == ["Hold"]
    world.deploy(filters=edited)
    assert names(await world.look(why=Why.FEED)) == ["Hold"]


async def test_one_more_group_in_the_scope_deletes_nobody() -> None:
    """The scope gets wider, and she is out of it still: a person said no to her deletion."""
    world = World(guard=HOLD_ALL, assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups = {SALES: {ADA}, STAFF: set()}
    await world.linked()
    world.source.groups[SALES].clear()
    assert names(await world.look()) == ["Hold"]
    await decide(world, approve=False)
    world.deploy(guard=ROOM)
    assert names(await world.look()) == ["Hold"]
    world.deploy(assigned=Assigned(groups=frozenset({SALES, STAFF})))
    assert names(await world.look(why=Why.FEED)) == ["Hold"]

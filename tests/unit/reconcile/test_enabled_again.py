"""A mapping without a standing rule for accountEnabled: whom we disabled by policy we enable on return."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Apply, Clause, Deprovision, Filter, GuardLimits, Json, Operator, Policy, Rule
from sync_core.model.errors import UnavailableError
from tests.support.directories import pages
from tests.support.make import ADA, CONTOSO, NAME, sync
from tests.support.world import World, names, whom

RESEARCH = Filter(name="R", clauses=[Clause(attribute="department", operator=Operator.EQUALS, value="Research")])
MAPPINGS = {
    "no rule": [],
    "constant true": [Rule(target="accountEnabled", constant=True)],
    "on create": [Rule(target="accountEnabled", constant=True, apply=Apply.ON_CREATE)],
}


async def linked(rules: Sequence[Rule]) -> World:
    """Ada is linked in a sync that disables leavers."""
    policy = Policy(out_of_scope=Deprovision.DISABLE, source_deleted=Deprovision.DISABLE)
    edited = replace(
        sync(policy=policy, filters=[RESEARCH], guard=GuardLimits(max_percent=100)),
        mapping=[Rule(target="displayName", source="displayName"), *rules],
    )
    world = World()
    world.sync = edited
    runtime = world.instance({NAME: edited})
    world.worker, world.feeds, world.engine = runtime.worker, runtime.feeds, runtime.engine
    await world.first_round()
    await world.linked()
    return world


def enabled(world: World) -> Json:
    [value] = world.enabled()
    return value


@pytest.mark.parametrize("rules", MAPPINGS.values(), ids=MAPPINGS)
@pytest.mark.parametrize("how", ["out of scope", "deleted"])
async def test_a_user_whom_we_disabled_is_enabled_on_return(rules: Sequence[Rule], how: str) -> None:
    """Nobody else would do it: the mapping says nothing of it, or has said it already."""
    world = await linked(rules)
    if how == "deleted":
        world.source.soft_delete(ADA)
    else:
        world.change(department="Sales")
    assert names(await world.look()) == ["Disable"]
    assert enabled(world) is False
    if how == "deleted":
        world.source.restore(ADA)
    else:
        world.change(department="Research")
    assert names(await world.look()) == ["Update"]
    assert enabled(world) is True
    assert (await world.look()).changes == ()


async def test_a_user_who_comes_back_disabled_is_enabled_later() -> None:
    """Returning and being enabled are two days; that we disabled is not forgotten in between."""
    world = await linked([])
    world.change(department="Sales")
    await world.look()
    world.change(department="Research", accountEnabled=False, displayName="Ada L.")
    await world.look()
    assert enabled(world) is False
    world.change(accountEnabled=True)
    world.source.pages["delta:2"] = pages([world.source.entry(ADA)])[None]
    world.clock.advance(timedelta(minutes=5))
    await world.feeds.poll()
    for run in await world.runs():
        await world.feeds.run(run)
    assert whom(await world.nominated()) == [ADA]
    await world.look()
    assert enabled(world) is True


async def test_a_disable_of_unknown_outcome_is_made_up_for_on_return() -> None:
    """The record does not say that the user is disabled, and perhaps they are."""
    world = await linked([])
    world.change(department="Sales")
    world.faults.fail_next("target.update", UnavailableError(), after=True)
    await world.look()
    assert enabled(world) is False
    world.change(department="Research")
    await world.look()
    assert enabled(world) is True


async def test_a_user_whom_somebody_else_disabled_is_left_so() -> None:
    """Without a rule for accountEnabled, what the target did is the target's."""
    world = await linked([])
    [account] = world.target.users.values()
    account.attributes["accountEnabled"] = False
    world.change(displayName="Ada L.")
    await world.look()
    assert enabled(world) is False


async def test_a_value_that_could_not_be_mapped_enables_nobody() -> None:
    """The rule stands, and cannot say what it wants."""
    world = await linked([Rule(target="accountEnabled", expression="CBool([department])", apply=Apply.ALWAYS)])
    world.change(department="Sales")
    await world.look()
    world.change(department="Research")
    await world.look()
    assert enabled(world) is False
    assert CONTOSO.key in world.feeds.kinds["users"].tenants

"""A pair is handed over to a sync that would give this person access by itself, and to no other."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

from sync_core.model import Assigned, Mode, Rule
from tests.support.make import ADA, NAME, SALES, STAFF, sync
from tests.support.world import World, names
from tests.unit.reconcile.test_heirs import THEIRS, look


def world_of(ours: dict[str, Any], theirs: dict[str, Any]) -> World:
    staff = replace(sync(name=THEIRS, assigned=Assigned(groups=frozenset({STAFF}))), **theirs)
    world = World(assigned=Assigned(groups=frozenset({SALES})), more=[staff])
    world.deploy(**ours)
    world.source.groups = {SALES: {ADA}, STAFF: {ADA}}
    return world


async def test_an_address_that_the_heir_does_not_invite() -> None:
    """Sales names partner.example, Staff does not: without Sales nobody may have given this address access."""
    world = world_of({"domains": frozenset({"partner.example"})}, {})
    world.hire(mail="ada@partner.example")
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    world.clock.advance(timedelta(hours=1))
    world.source.groups[SALES].clear()
    assert names(await look(world, NAME)) == ["SoftDelete"]


async def test_somebody_whom_the_heir_ignores() -> None:
    """Staff leaves her alone altogether (IgnoreObjectFlow): so it never takes access from her either."""
    ignoring = Rule(target="jobTitle", expression='IIF(IsPresent([displayName]), IgnoreObjectFlow, "")')
    staff = {"mapping": [ignoring]}
    world = world_of({}, staff)
    world.hire()
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    world.clock.advance(timedelta(hours=1))
    assert (await look(world, THEIRS)).error == ""
    world.source.groups[SALES].clear()
    world.clock.advance(timedelta(hours=1))
    assert names(await look(world, NAME)) == ["SoftDelete"]


async def test_somebody_disabled_whom_the_heir_would_never_provision() -> None:
    """Disabled in the source; Staff lets nobody in who is, and maps no accountEnabled: so it takes no access either."""
    plain = {"mapping": [Rule(target="displayName", source="displayName")]}
    world = world_of(plain, plain)
    world.hire()
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    world.clock.advance(timedelta(hours=1))
    world.change(accountEnabled=False)
    world.source.groups[SALES].clear()
    assert names(await look(world, NAME)) == ["SoftDelete"]


async def both(**staff_has: Any) -> World:
    staff = sync(name=THEIRS, assigned=Assigned(groups=frozenset({STAFF})), **staff_has)
    world = World(assigned=Assigned(groups=frozenset({SALES})), more=[staff])
    world.source.groups = {SALES: {ADA}, STAFF: {ADA}}
    await world.linked()
    await look(world, THEIRS)
    world.clock.advance(timedelta(hours=1))
    world.forget_calls()
    return world


async def test_a_sync_that_observes_takes_nobody_over() -> None:
    """Observe: nobody is adopted. A trial beside a live sync does not stop that one's deprovisioning."""
    world = await both(mode=Mode.OBSERVE)
    world.source.groups[SALES].clear()
    assert names(await look(world, NAME)) == ["SoftDelete"]


async def test_who_was_handed_to_a_trial_loses_access_when_the_trial_is_dropped() -> None:
    """The live sync put Ada out; the trial that observed is taken out of sync.yaml: nobody wants her in."""
    world = await both(mode=Mode.OBSERVE)
    world.source.groups[SALES].clear()
    await look(world, NAME)
    await world.deliver()
    del world.syncs[THEIRS]
    world.deploy()
    world.source.soft_delete(ADA)
    await world.deliver()
    await look(world, NAME)
    assert world.guests() == []

"""A scope's group is deleted by mistake, and a leaver is disabled in the source meanwhile."""

from __future__ import annotations

from datetime import timedelta

from sync_core.model import Assigned, Why
from tests.support.make import ADA, SALES
from tests.support.world import World


async def test_who_is_disabled_in_the_source_loses_sign_in_whatever_the_scope_would_say() -> None:
    """In scope, she would be disabled; out of it, deleted. No verdict leaves her enabled, so one need not be known."""
    world = World(assigned=Assigned(groups=frozenset({SALES})))
    world.source.groups = {SALES: {ADA}}
    await world.linked()
    del world.source.groups[SALES]
    world.change(accountEnabled=False)
    world.clock.advance(timedelta(days=1))
    await world.look(why=Why.NOTIFICATION)
    world.clock.advance(timedelta(days=20))
    await world.look(why=Why.OPERATOR)
    assert world.enabled() == [False]

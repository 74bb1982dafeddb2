"""Scopes that ask for memberships, and worlds that have them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from sync_core.model import MEMBER_OF, Clause, Filter, LinkDigest, Operator, Policy, Why
from sync_core.model.messages import GROUPS

from .make import SALES, STAFF
from .world import World

O = Operator  # noqa: E741
CLUB = "dddddddd-0000-0000-0000-000000000003"


def member(operator: Operator, *groups: str) -> Clause:
    value = groups if operator in (O.IN, O.NOT_IN) else groups[0]
    return Clause(attribute=MEMBER_OF, operator=operator, value=value)


def department(name: str) -> Clause:
    return Clause(attribute="department", operator=O.EQUALS, value=name)


def only(*clauses: Clause) -> tuple[Filter, ...]:
    return (Filter(name="A", clauses=clauses),)


def either(*filters: Sequence[Clause]) -> tuple[Filter, ...]:
    """Several filters, of which one is enough."""
    return tuple(Filter(name=f"F{n}", clauses=clauses) for n, clauses in enumerate(filters))


def grouped(filters: tuple[Filter, ...], policy: Policy | None = None) -> World:
    """With three empty groups."""
    world = World(filters=filters, policy=policy)
    world.source.groups = {SALES: set(), STAFF: set(), CLUB: set()}
    return world


def guarded(*clauses: Clause, policy: Policy | None = None) -> World:
    return grouped(only(*clauses), policy)


async def round_of_groups(world: World) -> list[tuple[str, Why]]:
    world.clock.advance(timedelta(minutes=5))
    await world.feeds.run(await world.started(GROUPS))
    return [(each.user, each.why) for each in await world.nominated()]


async def known_as(known: LinkDigest | None) -> LinkDigest | None:
    """A digest of `same` becomes the one that Ada's link has when her target user is in step."""
    if known is None or known.digest != "same":
        return known
    everybody = World()
    await everybody.linked()
    return replace(known, digest=(await everybody.stored()).digest)

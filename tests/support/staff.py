"""A world for the page: people come and change over a day; some leave, some wait for a person, some are set aside."""

from __future__ import annotations

from datetime import timedelta
from uuid import NAMESPACE_DNS, uuid5

from sync_core.model import GuardLimits, Json

from .world import World

STAFF = (
    *("Adele Vance", "Alex Wilber", "Amina Tanaka", "Ben Kowalski", "Bianca Pisani", "Chloé Haddad", "Diego Siciliani"),
    *("Emily Braun", "Enrico Cattaneo", "Grace Becker", "Henrietta Mueller", "Irvin Sayers", "Isaiah Langer"),
    *("Johanna Lorenz", "Joni Sherman", "Keiko Yılmaz", "Lee Gu", "Lidia Holloway", "Lynne Robbins", "Megan Bowen"),
    *("Miriam Graham", "Nestor Wilke", "Patti Fernandez", "Pradeep Gupta", "Raul Razo", "Zoë Petrov"),
)
LEAVERS = range(7, 13)  # of STAFF: two may be deleted, and the others are held
GUARD = GuardLimits(max_percent=0, min_count=2, window=timedelta(hours=24))


def staff_id(n: int) -> str:
    return str(uuid5(NAMESPACE_DNS, address(n)))


def address(n: int) -> str:
    return f"{STAFF[n].split()[0].lower()}.{n}@contoso.example"


def hire(world: World, n: int, **attributes: Json) -> str:
    known = {"displayName": STAFF[n], "mail": address(n), "userPrincipalName": address(n)}
    world.hire(staff_id(n), "x", **{**known, **attributes})
    return staff_id(n)


async def staffed() -> World:
    """A day at Contoso. The last three of STAFF are in the way of somebody in the target."""
    world = World(guard=GUARD)
    await world.runtime.keep()
    for n in range(len(STAFF) - 3):
        await world.look(hire(world, n))
        world.clock.advance(timedelta(minutes=17))
    for n in range(0, 20, 3):
        world.change(staff_id(n), department="Research & Development")
        await world.look(staff_id(n))
        world.clock.advance(timedelta(minutes=40))
    await _in_the_way(world)
    for n in LEAVERS:
        world.source.soft_delete(staff_id(n))
        await world.look(staff_id(n))
        world.clock.advance(timedelta(minutes=1))
    await world.polled()
    return world


async def _in_the_way(world: World) -> None:
    first = len(STAFF) - 3
    world.target.add("10000000-0000-4000-8000-000000000001", address(first), external=False, displayName=STAFF[first])
    for n in (first + 1, first + 2):
        world.target.add(f"10000000-0000-4000-8000-00000000000{n - first + 1}", address(n), displayName=STAFF[n])
    for n in range(first, len(STAFF)):
        await world.look(hire(world, n))
    world.clock.advance(timedelta(hours=2))

"""A world for the page: people come and change over a day. Some leave, some wait, some are set aside."""

from __future__ import annotations

from datetime import timedelta
from uuid import NAMESPACE_DNS, uuid5

from local.sign_in import PEOPLE
from sync_core.model import ENABLED, GuardLimits, Json, Limit, PlanRun, Receiver, ReceiverKind, Why
from sync_core.ports import PlanJob

from .cli import SYNC
from .planning import work_on_plans
from .world import World

STAFF = (
    *("Adele Vance", "Alex Wilber", "Amina Tanaka", "Ben Kowalski", "Bianca Pisani", "Chloé Haddad", "Diego Siciliani"),
    *("Emily Braun", "Enrico Cattaneo", "Grace Becker", "Henrietta Mueller", "Irvin Sayers", "Isaiah Langer"),
    *("Johanna Lorenz", "Joni Sherman", "Keiko Yılmaz", "Lee Gu", "Lidia Holloway", "Lynne Robbins", "Megan Bowen"),
    *("Miriam Graham", "Nestor Wilke", "Patti Fernandez", "Pradeep Gupta", "Raul Razo", "Zoë Petrov"),
    *("Sara Davis", "Tomás Nunes", "Wanda Howard"),
)
LEAVERS = range(7, 13)  # of STAFF: two may be deleted, and the others are held
GUARD = GuardLimits(max_percent=0, min_count=2, window=timedelta(hours=24))
IN_THE_WAY = range(23, 26)  # of STAFF: a user of the target has their address
BLOCKED, EDITED = 1, 4  # of STAFF: by somebody else, in the target
NEWCOMERS = range(26, 29)  # of STAFF: the ceiling was reached before they came
CEILING = Limit(max_percent=0, min_count=IN_THE_WAY.start, window=timedelta(hours=24))
FILE = f"""\
{SYNC}    deletion_guard: {{ max_percent: 0, min_count: {GUARD.min_count}, window: 24h }}
    creation_guard: {{ max_percent: 0, min_count: {IN_THE_WAY.start}, window: 24h }}
"""
PLAN = "5eed" * 6  # the id of the plan that somebody asked for at the end of the day
TEAMS = Receiver(kind=ReceiverKind.TEAMS, address="XTSYNC_NOTIFY_TEAMS")


def staff_id(n: int) -> str:
    return str(uuid5(NAMESPACE_DNS, address(n)))


def address(n: int) -> str:
    return f"{STAFF[n].split()[0].lower()}.{n}@contoso.example"


def hire(world: World, n: int, **attributes: Json) -> str:
    known = {"displayName": STAFF[n], "mail": address(n), "userPrincipalName": address(n)}
    world.hire(staff_id(n), "x", **{**known, **attributes})
    return staff_id(n)


async def staffed() -> World:
    """A day at Contoso. Everything that waits for a person waits already, and a receiver of notices was told."""
    world = World(guard=GUARD, creation_guard=CEILING, receivers=[TEAMS], text=FILE)
    await world.runtime.keep()
    for n in range(IN_THE_WAY.start):
        await world.look(hire(world, n))
        world.clock.advance(timedelta(minutes=17))
    for n in range(0, 20, 3):
        world.change(staff_id(n), department="Research & Development")
        await world.look(staff_id(n))
        world.clock.advance(timedelta(minutes=40))
    await _by_somebody_else(world, BLOCKED, ENABLED, False)
    await _by_somebody_else(world, EDITED, "department", "Their own")
    await _in_the_way(world)
    for n in LEAVERS:
        world.source.soft_delete(staff_id(n))
        await world.look(staff_id(n))
        world.clock.advance(timedelta(minutes=1))
    for n in NEWCOMERS:
        await world.look(hire(world, n))
        world.clock.advance(timedelta(minutes=7))
    await world.runtime.keep()
    await world.polled()
    await world.upkeep.run()
    await _plan(world)
    world.clock.advance(timedelta(minutes=3))
    return world


async def _plan(world: World) -> None:
    job = PlanJob(id=PLAN, asked_at=world.clock.now(), asked_by=PEOPLE["Reader"], candidate=False)
    await world.storage.plans.add(job, FILE)
    await world.storage.plans.work_on(PlanRun(job=PLAN))
    await work_on_plans(world)


async def _by_somebody_else(world: World, n: int, attribute: str, value: Json) -> None:
    link = await world.stored(staff_id(n))
    world.target.users[link.target_id or ""].attributes[attribute] = value
    await world.look(staff_id(n), why=Why.TARGET)


async def _in_the_way(world: World) -> None:
    first = IN_THE_WAY.start
    world.target.add("10000000-0000-4000-8000-000000000001", address(first), external=False, displayName=STAFF[first])
    for n in (first + 1, first + 2):
        world.target.add(f"10000000-0000-4000-8000-00000000000{n - first + 1}", address(n), displayName=STAFF[n])
    for n in IN_THE_WAY:
        await world.look(hire(world, n))
    world.clock.advance(timedelta(hours=2))

"""A plan judges references to managers as a look does, and says whom it looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

import pytest

from sync_core.model import MANAGER, PlanRun
from sync_core.nominate import feed
from sync_core.ops import documents
from sync_core.ops.plan import plan, shown_extent
from sync_core.ops.plan_jobs import shown_job
from sync_core.ops.sentences import nothing_to_do
from sync_core.ops.why import explain
from sync_core.ports import PlanExtent, PlanJob
from tests.support.make import ADA, BOB
from tests.support.planning import work_on_plans
from tests.support.staff import FILE, PLAN
from tests.support.world import World

CAROL = "cccccccc-0000-0000-0000-000000000003"
CHIEF = "eeeeeeee-0000-0000-0000-000000000005"


@contextmanager
def silent(_title: str, _size: int | None) -> Iterator[Callable[[int], None]]:
    yield lambda _done: None


async def team(*, text: str = "") -> World:
    """Bob manages Ada and Carol, and nobody manages him. All of it was applied."""
    world = World(text=text)
    await world.first_round()
    world.hire(BOB, "Bob")
    await world.look(BOB)
    for user, name in ((ADA, "Ada"), (CAROL, "Carol")):
        world.hire(user, name, manager=BOB)
        await world.look(user)
    await world.deliver()
    return world


async def lost(world: World, user: str = ADA) -> None:
    """The nomination by which this user should have got the manager never arrived."""
    link = await world.stored(user)
    applied = {name: value for name, value in link.applied.items() if name != MANAGER}
    await world.storage.links.save(replace(link, applied=applied))


async def planned(world: World) -> documents.SyncPlan:
    [of] = (await plan(world.runtime, [world.sync], silent)).syncs
    return of


def changes(of: documents.SyncPlan) -> dict[str, documents.Change]:
    return {each.user: each.planned for each in of.users if isinstance(each, documents.PlannedUser)}


async def test_a_manager_whom_a_look_would_write_is_in_the_plan() -> None:
    """A person's page and the plan say the same of one person, and the others are passed over."""
    world = await team()
    await lost(world)
    said = await explain(world.runtime, world.sync, ADA)
    of = await planned(world)
    assert changes(of) == {ADA: said.steps[-1].decision}
    assert dict(of.counts) == {"Update": 1}
    assert (of.extent.looked_at, of.extent.passed_over) == (1, 2)


async def test_whoever_has_their_manager_is_passed_over() -> None:
    """That is told, and so is why; of nobody it is said that nothing is to be done."""
    world = await team()
    of = await planned(world)
    assert (changes(of), of.extent.looked_at, of.extent.passed_over) == ({}, 0, 3)
    said = " ".join(of.extent.sentences)
    assert "The plan looked at nobody" in said
    assert "did not look at 3 people who are linked" in said
    assert nothing_to_do(of.extent.looked_at) == "nobody had to be looked at"
    assert nothing_to_do(1) == "nothing to do for the 1 person looked at"
    assert nothing_to_do(None) == "nothing to do for those looked at"


async def test_a_manager_of_another_life_is_written_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Entra drops references to a user who is deleted: those who report to one who came back need a new one."""
    monkeypatch.setattr(feed, "_CHUNK", 1)  # the manager stands in another chunk than the report
    world = await team()
    bob = await world.stored(BOB)
    assert bob.linked_at is not None
    await world.storage.links.save(replace(bob, linked_at=world.clock.now()))
    of = await planned(world)
    assert set(changes(of)) == {ADA, CAROL}
    assert (of.extent.looked_at, of.extent.passed_over) == (2, 1)


@pytest.mark.parametrize("manager", [ADA, CHIEF])
async def test_no_manager_to_refer_to_is_no_difference(manager: str) -> None:
    """Nobody is their own manager, and one who is not linked cannot be referred to."""
    world = await team()
    await lost(world)
    await world.storage.links.save(replace(await world.stored(ADA), manager=manager))
    world.change(ADA, manager=manager)
    assert changes(await planned(world)) == {}


async def test_a_mapping_without_managers_compares_none() -> None:
    """The record of managers then says nothing about the target."""
    world = await team()
    await lost(world)
    rules = tuple(rule for rule in world.sync.mapping if rule.target != MANAGER)
    world.deploy(mapping=rules)
    await world.runtime.keep()
    assert changes(await planned(world)) == {}


async def test_a_job_finds_the_same_and_keeps_whom_it_looked_at() -> None:
    """Of the linked users, those who are decided on are no longer among those who are passed over."""
    world = await team(text=FILE)
    await lost(world)
    job = PlanJob(id=PLAN, asked_at=world.clock.now(), asked_by="anna", candidate=False)
    await world.storage.plans.add(job, FILE)
    await _work(world)
    done = await world.storage.plans.get(PLAN)
    assert done is not None
    status = shown_job(world.runtime, done)
    [of] = status.syncs
    assert dict(of.counts) == {"Update": 1}
    assert of.extent == (await planned(world)).extent


async def _work(world: World) -> None:
    await world.storage.plans.work_on(PlanRun(job=PLAN))
    await work_on_plans(world)


def test_a_plan_of_an_earlier_version_does_not_say_whom() -> None:
    """It counted nobody, so its numbers are not known and no zeros."""
    said = shown_extent(None)
    assert (said.looked_at, said.passed_over) == (None, None)
    assert said.sentences == ["An earlier version had a hand in this plan, so it is not known at whom it looked."]
    assert PlanExtent(looked_at=3, linked=1, both=2).passed_over == 0


def test_everybody_who_is_linked_was_looked_at() -> None:
    """Then no sentence speaks of those who were not."""
    said = " ".join(shown_extent(PlanExtent(looked_at=1, linked=1, both=1)).sentences)
    assert "The plan looked at 1 person" in said
    assert "who are linked" not in said

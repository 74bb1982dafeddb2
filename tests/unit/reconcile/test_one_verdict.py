"""One read, one verdict: how often a reconciliation judges the scope, maps and decides."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from unittest.mock import Mock, patch

import pytest

from sync_core.decision import look
from sync_core.model import Assigned, Operator
from sync_core.reconcile import fresh
from tests.support.make import ADA, SALES, STAFF
from tests.support.scopes import guarded, member
from tests.support.world import World, names

WORLDS = {
    "everybody": World,
    "assigned by group": lambda: World(assigned=Assigned(groups=frozenset({STAFF}))),
    "kept out by a group": lambda: guarded(member(Operator.NOT_IN, SALES)),
}


@contextmanager
def counted() -> Iterator[dict[str, Mock]]:
    """The three pure steps, as the reconciliation calls them."""
    places = {"scope": (fresh, "scope"), "mapping": (look, "apply_mapping"), "decide": (look, "decide")}
    with ExitStack() as stack:
        yield {
            name: stack.enter_context(patch.object(module, attribute, wraps=getattr(module, attribute)))
            for name, (module, attribute) in places.items()
        }


@pytest.mark.parametrize("world", WORLDS.values(), ids=WORLDS)
async def test_an_update_judges_maps_and_decides_once_for_each_read(world: object) -> None:
    """Two reads: the one that led to the write, and the one that found nothing left to do."""
    here: World = world()  # type: ignore[operator]
    here.source.groups.setdefault(STAFF, set()).add(ADA)
    await here.linked()
    here.change(department="Sales")
    with counted() as calls:
        assert names(await here.look()) == ["Update"]
    assert here.faults.count("source.read_user") == 2
    assert {name: mock.call_count for name, mock in calls.items()} == {"scope": 2, "mapping": 2, "decide": 2}


async def test_a_new_user_is_judged_once_for_each_read() -> None:
    """Invite, Adopt and Update are three decisions on the first read, by one verdict and one mapping."""
    here = World()
    here.hire()
    with counted() as calls:
        assert names(await here.look()) == ["Invite", "Adopt", "Update"]
    assert here.faults.count("source.read_user") == 2
    assert {name: mock.call_count for name, mock in calls.items()} == {"scope": 2, "mapping": 2, "decide": 4}

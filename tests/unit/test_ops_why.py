"""What `why` says of a person to somebody who knows neither the words of the decision nor of Graph."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Control, Why
from sync_core.ops.documents import Explanation
from sync_core.ops.why import explain
from tests.support.make import ADA, HOLD_ALL
from tests.support.world import World


async def asked(world: World) -> Explanation:
    return await explain(world.runtime, world.sync, ADA)


async def test_the_last_look_is_that_of_the_app_and_not_of_the_question() -> None:
    """Null before the first one; one that found nothing to write counts, too."""
    world = World()
    world.hire(ADA)
    assert (await asked(world)).looked_at is None
    await world.look(ADA)
    first = (await asked(world)).looked_at
    assert first is not None
    world.clock.advance(timedelta(hours=1))
    assert (await asked(world)).looked_at == first
    await world.look(ADA, why=Why.OPERATOR)
    second = (await asked(world)).looked_at
    assert second is not None
    assert second - first >= timedelta(hours=1)


async def test_a_held_person_keeps_access_until_somebody_decides() -> None:
    """The way to decide is named, on the page and in the command."""
    world = World(guard=HOLD_ALL)
    world.hire(ADA)
    await world.look(ADA)
    world.source.soft_delete(ADA)
    await world.look(ADA)
    said = (await asked(world)).sentences
    assert "The user is deleted, and can be restored in the source." in said
    assert "The user keeps access until a person decides: see Holds, or `xtsync holds`." in said


@pytest.mark.parametrize("dirty", [False, True])
async def test_a_write_that_was_put_off_is_no_broken_one(*, dirty: bool) -> None:
    """The sentence about a link whose record is distrusted names both causes."""
    world = World()
    world.hire(ADA)
    await world.look(ADA)
    if dirty:
        link = await world.stored(ADA)
        await world.storage.links.save(link.distrusted(disabling=False))
    said = " ".join((await asked(world)).sentences)
    assert ("A write to it was put off, or begun and not recorded" in said) is dirty


async def test_a_paused_sync_is_the_cause_that_is_named() -> None:
    """Nothing is to be done by the person who asks, but to let it go on."""
    world = World()
    world.hire(ADA)
    await world.runtime.pauses.say(world.sync.name, Control.PAUSED, by="anna", reason="a look")
    said = " ".join((await asked(world)).sentences)
    assert "the sync is paused" in said


@pytest.mark.parametrize("dirty", [False, True])
async def test_of_a_deleted_person_no_attribute_is_to_be_written(*, dirty: bool) -> None:
    """A distrusted link without a target user may be about one who comes back, and about no update."""
    world = World()
    world.hire(ADA)
    await world.look(ADA)
    world.source.soft_delete(ADA)
    await world.look(ADA)
    link = await world.stored(ADA)
    await world.storage.links.save(replace(link, dirty=dirty))
    said = " ".join((await asked(world)).sentences)
    assert "was deleted by this sync." in said
    assert "attribute" not in said
    assert ("may still bring it back" in said) is dirty

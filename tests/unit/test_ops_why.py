"""What `why` says of a person to somebody who knows neither the words of the decision nor of Graph."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.model import Control, Why
from sync_core.ops.documents import Explanation, as_json, read_json
from sync_core.ops.drift import drifted_users
from sync_core.ops.pairs import pairs, unlink
from sync_core.ops.why import explain
from tests.support.make import ADA, HOLD_ALL, NAME
from tests.support.world import World


async def asked(world: World) -> Explanation:
    return await explain(world.runtime, world.sync, ADA)


async def edited(world: World) -> None:
    """Somebody gave Ada's guest another department, and a look found it."""
    account = await world.linked()
    account.attributes["department"] = "Their own"
    await world.look(ADA, why=Why.TARGET)


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


async def test_the_pair_and_what_somebody_else_changed_stand_with_the_person() -> None:
    """As the lists have them. Before the first look there is neither."""
    world = World()
    world.hire(ADA)
    assert ((await asked(world)).pair, (await asked(world)).drift) == (None, None)
    await edited(world)
    await unlink(world.runtime, world.sync, ADA, by="anna", reason="theirs now")
    said = await asked(world)
    assert said.pair is not None
    assert said.pair.asked == "unlink"
    assert [said.pair] == (await pairs(world.runtime, [world.sync], limit=2)).pairs
    assert said.drift is not None
    assert [said.drift] == (await drifted_users(world.runtime, [world.sync])).users


async def test_a_pair_that_is_over_is_none() -> None:
    """A user who was seen, and whose target user is nobody's by now."""
    world = World()
    await edited(world)
    await unlink(world.runtime, world.sync, ADA, by="anna", reason="theirs now")
    await world.deliver()
    said = await asked(world)
    assert (said.pair, said.drift) == (None, None)


async def test_a_difference_that_a_newer_version_recorded_is_passed_over() -> None:
    """The list leaves it out, too, and all else of the person is told."""
    world = World()
    await edited(world)
    guards = world.storage.tables_by_name["guards"]
    row = await guards.get(f"drift:{NAME}", ADA)
    assert row is not None
    await guards.replace(replace(row, values={**row.values, "v": 99}), row.etag)
    said = await asked(world)
    assert said.drift is None
    assert said.pair is not None


async def test_an_answer_of_a_version_before_is_read() -> None:
    """It tells neither of the pair nor of what differs."""
    world = World()
    await world.linked()
    document = as_json(await asked(world))
    assert isinstance(document, dict)
    del document["pair"], document["drift"]
    before = read_json(Explanation, document)
    assert (before.pair, before.drift) == (None, None)


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

"""The poll follows the notes of those whose next stage is due, and ends the words to keep that have passed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from sync_core.model import Deprovision, Mode, Policy
from sync_core.ports import Due
from sync_core.upkeep.leavers import AGAIN, KEPT_ENDED, MOST
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, NAME, STAGES
from tests.support.world import World, whom

DAY = timedelta(days=1)


async def left(**options: object) -> World:
    """Ada was deleted in the source two weeks ago, and disabled."""
    world = World(policy=Policy(source_deleted=STAGES), **options)  # type: ignore[arg-type]
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    world.clock.advance(14 * DAY)
    await world.nominated()
    return world


async def due(world: World) -> list[Due]:
    return list(await world.storage.due.page(NAME, 2 * MOST))


async def test_one_who_is_due_is_nominated_and_noted_for_later() -> None:
    """If the guard holds the stage, or the message is lost, another look follows."""
    world = await left()
    await world.upkeep.leavers.run()
    assert whom(await world.nominated()) == [ADA]
    assert [each.at for each in await due(world)] == [world.clock.now() + AGAIN]
    await world.upkeep.leavers.run()
    assert await world.nominated() == []
    world.clock.advance(AGAIN)
    await world.upkeep.leavers.run()
    assert whom(await world.nominated()) == [ADA]


async def test_a_crash_anywhere_leaves_a_message_or_a_note() -> None:
    """The messages and the later notes come first."""
    for n in range(100):
        world = await left()
        world.forget_calls()
        world.faults.fail_at(n, Crash(), after=True)
        try:
            await world.upkeep.leavers.run()
        except Crash:
            nominated, notes = whom(await world.nominated()), await due(world)
            assert nominated or any(each.at <= world.clock.now() for each in notes)
            assert notes
        else:
            assert n > 6
            return


async def test_a_note_of_somebody_who_comes_later_moves_on() -> None:
    """A word to keep deferred the stage: the note of the first time leads to no look."""
    world = await left()
    link = await world.stored()
    assert link.leaving is not None
    later = world.clock.now() + DAY
    await world.storage.links.save(replace(link, leaving=replace(link.leaving, until=later)))
    await world.upkeep.leavers.run()
    assert (await world.nominated(), [each.at for each in await due(world)]) == ([], [later])


async def test_no_note_is_left_of_somebody_who_is_gone_or_at_the_last_stage() -> None:
    """Nothing more comes, so nobody is looked at."""
    world = await left()
    await world.linked(BOB, "Bob")
    bob = await world.stored(BOB)
    world.clock.advance(timedelta(hours=1))
    now = world.clock.now()
    link = await world.stored()
    assert link.leaving is not None
    await world.storage.links.save(replace(link, leaving=replace(link.leaving, until=None, then=None)))
    await world.storage.links.forget(bob)
    await world.storage.due.note(Due(sync=NAME, source_id=BOB, at=now))
    await world.upkeep.leavers.run()
    assert (await world.nominated(), await due(world)) == ([], [])


async def test_no_more_than_so_many_are_followed_at_one_poll() -> None:
    """The next poll goes on with the others, the oldest first."""
    world = await left()
    now = world.clock.now()
    for n in range(MOST):
        await world.storage.due.note(Due(sync=NAME, source_id=f"gone-{n:04}", at=now - 20 * DAY))
    await world.upkeep.leavers.run()
    assert (await world.nominated(), [each.source_id for each in await due(world)]) == ([], [ADA])
    await world.upkeep.leavers.run()
    assert whom(await world.nominated()) == [ADA]


async def test_a_link_of_a_newer_version_is_looked_at_again_and_again() -> None:
    """That version may be back by then: its note stays."""
    world = await left()
    table = world.storage.tables_by_name["links"]
    (row,) = [row async for row in table.query(NAME)]
    await table.replace(replace(row, values={**row.values, "v": 3}), row.etag)
    await world.upkeep.leavers.run()
    assert whom(await world.nominated()) == [ADA]
    assert [each.at for each in await due(world)] == [world.clock.now() + AGAIN]


async def test_a_sync_that_observes_follows_no_note() -> None:
    """Nothing would be done; the notes stay until it runs."""
    world = await left()
    world.deploy(mode=Mode.OBSERVE)
    before = await due(world)
    await world.upkeep.leavers.run()
    assert (await world.nominated(), await due(world)) == ([], before)


async def test_an_instance_with_another_file_follows_no_note() -> None:
    """Its stages may be other ones. The instance that leads does it."""
    world = await left()
    old = world.runtime
    world.deploy(policy=Policy(source_deleted=Deprovision.DISABLE))
    await world.feeds.poll()
    world.clock.advance(timedelta(seconds=5))
    before = await due(world)
    await old.upkeep.leavers.run()
    assert (await world.nominated(), await due(world)) == ([], before)


async def test_a_word_to_keep_that_is_dropped_leads_to_a_look() -> None:
    """A week after its end, also where nothing was due; one that was said anew meanwhile stays."""
    world = await left()
    now = world.clock.now()
    await world.runtime.kept.say(NAME, BOB, now, by="anna", reason="r")
    await world.runtime.kept.say(NAME, ADA, now, by="anna", reason="r")
    await world.upkeep.leavers.run()
    assert BOB not in whom(await world.nominated())
    world.clock.advance(KEPT_ENDED)
    later = world.clock.now() + DAY
    world.faults.after_next(
        "queue.user-changes.send", lambda: world.runtime.kept.say(NAME, ADA, later, by="anna", reason="r")
    )
    await world.upkeep.leavers.run()
    assert set(whom(await world.nominated())) == {ADA, BOB}
    assert [each.source_id for each in await world.storage.keeps.all(NAME)] == [ADA]

"""Graph answers from replicas that may be seconds behind, also about users who exist."""

from __future__ import annotations

from datetime import timedelta

from sync_core.model import Deprovision, Policy, SourceState, SourceUser, Why
from tests.support.make import ADA
from tests.support.world import World, names


def read_old(world: World, *, until: timedelta) -> None:
    """Reads of Ada show her as she is now, whatever is changed from now on, for this long."""
    old = dict(world.source.users[ADA])
    fresh = world.source.read_user
    over = world.clock.now() + until

    async def read_user(user_id: str, groups: object = ()) -> SourceUser:
        if world.clock.now() >= over:
            return await fresh(user_id, groups)  # type: ignore[arg-type]
        newer = world.source.users.get(user_id)
        world.source.users[user_id] = old
        try:
            return await fresh(user_id, groups)  # type: ignore[arg-type]
        finally:
            if newer is None:
                del world.source.users[user_id]
            else:
                world.source.users[user_id] = newer

    world.source.read_user = read_user  # type: ignore[method-assign]


async def test_a_change_that_the_feed_saw_is_found_though_the_read_is_old() -> None:
    """A disable, told by feed and notification within the same seconds, while reads show the old state for 4 s."""
    world = World()
    await world.linked()
    world.clock.advance(timedelta(minutes=5))
    read_old(world, until=timedelta(seconds=4))
    world.change(accountEnabled=False)
    told = world.nomination(why=Why.FEED)
    world.clock.advance(timedelta(seconds=1))
    assert names(await world.look(why=Why.NOTIFICATION)) == []
    await world.worker.handle(told)
    await world.deliver(timedelta(minutes=4))
    assert world.enabled() == [False]


async def test_a_look_that_shows_what_the_feed_saw_is_the_last() -> None:
    """Nothing is asked a second time when the first read has it."""
    world = World()
    await world.linked()
    world.change(accountEnabled=False)
    assert names(await world.look(why=Why.FEED)) == ["Disable"]
    assert await world.nominated() == []


async def test_a_deletion_is_not_undone_by_one_older_read() -> None:
    """The first read and its confirmation were newer than the last one, which shows the leaver as they were."""
    world = World()
    await world.linked()
    world.clock.advance(timedelta(hours=1))
    old = dict(world.source.users[ADA])
    world.source.soft_delete(ADA)
    fresh, calls = world.source.read_user, [0]

    async def read_user(user_id: str, groups: object = ()) -> SourceUser:
        calls[0] += 1
        if calls[0] != 3:
            return await fresh(user_id, groups)  # type: ignore[arg-type]
        return SourceUser(id=ADA, state=SourceState.LIVE, attributes={"id": ADA, **old}, read_at=world.clock.now())

    world.source.read_user = read_user  # type: ignore[method-assign]
    assert names(await world.look()) == ["SoftDelete"]
    assert world.target.users == {}
    await world.deliver()
    assert world.target.users == {}


async def test_one_old_404_disables_nobody() -> None:
    """The same confirmation as before a deletion: one more read."""
    world = World(policy=Policy(source_deleted=Deprovision.DISABLE))
    await world.linked()
    world.clock.advance(timedelta(hours=1))
    fresh, answers = world.source.read_user, [SourceUser(id=ADA, state=SourceState.GONE, read_at=world.clock.now())]

    async def read_user(user_id: str, groups: object = ()) -> SourceUser:
        return answers.pop() if answers else await fresh(user_id, groups)  # type: ignore[arg-type]

    world.source.read_user = read_user  # type: ignore[method-assign]
    await world.look()
    assert world.enabled() != [False]

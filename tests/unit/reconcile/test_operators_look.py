"""An operator's look reads the target user too: what the record says of it may be wrong."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import DeletedInTarget, Deprovision, LinkState, Policy, Reason, Skip, Why
from sync_core.model.errors import UnavailableError
from sync_core.ports import FeedPhase
from tests.support.make import ADA
from tests.support.world import World, names

A_DAY = timedelta(days=1)


async def settled(policy: Policy | None = None) -> tuple[World, str]:
    """Ada's pair a day after it was linked, and her target user."""
    world = World(policy=policy or Policy())
    await world.linked()
    world.clock.advance(A_DAY)
    (guest,) = world.guests()
    return world, guest


async def test_a_target_user_who_was_purged_is_missed() -> None:
    """Nothing changed in the source, and the record says that all is well."""
    world, guest = await settled(Policy(deleted_in_target=DeletedInTarget.RESTORE))
    world.target.remove(guest)
    assert (await world.engine.preview(world.sync, ADA)).change.name == "Restore"
    assert names(await world.look()) == ["Restore", "Update"]
    assert world.in_step()


async def test_by_policy_it_is_left_and_the_look_says_so() -> None:
    """The default: somebody in the target decided that."""
    world, guest = await settled()
    world.target.remove(guest)
    assert (await world.engine.preview(world.sync, ADA)).change == Skip(reason=Reason.DELETED_IN_TARGET)
    outcome = await world.look()
    assert (outcome.changes, outcome.error) == ((), "")
    assert (await world.stored()).state is LinkState.LOST


async def test_a_leaver_whom_somebody_enabled_by_hand_is_disabled_again() -> None:
    """By the policy that disables leavers: the record alone would say that it is done."""
    world, guest = await settled(Policy(source_deleted=Deprovision.DISABLE))
    world.source.soft_delete(ADA)
    await world.look()
    world.target.users[guest].attributes["accountEnabled"] = True
    assert names(await world.look()) == ["Disable"]
    assert world.enabled() == [False]


async def test_whom_somebody_blocked_in_the_target_stays_blocked() -> None:
    """It is not for a look to undo what an administrator of the target did to a person."""
    world, guest = await settled()
    world.target.users[guest].attributes["accountEnabled"] = False
    assert names(await world.look()) == []
    assert world.enabled() == [False]


async def test_a_leaver_whom_somebody_restored_is_deleted_again() -> None:
    """A day after we deleted; the guard counts as always."""
    world, guest = await settled()
    world.source.soft_delete(ADA)
    assert names(await world.look()) == ["SoftDelete"]
    world.target.users[guest] = world.target.deleted.pop(guest)
    assert names(await world.look()) == []  # within 15 minutes a replica may show whom we deleted
    world.clock.advance(A_DAY)
    assert names(await world.look()) == ["SoftDelete"]


async def test_a_converted_user_is_let_go_although_nothing_changed() -> None:
    """An internal user by now: never ours again."""
    world, guest = await settled()
    world.target.users[guest].external = False
    assert names(await world.look()) == ["LetGo"]


@pytest.mark.parametrize("presence", ["target.read_user", "target.presence"])
async def test_one_old_answer_does_not_end_a_pair(presence: str) -> None:
    """The user is there: one replica of Entra did not know yet."""
    world, guest = await settled()
    account = world.target.users.pop(guest)

    async def back() -> None:
        world.target.users[guest] = account

    world.faults.after_next(presence, back)
    assert names(await world.look()) == []
    assert (await world.stored()).state is LinkState.LINKED


async def test_other_looks_do_not_read_the_target() -> None:
    """They come by the thousand; a full round asks for all target users at once instead."""
    world, guest = await settled()
    world.target.remove(guest)
    world.forget_calls()
    await world.look(why=Why.NOTIFICATION)
    assert world.graph_calls() == ["source.read_user"]


async def test_a_full_round_names_those_whose_target_user_is_missing() -> None:
    """One request for a thousand pairs."""
    world, guest = await settled(Policy(deleted_in_target=DeletedInTarget.RESTORE))
    world.source.pages.clear()
    await world.feeds.run(await world.started(full=True))
    assert world.graph_calls().count("target.existing") == 1
    assert await world.nominated() == []
    world.target.remove(guest)
    await world.feeds.run(await world.started(full=True))
    await world.deliver()
    assert world.in_step()


async def test_a_target_that_does_not_answer_stops_no_round(caplog: pytest.LogCaptureFixture) -> None:
    """The other targets of the same source go on; the next full round asks again."""
    world, _ = await settled()
    world.faults.fail_next("target.existing", UnavailableError())
    await world.feeds.run(await world.started(full=True))
    assert (await world.feed()).phase is FeedPhase.IDLE
    assert "feed.targets_not_asked sync=contoso-to-fabrikam error=Unavailable" in caplog.messages

"""The answer to an invitation is lost: its guest is nobody else's, and goes with its user."""

from __future__ import annotations

from datetime import timedelta

import pytest

from sync_core.model import LinkState, Why
from sync_core.model.errors import UnavailableError
from tests.support.make import ADA
from tests.support.world import World


@pytest.mark.parametrize("mail", ["ada@elsewhere.example", None])
async def test_the_guest_of_a_lost_invitation_does_not_outlive_its_user(mail: str | None) -> None:
    """Whatever a look in between refuses: the guest was made by us, so it goes when Ada does."""
    world = World()
    world.hire()
    world.target.replication = timedelta(minutes=3)
    world.faults.fail_next("target.invite", UnavailableError(), after=True)
    await world.look(why=Why.NOTIFICATION)
    assert len(world.target.users) == 1
    world.change(mail=mail)
    if mail is None:
        world.change(userPrincipalName=None)
    world.clock.advance(timedelta(seconds=10))
    await world.look(why=Why.NOTIFICATION)
    world.clock.advance(timedelta(hours=1))
    await world.deliver()
    world.source.soft_delete(ADA)
    for _ in range(3):
        world.clock.advance(timedelta(hours=1))
        await world.look(why=Why.NOTIFICATION)
    assert world.target.users == {}


async def test_an_address_that_changes_while_the_guest_replicates_makes_no_second_guest() -> None:
    """The answer was lost, the guest is not shown yet, and her name changes: Ada has one guest, and then none."""
    world = World()
    world.hire()
    world.target.replication = timedelta(minutes=3)
    world.faults.fail_next("target.invite", UnavailableError(), after=True)
    await world.look(why=Why.NOTIFICATION)
    world.change(mail="ada.king@contoso.example")
    world.clock.advance(timedelta(seconds=10))
    await world.look(why=Why.NOTIFICATION)
    await world.deliver(timedelta(minutes=10))
    world.clock.advance(timedelta(hours=1))
    assert (await world.stored()).state is LinkState.LINKED
    world.source.soft_delete(ADA)
    await world.look()
    await world.deliver()
    assert world.target.users == {}

"""A guest of another organisation bears Ada's address among `otherMails` only, and is adopted as Ada by policy."""

from __future__ import annotations

from sync_core.model import Adoption, Policy
from tests.support.make import ADDRESS
from tests.support.world import World, names


async def test_somebody_who_signs_in_with_another_organisations_address_is_not_adopted_by_policy() -> None:
    """Mallory's guest was invited as mallory@evil.example; somebody wrote Ada's address beside it."""
    world = World(policy=Policy(adopt=Adoption.GUESTS))
    world.target.add(
        "mallory", "mallory@evil.example", mail="mallory@evil.example", otherMails=[ADDRESS], displayName="Mallory"
    )
    world.hire()
    outcome = await world.look()
    assert names(outcome) == []
    assert world.target.users["mallory"].attributes["displayName"] == "Mallory"

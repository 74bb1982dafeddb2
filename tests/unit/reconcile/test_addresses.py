"""The address to invite: of the source's own domains, of those that sync.yaml names, and by which attribute."""

from __future__ import annotations

import pytest

from sync_core.model import Adoption, InviteBy, Policy, Reason
from sync_core.model.errors import DomainsUnknownError
from tests.support.make import ADDRESS, GUEST
from tests.support.world import World, names

MALLORY = "mallory@evil.example"


@pytest.mark.parametrize("adopt", list(Adoption))
@pytest.mark.parametrize("there", [False, True], ids=["nobody there", "a guest there"])
async def test_a_mail_address_of_another_organisation_gives_nobody_access(adopt: Adoption, there: bool) -> None:
    """Somebody wrote mallory's address into Ada's `mail`: mallory is neither invited nor adopted as Ada."""
    world = World(policy=Policy(adopt=adopt))
    world.hire(mail=MALLORY)
    if there:
        world.target.add("mallory", MALLORY, displayName="Mallory")
    assert (await world.look()).error == Reason.FOREIGN_ADDRESS
    assert world.target.writes == []


async def test_once_the_address_is_corrected_the_user_is_invited() -> None:
    """The refusal leaves nothing behind."""
    world = World()
    world.hire(mail=MALLORY)
    await world.look()
    world.change(mail=ADDRESS)
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    assert world.in_step()


async def test_an_address_of_a_verified_domain_is_invited() -> None:
    """The principal name is often of another domain of the same tenant; letters may be of either case."""
    world = World()
    world.hire(userPrincipalName="ada@contoso.com", mail="Ada@Contoso.EXAMPLE")
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]


async def test_an_address_of_the_domain_of_the_principal_name_asks_nothing() -> None:
    """Entra has verified that domain. So most newcomers cost no request, and need no further permission."""
    world = World()
    world.faults.fail_next("source.verified_domains", DomainsUnknownError())
    world.hire()
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]


@pytest.mark.parametrize("named", ["evil.example", "*"])
async def test_a_domain_that_the_configuration_names_is_invited(named: str) -> None:
    """The source's own domains are not even asked for."""
    world = World(domains=frozenset({named}))
    world.hire(mail=MALLORY)
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    assert world.guests(MALLORY) != []
    assert "source.verified_domains" not in world.graph_calls()


async def test_by_the_principal_name_alone_mail_invites_nobody() -> None:
    """`matching: { invite: userPrincipalName }`: whatever stands in `mail`, the user's own account is invited."""
    world = World(invite=InviteBy.PRINCIPAL_NAME)
    world.hire(mail=MALLORY)
    assert names(await world.look()) == ["Invite", "Adopt", "Update"]
    assert ("invite", ADDRESS) in world.target.writes
    nobody = World(invite=InviteBy.PRINCIPAL_NAME)
    nobody.hire(userPrincipalName=None)
    assert (await nobody.look()).error == Reason.NO_ADDRESS


async def test_domains_that_cannot_be_read_park_the_user_with_a_remedy() -> None:
    """Nobody is invited on a guess; the hint names the permission and the key of sync.yaml."""
    world = World()
    world.faults.fail_next("source.verified_domains", DomainsUnknownError())
    world.hire(mail=MALLORY)
    assert (await world.look()).error == DomainsUnknownError().code
    assert world.target.writes == []
    assert "Organization.Read.All" in DomainsUnknownError.hint


async def test_a_pair_that_is_linked_stays_so_whatever_its_address_becomes() -> None:
    """The address chooses whom to invite, and nothing else: `mail` is an attribute of a linked user like any other."""
    world = World()
    await world.linked()
    world.change(mail=MALLORY)
    assert names(await world.look()) == ["Update"]


async def test_a_person_may_still_let_a_user_adopt_a_guest_of_another_domain() -> None:
    """`xtsync adopt` is a person's word about exactly this guest."""
    world = World()
    world.hire(mail=MALLORY)
    world.target.add(GUEST, MALLORY)
    await world.look()
    await world.storage.links.save((await world.stored()).approved(GUEST))
    assert names(await world.look()) == ["Adopt", "Update"]


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

"""Invitations: the user they make, and every address that cannot be invited."""

from typing import Any

import httpx
import pytest

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.testing import CONTOSO, FABRIKAM, Graph, World

ADA = "ada@contoso.com"


@pytest.fixture
def graph(world: World) -> Graph:
    return world.fabrikam


async def invite(graph: Graph, address: str = ADA, **more: Any) -> httpx.Response:
    body = {"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://myapps.microsoft.com"}
    return await graph.post("/invitations", body | more)


async def guest(world: World, graph: Graph, address: str = ADA, **more: Any) -> User:
    answer = (await invite(graph, address, **more)).raise_for_status()
    return world.target.user(answer.json()["invitedUser"]["id"])


def member(world: World, mail: str, **more: Any) -> User:
    name = f"{mail.partition('@')[0]}@fabrikam.com"
    return world.target.create({"displayName": "M", "mail": mail, "userPrincipalName": name} | more)


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["message"]


async def test_the_answer_to_an_invitation(world: World, graph: Graph) -> None:
    """201 with the redeem URL, the status and the invited user's id and principal name."""
    answer = await invite(graph, invitedUserDisplayName="Ada Lovelace")
    assert answer.status_code == 201
    body = answer.json()
    assert body["@odata.context"].endswith("/v1.0/$metadata#invitations/$entity")
    assert body["inviteRedeemUrl"].startswith("https://login.microsoftonline.com/redeem?rd=")
    assert (body["status"], body["invitedUserType"]) == ("PendingAcceptance", "Guest")
    assert (body["sendInvitationMessage"], body["resetRedemption"]) == (False, False)
    assert body["invitedUserMessageInfo"]["ccRecipients"] == [{"emailAddress": {"name": None, "address": None}}]
    assert body["invitedUser"]["userPrincipalName"] == "ada_contoso.com#EXT#@fabrikam.onmicrosoft.com"


async def test_the_user_that_an_invitation_makes(world: World, graph: Graph) -> None:
    """A guest, enabled, pending, with the address as mail, proxy address and other mail."""
    user = await guest(world, graph)
    select = "userType,creationType,externalUserState,externalUserStateChangeDateTime,accountEnabled,mail,otherMails"
    body = (await graph.get(f"/users/{user.id}", select=f"{select},proxyAddresses,displayName,usageLocation")).json()
    body.pop("@odata.context")
    assert body == {
        "id": user.id,
        "userType": "Guest",
        "creationType": "Invitation",
        "externalUserState": "PendingAcceptance",
        "externalUserStateChangeDateTime": "2026-01-05T09:00:00Z",
        "accountEnabled": True,
        "mail": ADA,
        "otherMails": [ADA],
        "proxyAddresses": [f"SMTP:{ADA}"],
        "displayName": "ada",
        "usageLocation": None,
    }


async def test_a_member_needs_more_than_the_right_to_invite(world: World) -> None:
    """User.Invite.All alone makes guests only."""
    inviter = world.graph(FABRIKAM, roles=["User.Invite.All"])
    assert (await invite(inviter)).status_code == 201
    assert (await invite(inviter, "ben@contoso.com", invitedUserType="Member")).status_code == 403
    both = world.graph(FABRIKAM, roles=["User.Invite.All", "User.ReadWrite.All"])
    assert (await guest(world, both, "ben@contoso.com", invitedUserType="Member")).properties["userType"] == "Member"


async def test_inviting_again_gives_the_same_user_and_another_ticket(world: World, graph: Graph) -> None:
    """So an invitation may be repeated after a lost answer."""
    first, second = (await invite(graph)).json(), (await invite(graph, ADA.upper())).json()
    assert first["invitedUser"]["id"] == second["invitedUser"]["id"]
    assert first["inviteRedeemUrl"] != second["inviteRedeemUrl"]
    assert world.target.guest_count == 1


async def test_automatic_redemption_needs_both_tenants(world: World, graph: Graph) -> None:
    """With one side only, the guest stays pending."""
    await world.control("PUT", f"/tenants/{FABRIKAM}/settings", {"automatic_redemption": [CONTOSO]})
    assert (await guest(world, graph)).properties["externalUserState"] == "PendingAcceptance"
    await world.control("PUT", f"/tenants/{CONTOSO}/settings", {"automatic_redemption": [FABRIKAM]})
    ben = await guest(world, graph, "ben@contoso.com")
    assert ben.properties["externalUserState"] == "Accepted"
    assert {"signInType": "federated", "issuer": "ExternalAzureAD", "issuerAssignedId": None} in ben.properties[
        "identities"
    ]


async def test_a_guest_redeems(world: World, graph: Graph) -> None:
    """The state and its time change; inviting again then shows Completed."""
    user = await guest(world, graph)
    world.clock.advance(60)
    assert await world.control("POST", f"/tenants/{FABRIKAM}/redeem", {"users": [user.id]}) == {"redeemed": 1}
    assert user.properties["externalUserState"] == "Accepted"
    assert user.properties["externalUserStateChangeDateTime"] == "2026-01-05T09:01:00Z"
    assert (await invite(graph)).json()["status"] == "Completed"


async def test_a_guest_becomes_internal(world: World, graph: Graph) -> None:
    """The id, the address and `creationType` stay; the name is one of the tenant, and has to be free."""
    user = await guest(world, graph)
    mail, path = user.properties["mail"], f"/tenants/{FABRIKAM}/convert"
    taken = member(world, "bob@fabrikam.com").properties["userPrincipalName"]
    for name in ("ada@elsewhere.com", "", taken):
        answer = await world.http.request(
            "POST", f"/_emulator{path}", json={"user": user.id, "userPrincipalName": name}
        )
        assert answer.status_code == 400
    await world.control("POST", path, {"user": user.id, "userPrincipalName": "ada@fabrikam.com"})
    shown = (
        await graph.get(f"/users/{user.id}", select="id,mail,userPrincipalName,creationType,externalUserState")
    ).json()
    assert {name: shown[name] for name in ("mail", "userPrincipalName", "creationType", "externalUserState")} == {
        "mail": mail,
        "userPrincipalName": "ada@fabrikam.com",
        "creationType": "Invitation",
        "externalUserState": None,
    }


async def test_an_internal_user_with_the_address_is_an_error_that_names_it(world: World, graph: Graph) -> None:
    """Wherever the address is held; a blocked account has its own words."""
    ada = member(world, ADA)
    text = f"The invited user already exists in the directory as objectID: {ada.id}."
    assert refusal(await invite(graph))[0] == 400
    assert refusal(await invite(graph))[1].startswith(text)
    world.target.update(ada, {"accountEnabled": False})
    assert f"as object ID: {ada.id}, but the account is blocked" in refusal(await invite(graph))[1]
    ben = member(world, "ben@fabrikam.com", otherMails=["ben@contoso.com"])
    assert ben.id in refusal(await invite(graph, "ben@contoso.com"))[1]


@pytest.mark.parametrize(
    ("settings", "address", "status", "words"),
    [
        ({}, "new@fabrikam.com", 400, "is a verified domain of this directory"),
        ({"guest_invitations": False}, ADA, 403, "Guest invitations not allowed for your company"),
        ({"blocked_domains": ["contoso.com"]}, ADA, 400, "blocked by cross-tenant access settings"),
        ({"group_addresses": ["all@contoso.com"]}, "All@contoso.com", 400, "Group email address is not supported"),
    ],
)
async def test_addresses_that_policy_refuses(
    world: World, graph: Graph, settings: dict[str, Any], address: str, status: int, words: str
) -> None:
    """Each with Graph's own words."""
    await world.control("PUT", f"/tenants/{FABRIKAM}/settings", settings)
    answer = await invite(graph, address)
    assert answer.status_code == status
    assert words in refusal(answer)[1]
    assert world.target.user_count == 0


@pytest.mark.parametrize("mark", list('~!#$%^&*()+=[]{}\\/|;:"<>?,@ '))
async def test_characters_that_an_address_may_not_have(graph: Graph, mark: str) -> None:
    """Microsoft's list."""
    assert (await invite(graph, f"a{mark}b@contoso.com")).status_code == 400


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (".ada@contoso.com", 400),
        ("ada.@contoso.com", 400),
        ("-ada@contoso.com", 400),
        ("ada-@contoso.com", 400),
        ("a.d-a_@contoso.com", 201),
        ("_@contoso.com", 201),
        ("ada", 400),
        ("@contoso.com", 400),
    ],
)
async def test_where_dots_hyphens_and_underscores_may_be(graph: Graph, address: str, status: int) -> None:
    """Dots and hyphens not at the ends of the name; underscores anywhere."""
    assert (await invite(graph, address)).status_code == status


@pytest.mark.parametrize("missing", ["invitedUserEmailAddress", "inviteRedirectUrl"])
async def test_what_an_invitation_must_have(graph: Graph, missing: str) -> None:
    """The address and the redirect URL."""
    both = {"invitedUserEmailAddress": ADA, "inviteRedirectUrl": "https://myapps.microsoft.com"}
    answer = await graph.post("/invitations", {name: value for name, value in both.items() if name != missing})
    assert refusal(answer) == (400, f"A value is required for property '{missing}' of resource 'Invitation'.")


async def test_a_soft_deleted_guest_is_not_found_by_an_invitation(world: World, graph: Graph) -> None:
    """A new user is made, and the old one can then not be restored."""
    old = await guest(world, graph)
    await graph.delete(f"/users/{old.id}")
    new = await guest(world, graph)
    assert new.id != old.id
    assert (await graph.post(f"/directory/deletedItems/{old.id}/restore")).status_code == 400


async def test_redemption_can_be_reset(world: World, graph: Graph) -> None:
    """To an address that the guest has among its other mails; the principal name stays."""
    user = await guest(world, graph)
    world.target.update(user, {"externalUserState": "Accepted"})
    invited: dict[str, Any] = {"resetRedemption": True, "invitedUser": {"id": user.id}}
    assert (await invite(graph, "other@contoso.com", **invited)).status_code == 400
    world.target.update(user, {"otherMails": ["other@contoso.com"]})
    answer = await invite(graph, "other@contoso.com", **invited)
    assert (answer.status_code, answer.json()["invitedUser"]["id"]) == (201, user.id)
    assert user.properties["externalUserState"] == "PendingAcceptance"


async def test_a_new_guest_takes_a_moment_to_appear(world: World, graph: Graph) -> None:
    """The invitation is answered; the PATCH that must follow fails at first."""
    world.target.settings.visibility_s = 0.2
    user = await guest(world, graph)
    answer = await graph.patch(f"/users/{user.id}", {"department": "Sales"})
    assert refusal(answer) == (404, "Unable to read the company information from the directory.")
    world.clock.advance(0.2)
    assert (await graph.patch(f"/users/{user.id}", {"department": "Sales"})).status_code == 204


async def test_an_invitation_may_succeed_without_a_user(world: World, graph: Graph) -> None:
    """It has happened; only reading the user afterwards shows it."""
    world.target.settings.phantom_invitations = 1.0
    answer = await invite(graph)
    assert answer.status_code == 201
    assert (await graph.get(f"/users/{answer.json()['invitedUser']['id']}")).status_code == 404


async def test_a_contact_keeps_its_address_from_guests(world: World, graph: Graph) -> None:
    """The guest is made without mail, and a PATCH that gives it is a conflict (microsoft-graph-docs-contrib #8421)."""
    world.target.settings.contact_addresses = ["Ada@contoso.com"]
    user = await guest(world, graph)
    assert (user.properties["mail"], user.properties["proxyAddresses"]) == (None, [])
    answer = await graph.patch(f"/users/{user.id}", {"mail": ADA, "city": "X"})
    assert answer.status_code == 400
    error = answer.json()["error"]
    assert error["message"] == "Another object with the same value for property proxyAddresses already exists."
    assert [each["code"] for each in error["details"]] == ["ObjectConflict", "ConflictingObjects"]
    assert error["details"][0]["target"] == "proxyAddresses"
    assert error["details"][1]["target"].startswith("Contact_")
    assert user.properties.get("city") is None


async def test_a_refusal_may_name_nothing(world: World, graph: Graph) -> None:
    """A setting makes a PATCH of one property such a 400; nothing of it is written."""
    world.target.settings.unnamed_refusals = ["jobTitle"]
    user = await guest(world, graph)
    answer = await graph.patch(f"/users/{user.id}", {"jobTitle": "Poet", "city": "X"})
    assert refusal(answer) == (400, "Invalid request.")
    assert user.properties.get("city") is None
    assert (await graph.patch(f"/users/{user.id}", {"city": "X"})).status_code == 204

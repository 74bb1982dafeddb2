"""What a request's body may say, case by case, through plain HTTP and through msgraph-sdk."""

import gzip
from typing import Any

import pytest

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.testing import CONTOSO, World
from tests.support.graph_clients import Client, documented

INVITATION = "https://learn.microsoft.com/graph/api/resources/invitation"
SUBSCRIPTION = "https://learn.microsoft.com/graph/api/resources/subscription"
UNREADABLE = "Unable to read JSON request payload."
INVITE = {"invitedUserEmailAddress": "eve@fabrikam.com", "inviteRedirectUrl": "https://myapps.microsoft.com"}


@pytest.fixture
def ada(world: World) -> User:
    return world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})


@documented("https://learn.microsoft.com/graph/errors")
async def test_a_principal_name_that_is_none(client: Client, ada: User) -> None:
    """It has a message of its own, and a detail."""
    refused = await client("PATCH", f"/users/{ada.id}", {"userPrincipalName": "ada"})
    assert (refused.status, refused.code) == (400, "Request_BadRequest")
    assert refused.message == "Property userPrincipalName is invalid."


@documented("https://learn.microsoft.com/graph/errors")
async def test_the_detail_of_a_principal_name_that_is_none(world: World, ada: User) -> None:
    """It says which property."""
    refused = await world.contoso.patch(f"/users/{ada.id}", {"userPrincipalName": "ada"})
    assert refused.json()["error"]["details"] == [{"target": "userPrincipalName", "code": "InvalidValue"}]


@documented("https://learn.microsoft.com/graph/api/user-update", "https://learn.microsoft.com/graph/api/group-update")
async def test_a_body_says_of_what_type_it_is(client: Client, world: World, ada: User) -> None:
    """Another type than the path's is refused; its own, as SDKs send it, is not."""
    group = world.source.groups.create({"displayName": "G", "mailNickname": "g", "securityEnabled": True})
    for path, own, other in (("users/" + ada.id, "user", "group"), ("groups/" + group.id, "group", "user")):
        said = {"@odata.type": f"#microsoft.graph.{own}", "displayName": "New"}
        assert (await client("PATCH", f"/{path}", said)).status == 204
        refused = await client("PATCH", f"/{path}", said | {"@odata.type": f"#microsoft.graph.{other}"})
        assert (refused.status, refused.code) == (400, "BadRequest")
        assert f"expected type 'microsoft.graph.{own}'" in refused.message


@documented("https://learn.microsoft.com/graph/errors")
@pytest.mark.parametrize(
    ("body", "headers"),
    [
        (b'{"city":"Rome","city":"Oslo"}', {}),
        # The SDKs that compress bodies take this answer for a no and send them again as they are.
        (gzip.compress(b'{"city":"Rome"}', mtime=0), {"Content-Encoding": "gzip"}),
    ],
)
async def test_bodies_that_are_not_read(world: World, ada: User, body: bytes, headers: dict[str, str]) -> None:
    """A name given twice, and a compressed body; nothing is written."""
    token = world.emulator.token(CONTOSO)
    sent = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
    refused = await world.http.patch(f"/v1.0/users/{ada.id}", content=body, headers=sent)
    assert (refused.status_code, refused.json()["error"]["code"]) == (400, "BadRequest")
    assert refused.json()["error"]["message"].startswith(UNREADABLE)
    assert "city" not in ada.properties


@documented(INVITATION, SUBSCRIPTION)
@pytest.mark.parametrize("path", ["invitations", "subscriptions"])
async def test_what_a_type_does_not_declare_is_refused(client: Client, path: str) -> None:
    """Neither is an open type; annotations are no properties."""
    body: dict[str, Any] = INVITE if path == "invitations" else {"resource": "users"}
    refused = await client("POST", f"/{path}", body | {"shoeSize": 43, "@odata.type": f"#microsoft.graph.{path[:-1]}"})
    assert (refused.status, refused.code) == (400, "BadRequest")
    assert refused.message.startswith(f"The property 'shoeSize' does not exist on type 'microsoft.graph.{path[:-1]}'.")


@documented(INVITATION)
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("sendInvitationMessage", "yes"),
        ("resetRedemption", 1),
        ("inviteRedirectUrl", "my apps"),
        ("invitedUserDisplayName", ["Eve"]),
        ("invitedUserMessageInfo", "Welcome"),
        ("invitedUserSponsors", {}),
        ("invitedUserType", "Robot"),
    ],
)
async def test_values_that_an_invitation_does_not_take(world: World, client: Client, name: str, value: Any) -> None:
    """Nobody is made by them."""
    refused = await client("POST", "/invitations", INVITE | {name: value})
    assert (refused.status, refused.code) == (400, "Request_BadRequest")
    assert refused.message == f"Invalid value specified for property '{name}' of resource 'Invitation'."
    assert world.source.user_count == 0


@documented("https://learn.microsoft.com/graph/api/invitation-post")
async def test_a_reset_names_whom_it_resets(client: Client) -> None:
    """400, not a search for nobody."""
    refused = await client("POST", "/invitations", INVITE | {"resetRedemption": True})
    assert (refused.status, refused.code) == (400, "Request_BadRequest")
    assert refused.message == "A value is required for property 'invitedUser' of resource 'Invitation'."


@documented("https://learn.microsoft.com/graph/json-batching")
async def test_ids_of_a_batch_are_not_case_sensitive(client: Client) -> None:
    """`a` and `A` are the same request, and a dependency may write either."""
    first, second = {"id": "a", "method": "GET", "url": "/users"}, {"id": "A", "method": "GET", "url": "/users"}
    assert (await client("POST", "/$batch", {"requests": [first, second]})).status == 400
    answer = await client("POST", "/$batch", {"requests": [first, second | {"id": "b", "dependsOn": ["A"]}]})
    assert [each["status"] for each in answer.body["responses"]] == [200, 200]


@documented("https://learn.microsoft.com/graph/api/user-list-manager")
async def test_a_manager_who_is_not_there(client: Client, ada: User) -> None:
    """404 in words that clients look for."""
    missing = await client("GET", f"/users/{ada.id}/manager")
    assert (missing.status, missing.code) == (404, "Request_ResourceNotFound")
    assert missing.message.startswith("Resource 'manager' does not exist or one of its")


@documented("https://learn.microsoft.com/graph/api/resources/objectidentity")
@pytest.mark.parametrize(
    ("identity", "status"),
    [
        ({"issuer": "x" * 512, "issuerAssignedId": "y" * 64}, 204),
        ({"issuer": "x" * 513, "issuerAssignedId": "y"}, 400),
        ({"issuer": "x", "issuerAssignedId": "y" * 65}, 400),
    ],
)
async def test_the_lengths_of_identities(client: Client, ada: User, identity: dict[str, str], status: int) -> None:
    """512 characters for an issuer, 64 for the id that it assigned."""
    own = {"signInType": "userPrincipalName", "issuer": "contoso.com", "issuerAssignedId": "ada@contoso.com"}
    written = await client("PATCH", f"/users/{ada.id}", {"identities": [own, {"signInType": "federated"} | identity]})
    assert written.status == status


@documented("https://learn.microsoft.com/graph/extensibility-overview")
async def test_an_object_has_a_hundred_values_of_extensions(client: Client, world: World, ada: User) -> None:
    """One that is cleared makes room."""
    names = [f"extension_{'0' * 32}_n{n}" for n in range(101)]
    for name in names:
        world.source.apps.declare_extension(name)
    assert (await client("PATCH", f"/users/{ada.id}", dict.fromkeys(names[:100], "x"))).status == 204
    assert (await client("PATCH", f"/users/{ada.id}", {names[100]: "x"})).code == "Request_BadRequest"
    assert (await client("PATCH", f"/users/{ada.id}", {names[100]: "x", names[0]: None})).status == 204


@documented("https://learn.microsoft.com/graph/api/resources/groups-overview")
async def test_a_group_stays_what_it_was_made(client: Client, world: World) -> None:
    """A security group does not become one of Microsoft 365; its membership may become dynamic."""
    group = world.source.groups.create({"displayName": "G", "mailNickname": "g", "securityEnabled": True})
    refused = await client("PATCH", f"/groups/{group.id}", {"groupTypes": ["Unified"]})
    assert (refused.status, refused.code) == (400, "Request_BadRequest")
    rule = {"groupTypes": ["DynamicMembership"], "membershipRule": 'user.department -eq "R"'}
    assert (await client("PATCH", f"/groups/{group.id}", rule)).status == 204

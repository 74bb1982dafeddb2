"""Users as today's pages have them: refused writes, protected people, hidden properties, what Entra fills in."""

from typing import Any

import pytest

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.testing import CONTOSO, World
from tests.support.graph_clients import Client, HttpClient, documented

API = "https://learn.microsoft.com/graph/api"
ROLES = ["User.ReadWrite.All", "User-PasswordProfile.ReadWrite.All", "User.DeleteRestore.All"]
NEW = {
    "accountEnabled": True,
    "displayName": "Ada",
    "mailNickname": "ada",
    "userPrincipalName": "ada@contoso.com",
    "passwordProfile": {"password": "Correct-horse-1"},
}
COMPLEXITY = "The specified password does not comply with password complexity requirements."


@pytest.fixture
def ben(world: World) -> User:
    return world.source.create({"displayName": "Ben", "userPrincipalName": "ben@contoso.com"})


@documented(f"{API}/resources/passwordprofile")
@pytest.mark.parametrize(
    ("profile", "message"),
    [
        ({}, "A password must be specified to create a new user."),
        ({"forceChangePasswordNextSignIn": True}, "A password must be specified to create a new user."),
        ({"password": "Short-1"}, COMPLEXITY),
        ({"password": "onlysmallletters"}, COMPLEXITY),
        ({"password": "small-letters-and-signs"}, COMPLEXITY),
        ({"password": f"Long-{'1' * 252}"}, COMPLEXITY),
        ({"password": 12345678}, COMPLEXITY),
        ({"password": "Correct-horse-1", "forceChangePasswordNextSignIn": "yes"}, "Invalid value specified"),
        ({"password": "Correct-horse-1", "hint": "a horse"}, "The property 'hint' does not exist"),
    ],
)
async def test_a_new_user_has_a_strong_password(client: Client, profile: dict[str, Any], message: str) -> None:
    """8 to 256 characters of three kinds (resources/passwordprofile and concept-sspr-policy, 2026-07)."""
    refused = await client("POST", "/users", NEW | {"passwordProfile": profile})
    assert refused.status == 400
    assert refused.message.startswith(message)
    assert (await client("POST", "/users", NEW)).body["displayName"] == "Ada"


@documented(f"{API}/resources/user")
async def test_a_policy_may_allow_weak_passwords(client: Client) -> None:
    """DisableStrongPassword (resources/user, passwordPolicies, 2026-07-03)."""
    weak = NEW | {"passwordProfile": {"password": "weak"}, "passwordPolicies": "DisableStrongPassword"}
    assert (await client("POST", "/users", weak)).body["id"]


@documented(f"{API}/resources/user")
@pytest.mark.parametrize(
    ("name", "good", "bad"),
    [
        ("ageGroup", "NotAdult", "Child"),
        ("consentProvidedForMinor", "NotRequired", "Maybe"),
        ("passwordPolicies", "DisablePasswordExpiration, DisableStrongPassword", "NeverExpire"),
    ],
)
async def test_values_are_among_those_of_the_page(client: Client, ben: User, name: str, good: str, bad: str) -> None:
    """Any other is refused, null is not (resources/user, 2026-07-03)."""
    refused = await client("PATCH", f"/users/{ben.id}", {name: bad})
    assert (refused.status, refused.code) == (400, "Request_BadRequest")
    for value in (good, None):
        assert (await client("PATCH", f"/users/{ben.id}", {name: value})).status == 204


@documented(f"{API}/resources/user")
@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mail", "jürgen@contoso.com"),
        ("otherMails", ["josé@home.example"]),
        ("mailNickname", "josé"),
        ("userPrincipalName", "josé@contoso.com"),
        ("userPrincipalName", "ben.@contoso.com"),
        ("userPrincipalName", "b+en@contoso.com"),
        ("userPrincipalName", f"{'b' * 65}@contoso.com"),
        ("userPrincipalName", f"ben@{'c' * 45}.com"),
    ],
)
async def test_addresses_have_no_accents(client: Client, ben: User, name: str, value: Any) -> None:
    """Principal names have few signs and 64 + 48 characters (resources/user and concept-sspr-policy, 2026-07-03)."""
    refused = await client("PATCH", f"/users/{ben.id}", {name: value})
    assert (refused.status, refused.code) == (400, "Request_BadRequest")


@documented(f"{API}/resources/user")
@pytest.mark.parametrize("local", ["o'neil", "a.b-c_d!e#f^g~h", "B" * 64])
async def test_signs_that_a_principal_name_may_have(client: Client, ben: User, local: str) -> None:
    """A-Z a-z 0-9 ' . - _ ! # ^ ~ (concept-sspr-policy, 2026-07)."""
    body = {"userPrincipalName": f"{local}@contoso.com"}
    assert (await client("PATCH", f"/users/{ben.id}", body)).status == 204


@documented("https://learn.microsoft.com/graph/errors")
@pytest.mark.parametrize("plural", ["users", "groups"])
async def test_an_empty_change_is_no_change(world: World, client: Client, ben: User, plural: str) -> None:
    """Observed of Graph, 2026-11-28: 400 BadRequest."""
    group = world.source.groups.create({"displayName": "G", "mailNickname": "g"})
    refused = await client("PATCH", f"/{plural}/{ben.id if plural == 'users' else group.id}", {})
    assert (refused.status, refused.code) == (400, "BadRequest")
    assert refused.message == "Empty Payload. JSON content expected."


@documented("https://github.com/microsoftgraph/msgraph-sdk-python")
async def test_a_name_in_pythons_spelling_is_refused(client: Client, ben: User) -> None:
    """The Python SDK sends `job_title` if None is assigned (observed 2026-11-28)."""
    assert (await client("PATCH", f"/users/{ben.id}", {"job_title": None})).status == 400


@documented("https://github.com/microsoftgraph/microsoft-graph-docs-contrib/issues/8421")
@pytest.mark.parametrize("holder", ["user", "contact", "group"])
async def test_an_address_belongs_to_one_object(world: World, ben: User, holder: str) -> None:
    """Issue 8421 of microsoft-graph-docs-contrib: ObjectConflict of proxyAddresses, and nothing is written."""
    taken = "taken@contoso.com"
    if holder == "user":
        world.source.create({"displayName": "T", "userPrincipalName": "t@contoso.com", "mail": taken})
    elif holder == "group":
        world.source.groups.create(
            {"displayName": "T", "mailNickname": "taken", "mailEnabled": True, "groupTypes": ["Unified"]}
        )
    else:
        world.source.settings.contact_addresses = [taken]
    refused = await world.contoso.patch(f"/users/{ben.id}", {"mail": taken, "jobTitle": "Clerk"})
    error = refused.json()["error"]
    assert (refused.status_code, error["code"]) == (400, "Request_BadRequest")
    assert error["message"] == "Another object with the same value for property proxyAddresses already exists."
    assert (error["details"][0]["code"], error["details"][0]["target"]) == ("ObjectConflict", "proxyAddresses")
    assert not {"mail", "jobTitle"} & ben.properties.keys()


@documented(f"{API}/user-post-users")
async def test_a_permission_for_creating_alone(world: World) -> None:
    """User.Create is enough for POST /users, and for nothing else (user-post-users, 2026-07)."""
    app = HttpClient(world, CONTOSO, ["User.Create"])
    made = await app("POST", "/users", NEW)
    assert made.status == 201
    assert (await app("PATCH", f"/users/{made.body['id']}", {"jobTitle": "x"})).status == 403


@documented(f"{API}/user-update")
async def test_a_password_takes_a_role(world: World, ben: User) -> None:
    """Of anybody, not of administrators alone (user-update, 2026-07-04)."""
    app = HttpClient(world, CONTOSO, ROLES)
    body = {"passwordProfile": {"password": "Correct-horse-1"}}
    assert (await app("PATCH", f"/users/{ben.id}", body)).status == 403
    world.source.role_holders.add("00000000-0000-0000-0000-00000000a001")
    assert (await app("PATCH", f"/users/{ben.id}", body)).status == 204
    weak = await app("PATCH", f"/users/{ben.id}", {"passwordProfile": {"password": "weak"}})
    assert weak.message.startswith(COMPLEXITY)


@documented(f"{API}/resources/users")
async def test_members_of_a_role_assignable_group_are_protected(world: World, ben: User) -> None:
    """Like administrators, as long as they are members (resources/users, 2026-07-03)."""
    group = world.source.groups.create({"displayName": "G", "mailNickname": "g", "isAssignableToRole": True})
    world.source.groups.add(group, "members", ben)
    app = HttpClient(world, CONTOSO, ROLES)
    path = f"/users/{ben.id}"
    changes: list[dict[str, Any]] = [
        {"accountEnabled": False},
        {"otherMails": ["b@home.example"]},
        {"mobilePhone": "1"},
        {"businessPhones": ["1"]},
    ]
    for change in changes:
        assert (await app("PATCH", path, change)).code == "Authorization_RequestDenied"
    assert (await app("DELETE", path)).status == 403
    assert (await app("PATCH", path, {"jobTitle": "Clerk"})).status == 204
    world.source.delete(ben)
    assert (await app("POST", f"/directory/deletedItems/{ben.id}/restore", {})).status == 403
    world.source.groups.remove(group, "members", ben.id)
    assert (await app("POST", f"/directory/deletedItems/{ben.id}/restore", {})).status == 200
    assert (await app("DELETE", path)).status == 204

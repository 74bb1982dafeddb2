"""Groups as today's pages have them: what is decided when they are made, hidden memberships, limits, casts."""

from typing import Any

import pytest

from entra_graph_emulator.directory.objects import Group
from entra_graph_emulator.testing import CONTOSO, World
from tests.support.graph_clients import Client, HttpClient, documented

API = "https://learn.microsoft.com/graph/api"
ADVANCED = {"ConsistencyLevel": "eventual"}
NEW = {"displayName": "G", "mailNickname": "g", "mailEnabled": False, "securityEnabled": True}
SOCIAL = NEW | {"mailEnabled": True, "securityEnabled": False, "groupTypes": ["Unified"]}
DYNAMIC = {"groupTypes": ["DynamicMembership"], "membershipRule": 'user.city -eq "Rome"'}


def group(world: World, name: str = "g", **properties: Any) -> Group:
    base = {"displayName": name.title(), "mailNickname": name, "securityEnabled": True}
    return world.source.groups.create(base | properties)


@documented(f"{API}/resources/group")
@pytest.mark.parametrize(
    "body",
    [
        NEW | {"isAssignableToRole": True} | DYNAMIC,
        SOCIAL | {"isAssignableToRole": True},
        NEW | {"isAssignableToRole": True, "visibility": "Public"},
        SOCIAL | {"theme": "Beige"},
        NEW | {"mailNickname": "josé"},
    ],
)
async def test_groups_that_cannot_be_made(client: Client, body: dict[str, Any]) -> None:
    """Role-assignable ones are for security, private, never dynamic; a theme is of seven (resources/group, 2026-07)."""
    refused = await client("POST", "/groups", body)
    assert (refused.status, refused.code) == (400, "Request_BadRequest")


@documented(f"{API}/group-update")
@pytest.mark.parametrize(
    ("made", "change"),
    [
        ({}, {"isAssignableToRole": True}),
        ({"isAssignableToRole": True}, {"isAssignableToRole": False}),
        ({"isAssignableToRole": True}, DYNAMIC),
        ({"visibility": "Private"}, {"visibility": "HiddenMembership"}),
        ({"visibility": "HiddenMembership"}, {"visibility": "Public"}),
    ],
)
async def test_some_things_are_decided_at_birth(
    world: World, client: Client, made: dict[str, Any], change: dict[str, Any]
) -> None:
    """The role and a hidden membership come when a group is made, or never (resources/group, 2026-07)."""
    refused = await client("PATCH", f"/groups/{group(world, **made).id}", change)
    assert (refused.status, refused.code) == (400, "Request_BadRequest")


@documented(f"{API}/group-post-groups", f"{API}/group-post-members")
async def test_a_role_assignable_group_takes_a_permission_of_its_own(world: World) -> None:
    """RoleManagement.ReadWrite.Directory to make, change, fill and delete it (group-post-groups, 2026-07)."""
    one, ben = (
        HttpClient(world, CONTOSO, ["Group.ReadWrite.All"]),
        world.source.create({"displayName": "Ben", "userPrincipalName": "ben@contoso.com"}),
    )
    assert (await one("POST", "/groups", NEW | {"isAssignableToRole": True})).status == 403
    made = group(world, isAssignableToRole=True)
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{ben.id}"}
    for method, path, body in (
        ("PATCH", "", {"displayName": "H"}),
        ("POST", "/members/$ref", reference),
        ("DELETE", "", None),
    ):
        assert (await one(method, f"/groups/{made.id}{path}", body)).status == 403
    both = HttpClient(world, CONTOSO, ["Group.ReadWrite.All", "RoleManagement.ReadWrite.Directory"])
    assert (await both("POST", f"/groups/{made.id}/members/$ref", reference)).status == 204
    assert (await both("POST", "/groups", NEW | {"isAssignableToRole": True})).body["visibility"] == "Private"


@documented(f"{API}/group-delete-owners")
async def test_the_last_owner_stays(world: World, client: Client) -> None:
    """Of a security group too, once it has owners (group-delete-owners, 2026-07)."""
    made = group(world)
    people = [world.source.create({"displayName": n, "userPrincipalName": f"{n}@contoso.com"}) for n in "ab"]
    for each in people:
        world.source.groups.add(made, "owners", each)
    first, last = (f"/groups/{made.id}/owners/{each.id}/$ref" for each in people)
    assert (await client("DELETE", first)).status == 204
    assert (await client("DELETE", last)).status == 400


@documented(f"{API}/directoryobject-checkmembergroups")
async def test_a_hidden_membership_is_hidden(world: World) -> None:
    """Without Member.Read.Hidden such a group is left out, silently (directoryobject-checkmembergroups, 2026-06-12)."""
    ben = world.source.create({"displayName": "Ben", "userPrincipalName": "ben@contoso.com"})
    plain, hidden = group(world, "plain"), group(world, "hidden", visibility="HiddenMembership")
    for each in (plain, hidden):
        world.source.groups.add(each, "members", ben)
    roles = ["User.Read.All", "GroupMember.Read.All"]
    for given, seen in ((roles, {plain.id}), ([*roles, "Member.Read.Hidden"], {plain.id, hidden.id})):
        app = HttpClient(world, CONTOSO, given)
        asked = {"groupIds": [plain.id, hidden.id]}
        assert set((await app("POST", f"/users/{ben.id}/checkMemberGroups", asked)).value) == seen
        asked = {"ids": [plain.id, hidden.id]}
        assert set((await app("POST", f"/users/{ben.id}/checkMemberObjects", asked)).value) == seen
        assert len((await app("GET", f"/groups/{hidden.id}/members")).value) == len(seen) - 1


@documented(f"{API}/directoryobject-getmembergroups")
async def test_more_groups_than_can_be_listed(world: World) -> None:
    """Beyond 11,000: 400 DirectoryResultSizeLimitExceeded (directoryobject-getmembergroups, 2026-11)."""
    ben = world.source.create({"displayName": "Ben", "userPrincipalName": "ben@contoso.com"})
    for number in range(11_000):
        made = group(world, f"g{number}")
        made.members[ben.id] = ben.memberships[made.id] = None
    client, body = HttpClient(world, CONTOSO), {"securityEnabledOnly": False}
    assert len((await client("POST", f"/users/{ben.id}/getMemberGroups", body)).value) == 11_000
    world.source.groups.add(group(world, "last"), "members", ben)
    refused = await client("POST", f"/users/{ben.id}/getMemberGroups", body)
    assert (refused.status, refused.code) == (400, "DirectoryResultSizeLimitExceeded")


@documented(f"{API}/directoryobject-getbyids")
async def test_types_come_in_any_case(world: World, client: Client) -> None:
    """Seen by the .NET SDK, 2026-11-28."""
    made = group(world)
    for types, found in ((["Group"], [made.id]), (["DirectoryObject"], [made.id]), (["USER"], [])):
        assert (await client("POST", "/directoryObjects/getByIds", {"ids": [made.id], "types": types})).ids == found


@documented("https://learn.microsoft.com/graph/aad-advanced-queries")
@pytest.mark.parametrize("cast", ["directoryRole", "administrativeUnit"])
async def test_casts_to_types_that_nobody_is_in(world: World, client: Client, cast: str) -> None:
    """200 and empty (aad-advanced-queries, 2025-08-29)."""
    ben = world.source.create({"displayName": "Ben", "userPrincipalName": "ben@contoso.com"})
    answer = await client("GET", f"/users/{ben.id}/memberOf/microsoft.graph.{cast}")
    assert (answer.status, answer.value) == (200, [])


@documented("https://learn.microsoft.com/graph/aad-advanced-queries")
async def test_a_cast_of_transitive_members_is_an_advanced_query(world: World, client: Client) -> None:
    """On every page: the header is not carried by a nextLink (aad-advanced-queries, 2025-08-29)."""
    made = group(world)
    for name in "abc":
        user = world.source.create({"displayName": name, "userPrincipalName": f"{name}@contoso.com"})
        world.source.groups.add(made, "members", user)
    path = f"/groups/{made.id}/transitiveMembers/microsoft.graph.user"
    assert (await client("GET", path)).code == "Request_UnsupportedQuery"
    assert (await client("GET", f"/groups/{made.id}/members/microsoft.graph.user")).status == 200
    first = (await client("GET", path, count="true", top="2", headers=ADVANCED)).body
    assert (first["@odata.count"], len(first["value"])) == (3, 2)
    assert (await client("GET", first["@odata.nextLink"])).status == 400
    second = (await client("GET", first["@odata.nextLink"], headers=ADVANCED)).body
    assert len(second["value"]) == 1
    assert "@odata.count" not in second


@documented("https://learn.microsoft.com/graph/aad-advanced-queries")
async def test_a_cast_relation_is_sorted_and_searched_in_advanced_queries(world: World, client: Client) -> None:
    """As it is filtered (aad-advanced-queries, 2025-08-29)."""
    path = f"/groups/{group(world).id}/members/microsoft.graph.user"
    assert (await client("GET", path, orderby="displayName")).status == 400
    assert (await client("GET", path, filter="displayName eq 'x'")).status == 400
    assert (await client("GET", path, search='"displayName:x"', headers=ADVANCED)).status == 400
    for option in ({"orderby": "displayName"}, {"search": '"displayName:x"'}):
        assert (await client("GET", path, count="true", headers=ADVANCED, **option)).status == 200

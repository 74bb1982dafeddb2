"""Groups, their members and their delta, case by case, through plain HTTP and through msgraph-sdk."""

from typing import Any

import pytest

from entra_graph_emulator.directory.objects import Group, User
from entra_graph_emulator.testing import BASE, World
from tests.support.graph_clients import Client, documented

API = "https://learn.microsoft.com/graph/api"
ADVANCED = {"ConsistencyLevel": "eventual"}
TEAM = {"displayName": "Team", "mailEnabled": False, "mailNickname": "team", "securityEnabled": True}
UNIFIED = TEAM | {"groupTypes": ["Unified"], "mailEnabled": True, "mailNickname": "all", "displayName": "All"}
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")


def person(world: World, name: str = "ada", **properties: Any) -> User:
    base = {"displayName": name.title(), "mail": f"{name}@contoso.com", "userPrincipalName": f"{name}@contoso.com"}
    return world.source.create(base | properties)


def team(world: World, name: str = "team", *members: User | Group, **properties: Any) -> Group:
    new = {"displayName": name.title(), "mailNickname": name, "securityEnabled": True, **properties}
    return world.source.groups.create(new, members=members)


def reference(item: User | Group, plural: str = "directoryObjects") -> dict[str, str]:
    return {"@odata.id": f"https://graph.microsoft.com/v1.0/{plural}/{item.id}"}


@documented(f"{API}/group-post-groups")
async def test_a_group_is_created_with_defaults(world: World, client: Client) -> None:
    """The answer has the default properties; what was not set is null or empty."""
    made = (await client("POST", "/groups", TEAM)).body
    assert made["@odata.context"] == f"{BASE}/v1.0/$metadata#groups/$entity"
    assert (made["displayName"], made["groupTypes"], made["mail"], made["description"]) == ("Team", [], None, None)
    assert made["securityIdentifier"].startswith("S-1-12-1-")
    assert world.source.groups.get(made["id"]).properties["securityEnabled"] is True


@documented(f"{API}/group-post-groups")
async def test_a_unified_group_gets_an_address(client: Client) -> None:
    """Microsoft 365 groups are mail-enabled."""
    made = (await client("POST", "/groups", UNIFIED)).body
    assert (made["mail"], made["proxyAddresses"]) == ("all@contoso.com", ["SMTP:all@contoso.com"])
    assert made["visibility"] == "Public"


@documented(f"{API}/group-post-groups")
@pytest.mark.parametrize("name", ["displayName", "mailEnabled", "mailNickname", "securityEnabled"])
async def test_four_properties_of_a_group_are_required(client: Client, name: str) -> None:
    """The message names the missing one."""
    answer = await client("POST", "/groups", {k: v for k, v in TEAM.items() if k != name})
    assert (answer.status, answer.code) == (400, "Request_BadRequest")
    assert answer.message == f"A value is required for property '{name}' of resource 'Group'."


@documented(f"{API}/group-post-groups")
async def test_a_group_is_born_with_members_and_owners(world: World, client: Client) -> None:
    """By `members@odata.bind` and `owners@odata.bind`."""
    ada, ben = person(world), person(world, "ben")
    body = TEAM | {
        "members@odata.bind": [reference(ada, "users")["@odata.id"]],
        "owners@odata.bind": [reference(ben)["@odata.id"]],
    }
    group_id = (await client("POST", "/groups", body)).body["id"]
    assert (await client("GET", f"/groups/{group_id}/members")).ids == [ada.id]
    assert (await client("GET", f"/groups/{group_id}/owners")).ids == [ben.id]


@documented(f"{API}/group-post-members", "https://learn.microsoft.com/graph/resolve-auth-errors")
async def test_a_member_is_added_once(world: World, client: Client) -> None:
    """204; a second time is 400 with Graph's own sentence."""
    ada, group = person(world), team(world)
    path = f"/groups/{group.id}/members/$ref"
    assert (await client("POST", path, reference(ada))).status == 204
    again = await client("POST", path, reference(ada))
    assert (again.status, again.code) == (400, "Request_BadRequest")
    assert again.message == (
        "One or more added object references already exist for the following modified properties: 'members'."
    )


@documented(f"{API}/group-post-members")
async def test_members_are_added_by_patch_all_or_none(world: World, client: Client) -> None:
    """At most twenty, and one unknown object spoils all."""
    ada, group = person(world), team(world)
    nobody = "https://graph.microsoft.com/v1.0/directoryObjects/00000000-0000-0000-0000-000000000009"
    both = {"members@odata.bind": [reference(ada)["@odata.id"], nobody]}
    assert (await client("PATCH", f"/groups/{group.id}", both)).status == 404
    assert list(group.members) == []
    one = {"members@odata.bind": [reference(ada)["@odata.id"]]}
    assert (await client("PATCH", f"/groups/{group.id}", one)).status == 204
    many = {"members@odata.bind": [nobody] * 21}
    assert (await client("PATCH", f"/groups/{group.id}", many)).status == 400


@documented(f"{API}/group-delete-members")
async def test_a_member_is_removed_by_reference(world: World, client: Client) -> None:
    """A user who is no member is answered with 404."""
    ada = person(world)
    group = team(world, "team", ada)
    path = f"/groups/{group.id}/members/{ada.id}/$ref"
    assert (await client("DELETE", path)).status == 204
    assert ((await client("DELETE", path)).code, list(group.members)) == ("Request_ResourceNotFound", [])


@documented(f"{API}/group-list-members")
async def test_members_say_their_type(world: World, client: Client) -> None:
    """Users and nested groups, direct ones only; a cast picks one type and needs no annotation."""
    ada, ben = person(world), person(world, "ben")
    inner = team(world, "inner", ben)
    outer = team(world, "outer", ada, inner)
    answer = await client("GET", f"/groups/{outer.id}/members")
    assert answer.body["@odata.context"] == f"{BASE}/v1.0/$metadata#directoryObjects"
    assert {each["@odata.type"] for each in answer.value} == {"#microsoft.graph.user", "#microsoft.graph.group"}
    cast = await client("GET", f"/groups/{outer.id}/members/microsoft.graph.user", select="mail")
    assert cast.body["@odata.context"] == f"{BASE}/v1.0/$metadata#users(mail)"
    assert cast.value == [{"mail": "ada@contoso.com", "id": ada.id}]


@documented(f"{API}/group-list-transitivemembers")
async def test_transitive_members_go_through_every_level(world: World, client: Client) -> None:
    """Each once, also where groups go in a circle; the cast and its count give people."""
    ada, ben = person(world), person(world, "ben")
    inner = team(world, "inner", ben, ada)
    outer = team(world, "outer", ada, inner)
    world.source.groups.add(inner, "members", outer)
    found = await client("GET", f"/groups/{outer.id}/transitiveMembers")
    assert set(found.ids) == {ada.id, ben.id, inner.id}
    people = f"/groups/{outer.id}/transitiveMembers/microsoft.graph.user"
    answer = await client("GET", people, count="true", headers=ADVANCED)
    assert set(answer.ids) == {ada.id, ben.id}
    assert (await client("GET", f"{people}/$count", headers=ADVANCED)).body == 2


@documented("https://learn.microsoft.com/graph/aad-advanced-queries")
async def test_filtering_a_relation_needs_an_advanced_query(world: World, client: Client) -> None:
    """Header and $count, as for every relation of directory objects."""
    group = team(world, "team", person(world), person(world, "ben"))
    path, clause = f"/groups/{group.id}/members/microsoft.graph.user", "startswith(displayName,'b')"
    assert (await client("GET", path, filter=clause)).code == "Request_UnsupportedQuery"
    answer = await client("GET", path, filter=clause, count="true", headers=ADVANCED)
    assert (answer.body["@odata.count"], len(answer.value)) == (1, 1)


@documented(f"{API}/user-list-memberof", f"{API}/user-list-transitivememberof")
async def test_member_of_is_direct_and_transitive_member_of_is_not(world: World, client: Client) -> None:
    """Both name groups of any kind."""
    ada = person(world)
    inner = team(world, "inner", ada)
    outer = team(world, "outer", inner)
    assert (await client("GET", f"/users/{ada.id}/memberOf")).ids == [inner.id]
    path = f"/users/{ada.id}/transitiveMemberOf/microsoft.graph.group"
    assert set((await client("GET", path, count="true", headers=ADVANCED)).ids) == {inner.id, outer.id}


@documented(f"{API}/directoryobject-checkmembergroups")
@pytest.mark.parametrize("plural", ["users", "directoryObjects"])
async def test_check_member_groups_is_transitive(world: World, client: Client, plural: str) -> None:
    """Those of the given ids; a malformed one fails the call, and so do more than twenty."""
    ada = person(world)
    inner = team(world, "inner", ada)
    outer, other = team(world, "outer", inner), team(world, "other")
    path = f"/{plural}/{ada.id}/checkMemberGroups"
    answer = await client("POST", path, {"groupIds": [outer.id, other.id]})
    assert answer.body == {"@odata.context": f"{BASE}/v1.0/$metadata#Collection(Edm.String)", "value": [outer.id]}
    assert (await client("POST", path, {"groupIds": ["x"]})).message == "Invalid object identifier 'x'."
    assert (await client("POST", path, {"groupIds": [outer.id] * 21})).status == 400


@documented(f"{API}/directoryobject-getmembergroups")
async def test_get_member_groups_can_be_limited_to_security_groups(world: World, client: Client) -> None:
    """`securityEnabledOnly` leaves out those that carry no permissions."""
    ada = person(world)
    secure = team(world, "secure", ada)
    team(world, "social", ada, securityEnabled=False, mailEnabled=True, groupTypes=["Unified"])
    path = f"/users/{ada.id}/getMemberGroups"
    assert (await client("POST", path, {"securityEnabledOnly": True})).value == [secure.id]
    assert len((await client("POST", path, {"securityEnabledOnly": False})).value) == 2


@documented(f"{API}/group-delete", f"{API}/resources/directory")
async def test_groups_can_be_restored(world: World, client: Client) -> None:
    """Security groups too, with their members; distribution groups are gone at once (group-delete, 2026-11)."""
    ada = person(world)
    social = team(world, "social", mailEnabled=True, groupTypes=["Unified"])
    secure = team(world, "secure", ada)
    mailed = team(world, "mailed", mailEnabled=True)
    for group in (social, secure, mailed):
        assert (await client("DELETE", f"/groups/{group.id}")).status == 204
    deleted = await client("GET", "/directory/deletedItems/microsoft.graph.group")
    assert set(deleted.ids) == {social.id, secure.id}
    restored = await client("POST", f"/directory/deletedItems/{secure.id}/restore", {})
    assert restored.body["@odata.type"] == "#microsoft.graph.group"
    assert (await client("GET", f"/groups/{secure.id}/members")).ids == [ada.id]


@documented(f"{API}/group-list", "https://learn.microsoft.com/graph/aad-advanced-queries")
async def test_groups_are_filtered_searched_and_counted(world: World, client: Client) -> None:
    """By the operators of their own properties."""
    team(world, "alpha")
    team(world, "beta", mailEnabled=True, groupTypes=["Unified"], securityEnabled=False)
    unified = await client("GET", "/groups", filter="groupTypes/any(c:c eq 'Unified')", select="displayName")
    assert [each["displayName"] for each in unified.value] == ["Beta"]
    assert len((await client("GET", "/groups", filter="securityEnabled eq true")).value) == 1
    found = await client("GET", "/groups", search='"displayName:alp"', headers=ADVANCED)
    assert [each["displayName"] for each in found.value] == ["Alpha"]
    assert (await client("GET", "/groups/$count", headers=ADVANCED)).body == 2


@documented(f"{API}/group-delta")
async def test_group_delta_shows_members_and_what_became_of_them(world: World, client: Client) -> None:
    """Direct members; one removed is marked; a soft-deleted user stays one until the purge."""
    ada, ben = person(world), person(world, "ben")
    group = team(world, "team", ada, ben)
    kind = {"@odata.type": "#microsoft.graph.user"}
    first = (await client("GET", "/groups/delta", select="displayName,members")).body
    assert first["value"] == [
        {"id": group.id, "displayName": "Team", "members@delta": [kind | {"id": ada.id}, kind | {"id": ben.id}]}
    ]
    world.source.delete(ben)
    second = (await client("GET", first["@odata.deltaLink"])).body
    assert second["value"] == []
    world.source.purge(ben)
    world.source.groups.remove(group, "members", ada.id)
    third = (await client("GET", second["@odata.deltaLink"], headers={"Prefer": "return=minimal"})).body
    gone = {"@removed": {"reason": "deleted"}}
    assert third["value"] == [
        {"id": group.id, "members@delta": [kind | {"id": ben.id} | gone, kind | {"id": ada.id} | gone]}
    ]


@documented(f"{API}/group-delta")
async def test_group_delta_can_be_limited_to_ids(world: World, client: Client) -> None:
    """At most fifty; any other filter is unsupported."""
    one, _ = team(world, "one"), team(world, "two")
    assert (await client("GET", "/groups/delta", filter=f"id eq '{one.id}'")).ids == [one.id]
    assert (await client("GET", "/groups/delta", filter="displayName eq 'x'")).code == "Request_UnsupportedQuery"


@documented("https://learn.microsoft.com/graph/delta-query-groups")
async def test_a_large_group_comes_in_several_entries(world: World, client: Client) -> None:
    """Together they hold every member once."""
    world.source.settings.delta_link_page, world.source.settings.delta_page_size = 2, 2
    everybody = [person(world, f"p{n}") for n in range(7)]
    team(world, "team", *everybody)
    link, found = "/groups/delta?$select=members", []
    while link:
        body = (await client("GET", link)).body
        found += [each["id"] for entry in body["value"] for each in entry["members@delta"]]
        assert len(body["value"]) <= 2
        link = body.get("@odata.nextLink", "")
    assert found == [each.id for each in everybody]


@documented(f"{API}/directoryobject-delta")
async def test_directory_objects_delta_is_one_feed_over_types(world: World, client: Client) -> None:
    """Entries say their type; isof picks, and selects may name it."""
    ada, group = person(world, surname="Lovelace"), team(world)
    select = "microsoft.graph.user/surname,microsoft.graph.group/displayName"
    both = await client("GET", "/directoryObjects/delta", select=select)
    entries = both.value
    while "@odata.nextLink" in both.body:
        both = await client("GET", both.body["@odata.nextLink"])
        entries += both.value
    assert entries == [
        {"@odata.type": "#microsoft.graph.user", "id": ada.id, "surname": "Lovelace"},
        {"@odata.type": "#microsoft.graph.group", "id": group.id, "displayName": "Team"},
    ]
    only = await client("GET", "/directoryObjects/delta", filter="isof('microsoft.graph.group')")
    assert only.ids == [group.id]
    world.source.update(ada, {"surname": "King"})
    later = await client("GET", both.body["@odata.deltaLink"])
    assert later.value[0]["surname"] == "King"


@documented(f"{API}/serviceprincipal-list-approleassignedto")
async def test_app_role_assignments_keep_groups_as_groups(world: World, client: Client) -> None:
    """One entry for a group, whoever is in it."""
    ada = person(world)
    group = team(world, "team", ada)
    app = world.source.apps.ensure_principal("aaaaaaaa-0000-0000-0000-000000000001", "Portal")
    body = {"principalId": group.id, "resourceId": app.id, "appRoleId": "00000000-0000-0000-0000-000000000000"}
    made = await client("POST", f"/servicePrincipals/{app.id}/appRoleAssignedTo", body)
    assert (made.body["principalType"], made.body["resourceDisplayName"]) == ("Group", "Portal")
    listed = await client("GET", "/servicePrincipals(appId='aaaaaaaa-0000-0000-0000-000000000001')/appRoleAssignedTo")
    assert [each["principalId"] for each in listed.value] == [group.id]
    again = await client("POST", f"/servicePrincipals/{app.id}/appRoleAssignedTo", body)
    assert again.message == "Permission being assigned already exists on the object"
    assert (await client("DELETE", f"/servicePrincipals/{app.id}/appRoleAssignedTo/{made.body['id']}")).status == 204


@documented("https://learn.microsoft.com/graph/api/resources/change-notifications-api-overview")
@pytest.mark.parametrize(("resource", "heard"), [("groups", 2), ("groups/{id}", 2), ("groups/{id}/members", 1)])
async def test_group_changes_are_notified(world: World, client: Client, resource: str, heard: int) -> None:
    """A membership change names who came and who went; `members` hears of nothing else."""
    ada, group = person(world), team(world)
    world.emulator.delivery.settings.burst = 1
    subscription = {
        "changeType": "updated,deleted",
        "resource": resource.format(id=group.id),
        "notificationUrl": "https://sync.example/n",
        "expirationDateTime": "2026-01-06T09:00:00Z",
    }
    assert (await client("POST", "/subscriptions", subscription)).body["resource"] == subscription["resource"]
    world.source.groups.update(group, {"description": "x"})
    world.source.groups.add(group, "members", ada)
    await world.emulator.deliver()
    items = world.subscriber.items
    assert [each["resource"] for each in items] == [f"Groups/{group.id}"] * heard
    assert items[-1]["resourceData"]["@odata.type"] == "#Microsoft.Graph.Group"
    assert items[-1]["resourceData"]["members@delta"] == [{"id": ada.id}]

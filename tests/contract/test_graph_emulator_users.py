"""Users as Graph keeps them: reading, the rules of PATCH, managers, deleted items, queries."""

import json
from typing import Any

import pytest

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.testing import BASE, Graph, World

DAY_S = 86_400
ADVANCED = {"ConsistencyLevel": "eventual"}


def person(world: World, name: str = "ada", **properties: Any) -> User:
    address = f"{name}@contoso.com"
    base = {"accountEnabled": True, "displayName": name.title(), "mail": address, "userPrincipalName": address}
    return world.source.create(base | properties)


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


async def test_a_read_without_select_gives_the_default_properties(world: World, graph: Graph) -> None:
    """What was never set is null, and the context names an entity."""
    ada = person(world)
    body = (await graph.get(f"/users/{ada.id}")).json()
    assert body["@odata.context"] == f"{BASE}/v1.0/$metadata#users/$entity"
    assert body["displayName"] == "Ada"
    assert body["jobTitle"] is None
    assert body["businessPhones"] == []
    assert "accountEnabled" not in body
    assert "department" not in body


async def test_select_gives_those_properties_and_the_id(world: World, graph: Graph) -> None:
    """`id` comes back whether selected or not."""
    ada = person(world, department="Sales")
    body = (await graph.get(f"/users/{ada.id}", select="department,accountEnabled")).json()
    body.pop("@odata.context")
    assert body == {"id": ada.id, "department": "Sales", "accountEnabled": True}


async def test_an_unset_extension_is_left_out(world: World, graph: Graph) -> None:
    """Directory extensions come only when selected and set."""
    name = f"extension_{'0' * 32}_syncSource"
    ada, ben = person(world, "ada", **{name: "x"}), person(world, "ben")
    assert (await graph.get(f"/users/{ada.id}", select=name)).json()[name] == "x"
    assert name not in (await graph.get(f"/users/{ada.id}")).json()
    assert name not in (await graph.get(f"/users/{ben.id}", select=name)).json()


async def test_selecting_what_users_do_not_have_is_400(world: World, graph: Graph) -> None:
    """The message names the property."""
    answer = await graph.get(f"/users/{person(world).id}", select="shoeSize")
    assert code(answer) == (400, "BadRequest")
    assert "shoeSize" in answer.json()["error"]["message"]


async def test_a_user_is_addressed_by_principal_name_too(world: World, graph: Graph) -> None:
    """A guest's `#` is percent-encoded in the path."""
    ada = person(world)
    guest = world.source.create(
        {"creationType": "Invitation", "displayName": "G", "userPrincipalName": "g_x.com#EXT#@contoso.onmicrosoft.com"}
    )
    assert (await graph.get("/users/ADA@contoso.com")).json()["id"] == ada.id
    assert (await graph.get("/users/g_x.com%23EXT%23@contoso.onmicrosoft.com")).json()["id"] == guest.id


async def test_an_unknown_user_is_404_with_graphs_words(graph: Graph) -> None:
    """Code, message and inner error as documented."""
    answer = await graph.get("/users/00000000-0000-0000-0000-000000000001")
    assert code(answer) == (404, "Request_ResourceNotFound")
    error = answer.json()["error"]
    assert error["message"] == (
        "Resource '00000000-0000-0000-0000-000000000001' does not exist or one of its queried reference-property "
        "objects are not present."
    )
    assert set(error["innerError"]) == {"date", "request-id", "client-request-id"}


async def test_null_clears_and_says_nothing(world: World, graph: Graph) -> None:
    """A PATCH answers 204 without a body; a cleared property reads as null."""
    ada = person(world, department="Sales")
    answer = await graph.patch(f"/users/{ada.id}", {"department": None, "@odata.type": "#microsoft.graph.user"})
    assert (answer.status_code, answer.content) == (204, b"")
    assert (await graph.get(f"/users/{ada.id}", select="department")).json()["department"] is None


@pytest.mark.parametrize(
    "change",
    [
        {"department": ""},
        {"displayName": None},
        {"mail": None},
        {"usageLocation": None},
        {"userPrincipalName": None},
        {"accountEnabled": None},
        {"otherMails": None},
        {"businessPhones": None},
        {"businessPhones": ["1", "2"]},
        {"businessPhones": [""]},
        {"department": "x" * 65},
        {"employeeId": "x" * 17},
        {"postalCode": "x" * 41},
        {"usageLocation": "Germany"},
        {"accountEnabled": "yes"},
        {"department": 5},
        {"userType": "Visitor"},
        {"employeeOrgData": {"floor": "3"}},
        {"onPremisesExtensionAttributes": {"extensionAttribute16": "x"}},
    ],
    ids=str,
)
async def test_values_that_graph_refuses(world: World, graph: Graph, change: dict[str, Any]) -> None:
    """Empty texts, nulls where a value must stay, and what is too long or of another type, are 400."""
    ada = person(world)
    answer = await graph.patch(f"/users/{ada.id}", change)
    assert code(answer) == (400, "Request_BadRequest")
    name = next(iter(change))
    assert answer.json()["error"]["message"] == f"Invalid value specified for property '{name}' of resource 'User'."


@pytest.mark.parametrize("name", ["proxyAddresses", "createdDateTime", "creationType", "externalUserState", "id"])
async def test_read_only_properties_are_refused(world: World, graph: Graph, name: str) -> None:
    """The answer says which one."""
    answer = await graph.patch(f"/users/{person(world).id}", {name: "x"})
    assert code(answer) == (400, "Request_BadRequest")
    assert name in answer.json()["error"]["message"]


async def test_a_refused_patch_changes_nothing(world: World, graph: Graph) -> None:
    """All of it or nothing."""
    ada = person(world, department="Sales")
    assert (await graph.patch(f"/users/{ada.id}", {"department": "Legal", "jobTitle": ""})).status_code == 400
    assert ada.properties["department"] == "Sales"


async def test_collections_are_replaced_and_cleared_with_an_empty_list(world: World, graph: Graph) -> None:
    """`otherMails` is sent as a whole."""
    ada = person(world, otherMails=["a@x.com", "b@x.com"])
    await graph.patch(f"/users/{ada.id}", {"otherMails": ["c@x.com"]})
    assert ada.properties["otherMails"] == ["c@x.com"]
    await graph.patch(f"/users/{ada.id}", {"otherMails": []})
    assert (await graph.get(f"/users/{ada.id}", select="otherMails")).json()["otherMails"] == []


async def test_complex_properties_merge_in_their_own_ways(world: World, graph: Graph) -> None:
    """Extension attributes merge by member; an omitted member of employeeOrgData becomes null."""
    ada = person(world)
    await graph.patch(f"/users/{ada.id}", {"onPremisesExtensionAttributes": {"extensionAttribute1": "a"}})
    await graph.patch(f"/users/{ada.id}", {"onPremisesExtensionAttributes": {"extensionAttribute2": "b"}})
    await graph.patch(f"/users/{ada.id}", {"employeeOrgData": {"division": "d", "costCenter": "c"}})
    await graph.patch(f"/users/{ada.id}", {"employeeOrgData": {"division": "e"}})
    body = (await graph.get(f"/users/{ada.id}", select="onPremisesExtensionAttributes,employeeOrgData")).json()
    assert body["onPremisesExtensionAttributes"]["extensionAttribute1"] == "a"
    assert body["onPremisesExtensionAttributes"]["extensionAttribute2"] == "b"
    assert body["employeeOrgData"] == {"division": "e", "costCenter": None}


async def test_setting_mail_makes_it_the_primary_proxy_address(world: World, graph: Graph) -> None:
    """The former one stays as a secondary address."""
    ada = person(world)
    await graph.patch(f"/users/{ada.id}", {"mail": "countess@contoso.com"})
    assert ada.properties["proxyAddresses"] == ["SMTP:countess@contoso.com", "smtp:ada@contoso.com"]


async def test_a_taken_principal_name_is_a_conflict_with_two_details(world: World, graph: Graph) -> None:
    """The second detail names the other object."""
    ada, ben = person(world), person(world, "ben")
    answer = await graph.patch(f"/users/{ben.id}", {"userPrincipalName": "ada@contoso.com"})
    assert answer.status_code == 400
    details = answer.json()["error"]["details"]
    assert [each["code"] for each in details] == ["ObjectConflict", "ConflictingObjects"]
    assert details[1]["target"] == f"User_{ada.id}"


async def test_sensitive_properties_of_an_administrator_are_403(world: World, graph: Graph) -> None:
    """The rest of an administrator can be written."""
    ada = person(world)
    await world.control("POST", f"/tenants/{world.source.id}/admins", {"users": [ada.id]})
    assert code(await graph.patch(f"/users/{ada.id}", {"accountEnabled": False})) == (
        403,
        "Authorization_RequestDenied",
    )
    assert code(await graph.delete(f"/users/{ada.id}"))[0] == 403
    assert (await graph.patch(f"/users/{ada.id}", {"jobTitle": "CTO"})).status_code == 204


async def test_creating_an_internal_user(world: World, graph: Graph) -> None:
    """Five properties are required, and the domain must be one of the tenant's; the password is not shown."""
    new = {
        "accountEnabled": True,
        "displayName": "Ada",
        "mailNickname": "ada",
        "userPrincipalName": "ada@contoso.com",
        "passwordProfile": {"password": "Not-kept-1"},
    }
    made = await graph.post("/users", new)
    assert made.status_code == 201
    body = (await graph.get(f"/users/{made.json()['id']}", select="userType,passwordProfile,createdDateTime")).json()
    assert (body["userType"], body["passwordProfile"]) == ("Member", None)
    assert body["createdDateTime"] == "2026-01-05T09:00:00Z"
    assert code(await graph.post("/users", new | {"mailNickname": None})) == (400, "Request_BadRequest")
    foreign = await graph.post("/users", new | {"userPrincipalName": "ada@elsewhere.com"})
    assert "verified domain" in foreign.json()["error"]["message"]


async def test_manager_is_set_read_expanded_and_removed(world: World, graph: Graph) -> None:
    """The reference is an absolute URL; without a manager a read and a removal are 404."""
    ada, boss = person(world), person(world, "boss")
    missing = await graph.get(f"/users/{ada.id}/manager")
    assert code(missing) == (404, "Request_ResourceNotFound")
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{boss.id}"}
    assert (await graph.put(f"/users/{ada.id}/manager/$ref", reference)).status_code == 204
    assert (await graph.get(f"/users/{ada.id}/manager")).json()["id"] == boss.id
    expanded = (await graph.get(f"/users/{ada.id}", expand="manager($select=id)", select="id")).json()
    assert expanded["manager"] == {"@odata.type": "#microsoft.graph.user", "id": boss.id}
    assert (await graph.delete(f"/users/{ada.id}/manager/$ref")).status_code == 204
    assert (await graph.delete(f"/users/{ada.id}/manager/$ref")).status_code == 404


async def test_a_deleted_user_can_be_restored_for_thirty_days(world: World, graph: Graph) -> None:
    """Gone from users, present among the deleted with a changed principal name, and back with the old one."""
    ada = person(world)
    assert (await graph.delete(f"/users/{ada.id}")).status_code == 204
    assert (await graph.get(f"/users/{ada.id}")).status_code == 404
    deleted = (await graph.get("/directory/deletedItems/microsoft.graph.user")).json()["value"]
    assert [each["id"] for each in deleted] == [ada.id]
    assert deleted[0]["userPrincipalName"] == f"{ada.id.replace('-', '')}ada@contoso.com"
    assert deleted[0]["deletedDateTime"] == "2026-01-05T09:00:00Z"
    for path in (f"/directory/deletedItems/{ada.id}", f"/directory/deletedItems/{ada.id}/microsoft.graph.user"):
        assert (await graph.get(path)).json()["@odata.type"] == "#microsoft.graph.user"
    world.clock.advance(29 * DAY_S)
    restored = await graph.post(f"/directory/deletedItems/{ada.id}/restore")
    assert (restored.status_code, restored.json()["userPrincipalName"]) == (200, "ada@contoso.com")
    assert (await graph.get(f"/users/{ada.id}")).status_code == 200


async def test_after_thirty_days_a_deleted_user_is_gone(world: World, graph: Graph) -> None:
    """No call is needed for it, only time."""
    ada = person(world)
    await graph.delete(f"/users/{ada.id}")
    world.clock.advance(30 * DAY_S)
    assert code(await graph.post(f"/directory/deletedItems/{ada.id}/restore")) == (404, "Request_ResourceNotFound")
    assert (await graph.get("/directory/deletedItems/microsoft.graph.user")).json()["value"] == []


async def test_a_purged_user_cannot_be_restored(world: World, graph: Graph) -> None:
    """DELETE of a deleted item is for good."""
    ada = person(world)
    await graph.delete(f"/users/{ada.id}")
    assert (await graph.delete(f"/directory/deletedItems/{ada.id}")).status_code == 204
    assert (await graph.get(f"/directory/deletedItems/{ada.id}")).status_code == 404


async def test_a_restore_into_a_conflict_is_refused(world: World, graph: Graph) -> None:
    """Somebody took the principal name meanwhile; a new one helps."""
    ada = person(world)
    await graph.delete(f"/users/{ada.id}")
    person(world)
    assert (await graph.post(f"/directory/deletedItems/{ada.id}/restore")).status_code == 400
    options = {"newUserPrincipalName": "ada2@contoso.com", "autoReconcileProxyConflict": True}
    assert (await graph.post(f"/directory/deletedItems/{ada.id}/restore", options)).status_code == 200
    assert ada.properties["proxyAddresses"] == []


async def test_deleted_users_are_filtered_and_the_cast_is_required(world: World, graph: Graph) -> None:
    """Looking up one deleted guest by address takes one call."""
    ada, ben = person(world), person(world, "ben")
    for user in (ada, ben):
        await graph.delete(f"/users/{user.id}")
    path = "/directory/deletedItems/microsoft.graph.user"
    found = (await graph.get(path, filter="mail eq 'ben@contoso.com'", select="id,deletedDateTime")).json()
    assert [each["id"] for each in found["value"]] == [ben.id]
    assert (await graph.get("/directory/deletedItems")).status_code == 400


async def test_get_by_ids_leaves_out_what_it_does_not_know(world: World, graph: Graph) -> None:
    """Deleted and unknown ids are missing from the answer, not errors."""
    ada, ben = person(world), person(world, "ben")
    world.source.delete(ben)
    for path in ("/directoryObjects/getByIds", "/users/getByIds", "/directoryObjects/microsoft.graph.getByIds"):
        answer = await graph.post(path, {"ids": [ada.id, ben.id, world.source.id], "types": ["user"]})
        assert [(each["@odata.type"], each["id"]) for each in answer.json()["value"]] == [
            ("#microsoft.graph.user", ada.id)
        ]
        assert code(await graph.post(path, {"ids": [ada.id, "nobody"]})) == (400, "Request_BadRequest")


async def test_a_new_user_is_not_there_for_everybody_at_once(world: World, graph: Graph) -> None:
    """Within the window a read is 404 and a write fails as unreplicated; then both work."""
    world.source.settings.visibility_s = 0.3
    made = await graph.post(
        "/users",
        {
            "accountEnabled": True,
            "displayName": "A",
            "mailNickname": "a",
            "userPrincipalName": "a@contoso.com",
            "passwordProfile": {"password": "Not-kept-1"},
        },
    )
    path = f"/users/{made.json()['id']}"
    assert code(await graph.get(path)) == (404, "Request_ResourceNotFound")
    assert code(await graph.patch(path, {"jobTitle": "x"})) == (404, "Directory_ObjectNotFound")
    assert (await graph.get("/users")).json()["value"] == []
    world.clock.advance(0.3)
    assert (await graph.patch(path, {"jobTitle": "x"})).status_code == 204


async def test_users_come_in_pages_of_a_hundred(world: World, graph: Graph) -> None:
    """`$top` makes it up to 999; each nextLink leads on until there is none."""
    await world.control("POST", f"/tenants/{world.source.id}/users", {"count": 250, "seed": 7})
    pages, link = [], "/users"
    while link:
        body = (await graph.get(link)).json()
        pages.append(len(body["value"]))
        link = body.get("@odata.nextLink", "")
    assert pages == [100, 100, 50]
    assert len((await graph.get("/users", top="999")).json()["value"]) == 250
    assert (await graph.get("/users", top="1000")).status_code == 400


async def test_a_page_token_expires(world: World, graph: Graph) -> None:
    """Its code is Directory_ExpiredPageToken."""
    for n in range(3):
        person(world, f"p{n}")
    link = (await graph.get("/users", top="2")).json()["@odata.nextLink"]
    world.clock.advance(2 * 3600)
    assert code(await graph.get(link)) == (400, "Directory_ExpiredPageToken")


@pytest.mark.parametrize(
    ("clause", "names"),
    [
        ("mail eq 'ADA@contoso.com'", "ada"),
        ("displayName eq 'O''Neil'", "neil"),
        ("startsWith(mail,'b')", "ben"),
        ("department in ('Sales','Legal')", "ada ben"),
        ("department eq 'Sales' or department eq 'Legal' and accountEnabled eq false", "ada ben"),
        ("(department eq 'Sales' or department eq 'Legal') and accountEnabled eq false", "ben"),
        ("otherMails/any(x:x eq 'ada@home.org')", "ada"),
        ("proxyAddresses/any(x:x eq 'SMTP:ben@contoso.com')", "ben"),
        ("proxyAddresses/any(p:startsWith(p,'smtp:a'))", "ada"),
        ("userPrincipalName eq 'x' or mail eq 'x' or otherMails/any(x:x eq 'ada@home.org')", "ada"),
        ("identities/any(i:i/issuer eq 'contoso.onmicrosoft.com' and i/issuerAssignedId eq 'ada@contoso.com')", "ada"),
        ("createdDateTime ge 2026-01-05T00:00:00Z and accountEnabled eq false", "ben"),
    ],
)
async def test_filters_that_need_no_advanced_query(world: World, graph: Graph, clause: str, names: str) -> None:
    """Text compares without regard to case, and a quote is doubled."""
    person(world, "ada", department="Sales", otherMails=["ada@home.org"])
    person(
        world,
        "ben",
        department="Legal",
        accountEnabled=False,
        onPremisesExtensionAttributes={"extensionAttribute1": "red"},
    )
    person(world, "neil", displayName="O'Neil")
    found = (await graph.get("/users", filter=clause, select="mail")).json()["value"]
    assert [each["mail"].partition("@")[0] for each in found] == names.split()


@pytest.mark.parametrize("clause", ["department ne 'Sales'", "not(department eq 'Sales')", "endsWith(mail,'.org')"])
async def test_advanced_operators_need_header_and_count(world: World, graph: Graph, clause: str) -> None:
    """Without both the operator is refused by name; with both the count comes too."""
    person(world, department="Sales", mail="ada@home.com")
    person(world, "ben", department="Legal", mail="ben@home.org")
    refused = await graph.get("/users", filter=clause)
    assert code(refused) == (400, "Request_UnsupportedQuery")
    assert "ConsistencyLevel:eventual" in refused.json()["error"]["message"]
    answer = (await graph.get("/users", ADVANCED, filter=clause, count="true")).json()
    assert answer["@odata.count"] == 1


async def test_counting_users_needs_the_header(world: World, graph: Graph) -> None:
    """The answer is plain text."""
    person(world)
    assert code(await graph.get("/users/$count")) == (400, "Request_BadRequest")
    assert (await graph.get("/users/$count", ADVANCED)).text == "1"


@pytest.mark.parametrize(
    "clause", ["department eq", "shoeSize eq '5'", "aboutMe eq 'x'", "mail like 'x'", "mail eq 'x"]
)
async def test_filters_that_cannot_be_read_are_400(graph: Graph, clause: str) -> None:
    """Syntax errors and properties that are not filterable alike."""
    assert (await graph.get("/users", filter=clause)).status_code == 400


async def test_options_that_are_not_emulated_are_refused(graph: Graph) -> None:
    """An option passed over in silence would make a test lie."""
    assert code(await graph.get("/users/delta", orderby="displayName")) == (400, "Request_UnsupportedQuery")


async def test_organization_names_the_tenant_and_its_domains(graph: Graph, world: World) -> None:
    """The id is the tenant's."""
    body = (await graph.get("/organization")).json()["value"][0]
    assert (body["id"], body["displayName"]) == (world.source.id, "Contoso")
    assert [each["name"] for each in body["verifiedDomains"]] == ["contoso.com", "contoso.onmicrosoft.com"]


async def test_a_batch_answers_item_by_item(world: World, graph: Graph) -> None:
    """A failed item fails those that depend on it with 424, and nothing else."""
    ada = person(world)
    requests = [
        {"id": "1", "method": "GET", "url": f"/users/{ada.id}?$select=id"},
        {"id": "2", "method": "GET", "url": "/users/nobody"},
        {"id": "3", "method": "DELETE", "url": f"/users/{ada.id}", "dependsOn": ["2"]},
    ]
    answers = {each["id"]: each for each in (await graph.post("/$batch", {"requests": requests})).json()["responses"]}
    assert {name: each["status"] for name, each in answers.items()} == {"1": 200, "2": 404, "3": 424}
    assert answers["1"]["body"]["id"] == ada.id
    too_many = [{"id": str(n), "method": "GET", "url": "/users"} for n in range(21)]
    assert (await graph.post("/$batch", {"requests": too_many})).status_code == 400


async def test_bodies_that_are_no_json_objects(world: World, graph: Graph) -> None:
    """Malformed JSON is 400, another content type 415."""
    path = f"/users/{person(world).id}"
    token = f"Bearer {world.emulator.token(world.source.id)}"
    for content in (b"{", b"[]", b""):
        headers = {"Authorization": token, "Content-Type": "application/json"}
        assert (await graph.send("PATCH", path, headers=headers, content=content)).status_code == 400
    headers = {"Authorization": token, "Content-Type": "text/plain"}
    assert (await graph.send("PATCH", path, headers=headers, content=json.dumps({}).encode())).status_code == 415


async def test_paths_that_lead_nowhere_name_the_segment(graph: Graph) -> None:
    """A known path with another method is 405."""
    answer = await graph.get("/users/x/shoes")
    assert code(answer) == (400, "BadRequest")
    assert answer.json()["error"]["message"] == "Resource not found for the segment 'shoes'."
    assert (await graph.send("PUT", "/users")).status_code == 405

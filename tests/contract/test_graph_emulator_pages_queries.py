"""Filters, sorting and selections as today's pages have them."""

import pytest

from entra_graph_emulator.testing import CONTOSO, World
from tests.support.graph_clients import Client, HttpClient, documented

MATRIX = "https://learn.microsoft.com/graph/aad-advanced-queries"
ADVANCED = {"ConsistencyLevel": "eventual"}
BADGE = f"extension_{'0' * 32}_badge"
NOBODY = "99999999-9999-4999-8999-999999999999"


@documented(MATRIX)
@pytest.mark.parametrize(
    "clause",
    [
        f"startsWith({BADGE},'x')",
        f"{BADGE} eq null",
        "businessPhones/any(p:p eq '1')",
        "businessPhones/any(p:startsWith(p,'1'))",
        "onPremisesExtensionAttributes/extensionAttribute15 eq 'x'",
        "employeeOrgData/division eq 'x'",
        "employeeOrgData/costCenter in ('x','y')",
        "onPremisesSyncEnabled eq null",
        "assignedLicenses/$count eq 0",
        "endsWith(mail,'x')",
        "endsWith(userPrincipalName,'x')",
        "otherMails/any(m:endsWith(m,'x'))",
        "proxyAddresses/any(p:endsWith(p,'x'))",
        "id in (" + ",".join(f"'{NOBODY[:-2]}{n}'" for n in range(10, 26)) + ")",
    ],
)
async def test_filters_of_advanced_queries(client: Client, clause: str) -> None:
    """Refused by default, answered with header and $count (aad-advanced-queries, 2025-08-29)."""
    refused = await client("GET", "/users", filter=clause)
    assert (refused.status, refused.code) == (400, "Request_UnsupportedQuery")
    assert (await client("GET", "/users", filter=clause, count="true", headers=ADVANCED)).status == 200


@documented(MATRIX)
@pytest.mark.parametrize(
    ("path", "clause"),
    [
        ("/users", "endsWith(displayName,'x')"),
        ("/users", f"endsWith({BADGE},'x')"),
        ("/users", "assignedLicenses/$count ge 1"),
        ("/users", "assignedLicenses/$count eq 2"),
        ("/users", "employeeOrgData eq 'x'"),
        ("/groups", "endsWith(displayName,'x')"),
        ("/applications", "endsWith(displayName,'x')"),
        ("/servicePrincipals", "endsWith(displayName,'x')"),
    ],
)
async def test_filters_of_no_query(client: Client, path: str, clause: str) -> None:
    """The header does not help (aad-advanced-queries, 2025-08-29)."""
    assert (await client("GET", path, filter=clause, count="true", headers=ADVANCED)).status == 400


@documented(MATRIX)
@pytest.mark.parametrize(
    ("path", "name", "plain", "advanced"),
    [
        ("/users", "displayName", 200, 200),
        ("/users", "userPrincipalName", 200, 200),
        ("/users", "createdDateTime", 400, 200),
        ("/users", "deletedDateTime", 400, 200),
        ("/users", "mail", 400, 400),
        ("/users", "surname", 400, 400),
        ("/groups", "displayName", 200, 200),
        ("/groups", "deletedDateTime", 400, 200),
        ("/groups", "mail", 400, 400),
        ("/applications", "displayName", 400, 200),
        ("/servicePrincipals", "displayName", 400, 200),
        ("/servicePrincipals", "createdDateTime", 400, 200),
    ],
)
async def test_the_matrix_of_sorting(client: Client, path: str, name: str, plain: int, advanced: int) -> None:
    """By few properties, and by most of them in advanced queries alone (aad-advanced-queries, 2025-08-29)."""
    assert (await client("GET", path, orderby=name)).status == plain
    assert (await client("GET", path, orderby=name, count="true", headers=ADVANCED)).status == advanced


@documented(MATRIX)
async def test_the_header_is_sent_with_each_page(world: World, client: Client) -> None:
    """A nextLink has no header, and the count is on the first page (aad-advanced-queries, 2025-08-29)."""
    for name in "abc":
        world.source.create({"displayName": name, "userPrincipalName": f"{name}@contoso.com", BADGE: f"x{name}"})
    clause = f"startsWith({BADGE},'x')"
    first = (await client("GET", "/users", filter=clause, count="true", top="2", headers=ADVANCED)).body
    assert first["@odata.count"] == 3
    assert (await client("GET", first["@odata.nextLink"])).code == "Request_UnsupportedQuery"
    second = await client("GET", first["@odata.nextLink"], headers=ADVANCED)
    assert len(second.value) == 1
    assert "@odata.count" not in second.body


@documented("https://learn.microsoft.com/graph/filter-query-parameter")
async def test_sixteen_clauses_are_too_many(client: Client) -> None:
    """Of an `or`, in any query (observed of Graph; noted 2026-11-28)."""
    for number, status in ((15, 200), (16, 400)):
        clause = " or ".join(f"mail eq 'm{n}@contoso.com'" for n in range(number))
        assert (await client("GET", "/users", filter=clause)).status == status
        answer = await client("GET", "/users", filter=clause, count="true", headers=ADVANCED)
        assert answer.status == status
    assert answer.code == "Request_UnsupportedQuery"
    assert answer.message.endswith("containing 'OR' operators: 16. Max allowed: 15.")


@documented("https://learn.microsoft.com/graph/api/user-list-approleassignments", MATRIX)
async def test_ids_stand_without_quotes(world: World, client: Client) -> None:
    """In filters of GUIDs; with quotes too, if the property is a text (user-list-approleassignments, 2026-07)."""
    ada = world.source.create(
        {"displayName": "Ada", "userPrincipalName": "ada@contoso.com", "assignedLicenses": [{"skuId": NOBODY}]}
    )
    app = world.source.apps.ensure_principal(NOBODY)
    made = world.source.apps.assign(ada, app)
    for clause in (f"resourceId eq {app.id}", f"resourceId eq '{app.id}'"):
        assert (await client("GET", f"/users/{ada.id}/appRoleAssignments", filter=clause)).ids == [made.id]
    for skus, found in ((NOBODY, [ada.id]), (app.id, [])):
        assert (await client("GET", "/users", filter=f"assignedLicenses/any(u:u/skuId eq {skus})")).ids == found


@documented("https://learn.microsoft.com/graph/api/user-get")
async def test_guarded_properties_are_hidden(world: World) -> None:
    """Each takes a permission of its own (user-get, 2026-07): without it null."""
    leaves = "2026-12-31T00:00:00Z"
    secret = {"Team": {"Level": "1"}}
    ada = world.source.create(
        {
            "displayName": "Ada",
            "userPrincipalName": "ada@contoso.com",
            "employeeLeaveDateTime": leaves,
            "customSecurityAttributes": secret,
        }
    )
    names = "employeeLeaveDateTime,customSecurityAttributes"
    more = ["User-LifeCycleInfo.Read.All", "CustomSecAttributeAssignment.Read.All"]
    for roles, seen in ((["User.Read.All"], (None, None)), (["User.Read.All", *more], (leaves, secret))):
        app = HttpClient(world, CONTOSO, roles)
        one = (await app("GET", f"/users/{ada.id}", select=names)).body
        [listed] = (await app("GET", "/users", select=names)).value
        [changed] = (await app("GET", "/users/delta", select=names)).value
        for body in (one, listed, changed):
            assert (body.get("employeeLeaveDateTime"), body.get("customSecurityAttributes")) == seen


@documented("https://learn.microsoft.com/graph/api/user-list")
async def test_a_listing_cannot_select_what_is_stored_elsewhere(world: World, client: Client) -> None:
    """501 for `aboutMe` and its like; of one user they can be read (user-list; noted 2026-11-28)."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    assert (await client("GET", "/users", select="aboutMe")).status == 501
    assert (await client("GET", f"/users/{ada.id}", select="aboutMe")).body["aboutMe"] is None

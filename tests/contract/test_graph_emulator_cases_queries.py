"""Queries and the surface of HTTP, case by case, through plain HTTP and through msgraph-sdk."""

from typing import Any

import pytest

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.testing import BASE, CONTOSO, World
from entra_graph_emulator.wire.messages import JSON_TYPE
from tests.support.graph_clients import Client, HttpClient, documented

ADVANCED_QUERIES = "https://learn.microsoft.com/graph/aad-advanced-queries"
PARAMETERS = "https://learn.microsoft.com/graph/query-parameters"
USE = "https://learn.microsoft.com/graph/use-the-api"
UNSUPPORTED = "Request_UnsupportedQuery"
ADVANCED = {"ConsistencyLevel": "eventual"}
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")


@pytest.fixture
def http(world: World) -> HttpClient:
    return HttpClient(world, CONTOSO)


def person(world: World, name: str = "ada", **properties: Any) -> User:
    base = {"displayName": name.title(), "mail": f"{name}@contoso.com", "userPrincipalName": f"{name}@contoso.com"}
    return world.source.create(base | properties)


def names(answer: Any) -> str:
    return " ".join(each["displayName"] for each in answer.value)


@documented(ADVANCED_QUERIES)
@pytest.mark.parametrize(
    "clause",
    [
        "companyName eq 'x'",
        "department eq null",
        "officeLocation eq 'x'",
        "mobilePhone eq '1'",
        "employeeType eq 'x'",
        "accountEnabled ge true",
        "createdDateTime in (2026-01-01T00:00:00Z)",
    ],
)
async def test_some_properties_are_filtered_in_advanced_queries_only(world: World, client: Client, clause: str) -> None:
    """By default they are refused by name; with header and $count they work."""
    person(world)
    refused = await client("GET", "/users", filter=clause)
    name = clause.partition(" ")[0]
    assert (refused.status, refused.code) == (400, "Request_UnsupportedQuery")
    assert refused.message == (
        f"Unsupported or invalid query filter clause specified for property '{name}' of resource 'User'."
    )
    assert "@odata.count" in (await client("GET", "/users", filter=clause, count="true", headers=ADVANCED)).body


@documented(ADVANCED_QUERIES)
@pytest.mark.parametrize(
    "clause", ["displayName gt 'a'", "creationType ge 'x'", "passwordProfile eq null", "startswith(userType,'G')"]
)
async def test_operators_that_a_property_never_takes(client: Client, clause: str) -> None:
    """Not even an advanced query helps."""
    answer = await client("GET", "/users", filter=clause, count="true", headers=ADVANCED)
    assert (answer.status, answer.code) == (400, "Request_UnsupportedQuery")


@documented("https://learn.microsoft.com/graph/filter-query-parameter")
@pytest.mark.parametrize(
    ("clause", "message"),
    [
        ("shoeSize eq '1'", "Could not find a property named 'shoeSize' on type 'microsoft.graph.user'."),
        ("mail like 'x'", "Syntax error at position 9 in 'mail like 'x''."),
        (
            "accountEnabled eq 'x'",
            "A binary operator with incompatible types was detected. Found operand types 'Edm.Boolean' and "
            "'Edm.String' for operator kind 'Equal'.",
        ),
        (
            "otherMails eq 'x'",
            "A binary operator with incompatible types was detected. Found operand types 'Collection(Edm.String)' and "
            "'Edm.String' for operator kind 'Equal'.",
        ),
        ("mail/any(x:x eq 'y')", "Any/All may only be used following a collection."),
    ],
)
async def test_filters_that_cannot_be_read(client: Client, clause: str, message: str) -> None:
    """400 BadRequest, and what is wrong with the clause."""
    answer = await client("GET", "/users", filter=clause)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert answer.message == f"Invalid filter clause: {message}"


@documented("https://learn.microsoft.com/graph/filter-query-parameter")
async def test_contains_is_not_for_directory_objects(client: Client) -> None:
    """It is OData, and refused by name."""
    answer = await client("GET", "/users", filter="contains(displayName,'x')")
    assert (answer.code, answer.message) == (
        "Request_UnsupportedQuery",
        "Filter operator 'Contains' is not supported.",
    )


@documented("https://learn.microsoft.com/graph/search-query-parameter")
@pytest.mark.parametrize(
    ("search", "found"),
    [
        ('"displayName:ada"', "Ada Lovelace"),
        ('"displayName:love"', "Ada Lovelace"),
        ('"displayName:hopper grace"', "Grace Hopper"),
        ('"displayName:ada" OR "mail:grace"', "Ada Lovelace Grace Hopper"),
        ('"displayName:ada" AND "mail:grace"', ""),
        ('"mail:race"', ""),
    ],
)
async def test_search_is_by_word_in_names_and_by_start_elsewhere(
    world: World, client: Client, search: str, found: str
) -> None:
    """The header alone is enough."""
    person(world, "ada", displayName="Ada Lovelace")
    person(world, "grace", displayName="Grace Hopper")
    assert names(await client("GET", "/users", search=search, headers=ADVANCED)) == found


@documented(ADVANCED_QUERIES)
async def test_search_needs_the_header(client: Client) -> None:
    """With the sentence of the documentation."""
    answer = await client("GET", "/users", search='"displayName:x"')
    assert (answer.status, answer.code) == (400, "Request_UnsupportedQuery")
    assert answer.message == (
        "Request with $search query parameter only works through MSGraph with a special request header: "
        "'ConsistencyLevel: eventual'"
    )


@documented(ADVANCED_QUERIES)
async def test_sorting_by_name_needs_nothing_and_with_a_filter_an_advanced_query(world: World, client: Client) -> None:
    """Pages keep the order; by default only two properties can be sorted by."""
    for name in ("carl", "ada", "ben"):
        person(world, name, department="Sales")
    first = await client("GET", "/users", orderby="displayName desc", top="2")
    rest = await client("GET", first.body["@odata.nextLink"])
    assert names(first) + " " + names(rest) == "Carl Ben Ada"
    clause = "department eq 'Sales'"
    refused = await client("GET", "/users", orderby="displayName", filter=clause)
    assert (refused.code, refused.message) == (
        "Request_UnsupportedQuery",
        "Sorting not supported for current query.",
    )
    assert (await client("GET", "/users", orderby="createdDateTime")).status == 400
    answer = await client("GET", "/users", orderby="displayName", filter=clause, count="true", headers=ADVANCED)
    assert names(answer) == "Ada Ben Carl"


@documented(PARAMETERS)
@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (
            {"top": "0"},
            "Request_UnsupportedQuery",
            "Invalid page size specified: '0'. Must be between 1 and 999 inclusive.",
        ),
        (
            {"top": "1000"},
            "Request_UnsupportedQuery",
            "Invalid page size specified: '1000'. Must be between 1 and 999 inclusive.",
        ),
        (
            {"top": "x"},
            "BadRequest",
            "Invalid value 'x' for $top query option found. The $top query option requires a non-negative integer "
            "value.",
        ),
        ({"skip": "5"}, "Request_BadRequest", "'$skip' is not supported by the service."),
        ({"apply": "x"}, "BadRequest", "The query parameter '$apply' is not supported."),
    ],
    ids=str,
)
async def test_options_that_are_refused(client: Client, options: dict[str, str], code: str, message: str) -> None:
    """Out of range, unknown, or not for directory objects."""
    answer = await client("GET", "/users", headers=None, **options)
    assert (answer.status, answer.code, answer.message) == (400, code, message)


@documented(PARAMETERS)
async def test_options_work_without_the_dollar_and_in_any_case(world: World, http: HttpClient) -> None:
    """And only once."""
    ada = person(world)
    assert (await http("GET", "/users?select=mail&TOP=1")).value == [{"mail": "ada@contoso.com", "id": ada.id}]
    twice = await http("GET", "/users?$top=1&$top=2")
    assert twice.message == "Query option '$top' was specified more than once, but it must be specified at most once."


@documented(USE)
@pytest.mark.parametrize(
    "path",
    [
        "/USERS/{id}",
        "/users('{id}')",
        "/users/{upper}",
        "/Users('ada@contoso.com')",
        "/users/ada%40contoso.com",
        "/directoryObjects/{id}",
    ],
)
async def test_paths_in_every_spelling(world: World, client: Client, path: str) -> None:
    """Segments and ids in any case, keys in parentheses."""
    ada = person(world)
    assert (await client("GET", path.format(id=ada.id, upper=ada.id.upper()))).body["id"] == ada.id


@documented("https://learn.microsoft.com/graph/api/user-get")
async def test_me_is_for_signed_in_users(client: Client) -> None:
    """An app has no me."""
    answer = await client("GET", "/me/memberOf")
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert answer.message == "/me request is only valid with delegated authentication flow."


@documented(USE)
@pytest.mark.parametrize(
    ("path", "segment"),
    [("/people", "people"), ("/users/x/shoes", "shoes"), ("/groups/x/members/y/z", "z")],
)
async def test_unknown_segments_are_named(client: Client, path: str, segment: str) -> None:
    """400 with the first one that leads nowhere."""
    answer = await client("GET", path)
    assert (answer.status, answer.code) == (400, "BadRequest")
    assert answer.message == f"Resource not found for the segment '{segment}'."


@documented("https://learn.microsoft.com/graph/api/user-list")
async def test_contexts_say_what_was_selected_and_expanded(world: World, client: Client) -> None:
    """For collections and for single objects."""
    ada, boss = person(world), person(world, "boss")
    world.source.set_manager(ada, boss.id)
    prefix = f"{BASE}/v1.0/$metadata#users"
    listed = await client("GET", "/users", select="id,mail")
    one = await client("GET", f"/users/{ada.id}", select="id,mail")
    wide = await client("GET", f"/users/{ada.id}", select="id", expand="manager($select=id,mail)")
    assert listed.body["@odata.context"] == f"{prefix}(id,mail)"
    assert one.body["@odata.context"] == f"{prefix}(id,mail)/$entity"
    assert wide.body["@odata.context"] == f"{prefix}(id,manager(id,mail))/$entity"
    assert wide.body["manager"]["mail"] == "boss@contoso.com"


@documented(USE)
async def test_answers_look_like_graphs(world: World, http: HttpClient) -> None:
    """Content type, version, Location of what was created, no ETag, no content type without a body."""
    ada = person(world)
    read = await http("GET", f"/users/{ada.id}")
    assert (read.headers["Content-Type"], read.headers["OData-Version"]) == (JSON_TYPE, "4.0")
    assert "ETag" not in read.headers
    assert "@odata.etag" not in read.body
    new = {"accountEnabled": True, "displayName": "B", "mailNickname": "b", "userPrincipalName": "b@contoso.com"}
    made = await http("POST", "/users", new | {"passwordProfile": {"password": "Not-kept-1"}})
    assert (made.status, made.headers["Location"]) == (201, f"{BASE}/v1.0/users/{made.body['id']}")
    written = await http("PATCH", f"/users/{ada.id}", {"jobTitle": "x"})
    assert (written.status, "Content-Type" in written.headers) == (204, False)


@documented(USE)
async def test_metadata_can_be_left_out(world: World, http: HttpClient) -> None:
    """By the Accept header or by $format; links stay."""
    person(world)
    person(world, "ben")
    accept = {"Accept": "application/json;odata.metadata=none"}
    answer = await http("GET", "/users", top="1", headers=accept)
    assert "@odata.context" not in answer.body
    assert "@odata.nextLink" in answer.body
    assert "odata.metadata=none" in answer.headers["Content-Type"]
    assert (await http("GET", "/users", format="json")).status == 200
    assert (await http("GET", "/users", format="xml")).status == 400


@documented("https://learn.microsoft.com/graph/errors")
async def test_methods_that_a_path_does_not_have(http: HttpClient) -> None:
    """405, without a body for HEAD; a preflight needs no token."""
    refused = await http("PUT", "/users")
    assert (refused.status, refused.message) == (405, "Specified HTTP method is not allowed for the request target.")
    head = await http("HEAD", "/users")
    assert (head.status, head.body) == (405, None)
    preflight = await http("OPTIONS", "/users", headers={"Authorization": ""})
    assert (preflight.status, preflight.headers["Access-Control-Allow-Origin"]) == (200, "*")


@documented("https://learn.microsoft.com/graph/sdks/paging")
async def test_the_javascript_sdk_can_follow_links_over_http(world: World, http: HttpClient) -> None:
    """It puts its base URL before every link that is not https."""
    for name in ("ada", "ben"):
        person(world, name)
    link = (await http("GET", "/users", top="1")).body["@odata.nextLink"]
    assert names(await http("GET", f"{BASE}/v1.0/{link}")) == "Ben"


@documented("https://learn.microsoft.com/graph/versioning-and-support")
async def test_versions_that_do_not_exist(world: World) -> None:
    """The message names the version, and headers are those of every answer; its letter may be a capital."""
    answer = await world.http.get("/v3.0/users", headers={"client-request-id": "mine"})
    error = answer.json()["error"]
    assert (answer.status_code, error["message"]) == (400, "Invalid version: v3.0.")
    assert (answer.headers["request-id"], "mine") == (
        error["innerError"]["request-id"],
        answer.headers["client-request-id"],
    )
    assert (await world.http.get("/V1.0/users")).status_code == 401


@documented("https://learn.microsoft.com/graph/api/user-list-directreports")
async def test_reports_and_expansions(world: World, client: Client) -> None:
    """At most twenty come with an expansion, and it does not go with an advanced query."""
    boss = person(world, "boss")
    for n in range(25):
        world.source.set_manager(person(world, f"p{n}"), boss.id)
    assert len((await client("GET", f"/users/{boss.id}/directReports")).value) == 25
    wide = await client("GET", f"/users/{boss.id}", expand="directReports($select=id)")
    assert len(wide.body["directReports"]) == 20
    refused = await client("GET", "/users", expand="manager", count="true", headers=ADVANCED)
    assert (refused.status, refused.code) == (400, "Request_UnsupportedQuery")


@documented("https://learn.microsoft.com/graph/api/directory-deleteditems-list", ADVANCED_QUERIES)
async def test_names_of_properties_come_in_any_case(world: World, client: Client) -> None:
    """The page selects DisplayName, and its answer says displayName; scripts of PowerShell write all names so."""
    for name in ("ada", "ben"):
        person(world, name, otherMails=[f"{name}@home.org"])
    selected = await client("GET", "/users", select="DisplayName,displayname,ID", orderby="DISPLAYNAME desc")
    assert selected.body["@odata.context"].endswith("/$metadata#users(displayName,id)")
    assert [set(each) for each in selected.value] == [{"displayName", "id"}] * 2
    assert names(selected) == "Ben Ada"
    for clause in (
        "UserPrincipalName eq 'ada@contoso.com'",
        "StartsWith(DisplayName, 'a')",
        "OtherMails/any(x:x eq 'ada@home.org')",
        "Mail in ('ada@contoso.com')",
    ):
        assert names(await client("GET", "/users", filter=clause)) == "Ada", clause


@documented("https://learn.microsoft.com/graph/api/directory-deleteditems-list")
async def test_deleted_items_are_in_the_context_of_their_type(world: World, client: Client) -> None:
    """As in the page's two answers."""
    world.source.delete(person(world))
    path = "/directory/deletedItems/microsoft.graph"
    users = await client("GET", f"{path}.user", select="id,DisplayName")
    assert users.body["@odata.context"].endswith("/$metadata#users(id,displayName)")
    assert (await client("GET", f"{path}.group")).body["@odata.context"].endswith("/$metadata#groups")


@documented("https://learn.microsoft.com/graph/api/user-list-manager")
async def test_a_chain_of_managers_is_expanded_by_levels(world: World, client: Client) -> None:
    """`max` or a number up to 1000, with or without `$count`; a circle ends where it closes."""
    ada, ben, cyd = (person(world, name) for name in ("ada", "ben", "cyd"))
    for below, above in ((ada, ben), (ben, cyd), (cyd, ada)):
        world.source.set_manager(below, above.id)
    path, levels = f"/users/{ada.id}", "manager($levels={};$select=id)"
    chain = await client("GET", path, expand=levels.format("max"), select="id", count="true", headers=ADVANCED)
    manager = chain.body["manager"]
    assert (manager["id"], manager["manager"]["id"], "manager" in manager["manager"]) == (ben.id, cyd.id, False)
    for text in ("1", ""):
        assert "manager" not in (await client("GET", path, expand=levels.format(text))).body["manager"]
    for text in ("0", "1001", "all"):
        assert (await client("GET", path, expand=levels.format(text))).code == UNSUPPORTED
    assert (await client("GET", path, expand="memberOf($levels=2)")).code == UNSUPPORTED


@documented("https://learn.microsoft.com/graph/api/resources/objectidentity")
@pytest.mark.parametrize(
    ("clause", "status"),
    [
        ("i/issuer eq 'contoso.com' and i/issuerAssignedId eq 'x'", 200),
        ("i/issuer eq 'google.com'", 200),
        ("i/issuer eq 'contoso.com'", 400),
        ("i/issuerAssignedId eq 'x'", 400),
        ("i/signInType eq 'userPrincipalName' and i/issuer eq 'contoso.com' and i/issuerAssignedId eq 'x'", 400),
    ],
)
async def test_identities_are_found_by_issuer_and_id_together(client: Client, clause: str, status: int) -> None:
    """A few issuers suffice alone; principal names are not found this way."""
    answer = await client("GET", "/users", filter=f"identities/any(i:{clause})")
    assert answer.status == status
    assert status == 200 or answer.code == UNSUPPORTED


@documented("https://learn.microsoft.com/graph/paging")
async def test_a_page_token_belongs_to_its_collection(world: World, http: HttpClient) -> None:
    """That of users is no place among groups."""
    for name in ("ada", "ben"):
        person(world, name)
    link = (await http("GET", "/users", top="1")).body["@odata.nextLink"]
    refused = await http("GET", link.replace("/users?", "/groups?"))
    assert (refused.status, refused.code) == (400, "Request_BadRequest")

"""Applications, batches, subscriptions and invitations as today's pages have them, and what Entra fills in."""

import base64
import json
import zlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from entra_graph_emulator.directory.delta import Cursor, begin
from entra_graph_emulator.testing import CONTOSO, World
from tests.support.graph_clients import Client, HttpClient, documented

API = "https://learn.microsoft.com/graph/api"
BATCHING = "https://learn.microsoft.com/graph/json-batching"
ADVANCED = {"ConsistencyLevel": "eventual"}
ROLE = "11111111-2222-4333-8444-555555555555"


@documented(f"{API}/application-update", f"{API}/application-delete")
async def test_an_application_lives(client: Client) -> None:
    """It is made, read, counted, changed and deleted (resources/application; seen by the .NET SDK, 2026-11-28)."""
    made = (await client("POST", "/applications", {"displayName": "Sync"})).body
    path = f"/applications/{made['id']}"
    assert (await client("GET", path)).body["displayName"] == "Sync"
    assert (await client("GET", "/applications/$count", headers=ADVANCED)).body == 1
    assert (await client("PATCH", path, {"displayName": "Sink"})).status == 204
    assert (await client("GET", f"/applications(appId='{made['appId']}')")).body["displayName"] == "Sink"
    for wrong in ({"appId": ROLE}, {"shoes": 1}, {"tags": "x"}, {"appRoles": [{"value": "x"}]}):
        assert (await client("PATCH", path, wrong)).status == 400
    assert (await client("DELETE", path)).status == 204
    assert (await client("GET", path)).status == 404


@documented(f"{API}/serviceprincipal-post-approleassignedto")
async def test_roles_of_an_application_are_assigned(world: World, client: Client) -> None:
    """They show on its service principal, made before or after (seen by the .NET SDK, 2026-11-28)."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    role = {"id": ROLE, "value": "Reader", "displayName": "Reader", "allowedMemberTypes": ["User"], "isEnabled": True}
    made = (await client("POST", "/applications", {"displayName": "Sync"})).body
    principal = (await client("POST", "/servicePrincipals", {"appId": made["appId"]})).body
    assert principal["appRoles"] == []
    assert (await client("PATCH", f"/applications/{made['id']}", {"appRoles": [role]})).status == 204
    assert (await client("GET", f"/servicePrincipals/{principal['id']}")).body["appRoles"] == [role]
    body = {"principalId": ada.id, "resourceId": principal["id"], "appRoleId": ROLE}
    assert (await client("POST", f"/users/{ada.id}/appRoleAssignments", body)).body["appRoleId"] == ROLE
    assert (await client("DELETE", f"/applications/{made['id']}")).status == 204
    assert (await client("GET", f"/servicePrincipals/{principal['id']}")).status == 404
    assert (await client("GET", f"/users/{ada.id}/appRoleAssignments")).value == []


@documented(f"{API}/resources/extensionproperty")
@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        ("Boolean", True, "true"),
        ("DateTime", "2026-01-01T00:00:00Z", 5),
        ("Integer", 5, True),
        ("LargeInteger", "5000000000", False),
        ("Binary", "AAEC", 5),
        ("String", "x", 5),
    ],
)
async def test_values_fit_the_type_of_their_extension(
    world: World, client: Client, kind: str, good: Any, bad: Any
) -> None:
    """Of six types (resources/extensionproperty, 2026-07); the property can be read and deleted."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    app = (await client("POST", "/applications", {"displayName": "Sync"})).body
    path = f"/applications/{app['id']}/extensionProperties"
    wanted = {"name": "badge", "dataType": kind, "targetObjects": ["User"]}
    assert (await client("POST", path, wanted | {"dataType": "Text"})).status == 400
    made = (await client("POST", path, wanted)).body
    assert (await client("PATCH", f"/users/{ada.id}", {made["name"]: bad})).status == 400
    for value in (good, None):
        assert (await client("PATCH", f"/users/{ada.id}", {made["name"]: value})).status == 204
    assert (await client("GET", f"{path}/{made['id']}")).body["dataType"] == kind
    assert (await client("DELETE", f"{path}/{made['id']}")).status == 204
    assert (await client("GET", f"{path}/{made['id']}")).status == 404


@documented(BATCHING)
@pytest.mark.parametrize("url", ["users", "https://graph.microsoft.com/v1.0/users", "/$batch"])
async def test_urls_that_a_batch_refuses(client: Client, url: str) -> None:
    """They are relative and begin with a slash (json-batching, 2026-11)."""
    refused = await client("POST", "/$batch", {"requests": [{"id": "1", "method": "GET", "url": url}]})
    assert (refused.status, refused.code) == (400, "BadRequest")


@documented(BATCHING)
async def test_items_of_a_batch_that_fail(world: World, client: Client) -> None:
    """A version in the URL, a dependency on a later item, an action that is not there (json-batching, 2026-11)."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    items: list[dict[str, Any]] = [
        {"id": "version", "method": "GET", "url": "/v1.0/users"},
        {"id": "early", "method": "GET", "url": "/users", "dependsOn": ["action"]},
        {"id": "action", "method": "POST", "url": f"/users/{ada.id}/microsoft.graph.dance"},
    ]
    answer = await client("POST", "/$batch", {"requests": items})
    assert {each["id"]: each["status"] for each in answer.body["responses"]} == {
        "version": 400,
        "early": 424,
        "action": 405,
    }


@documented(f"{API}/subscription-list")
async def test_a_listing_hides_the_secret(world: World, client: Client) -> None:
    """`clientState` is not in GET /subscriptions (subscription-list, 2026-11)."""
    body = {
        "changeType": "updated",
        "resource": "users",
        "notificationUrl": "https://sync.example/n",
        "clientState": "secret",
        "expirationDateTime": "2026-01-06T09:00:00Z",
    }
    assert (await client("POST", "/subscriptions", body)).body["clientState"] == "secret"
    [listed] = (await client("GET", "/subscriptions")).value
    assert "clientState" not in listed


@documented("https://github.com/microsoftgraph/msgraph-sdk-java/issues/1551")
@pytest.mark.parametrize("name", ["tenantId", "organizationId"])
async def test_lifecycle_notifications_have_two_forms(world: World, client: Client, name: str) -> None:
    """`organizationId` and no `tenantId` was seen (msgraph-sdk-java, issue 1551): a switch of the delivery."""
    await world.control("PUT", "/delivery", {"lifecycle_tenant": name})
    body = {
        "changeType": "updated",
        "resource": "users",
        "notificationUrl": "https://sync.example/n",
        "lifecycleNotificationUrl": "https://sync.example/l",
        "expirationDateTime": "2026-01-06T09:00:00Z",
    }
    await client("POST", "/subscriptions", body)
    await world.control("POST", f"/tenants/{CONTOSO}/reauthorize")
    await world.emulator.deliver()
    [item] = world.subscriber.items
    assert {"tenantId", "organizationId"} & item.keys() == {name}
    assert item[name] == CONTOSO


@documented(f"{API}/resources/invitation")
async def test_the_link_of_an_invitation(client: Client) -> None:
    """`rd` is an https URL with tenant, user and ticket (resources/invitation, 2026-11)."""
    body = {"invitedUserEmailAddress": "eve@fabrikam.com", "inviteRedirectUrl": "https://myapps.microsoft.com"}
    made = (await client("POST", "/invitations", body)).body
    [inner] = parse_qs(urlsplit(made["inviteRedeemUrl"]).query)["rd"]
    assert inner.startswith("https://invitations.microsoft.com/redeem/?")
    found = parse_qs(urlsplit(inner).query)
    assert (found["tenant"], found["user"]) == ([CONTOSO], [made["invitedUser"]["id"]])
    assert found["ticket"]
    guest = (await client("GET", f"/users/{made['invitedUser']['id']}", select="mailNickname")).body
    assert guest["mailNickname"] == "eve_fabrikam.com#EXT#"


@documented(f"{API}/resources/user")
@pytest.mark.parametrize(
    ("age", "consent", "classified"),
    [
        (None, None, None),
        ("Minor", None, "Undefined"),
        ("Minor", "Granted", "MinorWithParentalConsent"),
        ("Minor", "Denied", "MinorWithoutParentalConsent"),
        ("Minor", "NotRequired", "MinorNoParentalConsentRequired"),
        ("NotAdult", None, "NotAdult"),
        ("Adult", "NotRequired", "Adult"),
    ],
)
async def test_the_age_group_is_classified(
    world: World, client: Client, age: str | None, consent: str | None, classified: str | None
) -> None:
    """By the two age properties (resources/user, legalAgeGroupClassification, 2026-07-03)."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    await client("PATCH", f"/users/{ada.id}", {"ageGroup": age, "consentProvidedForMinor": consent})
    found = await client("GET", f"/users/{ada.id}", select="legalAgeGroupClassification")
    assert found.body["legalAgeGroupClassification"] == classified


@documented(f"{API}/resources/user", f"{API}/resources/organization")
async def test_what_entra_fills_in(world: World, client: Client) -> None:
    """A user's security identifier and the time of the password, the tenant's birth (resources/user, 2026-07-03)."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    names = "securityIdentifier,lastPasswordChangeDateTime"
    found = (await client("GET", f"/users/{ada.id}", select=names)).body
    assert found["securityIdentifier"].startswith("S-1-12-1-")
    assert found["lastPasswordChangeDateTime"] == "2026-01-05T09:00:00Z"
    world.clock.advance(600)
    world.source.role_holders.add("00000000-0000-0000-0000-00000000a001")
    await client("PATCH", f"/users/{ada.id}", {"passwordProfile": {"password": "Correct-horse-1"}})
    found = (await client("GET", f"/users/{ada.id}", select=names)).body
    assert found["lastPasswordChangeDateTime"] == "2026-01-05T09:10:00Z"
    [tenant] = (await client("GET", "/organization")).value
    assert tenant["createdDateTime"] == "2026-01-05T09:00:00Z"


@documented("https://github.com/Azure/azure-sdk-for-python/issues/14241")
async def test_a_token_endpoint_that_is_busy(world: World) -> None:
    """AADSTS90033 says temporarily_unavailable (azure-sdk-for-python, issue 14241)."""
    world.source.settings.token_error = "AADSTS90033"
    form = {"grant_type": "client_credentials", "client_id": "demo", "client_secret": "any"}
    answer = await world.http.post(f"/{CONTOSO}/oauth2/v2.0/token", data=form)
    assert (answer.status_code, answer.json()["error"]) == (400, "temporarily_unavailable")


@documented(f"{API}/user-post-users")
async def test_a_batch_needs_the_permission_of_its_items(world: World) -> None:
    """Each item is judged like a request of its own (json-batching, 2026-11)."""
    app = HttpClient(world, CONTOSO, ["User.Read.All"])
    item = {"id": "1", "method": "DELETE", "url": "/users/x"}
    [answer] = (await app("POST", "/$batch", {"requests": [item]})).body["responses"]
    assert answer["status"] == 403


@documented("https://github.com/microsoftgraph/microsoft-graph-docs/issues/4498")
async def test_a_round_may_forget_a_soft_deletion(world: World, client: Client) -> None:
    """Several reporters saw it (microsoft-graph-docs, issue 4498): a switch; the purge is told."""
    await world.control("PUT", f"/tenants/{CONTOSO}/settings", {"delta_silent_deletions": True})
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    link = (await client("GET", "/users/delta")).body["@odata.deltaLink"]
    world.source.delete(ada)
    forgetful = (await client("GET", link)).body
    assert forgetful["value"] == []
    world.source.purge(ada)
    told = (await client("GET", forgetful["@odata.deltaLink"])).value
    assert told == [{"id": ada.id, "@removed": {"reason": "deleted"}}]


@documented("https://github.com/microsoftgraph/microsoft-graph-docs/issues/4897")
async def test_a_link_may_lead_to_its_own_page(world: World, client: Client) -> None:
    """Ever new links with the same entries (microsoft-graph-docs, issue 4897): a switch."""
    await world.control("PUT", f"/tenants/{CONTOSO}/settings", {"delta_circle": 2, "delta_page_size": 1})
    for name in "ab":
        world.source.create({"displayName": name, "userPrincipalName": f"{name}@contoso.com"})
    link, pages = "/users/delta", []
    while link:
        body = (await client("GET", link)).body
        pages.append(body["value"][0]["displayName"])
        assert body.get("@odata.nextLink") != link
        link = body.get("@odata.nextLink", "")
    assert pages == ["a", "a", "a", "b"]


async def test_a_token_of_an_earlier_version_is_read(world: World) -> None:
    """It has one field less, as in snapshots that were taken before."""
    cursor = begin(world.source, world.clock.now(), select=None, ids=None)
    packed = base64.urlsafe_b64decode(cursor.encode() + "==")
    earlier = json.dumps(json.loads(zlib.decompress(packed))[:-1]).encode()
    assert Cursor.decode(base64.urlsafe_b64encode(zlib.compress(earlier)).decode()) == cursor

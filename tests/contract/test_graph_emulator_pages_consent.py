"""Consent, extensions, followed delta links and waiting times as today's pages have them."""

from urllib.parse import urlencode

import pytest

from entra_graph_emulator.testing import CONTOSO, World
from tests.support.graph_clients import Client, documented

LEARN = "https://learn.microsoft.com/graph"
GRAPH_APP = "00000003-0000-0000-c000-000000000000"
READ_USERS = "df021288-bdef-4463-88db-98f22de89214"
BADGE = f"extension_{'0' * 32}_badge"


async def bearer(world: World, app: str) -> dict[str, str]:
    """The header with a token from the token endpoint. Fails with the endpoint's error."""
    form = {"grant_type": "client_credentials", "client_id": app, "client_secret": "any"}
    answer = await world.http.post(
        f"/{CONTOSO}/oauth2/v2.0/token",
        content=urlencode({**form, "scope": "https://graph.microsoft.com/.default"}),
        headers={"Content-Type": "application/x-www-form-urlencoded"},
    )
    assert answer.status_code == 200, answer.json()["error_description"]
    return {"Authorization": f"Bearer {answer.json()['access_token']}"}


async def status(world: World, headers: dict[str, str]) -> int:
    return (await world.http.get("/v1.0/users", headers=headers)).status_code


@documented(f"{LEARN}/extensibility-overview", f"{LEARN}/api/application-post-extensionproperty", date="2026-07")
async def test_an_extension_that_nobody_registered_is_refused(world: World, client: Client) -> None:
    """A value needs a registered extensionProperty, of users and of groups (extensibility-overview, 2026-07)."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    body = {"displayName": "G", "mailEnabled": False, "mailNickname": "g", "securityEnabled": True}
    group = (await client("POST", "/groups", body)).body
    for path in (f"/users/{ada.id}", f"/groups/{group['id']}"):
        assert (await client("PATCH", path, {BADGE: "7"})).status == 400
    assert (await client("POST", "/groups", {**body, "mailNickname": "h", BADGE: "7"})).status == 400
    await world.control("POST", f"/tenants/{CONTOSO}/extensions", {"value": [BADGE]})
    for path in (f"/users/{ada.id}", f"/groups/{group['id']}"):
        assert (await client("PATCH", path, {BADGE: 7})).status == 400
        assert (await client("PATCH", path, {BADGE: "7"})).status == 204


@documented(f"{LEARN}/delta-query-overview", date="2025-04-30")
async def test_select_on_a_delta_link_changes_what_is_tracked(world: World, client: Client) -> None:
    """Of an existing deltaLink; with a nextLink it is not supported (delta-query-overview, 2025-04-30)."""
    world.source.settings.delta_page_size = 1
    ada, _ = (
        world.source.create({"displayName": name, "userPrincipalName": f"{name}@contoso.com"})
        for name in ("ada", "bob")
    )
    page = (await client("GET", "/users/delta", select="city")).body
    assert (await client("GET", f"{page['@odata.nextLink']}&$select=jobTitle")).status == 400
    while "@odata.nextLink" in page:
        page = (await client("GET", page["@odata.nextLink"])).body
    world.source.update(ada, {"jobTitle": "Engineer"})
    link = page["@odata.deltaLink"]
    assert (await client("GET", link)).value == []
    changed = (await client("GET", f"{link}&$select=jobTitle")).body
    assert changed["value"] == [{"jobTitle": "Engineer", "id": ada.id}]
    while "@odata.nextLink" in changed:
        changed = (await client("GET", changed["@odata.nextLink"])).body
    world.source.update(ada, {"city": "Rome"})
    assert (await client("GET", changed["@odata.deltaLink"])).value == []


@documented(f"{LEARN}/permissions-grant-via-msgraph", f"{LEARN}/auth-v2-service", date="2026-07")
async def test_consent_is_in_the_next_token(world: World, client: Client) -> None:
    """An app role in Graph is given and taken; a token from before keeps its roles to its end (2026-07)."""
    made = (await client("POST", "/applications", {"displayName": "Sync"})).body
    principal = (await client("POST", "/servicePrincipals", {"appId": made["appId"]})).body
    [graph] = (await client("GET", "/servicePrincipals", filter=f"appId eq '{GRAPH_APP}'")).value
    assert READ_USERS in {each["id"] for each in graph["appRoles"]}
    before = await bearer(world, made["appId"])
    assert await status(world, before) == 403
    path = f"/servicePrincipals/{principal['id']}/appRoleAssignments"
    body = {"principalId": principal["id"], "resourceId": graph["id"], "appRoleId": READ_USERS}
    assigned = (await client("POST", path, body)).body
    during = await bearer(world, made["appId"])
    assert (await status(world, before), await status(world, during)) == (403, 200)
    assert (await client("DELETE", f"{path}/{assigned['id']}")).status == 204
    after = await bearer(world, made["appId"])
    assert (await status(world, during), await status(world, after)) == (200, 403)
    world.clock.advance(3600)
    assert await status(world, during) == 401


@pytest.mark.parametrize("wrong", [1.5, "5"])
async def test_a_waiting_time_is_in_whole_seconds(world: World, wrong: object) -> None:
    """An injected fault cannot say otherwise (RFC 9110, Retry-After; microsoft-graph-docs #17443)."""
    answer = await world.http.post("/_emulator/faults", json={"status": 429, "retry_after": wrong})
    assert answer.status_code == 400
    await world.control("POST", "/faults", {"status": 429, "retry_after": 1_000_000})
    assert (await world.contoso.get("/users")).headers["Retry-After"] == "1000000"

"""Applications, service principals, domains, roles and contacts: what ordinary programs do with them."""

from typing import Any

import pytest

from entra_graph_emulator.testing import CONTOSO, World
from tests.support.graph_clients import Client, HttpClient, documented

API = "https://learn.microsoft.com/graph/api"
ROLE = "11111111-2222-4333-8444-555555555555"
MANY = {"ConsistencyLevel": "eventual"}
GLOBAL = "62e90394-69f5-4237-9190-012177145e10"


async def made(client: Client, **given: Any) -> dict[str, Any]:
    return dict((await client("POST", "/applications", {"displayName": "Sync", **given})).body)


@documented(f"{API}/application-addpassword", f"{API}/application-removepassword", date="2026-07")
@pytest.mark.parametrize("plural", ["applications", "servicePrincipals"])
async def test_a_password_is_shown_once(client: Client, plural: str) -> None:
    """It lasts two years by default; a read has all of it but the secret (application-addpassword, 2026-07)."""
    app = await made(client)
    principal = (await client("POST", "/servicePrincipals", {"appId": app["appId"]})).body
    path = f"/{plural}/{app['id'] if plural == 'applications' else principal['id']}"
    secret = (await client("POST", f"{path}/addPassword", {"passwordCredential": {"displayName": "CI"}})).body
    assert (secret["displayName"], secret["startDateTime"][:4], secret["endDateTime"][:4]) == ("CI", "2026", "2028")
    assert 16 <= len(secret["secretText"]) <= 64
    assert secret["secretText"].startswith(secret["hint"])
    [kept] = (await client("GET", path)).body["passwordCredentials"]
    assert (kept["keyId"], kept["secretText"]) == (secret["keyId"], None)
    wrong = {"passwordCredential": {"endDateTime": "2020-01-01T00:00:00Z"}}
    assert (await client("POST", f"{path}/addPassword", wrong)).status == 400
    assert (await client("PATCH", path, {"passwordCredentials": []})).status == 400
    assert (await client("POST", f"{path}/removePassword", {"keyId": ROLE})).status == 400
    assert (await client("POST", f"{path}/removePassword", {"keyId": secret["keyId"]})).status == 204
    assert (await client("GET", path)).body["passwordCredentials"] == []


@documented(f"{API}/application-post-owners", f"{API}/application-list-owners", f"{API}/application-delete-owners")
@pytest.mark.parametrize("plural", ["applications", "servicePrincipals"])
async def test_owners_of_an_app(world: World, client: Client, plural: str) -> None:
    """By reference, each once; a group cannot own (application-post-owners, 2026-07)."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    group = world.source.groups.create({"displayName": "G", "mailNickname": "g"})
    app = await made(client)
    principal = (await client("POST", "/servicePrincipals", {"appId": app["appId"]})).body
    path = f"/{plural}/{app['id'] if plural == 'applications' else principal['id']}/owners"
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{ada.id}"}
    assert (await client("POST", f"{path}/$ref", reference)).status == 204
    assert (await client("POST", f"{path}/$ref", reference)).status == 400
    other = {"@odata.id": f"https://graph.microsoft.com/v1.0/directoryObjects/{group.id}"}
    assert (await client("POST", f"{path}/$ref", other)).status == 400
    assert (await client("GET", path)).value[0]["@odata.type"] == "#microsoft.graph.user"
    assert (await client("GET", path)).ids == [ada.id]
    assert (await client("DELETE", f"{path}/{ada.id}/$ref")).status == 204
    assert (await client("GET", path)).value == []


@documented(f"{API}/resources/approle", date="2026-07")
async def test_a_role_is_disabled_before_it_is_removed(client: Client) -> None:
    """Each has a name and members of a known type; ids and values come once (approle, 2026-07)."""
    role = {"id": ROLE, "value": "Read", "displayName": "Read", "description": "Reads", "allowedMemberTypes": ["User"]}
    writes: tuple[Any, ...] = (
        {"displayName": None},
        {"allowedMemberTypes": []},
        {"allowedMemberTypes": ["Robot"]},
        {"id": "1"},
    )
    for wrong in writes:
        assert (
            await client("POST", "/applications", {"displayName": "S", "appRoles": [{**role, **wrong}]})
        ).status == 400
    assert (await client("POST", "/applications", {"displayName": "S", "appRoles": [role, role]})).status == 400
    path = f"/applications/{(await made(client, appRoles=[role]))['id']}"
    refused = await client("PATCH", path, {"appRoles": []})
    assert (refused.status, refused.code) == (400, "CannotDeleteOrUpdateEnabledEntitlement")
    assert (await client("PATCH", path, {"appRoles": [{**role, "isEnabled": False}]})).status == 204
    assert (await client("PATCH", path, {"appRoles": []})).status == 204


@documented(f"{API}/application-post-applications", f"{API}/resources/application", date="2026-07")
async def test_what_ordinary_applications_are_made_with(client: Client) -> None:
    """Redirects, permissions, an audience of four; what is read-only is refused (resources/application, 2026-07)."""
    web = {"redirectUris": ["https://localhost/cb"], "implicitGrantSettings": {"enableIdTokenIssuance": True}}
    access = [{"resourceAppId": ROLE, "resourceAccess": [{"id": ROLE, "type": "Role"}]}]
    app = await made(client, web=web, spa={"redirectUris": []}, requiredResourceAccess=access)
    assert (app["web"], app["requiredResourceAccess"]) == (web, access)
    writes: tuple[Any, ...] = (
        {"signInAudience": "Everybody"},
        {"displayName": "x" * 257},
        {"displayName": None},
        {"web": []},
        {"isFallbackPublicClient": "yes"},
        {"publisherDomain": "x.com"},
        {"info": {}},
    )
    for wrong in writes:
        assert (await client("PATCH", f"/applications/{app['id']}", wrong)).status == 400, wrong


@documented(f"{API}/serviceprincipal-update", f"{API}/serviceprincipal-delete", date="2026-07")
async def test_a_service_principal_lives(world: World, client: Client) -> None:
    """It is changed, disabled and deleted; its application stays (serviceprincipal-delete, 2026-07)."""
    app = await made(client)
    body = {"appId": app["appId"], "tags": ["WindowsAzureActiveDirectoryIntegratedApp"]}
    principal = (await client("POST", "/servicePrincipals", body)).body
    path = f"/servicePrincipals/{principal['id']}"
    assert principal["tags"] == body["tags"]
    changes = {"accountEnabled": False, "appRoleAssignmentRequired": True, "notes": "n"}
    assert (await client("PATCH", path, changes)).status == 204
    form = f"grant_type=client_credentials&client_id={app['appId']}&client_secret=any"
    refused = await world.http.post(f"/{CONTOSO}/oauth2/v2.0/token", content=form)
    assert "AADSTS7000112" in refused.json()["error_description"]
    writes: tuple[Any, ...] = ({"appId": ROLE}, {"appRoles": []}, {"accountEnabled": "no"}, {"shoes": 1})
    for wrong in writes:
        assert (await client("PATCH", path, wrong)).status == 400
    assert (await client("DELETE", path)).status == 204
    assert (await client("GET", path)).status == 404
    assert (await client("GET", f"/applications/{app['id']}")).body["appId"] == app["appId"]


@documented("https://learn.microsoft.com/graph/permissions-reference", date="2026-09")
async def test_an_app_that_may_write_its_own(world: World) -> None:
    """With OwnedBy an app owns what it makes, and writes nothing else (permissions-reference, 2026-09)."""
    everything = HttpClient(world, CONTOSO)
    modest = HttpClient(world, CONTOSO, ["Application.ReadWrite.OwnedBy"])
    foreign = await made(everything)
    own = await made(modest)
    assert (await modest("PATCH", f"/applications/{foreign['id']}", {"displayName": "x"})).status == 403
    assert (await modest("PATCH", f"/applications/{own['id']}", {"displayName": "x"})).status == 204
    assert (await modest("POST", f"/applications/{own['id']}/addPassword", {})).status == 200
    assert (await modest("POST", f"/applications/{foreign['id']}/addPassword", {})).status == 403


@documented("https://learn.microsoft.com/graph/filter-query-parameter", date="2026-07")
@pytest.mark.parametrize("form", ["id eq '{0}'", "id eq {0}", "id in ('{0}')", "id in ('{0}', '{1}')", "id in ({0})"])
@pytest.mark.parametrize("plural", ["users", "groups", "applications", "servicePrincipals"])
async def test_ids_in_filters(world: World, client: Client, plural: str, form: str) -> None:
    """With quotes or without (filter-query-parameter, 2026-07)."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    group = world.source.groups.create({"displayName": "G", "mailNickname": "g"})
    app = await made(client)
    principal = (await client("POST", "/servicePrincipals", {"appId": app["appId"]})).body
    wanted = {"users": ada.id, "groups": group.id, "applications": app["id"], "servicePrincipals": principal["id"]}[
        plural
    ]
    assert (await client("GET", f"/{plural}", filter=form.format(wanted, ROLE))).ids == [wanted]


@documented(f"{API}/domain-get", f"{API}/domain-list", date="2026-07")
async def test_the_domains_of_a_tenant(client: Client) -> None:
    """The default one and the initial one, by name (domain-get, 2026-07)."""
    assert (await client("GET", "/domains")).ids == ["contoso.com", "contoso.onmicrosoft.com"]
    domain = (await client("GET", "/domains/contoso.com")).body
    assert (domain["isDefault"], domain["isVerified"], domain["isInitial"]) == (True, True, False)
    assert (await client("GET", "/domains/nowhere.com")).status == 404


@documented(
    f"{API}/directoryrole-list", f"{API}/directoryrole-get", f"{API}/directoryrole-list-members", date="2026-07"
)
async def test_activated_roles_and_who_has_them(world: World, client: Client) -> None:
    """By id or by the template's id (directoryrole-get, 2026-07)."""
    ada = world.source.create({"displayName": "Ada", "userPrincipalName": "ada@contoso.com"})
    ada.admin = True
    [role] = (await client("GET", "/directoryRoles", filter=f"roleTemplateId eq '{GLOBAL}'")).value
    assert role["displayName"] == "Global Administrator"
    assert (await client("GET", f"/directoryRoles(roleTemplateId='{GLOBAL}')")).body["id"] == role["id"]
    assert (await client("GET", f"/directoryRoles/{role['id']}/members")).ids == [ada.id]
    assert (await client("GET", f"/directoryRoles/{ROLE}")).status == 404


@documented(f"{API}/orgcontact-list", f"{API}/orgcontact-get", date="2026-07")
async def test_mail_contacts_are_read(world: World, client: Client) -> None:
    """Listed, found by address, read by id (orgcontact-list, 2026-07)."""
    world.source.settings.contact_addresses = ["kay@partner.com", "lee@partner.com"]
    assert len((await client("GET", "/contacts")).value) == 2
    [kay] = (await client("GET", "/contacts", filter="mail eq 'kay@partner.com'")).value
    assert (await client("GET", f"/contacts/{kay['id']}")).body["proxyAddresses"] == ["SMTP:kay@partner.com"]
    assert (await client("GET", "/contacts/$count", headers=MANY)).body == 2


@pytest.mark.parametrize("path", ["/me", "/me/memberOf", "/me/manager"])
@documented("https://learn.microsoft.com/graph/api/user-get", date="2026-07")
async def test_nobody_is_signed_in(client: Client, path: str) -> None:
    """`/me` needs a signed-in user (user-get, 2026-07)."""
    refused = await client("GET", path)
    assert (refused.status, refused.code) == (400, "BadRequest")
    assert refused.message == "/me request is only valid with delegated authentication flow."

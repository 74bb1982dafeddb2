"""Policies, apps, writes with conditions and the emulator's switches, case by case, through both clients."""

from typing import Any

import pytest

from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.emulator import DEFAULT_APP
from entra_graph_emulator.testing import BASE, CONTOSO, FABRIKAM, World
from tests.support.graph_clients import CLIENTS, Answer, Client, documented

API = "https://learn.microsoft.com/graph/api"
CROSS_TENANT = f"{API}/resources/crosstenantaccesspolicy-overview"
PARTNERS = "/policies/crossTenantAccessPolicy/partners"
CONSENT = "automaticUserConsentSettings"
pytestmark = pytest.mark.filterwarnings("ignore:.* is deprecated:DeprecationWarning")


@pytest.fixture(params=["http", "sdk"])
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def client(kind: str, world: World) -> Client:
    return CLIENTS[kind](world, CONTOSO)


@pytest.fixture
def target(kind: str, world: World) -> Client:
    return CLIENTS[kind](world, FABRIKAM)


def person(world: World, name: str = "ada", **properties: Any) -> User:
    base = {"displayName": name.title(), "mail": f"{name}@contoso.com", "userPrincipalName": f"{name}@contoso.com"}
    return world.source.create(base | properties)


async def invited(target: Client, address: str = "ada@contoso.com", **more: Any) -> Answer:
    body = {"invitedUserEmailAddress": address, "inviteRedirectUrl": "https://myapps.microsoft.com", **more}
    return await target("POST", "/invitations", body)


@documented(CROSS_TENANT, "https://learn.microsoft.com/entra/external-id/cross-tenant-access-overview")
@pytest.mark.parametrize(
    ("inbound", "outbound", "state"),
    [(True, True, "Accepted"), (True, False, "PendingAcceptance"), (False, True, "PendingAcceptance")],
)
async def test_redemption_is_automatic_where_both_tenants_consent(
    world: World, client: Client, target: Client, inbound: bool, outbound: bool, state: str
) -> None:
    """Inbound in the tenant that invites, outbound in the one that the guest is from."""
    await target("POST", PARTNERS, {"tenantId": CONTOSO, CONSENT: {"inboundAllowed": inbound}})
    await client("POST", PARTNERS, {"tenantId": FABRIKAM, CONSENT: {"outboundAllowed": outbound}})
    guest = world.target.user((await invited(target)).body["invitedUser"]["id"])
    assert guest.properties["externalUserState"] == state


@documented(f"{API}/crosstenantaccesspolicyconfigurationdefault-update")
async def test_partners_inherit_the_default(world: World, client: Client, target: Client) -> None:
    """What a partner leaves null the default decides; changing the default makes it the tenant's own."""
    path = "/policies/crossTenantAccessPolicy/default"
    assert (await target("GET", path)).body["isServiceDefault"] is True
    everybody = {"target": "AllUsers", "targetType": "user"}
    blocked = {"usersAndGroups": {"accessType": "blocked", "targets": [everybody]}}
    assert (await target("PATCH", path, {"b2bCollaborationInbound": blocked})).status == 204
    assert (await target("GET", path)).body["isServiceDefault"] is False
    await target("POST", PARTNERS, {"tenantId": CONTOSO})
    assert (await invited(target)).status == 400


@documented(f"{API}/resources/crosstenantaccesspolicyconfigurationdefault")
async def test_nobody_consents_by_default(client: Client, target: Client) -> None:
    """The default is read-only and false, a partner's is null until set (its resource page, 2026-11)."""
    path = "/policies/crossTenantAccessPolicy/default"
    refused = await target("PATCH", path, {CONSENT: {"inboundAllowed": True}})
    assert (refused.status, refused.code) == (400, "Request_BadRequest")
    assert (await client("GET", path)).body[CONSENT] == {"inboundAllowed": False, "outboundAllowed": False}
    made = (await target("POST", PARTNERS, {"tenantId": CONTOSO})).body
    assert made[CONSENT] == {"inboundAllowed": None, "outboundAllowed": None}


@documented(f"{API}/authorizationpolicy-update")
async def test_members_of_a_complex_property_that_are_not_sent_stay(client: Client) -> None:
    """As in every PATCH of one (authorizationpolicy-update, 2026-07)."""
    path = "/policies/authorizationPolicy"
    changed = {"defaultUserRolePermissions": {"allowedToCreateApps": False}}
    assert (await client("PATCH", path, changed)).status == 204
    found = (await client("GET", path)).body["defaultUserRolePermissions"]
    assert (found["allowedToCreateApps"], found["allowedToReadOtherUsers"]) == (False, True)


@documented(f"{API}/crosstenantaccesspolicy-post-partners", f"{API}/crosstenantaccesspolicyconfigurationpartner-delete")
async def test_partners_are_created_read_changed_and_deleted(target: Client) -> None:
    """Unset settings are null; a synchronization policy goes first."""
    made = await target("POST", PARTNERS, {"tenantId": CONTOSO})
    assert made.body["@odata.context"] == f"{BASE}/v1.0/$metadata{PARTNERS.replace('/policies', '#policies')}/$entity"
    assert made.body[CONSENT] == {"inboundAllowed": None, "outboundAllowed": None}
    assert (await target("POST", PARTNERS, {"tenantId": CONTOSO})).status == 400
    assert (await target("PATCH", f"{PARTNERS}/{CONTOSO}", {CONSENT: {"inboundAllowed": True}})).status == 204
    sync = f"{PARTNERS}/{CONTOSO}/identitySynchronization"
    assert (await target("GET", sync)).status == 404
    assert (await target("PUT", sync, {"userSyncInbound": {"isSyncAllowed": True}})).status == 204
    assert (await target("GET", sync)).body["userSyncInbound"] == {"isSyncAllowed": True}
    assert (await target("DELETE", f"{PARTNERS}/{CONTOSO}")).status == 400
    assert (await target("DELETE", sync)).status == 204
    assert (await target("DELETE", f"{PARTNERS}/{CONTOSO}")).status == 204
    assert (await target("GET", PARTNERS)).value == []


@documented(CROSS_TENANT)
async def test_blocked_collaboration_refuses_invitations(target: Client) -> None:
    """Inbound or outbound, for everybody of the partner."""
    everybody = {"accessType": "blocked", "targets": [{"target": "AllUsers", "targetType": "user"}]}
    await target("POST", PARTNERS, {"tenantId": CONTOSO, "b2bCollaborationInbound": {"usersAndGroups": everybody}})
    assert "blocked by cross-tenant access settings" in (await invited(target)).message


@documented(f"{API}/resources/authorizationpolicy", f"{API}/invitation-post")
@pytest.mark.parametrize(("inviters", "status"), [("none", 403), ("adminsAndGuestInviters", 403), ("everyone", 200)])
async def test_the_authorization_policy_says_who_may_invite(target: Client, inviters: str, status: int) -> None:
    """An app is no administrator."""
    path = "/policies/authorizationPolicy"
    assert (await target("GET", path)).body["allowInvitesFrom"] == "everyone"
    assert (await target("PATCH", path, {"allowInvitesFrom": inviters})).status == 204
    answer = await invited(target)
    assert answer.status in {status, 201}


@documented(f"{API}/resources/authorizationpolicy")
async def test_policies_refuse_what_they_do_not_know(target: Client) -> None:
    """Properties and values alike."""
    for path, body in (
        ("/policies/authorizationPolicy", {"allowInvitesFrom": "nobody"}),
        ("/policies/crossTenantAccessPolicy/default", {"shoes": {}}),
        ("/policies/crossTenantAccessPolicy/default", {CONSENT: {"inboundAllowed": "yes"}}),
    ):
        assert (await target("PATCH", path, body)).code == "Request_BadRequest"


@documented(f"{API}/serviceprincipal-list-approleassignments")
async def test_a_preflight_check_reads_what_an_app_was_granted(world: World, client: Client) -> None:
    """Its service principal, its app roles, and Graph's own principal with their names."""
    await world.control("PUT", f"/tenants/{CONTOSO}/apps/{DEFAULT_APP}", {"roles": ["User.Invite.All"]})
    [own] = (await client("GET", "/servicePrincipals", filter=f"appId eq '{DEFAULT_APP}'")).value
    [granted] = (await client("GET", f"/servicePrincipals/{own['id']}/appRoleAssignments")).value
    graph = (await client("GET", f"/servicePrincipals/{granted['resourceId']}", select="displayName,appRoles")).body
    assert graph["displayName"] == granted["resourceDisplayName"] == "Microsoft Graph"
    names = {role["id"]: role["value"] for role in graph["appRoles"]}
    assert names[granted["appRoleId"]] == "User.Invite.All"
    assert granted["appRoleId"] == "09850681-111b-4a89-9bed-3f2cae46d706"
    assert (await client("GET", f"/servicePrincipals/{own['id']}/oauth2PermissionGrants")).value == []


@documented(f"{API}/application-post-extensionproperty")
async def test_directory_extensions_are_registered_with_an_application(world: World, client: Client) -> None:
    """Only registered ones can be written, unless a switch takes any."""
    app = (await client("POST", "/applications", {"displayName": "Sync"})).body
    body = {"name": "costKey", "dataType": "String", "targetObjects": ["User"]}
    made = (await client("POST", f"/applications/{app['id']}/extensionProperties", body)).body
    assert made["name"] == f"extension_{app['appId'].replace('-', '')}_costKey"
    ada = person(world)
    assert (await client("PATCH", f"/users/{ada.id}", {made["name"]: "x"})).status == 204
    other = f"extension_{'0' * 32}_other"
    refused = await client("PATCH", f"/users/{ada.id}", {other: "x"})
    assert refused.message == f"The following extension properties are not available: {other}."
    await world.control("PUT", f"/tenants/{CONTOSO}/settings", {"extensions_need_registration": False})
    assert (await client("PATCH", f"/users/{ada.id}", {other: "x"})).status == 204


@documented("https://learn.microsoft.com/graph/delta-query-overview")
async def test_a_changed_extension_brings_those_of_its_type(world: World, client: Client) -> None:
    """Selected or not."""
    text, other, number = (f"extension_{'0' * 32}_{name}" for name in ("a", "b", "c"))
    values: dict[str, Any] = {text: "1", other: "2", number: 3}
    ada = person(world, **values)
    first = (await client("GET", "/users/delta", select=text)).body
    assert first["value"] == [{"id": ada.id, text: "1"}]
    world.source.update(ada, {text: "9"})
    second = (await client("GET", first["@odata.deltaLink"])).body
    assert second["value"] == [{"id": ada.id, text: "9", other: "2"}]


@documented(f"{API}/user-update", f"{API}/user-post-manager")
async def test_a_manager_is_bound_in_a_patch(world: World, client: Client) -> None:
    """`manager@odata.bind` beside other properties."""
    ada, boss = person(world), person(world, "boss")
    body = {"jobTitle": "x", "manager@odata.bind": f"https://graph.microsoft.com/v1.0/users/{boss.id}"}
    assert (await client("PATCH", f"/users/{ada.id}", body)).status == 204
    assert (ada.manager, ada.properties["jobTitle"]) == (boss.id, "x")


@documented(f"{API}/user-post-sponsors", f"{API}/user-list-sponsors")
async def test_sponsors_answer_for_a_guest(world: World, client: Client) -> None:
    """Added and removed by reference."""
    ada, ben = person(world), person(world, "ben")
    reference = {"@odata.id": f"https://graph.microsoft.com/v1.0/users/{ben.id}"}
    path = f"/users/{ada.id}/sponsors"
    assert (await client("POST", f"{path}/$ref", reference)).status == 204
    assert (await client("GET", path)).ids == [ben.id]
    assert (await client("DELETE", f"{path}/{ben.id}/$ref")).status == 204
    assert (await client("GET", path)).value == []


@documented(f"{API}/resources/users#who-can-perform-sensitive-actions")
async def test_an_app_with_a_directory_role_may_touch_administrators(world: World, client: Client) -> None:
    """Without one it is 403, for sensitive properties and for deletion."""
    ada = person(world)
    ada.admin = True
    refused = await client("PATCH", f"/users/{ada.id}", {"accountEnabled": False})
    assert (refused.status, refused.code) == (403, "Authorization_RequestDenied")
    await world.control("PUT", f"/tenants/{CONTOSO}/apps/{DEFAULT_APP}", {"directoryRole": True})
    assert (await client("PATCH", f"/users/{ada.id}", {"accountEnabled": False})).status == 204
    assert (await client("DELETE", f"/users/{ada.id}")).status == 204


@documented(
    "https://learn.microsoft.com/entra/identity/multi-tenant-organizations/cross-tenant-synchronization-configure"
)
@pytest.mark.parametrize("name", ["mail", "showInAddressList"])
async def test_an_external_service_may_own_a_guests_mail(world: World, target: Client, name: str) -> None:
    """A switch: some tenants refuse it."""
    guest = (await invited(target)).body["invitedUser"]["id"]
    body: dict[str, Any] = {"mail": "b@contoso.com"} if name == "mail" else {"showInAddressList": True}
    assert (await target("PATCH", f"/users/{guest}", body)).status == 204
    world.target.settings.external_service_owns_mail = True
    assert (await target("PATCH", f"/users/{guest}", body)).code == "CannotUpdateObjectsOriginatedInExternalService"


@documented("https://learn.microsoft.com/graph/throttling-limits")
async def test_wide_quotas_hold_over_apps_and_over_tenants(world: World, kind: str) -> None:
    """The scope says which one it was; an app alone in a tenant never meets them."""
    await world.control("PUT", "/throttle", {"tenant_writes": 1, "app_writes": 2})
    http = CLIENTS["http"]
    answers = [await http(world, tenant)("DELETE", "/users/x") for tenant in (CONTOSO, CONTOSO, FABRIKAM)]
    assert [each.status for each in answers] == [404, 429, 404]
    assert answers[1].headers["x-ms-throttle-scope"].startswith("Tenant/Write/")
    await world.control("PUT", "/throttle", {"tenant_writes": 9, "app_writes": 1})
    answers = [await http(world, tenant)("DELETE", "/users/x") for tenant in (CONTOSO, FABRIKAM)]
    assert answers[1].headers["x-ms-throttle-scope"].startswith("Application/Write/")


SWITCHES: list[tuple[str, Any, str]] = [
    ("member_invites_need_write", False, "invite a Member with User.Invite.All alone"),
    ("restricted_invites_refuse_apps", False, "apps invite although admins must"),
    ("reinvite_revives_deleted", True, "an invitation restores a deleted guest"),
    ("invited_other_mails", False, "otherMails stay empty"),
    ("already_exists_code", "Request_BadRequest", "another code"),
    ("missing_manager_status", 204, "removing no manager is fine"),
    ("deletion_drops_references", True, "a manager who comes back is nobody's manager"),
    ("select_adds_id", False, "no id unless selected"),
    ("soft_delete_security_groups", False, "security groups are gone at once"),
    ("directory_etags", True, "If-Match fails"),
    ("location_form", "v2", "the other Location"),
    ("sensitive_needs_role", True, "sensitive for everybody"),
    ("restore_notifies", False, "a restore is silent"),
]


async def behaviour(world: World, switch: str) -> Any:
    """What a client sees of the behaviour that the switch decides."""
    http = CLIENTS["http"](world, FABRIKAM)
    user = world.target.create({"displayName": "U", "userPrincipalName": "u@fabrikam.com"})
    match switch:
        case "member_invites_need_write":
            app = CLIENTS["http"](world, FABRIKAM, ["User.Invite.All"])
            return (await invited(app, invitedUserType="Member")).status
        case "restricted_invites_refuse_apps":
            world.target.policies.change_authorization({"allowInvitesFrom": "adminsAndGuestInviters"})
            return (await invited(http)).status
        case "reinvite_revives_deleted":
            first = (await invited(http)).body["invitedUser"]["id"]
            await http("DELETE", f"/users/{first}")
            return (await invited(http)).body["invitedUser"]["id"] == first
        case "invited_other_mails":
            guest = (await invited(http)).body["invitedUser"]["id"]
            return world.target.user(guest).properties["otherMails"]
        case "already_exists_code":
            world.target.create({"displayName": "A", "userPrincipalName": "a@fabrikam.com", "mail": "ada@contoso.com"})
            return (await invited(http)).code
        case "missing_manager_status":
            return (await http("DELETE", f"/users/{user.id}/manager/$ref")).status
        case "deletion_drops_references":
            boss = world.target.create({"displayName": "B", "userPrincipalName": "b@fabrikam.com"})
            world.target.set_manager(user, boss.id)
            await http("DELETE", f"/users/{boss.id}")
            await http("POST", f"/directory/deletedItems/{boss.id}/restore")
            return (await http("GET", f"/users/{user.id}/manager")).status
        case "select_adds_id":
            return (await http("GET", f"/users/{user.id}", select="mail")).body.get("id")
        case "soft_delete_security_groups":
            world.target.groups.delete(world.target.groups.create({"displayName": "G", "mailNickname": "g"}))
            return world.target.groups.deleted_count
        case "directory_etags":
            return (await http("PATCH", f"/users/{user.id}", {"jobTitle": "x"}, headers={"If-Match": "W/1"})).status
        case "location_form":
            return (await invited(http)).headers["Location"].partition("/v2/")[1]
        case "sensitive_needs_role":
            return (await http("PATCH", f"/users/{user.id}", {"mobilePhone": "1"})).status
        case _:
            subscription = {
                "changeType": "updated",
                "resource": "users",
                "notificationUrl": "https://sync.example/n",
                "expirationDateTime": "2026-01-06T09:00:00Z",
            }
            await http("POST", "/subscriptions", subscription)
            world.target.delete(user)
            world.target.restore(user)
            await world.emulator.deliver()
            return len(world.subscriber.items)


@pytest.mark.parametrize(("switch", "value", "effect"), SWITCHES)
async def test_every_switch_changes_what_a_client_sees(switch: str, value: Any, effect: str) -> None:
    """Where no page says how Graph behaves, both ways can be had."""
    seen = []
    for settings in ({}, {switch: value}):
        async with World() as world:
            await world.control("PUT", f"/tenants/{FABRIKAM}/settings", settings)
            seen.append(await behaviour(world, switch))
    assert seen[0] != seen[1], effect


@documented(
    "https://learn.microsoft.com/graph/api/organization-list", "https://learn.microsoft.com/graph/query-parameters"
)
@pytest.mark.parametrize(
    ("path", "name", "collection"),
    [
        ("/organization", "verifiedDomains", "organization"),
        (f"/organization/{CONTOSO}", "displayName", "organization"),
        ("/policies/authorizationPolicy", "allowInvitesFrom", "policies/authorizationPolicy"),
        ("/policies/crossTenantAccessPolicy/default", "inboundTrust", "policies/crossTenantAccessPolicy/default"),
    ],
)
async def test_a_select_is_for_every_resource(client: Client, path: str, name: str, collection: str) -> None:
    """Only what was asked for comes, and what the type does not have is refused."""
    answer = await client("GET", path, select=name.upper())
    assert f"/$metadata#{collection}({name})" in answer.body["@odata.context"]
    [item] = answer.body.get("value", [answer.body])
    assert [each for each in item if "@" not in each] == [name]
    refused = await client("GET", path, select="shoeSize")
    assert (refused.status, refused.code) == (400, "BadRequest")


@documented("https://learn.microsoft.com/graph/api/resources/organization")
async def test_what_an_organization_never_said_is_null(client: Client) -> None:
    """Or an empty list."""
    [contoso] = (await client("GET", "/organization")).value
    assert (contoso["city"], contoso["technicalNotificationMails"], contoso["id"]) == (None, [], CONTOSO)


@documented("https://learn.microsoft.com/graph/api/resources/directorysizequota")
async def test_the_quota_of_a_directory_is_a_setting(client: Client, world: World) -> None:
    """A select shows it where it is known; without the setting it is a property that v1.0 does not have."""
    assert (await client("GET", "/organization", select="directorySizeQuota")).status == 400
    world.source.settings.directory_quota = 300
    [found] = (await client("GET", "/organization", select="directorySizeQuota")).value
    assert found["directorySizeQuota"] == {"used": world.source.user_count, "total": 300}
    assert "directorySizeQuota" not in (await client("GET", "/organization")).value[0]


@documented("https://learn.microsoft.com/graph/api/subscription-list")
async def test_subscriptions_are_not_filtered(client: Client) -> None:
    """Nor counted, nor expanded: an option that does nothing would be taken for one that works."""
    asked: list[dict[str, Any]] = [{"filter": "resource eq 'users'"}, {"count": "true"}, {"expand": "x"}]
    for options in asked:
        assert (await client("GET", "/subscriptions", **options)).code == "Request_UnsupportedQuery"

"""`/servicePrincipals`, `/applications`, app role assignments, delegated grants: what their readers need of them.

https://learn.microsoft.com/graph/api/resources/serviceprincipal
"""

import re
from typing import Any, Final, TypeVar

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.queries import Collection, counted, entity, listed
from entra_graph_emulator.calls.views import context, shown
from entra_graph_emulator.directory.apps import DATA_TYPES, NO_ROLE
from entra_graph_emulator.directory.objects import Application, DirectoryObject, Record, ServicePrincipal
from entra_graph_emulator.odata.entities import APPLICATION, ASSIGNMENT, GRANT, SERVICE_PRINCIPAL, EntityType
from entra_graph_emulator.odata.rules import Property, check, table
from entra_graph_emulator.wire.errors import GraphError, bad_request, denied, invalid_value, not_found, value_required
from entra_graph_emulator.wire.ids import is_guid
from entra_graph_emulator.wire.messages import Response, json_response, no_content
from entra_graph_emulator.wire.words import words

_App = TypeVar("_App", Application, ServicePrincipal)
# https://learn.microsoft.com/graph/api/resources/application: read-only ones. Passwords come by addPassword alone.
_FIXED: Final = frozenset(
    words(
        "id appId applicationTemplateId createdDateTime deletedDateTime disabledByMicrosoftStatus info "
        "passwordCredentials publisherDomain verifiedPublisher"
    )
)
# https://learn.microsoft.com/graph/api/resources/serviceprincipal: read-only, or the application's.
_FIXED_OF_PRINCIPAL: Final = frozenset(
    words(
        "id appId appDisplayName appOwnerOrganizationId appRoles createdDateTime deletedDateTime "
        "oauth2PermissionScopes passwordCredentials servicePrincipalType signInAudience"
    )
)
# What a write of these takes beyond the type.
_RULES: Final = table(
    Property(name="displayName", length=256, clearable=False),
    Property(
        name="signInAudience",
        clearable=False,
        pattern="AzureADMyOrg|AzureADMultipleOrgs|AzureADandPersonalMicrosoftAccount|PersonalMicrosoftAccount",
    ),
)
_MEMBERS: Final = frozenset({"User", "Application"})
_ANY_APP: Final = ("Application.ReadWrite.All", "Directory.ReadWrite.All")
_BY_APP_ID: Final = re.compile(r"appId='([^']*)'", re.IGNORECASE)


async def list_principals(call: Call) -> Response:
    return listed(call, _principals(call))


async def count_principals(call: Call) -> Response:
    return counted(call, _principals(call))


def _principals(call: Call) -> Collection:
    call.tenant.apps.graph()  # is in every tenant
    return Collection(of=SERVICE_PRINCIPAL, path="servicePrincipals", find=call.tenant.apps.principals.find)


async def get_principal(call: Call) -> Response:
    return _one(call, "servicePrincipals", find_principal(call))


async def create_principal(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/serviceprincipal-post-serviceprincipals"""
    body = call.body()
    app_id = _text(body, "appId", "ServicePrincipal")
    given = _writable({name: each for name, each in body.items() if name != "appId"}, SERVICE_PRINCIPAL)
    known = call.tenant.apps.application_of(app_id)
    name = known.properties["displayName"] if known is not None else app_id
    made = call.tenant.apps.add_principal({"displayName": name, **given, "appId": app_id})
    _own(call, made)
    body = {"@odata.context": context(call.origin, "servicePrincipals", None, entity=True), **shown(made, None)}
    return call.created(f"servicePrincipals/{made.id}", body)


async def update_principal(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/serviceprincipal-update"""
    principal, changes = writable_app(call, find_principal(call)), _writable(call.body(), SERVICE_PRINCIPAL)
    call.tenant.apps.principals.change(principal, changes)
    return no_content()


async def delete_principal(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/serviceprincipal-delete; its assignments go with it."""
    principal = writable_app(call, find_principal(call))
    call.tenant.apps.remove_principal(principal)
    return no_content()


async def list_applications(call: Call) -> Response:
    return listed(call, _applications(call))


async def count_applications(call: Call) -> Response:
    return counted(call, _applications(call))


def _applications(call: Call) -> Collection:
    return Collection(of=APPLICATION, path="applications", find=call.tenant.apps.applications.find)


async def get_application(call: Call) -> Response:
    return _one(call, "applications", find_application(call))


async def create_application(call: Call) -> Response:
    body = call.body()
    given = _writable(body, APPLICATION)
    made = call.tenant.apps.add_application({**given, "displayName": _text(body, "displayName", "Application")})
    call.tenant.app_roles.setdefault(made.properties["appId"], [])  # until somebody consents
    _own(call, made)
    answer = {"@odata.context": context(call.origin, "applications", None, entity=True), **shown(made, None)}
    return call.created(f"applications/{made.id}", answer)


async def update_application(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/application-update"""
    application, body = writable_app(call, find_application(call)), call.body()
    changes = _writable(body, APPLICATION)
    if "appRoles" in changes:
        _check_removed(application.properties.get("appRoles") or [], changes["appRoles"])
    call.tenant.apps.change_application(application, changes)
    return no_content()


async def delete_application(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/application-delete; the service principal goes with it."""
    call.tenant.apps.remove_application(writable_app(call, find_application(call)))
    return no_content()


def _writable(body: dict[str, Any], of: EntityType) -> dict[str, Any]:
    """The properties of a write. Raises 400 for an unknown and for a read-only one, and for a value of another type."""
    given = {name: value for name, value in body.items() if "@" not in name}
    fixed = _FIXED if of is APPLICATION else _FIXED_OF_PRINCIPAL
    for name, value in given.items():
        if not of.has(name) or name in fixed:
            raise bad_request(f"Property '{name}' is unknown or read-only and cannot be set.")
        check({name: _RULES.get(name) or Property(name=name, kind=of.kinds[name])}, of.resource, name, value)
    _check_roles(given.get("appRoles") or [])
    return given


def _check_roles(roles: list[dict[str, Any]]) -> None:
    """https://learn.microsoft.com/graph/api/resources/approle: ids and values once, each for users, apps or both."""
    for each in roles:
        members = each.get("allowedMemberTypes")
        if not is_guid(str(each.get("id"))) or not isinstance(members, list) or not members:
            raise invalid_value("appRoles", "Application")
        if not _MEMBERS.issuperset(members) or not each.get("displayName"):
            raise invalid_value("appRoles", "Application")
    for name in ("id", "value"):
        values = [each[name] for each in roles if each.get(name)]
        if len(set(values)) < len(values):
            raise bad_request(f"Request contains a property with duplicate values: '{name}' of 'appRoles'.")


def _check_removed(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    """https://learn.microsoft.com/graph/api/resources/approle: a role is disabled before it is removed."""
    kept = {each["id"] for each in new}
    if any(each.get("isEnabled", True) and each["id"] not in kept for each in old):
        raise GraphError(
            400,
            "CannotDeleteOrUpdateEnabledEntitlement",
            "Property value cannot be deleted unless it is disabled first.",
        )


def writable_app(call: Call, item: _App) -> _App:
    """The application or service principal, if the caller may write it: all of them, or as its owner. Raises 403."""
    own = call.tenant.apps.principal_of(call.caller.app)
    if not call.caller.may(_ANY_APP) and (own is None or own.id not in item.owners):
        raise denied()
    return item


def _own(call: Call, item: Application | ServicePrincipal) -> None:
    """An app that may write only its own owns what it makes: permissions-reference, Application.ReadWrite.OwnedBy."""
    if call.caller.roles is not None and not call.caller.may(_ANY_APP):
        item.owners[call.tenant.apps.ensure_principal(call.caller.app).id] = None


async def get_extension(call: Call) -> Response:
    found = _extension(call)
    where = f"{call.origin}/v1.0/$metadata#applications('{find_application(call).id}')/extensionProperties/$entity"
    return json_response(200, {"@odata.context": where, **found})


async def delete_extension(call: Call) -> Response:
    del call.tenant.apps.extensions[_extension(call)["name"]]
    return no_content()


def _extension(call: Call) -> dict[str, Any]:
    for each in call.tenant.apps.extensions_of(find_application(call)):
        if each["id"] == call.parameters[1]:
            return each
    raise not_found(call.parameters[1])


async def list_extensions(call: Call) -> Response:
    application = find_application(call)
    where = f"{call.origin}/v1.0/$metadata#applications('{application.id}')/extensionProperties"
    return json_response(200, {"@odata.context": where, "value": list(call.tenant.apps.extensions_of(application))})


async def create_extension(call: Call) -> Response:
    application, body = find_application(call), call.body()
    if _text(body, "dataType", "ExtensionProperty") not in DATA_TYPES:
        raise invalid_value("dataType", "ExtensionProperty")
    if re.fullmatch(r"\w{1,}", _text(body, "name", "ExtensionProperty")) is None:
        raise bad_request("Invalid value specified for property 'name' of resource 'ExtensionProperty'.")
    if not isinstance(body.get("targetObjects"), list) or not body["targetObjects"]:
        raise value_required("targetObjects", "ExtensionProperty")
    made = call.tenant.apps.register_extension(application, body)
    where = f"{call.origin}/v1.0/$metadata#applications('{application.id}')/extensionProperties/$entity"
    return call.created(
        f"applications/{application.id}/extensionProperties/{made['id']}", {"@odata.context": where, **made}
    )


# App roles: https://learn.microsoft.com/graph/api/serviceprincipal-list-approleassignedto


async def list_assigned_to(call: Call) -> Response:
    """The assignments of the app's roles; a group is one entry, not its members."""
    return listed(call, _assignments(call, find_principal(call), "servicePrincipals", "appRoleAssignedTo"))


async def list_assignments_of_principal(call: Call) -> Response:
    return listed(call, _assignments(call, find_principal(call), "servicePrincipals", "appRoleAssignments"))


async def list_assignments_of_user(call: Call) -> Response:
    return listed(call, _assignments(call, call.user(), "users", "appRoleAssignments"))


async def list_assignments_of_group(call: Call) -> Response:
    return listed(call, _assignments(call, call.group(), "groups", "appRoleAssignments"))


async def assign(call: Call) -> Response:
    """POST to `appRoleAssignedTo` of the app, or to `appRoleAssignments` of the principal that gets the role."""
    body = call.body()
    principal = call.anything(_id(body, "principalId"))
    resource = call.tenant.apps.principals.get(_id(body, "resourceId"))
    if resource is None:
        raise not_found(body["resourceId"])
    made = call.tenant.apps.assign(principal, resource, _id(body, "appRoleId") if "appRoleId" in body else NO_ROLE)
    _consent(call, made)
    where = f"{call.origin}/v1.0/$metadata#appRoleAssignments/$entity"
    answer = {"@odata.context": where, **shown(made, None, ASSIGNMENT)}
    return call.created(f"servicePrincipals/{resource.id}/appRoleAssignedTo/{made.id}", answer)


async def unassign(call: Call) -> Response:
    _consent(call, call.tenant.apps.unassign(call.parameters[1]))
    return no_content()


def _consent(call: Call, assignment: Record) -> None:
    """Permissions in Graph are assigned as app roles. They are in the app's next token; one from before keeps its own.

    https://learn.microsoft.com/graph/permissions-grant-via-msgraph
    """
    apps = call.tenant.apps
    principal = apps.principals.get(assignment.properties["principalId"])
    if principal is not None and assignment.properties["resourceId"] == apps.graph().id:
        call.tenant.app_roles[principal.properties["appId"]] = apps.consented(principal)


async def list_grants(call: Call) -> Response:
    return listed(call, Collection(of=GRANT, path="oauth2PermissionGrants", find=call.tenant.apps.grants.find))


async def list_grants_of_principal(call: Call) -> Response:
    principal = find_principal(call)
    path = f"servicePrincipals/{principal.id}/oauth2PermissionGrants"
    apps = call.tenant.apps
    return listed(call, Collection(of=GRANT, path=path, find=lambda clause: apps.grants_of(principal.id, clause)))


def _assignments(call: Call, item: DirectoryObject, plural: str, name: str) -> Collection:
    apps = call.tenant.apps
    found = apps.assigned_on if name == "appRoleAssignedTo" else apps.assigned_to

    def find(clause: Any) -> list[Record]:
        return found(item.id, clause)

    path = f"{plural}/{item.id}/{name}"
    return Collection(of=ASSIGNMENT, path=path, find=find, ordered=True, name=f"{plural}('{item.id}')/{name}")


def find_principal(call: Call) -> ServicePrincipal:
    key, apps = call.parameters[0], call.tenant.apps
    apps.graph()
    match = _BY_APP_ID.fullmatch(key)
    found = apps.principals.get(key) if match is None else apps.principal_of(match[1])
    if found is None:
        raise not_found(key if match is None else match[1])
    return found


def find_application(call: Call) -> Application:
    key, apps = call.parameters[0], call.tenant.apps
    match = _BY_APP_ID.fullmatch(key)
    found = apps.applications.get(key) if match is None else apps.application_of(match[1])
    if found is None:
        raise not_found(key if match is None else match[1])
    return found


def _one(call: Call, plural: str, item: ServicePrincipal | Application) -> Response:
    call.allow("$select")
    of = SERVICE_PRINCIPAL if isinstance(item, ServicePrincipal) else APPLICATION
    select = of.parse_select(call.options.get("$select"))
    where = context(call.origin, plural, select, entity=True)
    return json_response(200, {"@odata.context": where, **entity(call, item, select, None, of)})


def _text(body: dict[str, Any], name: str, resource: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value.strip():
        raise value_required(name, resource)
    return value


def _id(body: dict[str, Any], name: str) -> str:
    value = _text(body, name, "AppRoleAssignment")
    if not is_guid(value):
        raise bad_request(f"Invalid object identifier '{value}'.")
    return value.lower()

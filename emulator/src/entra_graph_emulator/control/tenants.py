"""The commands for one tenant, `/_emulator/tenants/{id}/..`; `router` lists them."""

from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final, TypeAlias

from entra_graph_emulator.control.controlled import Controlled
from entra_graph_emulator.control.input import ControlError, body_of, names_of, number_of
from entra_graph_emulator.directory import delta, snapshot
from entra_graph_emulator.directory.settings import apply
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.odata import group_schema
from entra_graph_emulator.odata.user_schema import check_new, extension_name
from entra_graph_emulator.wire.messages import JsonObject, Request

Answer: TypeAlias = tuple[int, Any]


def tenant_command(emulator: Controlled, request: Request, tenant: Tenant, rest: list[str]) -> Answer:
    match request.method, rest:
        case "PUT", ["apps", app]:
            return _set_app(tenant, app, body_of(request))
        case method, [name] if (method, name) in _COMMANDS:
            return _COMMANDS[method, name](emulator, tenant, body_of(request))
        case _:
            raise ControlError(404, f"there is no {request.method} /_emulator/tenants/{{id}}/{'/'.join(rest)}")


def _add_users(emulator: Controlled, tenant: Tenant, body: JsonObject) -> Answer:
    """Users outside every quota, to fill a tenant before the test begins."""
    given = body.get("value")
    if given is None:
        emulator.add_people(tenant, number_of(body, "count", 1), seed=number_of(body, "seed", 0))
        return 201, describe(emulator, tenant)
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise ControlError(400, "value must be a list of users")
    made = [tenant.create(check_new({"passwordProfile": {}, **each})) for each in given]
    return 201, {"ids": [user.id for user in made]}


def _add_groups(_emulator: Controlled, tenant: Tenant, body: JsonObject) -> Answer:
    """Groups by the rules of POST /groups, with an `id` of their own if one is given; members and owners by id."""
    given = body.get("value")
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise ControlError(400, "value must be a list of groups")
    made: list[str] = []
    for each in given:
        members, owners = ([_object(tenant, key) for key in each.pop(name, [])] for name in ("members", "owners"))
        known = {"id": each.pop("id")} if "id" in each else {}
        checked = group_schema.check_new(each) | known
        made.append(tenant.groups.create(checked, members=members, owners=owners).id)
    return 201, {"ids": made}


def _add_extensions(_emulator: Controlled, tenant: Tenant, body: JsonObject) -> Answer:
    """Directory extensions by their full names, of the type String, as an app of another tenant brings them along."""
    names = [extension_name(each) for each in names_of(body, "value")]
    for name in names:
        tenant.apps.declare_extension(name)
    return 201, {"value": list(tenant.apps.extensions)}


def _object(tenant: Tenant, key: Any) -> Any:
    found = tenant.object(key) or tenant.find(key) if isinstance(key, str) else None
    if found is None:
        raise ControlError(404, f"there is no object {key}")
    return found


def _set_app(tenant: Tenant, app: str, body: JsonObject) -> Answer:
    """Set the permissions in tokens issued from now on, as an administrator's consent does, and the directory role."""
    if body.get("roles", []) is None:
        tenant.app_roles.pop(app, None)  # no registration: every permission
    elif "roles" in body or "directoryRole" not in body:
        tenant.app_roles[app] = names_of(body, "roles")
        tenant.apps.grant_roles(app, tenant.app_roles[app])
    if body.get("directoryRole") is True:
        tenant.role_holders.add(app)
    elif "directoryRole" in body:
        tenant.role_holders.discard(app)
    return 200, {"app": app, "roles": tenant.app_roles.get(app), "directoryRole": app in tenant.role_holders}


def _change_settings(_emulator: Controlled, tenant: Tenant, body: JsonObject) -> Answer:
    form = body.get("delta_expired_form", delta.FORMS[0])
    if form not in delta.FORMS:
        raise ControlError(400, f"delta_expired_form is one of {', '.join(delta.FORMS)}")
    apply(tenant.settings, body)
    return 200, asdict(tenant.settings)


def _reset_delta(_emulator: Controlled, tenant: Tenant, body: JsonObject) -> Answer:
    form = body.get("form", "gone")
    if form not in delta.FORMS:
        raise ControlError(400, f"form is one of {', '.join(delta.FORMS)}")
    tenant.delta_reset_form = form
    tenant.delta_generation += 1
    return 200, {"form": form}


def _redeem(emulator: Controlled, tenant: Tenant, body: JsonObject) -> Answer:
    if "users" in body:
        users = [tenant.user(each) for each in names_of(body, "users")]
    else:
        users = [each for each in tenant.users() if each.properties.get("externalUserState") == "PendingAcceptance"]
    for user in users:
        if not user.is_guest:
            raise ControlError(400, f"{user.id} was not invited")
        emulator.invitations.redeem(tenant, user)
    return 200, {"redeemed": len(users)}


def _convert(_emulator: Controlled, tenant: Tenant, body: JsonObject) -> Answer:
    """An external user becomes an internal one, which only the admin center and the beta API can do.

    The id, the address and `creationType` stay. https://learn.microsoft.com/entra/identity/users/convert-external-users-internal
    """
    user, name = tenant.user(str(body.get("user"))), body.get("userPrincipalName")
    if not user.is_guest:
        raise ControlError(400, f"{user.id} is no external user")
    if not isinstance(name, str) or name.rpartition("@")[2] not in tenant.domains:
        raise ControlError(400, "userPrincipalName has to be of a domain of the tenant")
    if any(other.id != user.id for other in tenant.known_by(name)):
        raise ControlError(400, f"somebody else is known by {name}")
    tenant.update(user, {"externalUserState": None, "userPrincipalName": name})
    return 200, {"id": user.id}


def describe(emulator: Controlled, tenant: Tenant) -> JsonObject:
    return {
        "id": tenant.id,
        "displayName": tenant.display_name,
        "domain": tenant.domains[0],
        "initialDomain": tenant.initial_domain,
        "users": tenant.user_count,
        "guests": tenant.guest_count,
        "groups": len(tenant.groups),
        "deletedItems": tenant.deleted_count + tenant.groups.deleted_count,
        "subscriptions": emulator.subscriptions.count(tenant.id),
    }


def _get_settings(_emulator: Controlled, tenant: Tenant, _body: JsonObject) -> Answer:
    return 200, asdict(tenant.settings)


def _set_admins(_emulator: Controlled, tenant: Tenant, body: JsonObject) -> Answer:
    for user_id in names_of(body, "users"):
        tenant.user(user_id).admin = body.get("admin", True) is True
    return 200, {}


def _reauthorize(emulator: Controlled, tenant: Tenant, _body: JsonObject) -> Answer:
    concerned = emulator.subscriptions.of_tenant(tenant.id)
    emulator.delivery.remind(concerned)
    return 200, {"subscriptions": len(concerned)}


def _take_snapshot(_emulator: Controlled, tenant: Tenant, _body: JsonObject) -> Answer:
    return 200, snapshot.take(tenant)


def _restore_snapshot(emulator: Controlled, tenant: Tenant, body: JsonObject) -> Answer:
    snapshot.restore(tenant, body)
    return 200, describe(emulator, tenant)


_COMMANDS: Final[dict[tuple[str, str], Callable[[Controlled, Tenant, JsonObject], Answer]]] = {
    ("POST", "users"): _add_users,
    ("POST", "groups"): _add_groups,
    ("POST", "extensions"): _add_extensions,
    ("GET", "settings"): _get_settings,
    ("PUT", "settings"): _change_settings,
    ("POST", "delta-reset"): _reset_delta,
    ("POST", "redeem"): _redeem,
    ("POST", "convert"): _convert,
    ("POST", "admins"): _set_admins,
    ("GET", "snapshot"): _take_snapshot,
    ("PUT", "snapshot"): _restore_snapshot,
    ("POST", "reauthorize"): _reauthorize,
}

"""`/users`. https://learn.microsoft.com/graph/api/resources/user"""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.expansion import Expansion
from entra_graph_emulator.calls.paging import position, size
from entra_graph_emulator.calls.queries import Collection, counted, entity, listed
from entra_graph_emulator.calls.references import bound
from entra_graph_emulator.calls.views import context, shown
from entra_graph_emulator.directory.objects import User
from entra_graph_emulator.odata.entities import USER
from entra_graph_emulator.odata.filters import Filter
from entra_graph_emulator.odata.passwords import check_password
from entra_graph_emulator.odata.user_schema import ELSEWHERE, check_new, check_write, is_extension
from entra_graph_emulator.wire.errors import GraphError, bad_request, denied, invalid_value
from entra_graph_emulator.wire.messages import Response, json_response, no_content
from entra_graph_emulator.wire.words import words

_USERS: Final = "users"
_MOST_ISSUER: Final = 512
_MOST_ASSIGNED: Final = 64
_MOST_EXTENSIONS: Final = 100  # https://learn.microsoft.com/graph/extensibility-overview
_WRITE: Final = ("User.ReadWrite.All", "Directory.ReadWrite.All")
_PROFILE: Final = ("User.ReadUpdate.All", *_WRITE)
# https://learn.microsoft.com/graph/api/user-update, "Permissions for specific scenarios".
_PERMISSIONS: Final[Mapping[str, tuple[str, ...]]] = {
    "otherMails": ("User-Mail.ReadWrite.All", *_PROFILE),
    "businessPhones": ("User-Phone.ReadWrite.All", *_PROFILE),
    "mobilePhone": ("User-Phone.ReadWrite.All", *_PROFILE),
    "accountEnabled": ("User.EnableDisableAccount.All", *_WRITE),
    "passwordProfile": ("User-PasswordProfile.ReadWrite.All", *_WRITE),
    "identities": ("User.ManageIdentities.All",),
    "employeeLeaveDateTime": ("User-LifeCycleInfo.ReadWrite.All",),
    "customSecurityAttributes": ("CustomSecAttributeAssignment.ReadWrite.All",),
}
# "Who can perform sensitive actions": on an administrator, only an app with a directory role.
_SENSITIVE: Final = frozenset(
    words(
        "accountEnabled businessPhones mobilePhone onPremisesImmutableId otherMails passwordProfile userPrincipalName"
    )
)


async def list_users(call: Call) -> Response:
    """Most readers walk all users page by page: then only the users of the page are looked at."""
    tenant = call.tenant

    def find(clause: Filter | None) -> Sequence[User]:
        if clause is None and not call.advanced and call.options.keys().isdisjoint({"$search", "$orderby"}):
            return tenant.users_after(position(call, _USERS), size(call) + 1, call.visible)
        return tenant.users(clause)

    if not ELSEWHERE.isdisjoint(call.select or ()):
        raise GraphError(501, "NotImplemented", "Properties that are stored elsewhere are read of one user alone.")
    return listed(call, Collection(of=USER, path=_USERS, find=find))


async def count_users(call: Call) -> Response:
    return counted(call, Collection(of=USER, path=_USERS, find=call.tenant.users))


async def get_user(call: Call) -> Response:
    call.allow("$select", "$expand", "$count")
    select, expansion = call.select, Expansion.parse(call.options.get("$expand"), USER)
    body = entity(call, call.user_then(), select, expansion, USER)
    where = context(call.origin, "users", select, entity=True, expand=expansion.in_context if expansion else "")
    return json_response(200, {"@odata.context": where, **body})


async def create_user(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-post-users"""
    body = call.body()
    properties = check_new(body)
    check_password(properties, new=True)
    check_domain(call, properties["userPrincipalName"])
    _check_extensions(call, properties, {})
    manager = bound(call, body, "manager")
    user = call.tenant.create(properties, visible_in_s=call.tenant.settings.visibility_s)
    if manager:
        call.tenant.set_manager(user, manager[0].id)
    shown_ = {"@odata.context": context(call.origin, "users", None, entity=True), **shown(user, None)}
    return call.created(f"users/{user.id}", shown_)


async def update_user(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-update: all of it or nothing."""
    body = call.body()
    changes = check_write(body)
    check_password(changes, new=False)
    manager = bound(call, body, "manager")
    user = call.user(writing=True)
    _check_match(call)
    _check_permissions(call, user, changes)
    if "userPrincipalName" in changes:
        check_domain(call, changes["userPrincipalName"])
    if "identities" in changes:
        _check_identities(changes["identities"], (user.properties | changes)["userPrincipalName"])
    _check_extensions(call, changes, user.properties)
    if call.tenant.settings.external_service_owns_mail and user.is_guest:
        _check_external(changes)
    if not set(call.tenant.settings.unnamed_refusals).isdisjoint(changes):
        raise bad_request("Invalid request.")
    call.tenant.update(user, changes)
    if manager:
        call.tenant.set_manager(user, manager[0].id)
    return no_content()


def _check_permissions(call: Call, user: User, changes: Mapping[str, Any]) -> None:
    """A password takes a directory role, anybody's: user-update, table of permissions, 2026-07-04."""
    guarded = is_protected(call, user)
    for name in changes or ("displayName",):
        allowed = call.caller.may(_PERMISSIONS.get(name, _PROFILE))
        sensitive = name == "passwordProfile" or (guarded and name in _SENSITIVE)
        if not allowed or (sensitive and not call.privileged):
            raise denied()


def is_protected(call: Call, user: User) -> bool:
    """Whether sensitive actions on the user take a directory role, as on administrators.

    Members of a role-assignable group are among them: resources/users, "Who can perform sensitive actions", 2026-07-03.
    """
    groups = call.tenant.groups
    return (
        user.admin
        or call.tenant.settings.sensitive_needs_role
        or any(groups.is_role_assignable(each) for each in user.memberships)
    )


def _check_match(call: Call) -> None:
    """Users have no documented ETag: if the setting makes the directory check If-Match, none but `*` matches."""
    if call.tenant.settings.directory_etags and call.request.headers.get("if-match", "*") != "*":
        raise GraphError(412, "PreconditionFailed", "The condition set in the request header was not met.")


def _check_extensions(call: Call, changes: Mapping[str, Any], stored: Mapping[str, Any]) -> None:
    if not any(map(is_extension, changes)):
        return
    held = [name for name, value in {**stored, **changes}.items() if is_extension(name) and value is not None]
    if len(held) > _MOST_EXTENSIONS:
        raise bad_request(f"An object can have at most {_MOST_EXTENSIONS} values of extension properties.")
    registered = call.tenant.settings.extensions_need_registration
    call.tenant.apps.check_extensions(changes, "User", registered=registered)


def _check_external(changes: Mapping[str, Any]) -> None:
    """Raises the 400 seen for guests whose mail Exchange owns; cross-tenant synchronization logs the same code."""
    if not {"mail", "showInAddressList"}.isdisjoint(changes):
        raise GraphError(
            400,
            "CannotUpdateObjectsOriginatedInExternalService",
            "Unable to update the specified properties for objects that have originated within an external service.",
        )


async def delete_user(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-delete"""
    user = call.user(writing=True)
    _check_match(call)
    if is_protected(call, user) and not call.privileged:
        raise denied()
    call.tenant.delete(user)
    return no_content()


def check_domain(call: Call, name: str) -> None:
    domain = name.rpartition("@")[2].lower()
    if domain not in call.tenant.domains:
        raise GraphError(
            400,
            "Request_BadRequest",
            "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain "
            "names in your organization.",
            details=({"code": "InvalidValue", "target": "userPrincipalName", "message": "Invalid domain."},),
        )


def _check_identities(identities: Sequence[Mapping[str, Any]], name: str) -> None:
    """Raises 400. A write replaces the whole collection, and the principal name's identity must stay in it.

    Lengths: https://learn.microsoft.com/graph/api/resources/objectidentity
    """
    named = [each for each in identities if each.get("signInType") == "userPrincipalName"]
    others = [each for each in identities if each not in named]
    if not any(each.get("issuerAssignedId") == name for each in named):
        raise invalid_value("identities")
    for each in others:
        if len(str(each.get("issuer"))) > _MOST_ISSUER or len(str(each.get("issuerAssignedId"))) > _MOST_ASSIGNED:
            raise invalid_value("identities")

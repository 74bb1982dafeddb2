"""`/users` and what hangs on it. https://learn.microsoft.com/graph/api/resources/user"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from local.graph_emulator.call import Call
from local.graph_emulator.errors import GraphError, bad_request, denied, invalid_value, not_found
from local.graph_emulator.filters import Filter, parse_filter
from local.graph_emulator.messages import Response, json_response, no_content
from local.graph_emulator.paging import page
from local.graph_emulator.schema import DEFAULT_SELECT, check_new, check_write
from local.graph_emulator.shelf import User
from local.graph_emulator.views import context, shown, typed
from local.graph_emulator.words import words

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
# "Who can perform sensitive actions": on an administrator, only an app with a directory role; none has one here.
_SENSITIVE: Final = frozenset(
    words(
        "accountEnabled businessPhones mobilePhone onPremisesImmutableId otherMails passwordProfile userPrincipalName"
    )
)
_REFERENCE: Final = re.compile(r"https?://[^/]+/(?:v1\.0|beta)/(?:users|directoryObjects)/([^/]+)/?")
_MOST_IDS: Final = 1000


async def list_users(call: Call) -> Response:
    call.allow("$top", "$skiptoken", "$select", "$filter", "$count", "$expand")
    users = [user for user in call.tenant.users(_clause(call)) if call.visible(user)]
    return _collection(call, users, "users", call.select)


async def count_users(call: Call) -> Response:
    call.allow("$filter")
    if call.request.headers.get("consistencylevel", "").lower() != "eventual":
        raise bad_request("$count is not currently supported.")
    text = call.request.query.get("$filter")
    clause = parse_filter(text, advanced=True) if text else None
    users = [user for user in call.tenant.users(clause) if call.visible(user)]
    return Response(status=200, headers={"Content-Type": "text/plain"}, body=str(len(users)).encode())


async def get_user(call: Call) -> Response:
    call.allow("$select", "$expand")
    select = call.select
    body = _with_manager(call, call.user(), select)
    return json_response(200, {"@odata.context": context(call.origin, "users", select, entity=True), **body})


async def create_user(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-post-users"""
    properties = check_new(call.body())
    _check_domain(call, properties["userPrincipalName"])
    user = call.tenant.create(properties, visible_in_s=call.tenant.settings.visibility_s)
    body = {"@odata.context": context(call.origin, "users", None, entity=True), **shown(user, None)}
    return json_response(201, body)


async def update_user(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-update: all of it or nothing."""
    changes = check_write(call.body())
    user = call.user(writing=True)
    for name in changes:
        if not call.caller.may(_PERMISSIONS.get(name, _PROFILE)) or (user.admin and name in _SENSITIVE):
            raise denied()
    if "userPrincipalName" in changes:
        _check_domain(call, changes["userPrincipalName"])
    if "identities" in changes:
        _check_identities(changes["identities"], (user.properties | changes)["userPrincipalName"])
    call.tenant.update(user, changes)
    return no_content()


async def delete_user(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-delete"""
    user = call.user(writing=True)
    if user.admin:
        raise denied()
    call.tenant.delete(user)
    return no_content()


async def get_manager(call: Call) -> Response:
    call.allow("$select")
    user = call.user()
    manager = _manager(call, user)
    if manager is None:
        raise not_found(f"manager' of '{user.id}")
    body = typed("user", shown(manager, call.select))
    return json_response(200, {"@odata.context": context(call.origin, "directoryObjects", None, entity=True), **body})


async def get_manager_reference(call: Call) -> Response:
    user = call.user()
    manager = _manager(call, user)
    if manager is None:
        raise not_found(f"manager' of '{user.id}")
    url = f"{call.origin}/v1.0/directoryObjects/{manager.id}"
    return json_response(200, {"@odata.context": f"{call.origin}/v1.0/$metadata#$ref", "@odata.id": url})


async def set_manager(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/user-post-manager"""
    reference = call.body().get("@odata.id")
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if match is None:
        raise bad_request("The '@odata.id' of the reference is missing or is not the URL of a directory object.")
    user = call.user(writing=True)
    manager = call.tenant.user(match[1])
    if manager is user:
        raise bad_request("A user cannot be the manager of itself.")
    call.tenant.set_manager(user, manager.id)
    return no_content()


async def remove_manager(call: Call) -> Response:
    """No page says what happens without a manager; 404 is what removing any missing reference gives."""
    user = call.user(writing=True)
    if user.manager is None:
        raise not_found(f"manager' of '{user.id}")
    call.tenant.set_manager(user, None)
    return no_content()


async def get_by_ids(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/directoryobject-getbyids: unknown ids are left out."""
    body = call.body()
    ids, types = body.get("ids"), body.get("types")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids) or len(ids) > _MOST_IDS:
        raise bad_request(f"'ids' must be a collection of at most {_MOST_IDS} object ids.")
    wanted = types is None or (isinstance(types, list) and not {"user", "directoryObject"}.isdisjoint(map(str, types)))
    found = [call.tenant.find(each) for each in dict.fromkeys(ids) if "@" not in each] if wanted else []
    value = [typed("user", shown(user, call.select)) for user in found if user is not None and call.visible(user)]
    return json_response(200, {"@odata.context": context(call.origin, "directoryObjects", None), "value": value})


# Deleted items: https://learn.microsoft.com/graph/api/resources/directory


async def list_deleted(call: Call) -> Response:
    call.allow("$top", "$skiptoken", "$select", "$filter", "$count")
    select = call.select or (*DEFAULT_SELECT, "deletedDateTime")
    return _collection(
        call, call.tenant.deleted_users(_clause(call)), "directory/deletedItems/microsoft.graph.user", select
    )


async def list_deleted_of_any_kind(_call: Call) -> Response:
    raise bad_request("The OData cast type is required: directory/deletedItems/microsoft.graph.user.")


async def get_deleted(call: Call) -> Response:
    call.allow("$select")
    user = call.tenant.deleted_user(call.parameters[0])
    select = call.select or (*DEFAULT_SELECT, "deletedDateTime")
    body = typed("user", shown(user, select))
    return json_response(200, {"@odata.context": context(call.origin, "directoryObjects", None, entity=True), **body})


async def restore(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/directory-deleteditems-restore"""
    body = call.body(optional=True)
    user = call.tenant.deleted_user(call.parameters[0])
    if user.admin:
        raise denied()
    name = body.get("newUserPrincipalName")
    if name is not None:
        if not isinstance(name, str):
            raise invalid_value("userPrincipalName")
        _check_domain(call, name)
    call.tenant.restore(user, principal_name=name, drop_conflicting=body.get("autoReconcileProxyConflict") is True)
    body = typed("user", shown(user, None))
    return json_response(200, {"@odata.context": context(call.origin, "directoryObjects", None, entity=True), **body})


async def purge(call: Call) -> Response:
    user = call.tenant.deleted_user(call.parameters[0])
    if user.admin:
        raise denied()
    call.tenant.purge(user)
    return no_content()


def _clause(call: Call) -> Filter | None:
    text = call.request.query.get("$filter")
    return parse_filter(text, advanced=call.advanced) if text else None


def _collection(call: Call, users: Sequence[User], path: str, select: Sequence[str] | None) -> Response:
    """`users` in order of creation; one page of them."""
    some, notes = page(call, users, path)
    collection = "users" if path == "users" else "directoryObjects"
    value = [_with_manager(call, user, select) for user in some]
    return json_response(200, {"@odata.context": context(call.origin, collection, select), **notes, "value": value})


def _with_manager(call: Call, user: User, select: Sequence[str] | None) -> dict[str, Any]:
    """`$expand=manager`: a user without one comes without the property."""
    body = shown(user, select)
    wanted, manager_select = call.expand_manager()
    manager = _manager(call, user) if wanted else None
    return body if manager is None else body | {"manager": typed("user", shown(manager, manager_select))}


def _manager(call: Call, user: User) -> User | None:
    """A soft-deleted manager is not shown; the reference comes back with a restore."""
    return None if user.manager is None else call.tenant.find(user.manager)


def _check_domain(call: Call, name: str) -> None:
    domain = name.rpartition("@")[2].lower()
    if domain not in call.tenant.domains:
        raise GraphError(
            400,
            "Request_BadRequest",
            "The domain portion of the userPrincipalName property is invalid. You must use one of the verified domain "
            "names in your organization.",
            details=({"code": "InvalidValue", "target": "userPrincipalName", "message": "Invalid domain."},),
        )


def _check_identities(identities: Iterable[Mapping[str, Any]], name: str) -> None:
    """The collection is replaced as a whole, and the principal name's identity must stay in it."""
    for each in identities:
        if each.get("signInType") == "userPrincipalName" and each.get("issuerAssignedId") == name:
            return
    raise invalid_value("identities")

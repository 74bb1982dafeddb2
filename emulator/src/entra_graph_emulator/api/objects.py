"""`/directoryObjects` and `/directory/deletedItems`: the calls that take objects of every type.

https://learn.microsoft.com/graph/api/resources/directoryobject, https://learn.microsoft.com/graph/api/resources/directory
"""

from collections.abc import Sequence
from typing import Any, Final

from entra_graph_emulator.api.users import check_domain, is_protected
from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.queries import Collection, counted, entity, listed
from entra_graph_emulator.calls.references import check_ids
from entra_graph_emulator.calls.views import context, shown, typed
from entra_graph_emulator.directory.objects import DirectoryObject, Group, User
from entra_graph_emulator.odata.entities import BY_NAME, GROUP, OBJECT, USER
from entra_graph_emulator.wire.errors import bad_request, denied, invalid_value, not_found, unknown_segment
from entra_graph_emulator.wire.messages import Response, json_response, no_content

_MOST_IDS: Final = 1000
_CAST: Final = "microsoft.graph."


async def get_object(call: Call) -> Response:
    call.allow("$select")
    return _one(call, call.anything(call.parameters[0]), None)


async def delete_object(call: Call) -> Response:
    item = call.anything(call.parameters[0])
    if isinstance(item, User):
        if is_protected(call, item) and not call.privileged:
            raise denied()
        call.tenant.delete(item)
    elif isinstance(item, Group):
        call.tenant.groups.delete(item)
    else:
        raise denied()
    return no_content()


async def get_by_ids(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/directoryobject-getbyids: unknown ids are left out."""
    call.allow("$select")
    body = call.body()
    ids, types = body.get("ids"), body.get("types")
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids) or len(ids) > _MOST_IDS:
        raise bad_request(f"'ids' must be a collection of at most {_MOST_IDS} object ids.")
    check_ids(ids)
    if types is not None and not (isinstance(types, list) and all(isinstance(each, str) for each in types)):
        raise invalid_value("types", "Action")
    named = {each.lower() for each in types or ()}  # types come in any case
    wanted = None if not named or "directoryobject" in named else named
    found = [call.tenant.object(each.lower()) for each in dict.fromkeys(ids)]
    select = OBJECT.parse_select(call.options.get("$select"))
    value = [
        entity(call, each, select)
        for each in found
        if each is not None and call.visible(each) and (wanted is None or each.kind.lower() in wanted)
    ]
    return json_response(200, {"@odata.context": context(call.origin, "directoryObjects", select), "value": value})


# Deleted items


async def list_deleted(call: Call) -> Response:
    return listed(call, _deleted(call))


async def count_deleted(call: Call) -> Response:
    return counted(call, _deleted(call))


def _deleted(call: Call) -> Collection:
    """The deleted objects of the type that the path casts to. Raises 400 for an unknown type."""
    cast = call.parameters[0] if call.parameters else ""
    path = f"directory/deletedItems/{cast}"
    if cast == f"{_CAST}user":
        find, of = call.tenant.deleted_users, USER
        return Collection(of=of, path=path, find=find, add_select=("deletedDateTime",))
    if cast == f"{_CAST}group":
        return Collection(of=GROUP, path=path, find=call.tenant.groups.deleted)
    if cast.removeprefix(_CAST) in BY_NAME:
        of = BY_NAME[cast.removeprefix(_CAST)]
        return Collection(of=of, path=path, find=lambda _clause: ())
    raise unknown_segment(cast)


async def list_deleted_of_any_kind(_call: Call) -> Response:
    raise bad_request("The OData cast type is required: directory/deletedItems/microsoft.graph.user.")


async def get_deleted(call: Call) -> Response:
    call.allow("$select")
    item = _deleted_item(call)
    if len(call.parameters) > 1 and call.parameters[1] != f"{_CAST}{item.kind}":
        raise not_found(call.parameters[0])
    return _one(call, item, ("deletedDateTime",))


async def restore(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/directory-deleteditems-restore"""
    body = call.body(optional=True)
    item = _deleted_item(call)
    if isinstance(item, Group):
        call.tenant.groups.restore(item)
    else:
        _restore_user(call, item, body)
    answer = typed(item.kind, shown(item, None))
    return json_response(200, {"@odata.context": _entity(call, None), **answer})


async def purge(call: Call) -> Response:
    item = _deleted_item(call)
    if isinstance(item, Group):
        call.tenant.groups.purge(item)
        return no_content()
    if is_protected(call, item) and not call.privileged:
        raise denied()
    call.tenant.purge(item)
    return no_content()


def _restore_user(call: Call, user: User, body: dict[str, Any]) -> None:
    if is_protected(call, user) and not call.privileged:
        raise denied()
    name = body.get("newUserPrincipalName")
    if name is not None:
        if not isinstance(name, str):
            raise invalid_value("userPrincipalName")
        check_domain(call, name)
    call.tenant.restore(user, principal_name=name, drop_conflicting=body.get("autoReconcileProxyConflict") is True)


def _deleted_item(call: Call) -> User | Group:
    key = call.parameters[0]
    item = call.tenant.find_deleted(key) or call.tenant.groups.find_deleted(key)
    if item is None:
        raise not_found(key)
    return item


def _one(call: Call, item: DirectoryObject, add_select: Sequence[str] | None) -> Response:
    of = BY_NAME[item.kind]
    select = of.parse_select(call.options.get("$select"))
    picked = (*of.default_select, *add_select) if select is None and add_select else select
    return json_response(200, {"@odata.context": _entity(call, select), **entity(call, item, picked)})


def _entity(call: Call, select: Sequence[str] | None) -> str:
    return context(call.origin, "directoryObjects", select, entity=True)

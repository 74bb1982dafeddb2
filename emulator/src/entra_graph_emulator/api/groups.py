"""`/groups`, their members and owners. https://learn.microsoft.com/graph/api/resources/group"""

from collections.abc import Mapping
from typing import Any, Final

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.expansion import Expansion
from entra_graph_emulator.calls.queries import Collection, counted, entity, listed
from entra_graph_emulator.calls.references import bound, referenced
from entra_graph_emulator.calls.views import context, shown
from entra_graph_emulator.directory import relations
from entra_graph_emulator.directory.objects import DirectoryObject, Group, User
from entra_graph_emulator.odata.entities import GROUP
from entra_graph_emulator.odata.group_schema import check_changes, check_new, check_write
from entra_graph_emulator.wire.errors import GraphError, bad_request, denied
from entra_graph_emulator.wire.messages import Response, json_response, no_content

_RELATIONS: Final = ("members", "owners")
_ROLES: Final = ("RoleManagement.ReadWrite.Directory",)
_WRITE: Final = ("Group.ReadWrite.All", "Directory.ReadWrite.All")


def _collection(call: Call) -> Collection:
    return Collection(of=GROUP, path="groups", find=call.tenant.groups.live)


async def list_groups(call: Call) -> Response:
    return listed(call, _collection(call))


async def count_groups(call: Call) -> Response:
    return counted(call, _collection(call))


async def get_group(call: Call) -> Response:
    call.allow("$select", "$expand")
    select = GROUP.parse_select(call.options.get("$select"))
    expansion = Expansion.parse(call.options.get("$expand"), GROUP)
    body = entity(call, call.group(), select, expansion, GROUP)
    where = context(call.origin, "groups", select, entity=True, expand=expansion.in_context if expansion else "")
    return json_response(200, {"@odata.context": where, **body})


async def create_group(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/group-post-groups"""
    body = call.body()
    properties = check_new(body)
    if properties.get("isAssignableToRole") and not call.caller.may(_ROLES):
        raise denied()
    _check_extensions(call, properties)
    members, owners = (bound(call, body, relation) for relation in _RELATIONS)
    for member in members:
        _check_member(properties, member)
    for owner in owners:
        _check_owner(owner)
    group = call.tenant.groups.create(
        properties, members=members, owners=owners, visible_in_s=call.tenant.settings.visibility_s
    )
    answer = {"@odata.context": context(call.origin, "groups", None, entity=True), **shown(group, None)}
    return call.created(f"groups/{group.id}", answer)


async def update_group(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/group-update; up to twenty members by `members@odata.bind`, all or none."""
    body = call.body()
    changes = check_write(body)
    group = _writable(call)
    if changes and not call.caller.may(_WRITE):
        raise denied()
    check_changes(group.properties, changes)
    _check_extensions(call, changes)
    added = {relation: bound(call, body, relation) for relation in _RELATIONS}
    for relation, items in added.items():
        for item in items:
            _check_link(group, relation, item)
    call.tenant.groups.update(group, changes)
    for relation, items in added.items():
        for item in items:
            call.tenant.groups.add(group, relation, item)
    return no_content()


def _check_extensions(call: Call, changes: Mapping[str, Any]) -> None:
    registered = call.tenant.settings.extensions_need_registration
    call.tenant.apps.check_extensions(changes, "Group", registered=registered)


def _writable(call: Call) -> Group:
    """The group that the path names. One that can have roles takes more: group-update, "Permissions". Raises 403."""
    group = call.group(writing=True)
    if group.properties.get("isAssignableToRole") and not call.caller.may(_ROLES):
        raise denied()
    return group


async def delete_group(call: Call) -> Response:
    call.tenant.groups.delete(_writable(call))
    return no_content()


async def list_references(call: Call) -> Response:
    """`members/$ref`: the URLs of the members without their properties."""
    call.allow("$top", "$skiptoken", "$count")
    group, relation = call.group(), call.parameters[1]
    value = [
        {"@odata.id": f"{call.origin}/v1.0/directoryObjects/{each.id}"}
        for each in relations.related(call.tenant, group, relation)
    ]
    return json_response(200, {"@odata.context": f"{call.origin}/v1.0/$metadata#Collection($ref)", "value": value})


async def add_link(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/group-post-members, and group-post-owners: one object by reference."""
    key = referenced(call.body().get("@odata.id"))
    group, relation = _writable(call), call.parameters[1]
    item = call.tenant.user(key) if "@" in key else call.anything(key)
    _check_link(group, relation, item)
    call.tenant.groups.add(group, relation, item)
    return no_content()


async def remove_link(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/group-delete-members"""
    group, relation, item_id = _writable(call), call.parameters[1], call.parameters[2]
    if relation == "members" and group.is_dynamic:
        raise _dynamic()
    if relation == "owners" and _is_last_owner(call, group, item_id):
        raise bad_request("The group must have at least one owner, hence this owner cannot be removed.")
    call.tenant.groups.remove(group, relation, item_id)
    return no_content()


def _is_last_owner(call: Call, group: Group, item_id: str) -> bool:
    """https://learn.microsoft.com/graph/api/group-delete-owners: the last owner who is a user stays."""
    users = [each for each in group.owners if call.tenant.find(each) is not None]
    return users == [item_id]


def _check_link(group: Group, relation: str, item: DirectoryObject) -> None:
    if relation == "owners":
        _check_owner(item)
        return
    if group.is_dynamic:
        raise _dynamic()
    _check_member(group.properties, item)


def _check_member(properties: Mapping[str, Any], item: DirectoryObject) -> None:
    """https://learn.microsoft.com/graph/api/group-post-members, the table of the types that a group may contain."""
    if "Unified" in (properties.get("groupTypes") or ()) and not isinstance(item, User):
        raise bad_request("Invalid value specified for property 'members' of resource 'Group'.")
    unfit = isinstance(item, Group) and not item.properties.get("securityEnabled")
    if unfit or item.kind == "application":
        raise bad_request("Invalid value specified for property 'members' of resource 'Group'.")


def _check_owner(item: DirectoryObject) -> None:
    if item.kind not in {"user", "servicePrincipal"}:
        raise bad_request("Invalid value specified for property 'owners' of resource 'Group'.")


def _dynamic() -> GraphError:
    return bad_request("Invalid operation on a dynamic group: its membership is computed from its rule.")

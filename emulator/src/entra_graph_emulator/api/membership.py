"""The groups that an object is in, through every level.

https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups and its three siblings. Users, groups, service
principals and directoryObjects have the same four actions.
"""

from collections.abc import Callable
from typing import Any

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.references import check_ids
from entra_graph_emulator.directory import relations
from entra_graph_emulator.directory.objects import DirectoryObject, Group
from entra_graph_emulator.wire.errors import GraphError, bad_request, not_found
from entra_graph_emulator.wire.messages import Response, json_response

_MOST_GROUPS = 20
_MOST_OBJECTS = 1000
_MOST_FOUND = 11_000


async def check_member_groups(call: Call) -> Response:
    return _checked(call, "groupIds", _MOST_GROUPS)


async def check_member_objects(call: Call) -> Response:
    return _checked(call, "ids", _MOST_OBJECTS)


async def get_member_groups(call: Call) -> Response:
    """Every group, or with `securityEnabledOnly` only security groups.

    `securityEnabledOnly` is refused for anything but users and service principals.
    """
    body = call.body()
    only = body.get("securityEnabledOnly", False)
    if not isinstance(only, bool):
        raise bad_request("Invalid value specified for property 'securityEnabledOnly' of resource 'Action'.")
    item = _subject(call)
    if only and item.kind not in {"user", "servicePrincipal"}:
        raise bad_request("securityEnabledOnly can be true only for a user or a service principal.")
    found = [each.id for each in _groups(call, item) if not only or each.properties.get("securityEnabled")]
    if len(found) > _MOST_FOUND:
        raise GraphError(400, "DirectoryResultSizeLimitExceeded", f"The result has more than {_MOST_FOUND} objects.")
    return _ids(call, found)


def _checked(call: Call, name: str, most: int) -> Response:
    """The given ids that name one of the groups, spelled as they were sent."""
    ids = call.body().get(name)
    if not isinstance(ids, list) or not all(isinstance(each, str) for each in ids):
        raise bad_request(f"A value is required for property '{name}' of resource 'Action'.")
    if len(ids) > most:
        raise bad_request(f"The number of '{name}' exceeds the maximum of {most}.")
    check_ids(ids)
    groups = {each.id.lower() for each in _groups(call, _subject(call))}
    return _ids(call, [each for each in dict.fromkeys(ids) if each.lower() in groups])


def _groups(call: Call, item: DirectoryObject) -> list[Group]:
    """Without those of hidden membership, if the caller must not see it."""
    found = relations.transitive_groups_of(call.tenant, item)
    return found if call.sees_hidden else [each for each in found if not each.is_hidden]


def _subject(call: Call) -> DirectoryObject:
    key = call.parameters[0]
    find: Callable[[str], Any] = call.tenant.find if "@" in key else call.tenant.object
    item: DirectoryObject | None = find(key)
    if item is None or not call.visible(item):
        raise not_found(key)
    return item


def _ids(call: Call, ids: list[str]) -> Response:
    where = f"{call.origin}/v1.0/$metadata#Collection(Edm.String)"
    return json_response(200, {"@odata.context": where, "value": ids})

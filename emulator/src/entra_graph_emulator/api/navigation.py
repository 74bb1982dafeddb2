"""Relations as collections: `/users/{id}/memberOf`, `/groups/{id}/transitiveMembers/microsoft.graph.user`.

https://learn.microsoft.com/graph/api/user-list-memberof, group-list-members, group-list-transitivemembers
"""

from typing import Final

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.queries import Collection, among, counted, listed
from entra_graph_emulator.directory import relations
from entra_graph_emulator.directory.objects import DirectoryObject, Group
from entra_graph_emulator.odata.entities import BY_NAME, OBJECT
from entra_graph_emulator.wire.errors import unknown_segment
from entra_graph_emulator.wire.messages import Response

_CAST: Final = "microsoft.graph."
_HIDDEN: Final = ("members", "transitiveMembers")


def navigated(call: Call, item: DirectoryObject) -> Collection:
    """The collection that the path names: its parameters are the object, the relation and perhaps a cast."""
    _, name, *cast = call.parameters
    hidden = isinstance(item, Group) and item.is_hidden and name in _HIDDEN and not call.sees_hidden
    found = [] if hidden else [each for each in relations.related(call.tenant, item, name) if call.visible(each)]
    plural = f"{item.kind}s" if item.kind in {"user", "group", "servicePrincipal"} else "directoryObjects"
    path = f"{plural}/{item.id}/{name}"
    if not cast:
        return Collection(of=OBJECT, path=path, find=among(found), mixed=True, strict=True, ordered=True)
    kind = cast[0].removeprefix(_CAST)
    if not cast[0].startswith(_CAST) or kind not in BY_NAME:
        raise unknown_segment(cast[0])
    transitive = name.startswith("transitive")
    of, path = BY_NAME[kind], f"{path}/{cast[0]}"
    return Collection(of=of, path=path, find=among(found, kind), strict=True, advanced=transitive, ordered=True)


async def list_of_user(call: Call) -> Response:
    return listed(call, navigated(call, call.user()))


async def count_of_user(call: Call) -> Response:
    return counted(call, navigated(call, call.user()))


async def list_of_group(call: Call) -> Response:
    return listed(call, navigated(call, call.group()))


async def count_of_group(call: Call) -> Response:
    return counted(call, navigated(call, call.group()))

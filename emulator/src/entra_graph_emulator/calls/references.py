"""References to other objects in request bodies: `@odata.id` and `name@odata.bind`.

https://learn.microsoft.com/graph/api/group-post-members. The host of a reference does not matter: clients write
Graph's own host by hand, whatever their base URL is.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final
from urllib.parse import unquote

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.directory.objects import DirectoryObject
from entra_graph_emulator.wire.errors import bad_request
from entra_graph_emulator.wire.ids import is_guid

_REFERENCE: Final = re.compile(
    r"(?:https?://[^/]+)?/?(?:(?:v1\.0|beta)/)?(?:users|groups|directoryObjects|servicePrincipals|devices)"
    r"(?:/([^/]+)|\('([^/]+)'\))/?",
    re.IGNORECASE,
)
_MOST: Final = 20


def referenced(reference: Any) -> str:
    """The id, or principal name, at the end of a reference. Raises 400."""
    match = _REFERENCE.fullmatch(reference) if isinstance(reference, str) else None
    if match is None:
        raise bad_request("The '@odata.id' of the reference is missing or is not the URL of a directory object.")
    key = unquote(match[1] or match[2])
    return key.lower() if is_guid(key) else key


def check_ids(ids: Iterable[str]) -> None:
    """Raises 400 if any id is malformed."""
    wrong = next((each for each in ids if not is_guid(each)), None)
    if wrong is not None:
        raise bad_request(f"Invalid object identifier '{wrong}'.")


def bound(call: Call, body: Mapping[str, Any], name: str) -> list[DirectoryObject]:
    """The objects of `name@odata.bind`, one URL or a list of at most twenty. Raises 400 and 404."""
    value = body.get(f"{name}@odata.bind")
    if value is None:
        return []
    urls = value if isinstance(value, list) else [value]
    if len(urls) > _MOST:
        raise bad_request(f"The limit for members in a single request is {_MOST}.")
    keys = [referenced(url) for url in urls]
    if len(set(keys)) < len(keys):
        raise bad_request(
            f"One or more added object references already exist for the following modified properties: '{name}'."
        )
    return [call.tenant.user(key) if "@" in key else call.anything(key) for key in keys]

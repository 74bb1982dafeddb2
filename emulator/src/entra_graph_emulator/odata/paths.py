"""Paths as Graph reads them: segments in any case, keys in parentheses, functions and casts in all their spellings.

OData has several spellings, and SDKs use all of them. `users/{id}/manager` is also `users('{id}')/manager`; a function
comes with or without its namespace and its parentheses. https://learn.microsoft.com/graph/use-the-api
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from entra_graph_emulator.wire.ids import is_guid

_KEYED: Final = re.compile(r"(?P<name>[A-Za-z]\w*)\((?:(?P<key>\w+)=)?'(?P<value>(?:[^']|'')*)'\)")
_BARE_KEY: Final = re.compile(r"(?P<name>[A-Za-z]\w*)\((?P<value>[0-9a-fA-F-]{36})\)")
_NAMESPACES: Final = ("microsoft.graph.", "graph.")
_FUNCTIONS: Final = frozenset(
    {
        "delta",
        "getbyids",
        "restore",
        "reauthorize",
        "checkmembergroups",
        "checkmemberobjects",
        "getmembergroups",
        "getmemberobjects",
        "validateproperties",
        "resettosystemdefault",
        "getavailableextensionproperties",
        "addpassword",
        "removepassword",
    }
)
_TYPES: Final = (
    "user",
    "group",
    "servicePrincipal",
    "application",
    "device",
    "directoryRole",
    "administrativeUnit",
    "orgContact",
)
CASTS: Final = {name.lower(): f"microsoft.graph.{name}" for name in _TYPES}
_KEYS: Final = frozenset({"id", "userprincipalname", "tenantid"})


def normal(segments: Iterable[str]) -> list[str]:
    """One spelling for each segment; alternate keys such as `applications(appId='x')` become `appId='x'`."""
    return [normal_part for segment in segments for normal_part in _normal(segment)]


def _normal(segment: str) -> Iterator[str]:
    if (bare := _BARE_KEY.fullmatch(segment)) is not None:
        yield from (bare["name"], bare["value"].lower())
    elif (keyed := _KEYED.fullmatch(segment)) is not None and keyed["name"].lower() not in _FUNCTIONS:
        value = keyed["value"].replace("''", "'")
        key = keyed["key"]
        yield keyed["name"]
        yield _plain(value) if key is None or key.lower() in _KEYS else f"{key}='{value}'"
    else:
        yield _plain(segment)


def _plain(segment: str) -> str:
    lowered = segment.lower()
    name = lowered.removesuffix("()")
    for namespace in _NAMESPACES:
        if name.startswith(namespace):
            rest = name.removeprefix(namespace)
            return CASTS.get(rest, rest if rest in _FUNCTIONS else segment)
    if name in _FUNCTIONS:
        return name
    return lowered if is_guid(segment) else segment

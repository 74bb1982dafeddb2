"""`GET /users/delta`, `/groups/delta` and `/directoryObjects/delta`.

https://learn.microsoft.com/graph/api/user-delta, group-delta, directoryobject-delta
"""

import re
from dataclasses import replace
from typing import Final

from entra_graph_emulator.calls.call import Call, link
from entra_graph_emulator.calls.views import context, guarded
from entra_graph_emulator.directory import delta
from entra_graph_emulator.odata.entities import GROUP, OBJECT, USER, EntityType
from entra_graph_emulator.wire.errors import unsupported_query
from entra_graph_emulator.wire.messages import Response, json_response

_ID: Final = re.compile(r"id eq '([^']+)'", re.IGNORECASE)
_ISOF: Final = re.compile(r"isof\('([\w.]+)'\)", re.IGNORECASE)
_OR: Final = re.compile(r"\s+or\s+", re.IGNORECASE)
_MOST_IDS: Final = 50
_SIZE: Final = re.compile(r"odata\.maxpagesize=(\d{1,6})")
# Types that Graph has deltas for and the emulator records no changes of: their feeds are empty.
_SILENT: Final = frozenset({"application", "serviceprincipal", "device", "approleassignment", "orgcontact"})


async def users_delta(call: Call) -> Response:
    return _delta(call, "users", USER, ("user",))


async def groups_delta(call: Call) -> Response:
    return _delta(call, "groups", GROUP, ("group",))


async def objects_delta(call: Call) -> Response:
    """Users and groups in one feed; `isof` picks among them."""
    return _delta(call, "directoryObjects", OBJECT, ("user", "group"))


def _delta(call: Call, path: str, of: EntityType, types: tuple[str, ...]) -> Response:
    """`$top` is ignored without an error, as seen of Graph; the other unsupported options are refused."""
    call.allow("$select", "$filter", "$deltatoken", "$skiptoken", "$top")
    query = call.options
    if "$skiptoken" in query:
        if "$select" in query or "$filter" in query:
            raise unsupported_query()
        cursor = _resume(call, query["$skiptoken"], path, more=True)
    elif query.get("$deltatoken", "") not in {"", "latest"}:
        cursor = _resume(call, query["$deltatoken"], path, more=False)
        if "$select" in query:  # changes what is tracked from now on: delta-query-overview, 2025-04-30
            cursor = replace(cursor, select=_select(query["$select"], of))
    else:
        # An empty $deltatoken is how the Location of a 410 asks for a full resync.
        ids, kinds = _filtered(query.get("$filter"), types, mixed=path == "directoryObjects")
        select = _select(query.get("$select"), of)
        cursor = delta.begin(call.tenant, call.now, select=select, ids=ids, types=kinds, path=path)
    if query.get("$deltatoken") == "latest":
        return _answer(call, delta.latest(cursor, call.tenant))
    prefer = call.request.headers.get("prefer", "").lower()
    size = _SIZE.search(prefer)
    page = delta.page(
        call.tenant, cursor, call.now, minimal="return=minimal" in prefer, size=int(size[1]) if size else None
    )
    for item in page.items if cursor.select else ():
        guarded(item, call.caller)
    return _answer(call, page)


def _resume(call: Call, token: str, path: str, *, more: bool) -> delta.Cursor:
    location = f"{call.origin}{call.request.path}?$deltatoken="
    return delta.resume(call.tenant, token, call.now, more=more, location=location, path=path)


def _answer(call: Call, page: delta.DeltaPage) -> Response:
    token, path = page.cursor.encode(), page.cursor.path
    if page.cursor.more:
        name, url = "@odata.nextLink", link(call.origin, f"{path}/delta", {"$skiptoken": token})
    else:
        name, url = "@odata.deltaLink", link(call.origin, f"{path}/delta", {"$deltatoken": token})
    body = {"@odata.context": context(call.origin, path, page.cursor.select), name: url, "value": page.items}
    return json_response(200, body)


def _select(text: str | None, of: EntityType) -> tuple[str, ...] | None:
    """In a mixed feed, `microsoft.graph.user/surname` selects a property of one type."""
    if of is not OBJECT or text is None:
        return of.parse_delta_select(text)
    names = tuple(dict.fromkeys(name.strip() for name in text.split(",") if name.strip()))
    for name in names:
        kind = next((each for each in (USER, GROUP) if name.startswith(f"{each.full_name}/")), OBJECT)
        kind.parse_delta_select(name)
    return names or None


def _filtered(
    text: str | None, types: tuple[str, ...], *, mixed: bool
) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The ids and the types that the filter names.

    Raises 400 for any other filter: at most 50 object ids, and types only in the mixed feed.
    """
    if text is None:
        return None, types
    ids: list[str] = []
    kinds: list[str] = []
    for clause in _OR.split(text.strip()):
        if (by_id := _ID.fullmatch(clause)) is not None:
            ids.append(by_id[1])
        elif mixed and (isof := _ISOF.fullmatch(clause)) is not None:
            kinds.append(_kind(isof[1]))
        else:
            raise unsupported_query()
    if len(ids) > _MOST_IDS:
        raise unsupported_query()
    if kinds:
        types = tuple(each for each in types if each in kinds)
    return tuple(ids) if ids or not types else None, types or ("user",)


def _kind(name: str) -> str:
    kind = name.lower().removeprefix("microsoft.graph.")
    if kind not in {"user", "group", *_SILENT}:
        raise unsupported_query()
    return kind

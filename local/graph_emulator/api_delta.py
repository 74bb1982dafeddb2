"""`GET /users/delta`. https://learn.microsoft.com/graph/api/user-delta"""

import re
from typing import Final

from local.graph_emulator import delta
from local.graph_emulator.call import Call, link
from local.graph_emulator.errors import unsupported_query
from local.graph_emulator.messages import Response, json_response
from local.graph_emulator.schema import parse_delta_select
from local.graph_emulator.views import context

_BY_ID: Final = re.compile(r"id eq '([^']+)'(?:\s+or\s+id eq '([^']+)')*", re.IGNORECASE)
_ID: Final = re.compile(r"id eq '([^']+)'", re.IGNORECASE)
_MOST_IDS: Final = 50
_SIZE: Final = re.compile(r"odata\.maxpagesize=(\d{1,6})")


async def users_delta(call: Call) -> Response:
    """`$top` is ignored in silence, as seen; the other unsupported options are refused."""
    call.allow("$select", "$filter", "$deltatoken", "$skiptoken", "$top")
    query = call.request.query
    if "$skiptoken" in query:
        if "$select" in query or "$filter" in query:
            raise unsupported_query()
        cursor = _resume(call, query["$skiptoken"], more=True)
    elif query.get("$deltatoken", "") not in {"", "latest"}:
        cursor = _resume(call, query["$deltatoken"], more=False)
    else:
        # An empty $deltatoken is how the Location of a 410 asks for a full resync.
        select = parse_delta_select(query.get("$select"))
        cursor = delta.begin(call.tenant, call.now, select=select, ids=_ids(query.get("$filter")))
    if query.get("$deltatoken") == "latest":
        return _answer(call, delta.latest(cursor, call.tenant))
    prefer = call.request.headers.get("prefer", "").lower()
    size = _SIZE.search(prefer)
    page = delta.page(
        call.tenant, cursor, call.now, minimal="return=minimal" in prefer, size=int(size[1]) if size else None
    )
    return _answer(call, page)


def _resume(call: Call, token: str, *, more: bool) -> delta.Cursor:
    location = f"{call.origin}{call.request.path}?$deltatoken="
    return delta.resume(call.tenant, token, call.now, more=more, location=location)


def _answer(call: Call, page: delta.DeltaPage) -> Response:
    token = page.cursor.encode()
    if page.cursor.more:
        name, url = "@odata.nextLink", link(call.origin, "users/delta", {"$skiptoken": token})
    else:
        name, url = "@odata.deltaLink", link(call.origin, "users/delta", {"$deltatoken": token})
    body = {"@odata.context": context(call.origin, "users", page.cursor.select), name: url, "value": page.items}
    return json_response(200, body)


def _ids(text: str | None) -> tuple[str, ...] | None:
    """Only object ids can be filtered by, at most 50 of them."""
    if text is None:
        return None
    if _BY_ID.fullmatch(text.strip()) is None:
        raise unsupported_query()
    ids = tuple(_ID.findall(text))
    if len(ids) > _MOST_IDS:
        raise unsupported_query()
    return ids

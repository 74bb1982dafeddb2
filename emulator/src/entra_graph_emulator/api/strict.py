"""What the strict mode asks of a call that was answered: whether Graph's pages have it in this form.

https://learn.microsoft.com/graph/aad-advanced-queries, delta-query-overview, api/user-delta, query-parameters
"""

import json
from collections.abc import Iterator, Sequence
from typing import Final

from entra_graph_emulator.api import operations
from entra_graph_emulator.api.routes import Route, Traffic
from entra_graph_emulator.wire.messages import Request, Response

_TOKENS: Final = frozenset({"$deltatoken", "$skiptoken"})
_BEGINNINGS: Final = (
    "Resource not found for the segment",
    "Parsing OData",
    "Invalid filter clause",
    "Invalid orderby clause",
    "Query option",
    "The query parameter",
    "/me request",
)
_CODES: Final = frozenset({"Request_UnsupportedQuery"})
_STATUSES: Final = frozenset({405, 415, 501})


def undocumented(request: Request, route: Route, segments: Sequence[str]) -> Iterator[str]:
    """What no page has of this call; `request` has the official names of its options."""
    if route.kind is not Traffic.BATCH and request.method not in (operations.methods_of(segments) or ()):
        yield "Graph v1.0 has no such operation"
    for name in request.query:
        if not name.startswith("$"):
            yield f"'{name}' is no query option of Graph's"
    if request.body and request.method in {"GET", "DELETE"}:
        yield f"a {request.method} has no body"
    if "if-match" in request.headers and segments[0] in {"users", "groups"}:
        yield "If-Match is not documented for directory objects"
    yield from _of_delta(request) if route.kind is Traffic.DELTA else _of_listing(request)


def _of_delta(request: Request) -> Iterator[str]:
    for name in ("$top", "$orderby", "$expand"):
        if name in request.query:
            yield f"{name} is not supported in a delta query"
    first = _TOKENS.isdisjoint(request.query) or request.query.get("$deltatoken") == "latest"
    if "$filter" in request.query and not first:
        yield "$filter belongs in the first request of a delta query"
    if "maxpagesize" in request.headers.get("prefer", ""):
        yield "Prefer: odata.maxpagesize is not documented for delta queries of directory objects"


def _of_listing(request: Request) -> Iterator[str]:
    eventual = request.headers.get("consistencylevel", "").lower() == "eventual"
    if request.query.get("$count", "").lower() == "true" and not eventual:
        yield "$count=true needs ConsistencyLevel: eventual"
    if "return=minimal" in request.headers.get("prefer", ""):
        yield "Prefer: return=minimal is documented for delta queries alone"


def refusal(response: Response) -> str:
    """The message of an answer that says that the call itself is wrong, whatever is in the directory; else ''."""
    if response.status not in {400, *_STATUSES}:
        return ""
    error = json.loads(response.body)["error"]
    wrong = response.status in _STATUSES or error["code"] in _CODES or error["message"].startswith(_BEGINNINGS)
    return f"{response.status}: {error['message']}" if wrong else ""

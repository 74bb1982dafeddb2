"""What may be sent at all. Every request passes here, and what is forbidden is refused before a byte leaves.

So no probe can do harm by a mistake of its own: reading is the default, and writing touches only what the journal has.
"""

import json
import re
from collections.abc import Callable, Collection
from typing import Any, Final

import httpx

# Posts that read. https://learn.microsoft.com/graph/api/directoryobject-getbyids, .../directoryobject-checkmembergroups
_READING: Final = re.compile(r"/directoryObjects/getByIds|/(users|groups|directoryObjects)/[^/]+/checkMemberGroups")
_MADE: Final = {"/users": "displayName", "/groups": "displayName", "/invitations": "invitedUserDisplayName"}
_TOUCHED: Final = re.compile(
    r"/(?:users|groups|directory/deletedItems)/([^/]+)(?:/microsoft\.graph\.\w+|/manager/\$ref|/members/\$ref|/restore)?"
)
_REFERRED: Final = re.compile(r".*/(?:users|groups|directoryObjects)/([^/]+)")
ADDRESSES: Final = "@example.com"  # reserved by RFC 2606: nobody has one


class ForbiddenRequestError(Exception):
    """A probe asked for more than it may. Nothing was sent."""


class Gate(httpx.AsyncBaseTransport):
    """`journalled` gives the ids that this run made; without `mark` nothing is written."""

    def __init__(
        self,
        inner: httpx.AsyncBaseTransport,
        *,
        graph: str,
        mark: str = "",
        journalled: Callable[[], Collection[str]] = frozenset,
    ) -> None:
        self._inner = inner
        self._graph = httpx.URL(graph)
        self._mark = mark
        self._journalled = journalled

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._check(request, await request.aread())
        return await self._inner.handle_async_request(request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _check(self, request: httpx.Request, content: bytes) -> None:
        if (request.url.scheme, request.url.netloc) != (self._graph.scheme, self._graph.netloc):
            raise ForbiddenRequestError(f"{request.url.host} is not the Graph that is asked")
        path = re.sub(r"^/(v1\.0|beta)(?=/)", "", request.url.path)
        body = _json(content)
        if request.method == "GET" or (request.method == "POST" and _reads(path, body)):
            return
        if not self._mark:
            raise ForbiddenRequestError(f"{request.method} {path}: this run only reads")
        self._check_write(request.method, path, body)

    def _check_write(self, method: str, path: str, body: Any) -> None:
        said = body if isinstance(body, dict) else {}
        if method == "POST" and path in _MADE:
            self._check_made(path, said)
            return
        touched, ids = _TOUCHED.fullmatch(path), self._journalled()
        if touched is None or touched[1] not in ids:
            raise ForbiddenRequestError(f"{method} {path}: it is not of this run")
        if (reference := said.get("@odata.id")) is not None:
            referred = _REFERRED.fullmatch(str(reference))
            if referred is None or referred[1] not in ids:
                raise ForbiddenRequestError(f"{method} {path}: it refers to something that is not of this run")
        _check_addresses(f"{method} {path}", said)

    def _check_made(self, path: str, said: dict[str, Any]) -> None:
        if not str(said.get(_MADE[path])).startswith(self._mark):
            raise ForbiddenRequestError(f"POST {path}: its name does not begin with {self._mark}")
        _check_addresses(f"POST {path}", said)
        if path == "/invitations" and said.get("sendInvitationMessage") is not False:
            raise ForbiddenRequestError("POST /invitations: nobody is sent a mail")


def _check_addresses(what: str, said: dict[str, Any]) -> None:
    for name in ("mail", "otherMails", "invitedUserEmailAddress"):
        value = said.get(name)
        if value and not all(str(each).endswith(ADDRESSES) for each in (value if isinstance(value, list) else [value])):
            raise ForbiddenRequestError(f"{what}: an address that is not of {ADDRESSES}")


def _reads(path: str, body: Any) -> bool:
    if path == "/$batch":
        inner = body.get("requests") if isinstance(body, dict) else None
        return isinstance(inner, list) and all(isinstance(each, dict) and each.get("method") == "GET" for each in inner)
    return _READING.fullmatch(path) is not None


def _json(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return None

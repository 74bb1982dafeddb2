"""HTTP triggers, the home page, the three admin calls that the local stack uses, and one call of this host alone.

GET /_host/polls gives the polls of each queue since the start: the real host has them on the storage bill only.

The worker gets a request as from the real host: header names in lower case, no empty query values, several values
joined by commas. Without a Content-Length above 0 there is no body, so a chunked request arrives empty
(Azure/azure-functions-host issue 4926). Keys are not checked, as under `func start`.
"""

import asyncio
import json
import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import formatdate
from types import SimpleNamespace
from typing import Any

from aiohttp import web
from aiohttp.typedefs import Middleware
from multidict import MultiMapping

from local.functions_host.invoker import InvocationFailedError, Invoker
from local.functions_host.model import Function
from local.functions_host.routes import Route
from local.functions_host.worker import TypedData

_log = logging.getLogger(__name__)

_LARGEST_BODY = 100 * 1024 * 1024  # the real host's limit, in bytes
_FRAMING = frozenset({"content-length", "transfer-encoding", "connection"})

type ByHand = Callable[[Function, str], tuple[TypedData, Mapping[str, TypedData]]]
type Polls = Callable[[], Mapping[str, int]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """A function at its route, prefix included."""

    function: Function
    route: Route
    methods: frozenset[str]


class HttpTriggers:
    """An aiohttp application over endpoints. `by_hand` makes the data that start a function without a route."""

    def __init__(
        self,
        endpoints: Iterable[Endpoint],
        functions: Iterable[Function],
        invoker: Invoker,
        *,
        by_hand: ByHand,
        polls: Polls,
        host_id: str,
        in_front: Sequence[Middleware] = (),
    ) -> None:
        self._endpoints = sorted(endpoints, key=lambda endpoint: endpoint.route.rank)
        self._functions = {function.name.lower(): function for function in functions}
        self._invoker = invoker
        self._by_hand = by_hand
        self._polls = polls
        self._host_id = host_id
        self._started: set[asyncio.Task[None]] = set()
        self.app = web.Application(client_max_size=_LARGEST_BODY, middlewares=in_front)
        self.app.router.add_get("/admin/host/status", self._status)
        self.app.router.add_get("/admin/functions", self._list)
        self.app.router.add_post("/admin/functions/{name}", self._start_by_hand)
        self.app.router.add_get("/_host/polls", self._count)
        self.app.router.add_get("/", self._home)
        self.app.router.add_route("*", "/{path:(?s:.*)}", self._call)

    async def drain(self) -> None:
        """Wait for the functions that were started by hand."""
        await asyncio.gather(*self._started)

    async def _call(self, request: web.Request) -> web.Response:
        # An escaped slash belongs to its segment and stays escaped, as in ASP.NET Core.
        path = request.rel_url.path_safe.replace("%25", "%")
        for endpoint in self._endpoints:
            parameters = endpoint.route.match(path)
            if parameters is not None and request.method in endpoint.methods:
                return await self._invoke(endpoint.function, request, parameters)
        return web.Response(status=404)

    async def _invoke(self, function: Function, request: web.Request, parameters: Mapping[str, str]) -> web.Response:
        try:
            returned = await self._invoker.invoke(
                function, await _request_data(request, parameters), parameters=parameters
            )
        except InvocationFailedError:
            return web.Response(status=500)
        return _response(returned)

    async def _status(self, _request: web.Request) -> web.Response:
        return web.json_response({"id": self._host_id, "state": "Running"})

    async def _list(self, _request: web.Request) -> web.Response:
        return web.json_response([{"name": function.name} for function in self._functions.values()])

    async def _count(self, _request: web.Request) -> web.Response:
        return web.json_response(dict(self._polls()))

    async def _home(self, _request: web.Request) -> web.Response:
        page = "<!DOCTYPE html><html><head><title>The local Functions host</title></head><body>It runs.</body></html>"
        return web.Response(text=page, content_type="text/html")

    async def _start_by_hand(self, request: web.Request) -> web.Response:
        """As the portal's Test/Run and `func` do it: answer 202 while the function runs on."""
        function = self._functions.get(request.match_info["name"].lower())
        if function is None:
            return web.Response(status=404)
        try:
            given = (await request.json()).get("input") or ""
        except (ValueError, AttributeError):
            return web.Response(status=400, text='the body must be JSON: {"input": "..."}')
        data, metadata = self._by_hand(function, given if isinstance(given, str) else json.dumps(given))
        task = asyncio.create_task(self._run(function, data, metadata))
        self._started.add(task)
        task.add_done_callback(self._started.discard)
        return web.Response(status=202)

    async def _run(self, function: Function, data: TypedData, metadata: Mapping[str, TypedData]) -> None:
        try:
            await self._invoker.invoke(function, data, metadata=metadata)
        except InvocationFailedError:
            _log.debug("function=%s started by hand failed", function.name)


async def _request_data(request: web.Request, parameters: Mapping[str, str]) -> TypedData:
    body = await request.read() if (request.content_length or 0) > 0 else b""
    query = {name: ",".join(filter(None, request.query.getall(name))) for name in request.query}
    return TypedData(
        http=SimpleNamespace(
            method=request.method,
            url=str(request.url),
            headers=_joined(request.headers),
            query={name: value for name, value in query.items() if value},
            params=dict(parameters),
            body=TypedData(bytes=body),
        )
    )


def _joined(values: MultiMapping[str]) -> dict[str, str]:
    return {name.lower(): ",".join(values.getall(name)) for name in values}


def _response(returned: TypedData | None) -> web.Response:
    match returned.WhichOneof("data") if returned else None, returned.value if returned else None:
        case None, _:
            return web.Response(status=204)
        case "http", http:
            return _http_response(http)
        case "bytes", body:
            return web.Response(body=body)
        case _, text:
            return web.Response(text=str(text))


def _http_response(http: Any) -> web.Response:
    response = web.Response(status=int(http.status_code))
    for name, value in http.headers.items():
        if name.lower() not in _FRAMING:
            response.headers[name] = value
    for cookie in http.cookies or ():
        _set_cookie(response, cookie)
    body = http.body.value if http.body is not None else b""
    response.body = body.encode() if isinstance(body, str) else body
    return response


def _set_cookie(response: web.Response, cookie: Any) -> None:
    def optional(field: str) -> Any:
        nullable = getattr(cookie, field)
        return None if nullable is None else nullable.value

    expires = optional("expires")
    max_age = optional("max_age")
    response.set_cookie(
        cookie.name,
        cookie.value,
        domain=optional("domain") or None,
        path=optional("path") or "/",
        expires=formatdate(expires.seconds, usegmt=True) if expires else None,
        max_age=int(max_age) if max_age is not None else None,
        secure=optional("secure"),
        httponly=optional("http_only"),
        samesite=cookie.same_site or None,
    )

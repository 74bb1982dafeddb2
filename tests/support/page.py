"""The page for operators over a world in memory: real endpoints and files, and the local stand-in of the sign-in."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from aiohttp import web

from local.sign_in import address, sign_in
from sync_core.assembly import Runtime
from sync_core.ops import page
from sync_core.ops.calls import NOT_KEPT, Call
from sync_core.ops.endpoints import ENDPOINTS, answer

from .world import World

type _Handler = Callable[[web.Request], Awaitable[web.Response]]


@dataclass(slots=True, kw_only=True)
class Site:
    """What function_app does, without a host. `world` may be changed while it runs."""

    world: World
    url: str = field(default="", init=False)
    _runner: web.AppRunner = field(init=False)

    @property
    def entrance(self) -> str:
        """Where one chooses who one is."""
        return address(self.url)

    async def __aenter__(self) -> Site:
        app = web.Application(middlewares=[sign_in])
        for name, endpoint in ENDPOINTS.items():
            app.router.add_route(endpoint.method, f"/api/{endpoint.path}", self._endpoint(name))
        for path in ("/api/ops", "/api/ops/", "/api/ops/web/{file}"):
            app.router.add_get(path, self._file)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", 0).start()
        self.url = f"http://127.0.0.1:{self._runner.addresses[0][1]}"
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._runner.cleanup()

    def _endpoint(self, name: str) -> _Handler:
        async def runtime(_read_only: bool) -> Runtime:
            return self.world.runtime

        async def handle(request: web.Request) -> web.Response:
            called = await _call(request)
            answered = await answer(name, called, enabled=True, origin=self.url, runtime=runtime)
            return web.Response(
                text=answered.body, status=answered.status, content_type="application/json", headers=NOT_KEPT
            )

        return handle

    async def _file(self, request: web.Request) -> web.Response:
        served = page.serve(request.match_info.get("file", page.START), await _call(request), enabled=True)
        return web.Response(
            body=served.body, status=served.status, content_type=served.media, charset="utf-8", headers=served.headers
        )


async def _call(request: web.Request) -> Call:
    return Call(
        headers={name.lower(): value for name, value in request.headers.items()},
        route=dict(request.match_info),
        query=dict(request.query),
        body=await request.read(),
    )

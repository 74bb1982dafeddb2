"""The emulator on a port, with aiohttp: requests in, change notifications out."""

import asyncio
import contextlib
import logging
import ssl
import time
from collections.abc import AsyncIterator

import aiohttp
from aiohttp import web

from entra_graph_emulator.emulator import Emulator
from entra_graph_emulator.notifications.delivery import PendingPost, PostOutcome
from entra_graph_emulator.wire.errors import GraphError
from entra_graph_emulator.wire.ids import guid
from entra_graph_emulator.wire.messages import ConnectionLost, Request

_log = logging.getLogger(__name__)
_EMULATOR = web.AppKey("emulator", Emulator)
_LARGEST_BODY = 16 * 1024 * 1024
_PUMP_S = 0.02
_POSTS_AT_ONCE = 16


class HttpPoster:
    """Posts to subscribers with aiohttp. It measures real time, since a subscriber is a real program."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session

    async def __call__(self, url: str, *, headers: dict[str, str], body: bytes, timeout_s: float) -> PostOutcome:
        began = time.monotonic()
        try:
            async with asyncio.timeout(timeout_s), self._session.post(url, headers=headers, data=body) as answer:
                text = await answer.text()
                return PostOutcome(
                    status=answer.status,
                    elapsed_s=time.monotonic() - began,
                    content_type=answer.headers.get("Content-Type", ""),
                    body=text,
                )
        except (aiohttp.ClientError, TimeoutError, UnicodeDecodeError, ValueError):
            return PostOutcome(status=None, elapsed_s=time.monotonic() - began)


def application(emulator: Emulator) -> web.Application:
    app = web.Application(client_max_size=_LARGEST_BODY)
    app[_EMULATOR] = emulator
    app.router.add_route("*", "/{path:.*}", _serve)
    app.cleanup_ctx.append(_deliver)
    return app


@contextlib.asynccontextmanager
async def listening(
    emulator: Emulator, host: str, port: int, context: ssl.SSLContext | None = None
) -> AsyncIterator[int]:
    """The emulator on a port, which is given (0: any free one). Raises OSError, and OverflowError above 65535."""
    runner = web.AppRunner(application(emulator), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        await web.TCPSite(runner, host, port, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        connections = [each.transport for each in runner.server.connections] if runner.server else []
        await runner.cleanup()
        for connection in filter(None, connections):
            connection.abort()  # a client that idles never answers the goodbye of TLS
        await asyncio.sleep(0)


async def _serve(incoming: web.Request) -> web.StreamResponse:
    emulator = incoming.app[_EMULATOR]
    request = Request.of(
        incoming.method,
        incoming.raw_path,
        headers=incoming.headers,
        body=await incoming.read(),
        origin=f"{incoming.scheme}://{incoming.host}",
    )
    try:
        answer = await emulator.handle(request)
    except ConnectionLost:
        if incoming.transport is not None:
            incoming.transport.abort()
        return web.Response(status=502)
    except Exception:  # noqa: BLE001 - no stack trace may leave the server
        _log.exception("unexpected error on %s %s", request.method, request.path)
        error = GraphError(500, "InternalServerError", "Internal server error.")
        answer = error.response(at=emulator.clock.now(), request_id=guid(emulator.ids), client_request_id="")
    return web.Response(status=answer.status, headers=answer.headers, body=answer.body)


async def _deliver(app: web.Application) -> AsyncIterator[None]:
    """While the server runs, post change notifications as they fall due."""
    emulator = app[_EMULATOR]
    async with aiohttp.ClientSession() as session:
        emulator.poster = HttpPoster(session)
        pump = asyncio.create_task(_pump(emulator))
        yield
        pump.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await pump
        emulator.poster = None


async def _pump(emulator: Emulator) -> None:
    slots = asyncio.Semaphore(_POSTS_AT_ONCE)
    async with asyncio.TaskGroup() as posts:
        while True:
            # Polled, because changes, retries and an advanced clock all make posts due.
            for post in emulator.due():
                posts.create_task(_send(emulator, post, slots))
            await asyncio.sleep(_PUMP_S)


async def _send(emulator: Emulator, post: PendingPost, slots: asyncio.Semaphore) -> None:
    async with slots:
        await emulator.send(post)

"""The network under a Graph client: httpx, as the SDK needs it, over aiohttp at two thirds of its CPU.

The session keeps no cookies, and takes proxies and certificates from where httpx takes them. It sends a write once. By
itself aiohttp sends an idempotent request again if a kept connection turns out to be closed. So a DELETE would go out
without our last question.
"""

from __future__ import annotations

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from .auth import trusted

_CONNECTIONS = 64
_KEPT_S = 60


def network() -> httpx.AsyncBaseTransport:
    """It belongs to the event loop of its first request."""
    return AiohttpTransport(client=_session, verify=trusted())


def _session() -> aiohttp.ClientSession:
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(limit=_CONNECTIONS, keepalive_timeout=_KEPT_S, ssl=trusted()),
        cookie_jar=aiohttp.DummyCookieJar(),
        middlewares=(_writes_once,),
        trust_env=True,
    )


async def _writes_once(request: aiohttp.ClientRequest, send: aiohttp.ClientHandlerType) -> aiohttp.ClientResponse:
    try:
        return await send(request)
    except (aiohttp.ClientOSError, aiohttp.ServerDisconnectedError) as error:
        if request.method == "GET":
            raise
        # Of this class aiohttp does not try again.
        raise aiohttp.ClientConnectionError(str(error)) from error

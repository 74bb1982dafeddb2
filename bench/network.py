"""`network`: what one Graph request costs this program, beside the same client on httpx's own transport."""

from __future__ import annotations

import asyncio
import json
import statistics
import time
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from multiprocessing import get_context
from multiprocessing.connection import Connection

import httpx

from local.demo import FABRIKAM
from sync_core.deployment import SystemClock
from sync_core.graph.client import GraphClient
from sync_core.graph.credentials import AccessToken

from .figures import Figure
from .run import Run

_REQUESTS = 1000
_AT_ONCE = 16
_PASSES = 5
_TOKEN = f"e30.{urlsafe_b64encode(json.dumps({'tid': FABRIKAM}).encode()).decode()}.e30"
_ANSWER = b'{"id": "1", "displayName": "Ada", "accountEnabled": true}'
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(_ANSWER)


class _Nobody:
    """A token source; the requests go to this machine alone."""

    async def get_token(self, *scopes: str, claims: str | None = None, enable_cae: bool = False) -> AccessToken:  # noqa: ARG002
        return AccessToken(token=_TOKEN, expires_on=int((datetime.now(UTC) + timedelta(hours=1)).timestamp()))

    async def close(self) -> None: ...


async def measure(run: Run) -> list[Figure]:
    here, there = (context := get_context("spawn")).Pipe()
    server = context.Process(target=_serve, args=(there,), daemon=True)
    server.start()
    try:
        url = f"http://127.0.0.1:{await asyncio.to_thread(here.recv)}"
        with run.step(f"{_PASSES} times {2 * run.size(_REQUESTS):,} requests", _PASSES) as advance:
            ours, plain = [], []
            for n in range(_PASSES):
                ours.append(await _spent(url, run.size(_REQUESTS), lambda: None))
                plain.append(await _spent(url, run.size(_REQUESTS), httpx.AsyncHTTPTransport))
                advance(n + 1)
    finally:
        server.terminate()
        server.join()
    cost, other = statistics.median(ours), statistics.median(plain)
    return [
        Figure(name="CPU of one Graph request", value=1000 * cost, unit="ms", beside=f"httpx alone {1000 * other:.2f}"),
        Figure(name="to httpx alone", value=cost / other, unit="times", limit=1, beside=f"median of {_PASSES}"),
    ]


async def _spent(url: str, requests: int, transport: Callable[[], httpx.AsyncBaseTransport | None]) -> float:
    """Seconds of CPU for each request, of this process alone."""
    client = GraphClient(
        tenant_id=FABRIKAM, credential=_Nobody(), clock=SystemClock(), graph_url=url, transport=transport()
    )
    await client.get("/users/1")
    began = time.process_time()

    async def some() -> None:
        for _ in range(requests // _AT_ONCE):
            await client.get("/users/1")

    await asyncio.gather(*(some() for _ in range(_AT_ONCE)))
    spent = time.process_time() - began
    await client.close()
    return spent / (requests // _AT_ONCE * _AT_ONCE)


def _serve(port: Connection) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError):
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(_HEAD + _ANSWER)
        writer.close()

    async def serve() -> None:
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port.send(server.sockets[0].getsockname()[1])
        await server.serve_forever()

    asyncio.run(serve())

"""The emulator behind httpx, in process: without socket or thread, on the caller's event loop."""

import httpx

from entra_graph_emulator.emulator import Emulator
from entra_graph_emulator.wire.messages import ConnectionLost, Request


class EmulatorTransport(httpx.AsyncBaseTransport):
    """`httpx.AsyncClient(transport=EmulatorTransport(emulator))` reaches the emulator under any host name."""

    def __init__(self, emulator: Emulator) -> None:
        self._emulator = emulator

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        body = await request.aread()
        url = request.url
        asked = Request.of(
            request.method,
            url.raw_path.decode("ascii"),
            headers=request.headers,
            body=body,
            origin=f"{url.scheme}://{url.netloc.decode('ascii')}",
        )
        try:
            answer = await self._emulator.handle(asked)
        except ConnectionLost as fault:
            raise httpx.ReadError("the connection was lost", request=request) from fault
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body, request=request)

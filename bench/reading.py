"""The cost of delta pages: read and judged as the product does it, and read as the SDK's typed models.

Both read the same recorded answers of the emulator, so that only the parsing differs. The difference is the reason why
`sync_core/graph` reads plain JSON.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from random import Random

import httpx
from kiota_abstractions.base_request_configuration import RequestConfiguration
from msgraph.generated.users.delta.delta_request_builder import DeltaRequestBuilder
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from entra_graph_emulator import Emulator, EmulatorTransport, WallClock
from local.demo import CONTOSO
from local.stack import ROOT
from sync_core.config.file import load_config
from sync_core.deployment import SystemClock
from sync_core.graph.auth import BearerAuthentication
from sync_core.graph.client import GraphClient
from sync_core.graph.credentials import EmulatorCredential
from sync_core.graph.source import GraphSource
from sync_core.mapping import source_attributes
from sync_core.model import LinkDigest, SourceUser, Sync
from sync_core.nominate.users import worth_a_look
from sync_core.storage.repositories import memory_storage

from .figures import Figure
from .linked import linked
from .run import Run, StalledError

_PEOPLE = 1000
_PASSES = 5
_URL = "http://127.0.0.1:8040"


class _Recorded(httpx.AsyncBaseTransport):
    """Sends each request to the emulator once; a repeated request gets the recorded answer, which names no request."""

    def __init__(self, transport: httpx.AsyncBaseTransport) -> None:
        self._transport = transport
        self._answers: dict[tuple[str, str], tuple[int, httpx.Headers, bytes]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        key = (request.method, str(request.url).replace("%2C", ","))
        if key not in self._answers:
            answer = await self._transport.handle_async_request(request)
            answer.headers.pop("client-request-id", None)
            self._answers[key] = (answer.status_code, answer.headers, await answer.aread())
        status, headers, content = self._answers[key]
        return httpx.Response(status, headers=headers, content=content, request=request)


async def reading(run: Run) -> list[Figure]:
    [sync] = load_config(ROOT / "sync.yaml").syncs.values()
    people = run.size(_PEOPLE)
    emulator = Emulator(clock=WallClock(), rng=Random(1))
    emulator.create_tenant(CONTOSO, display_name="Contoso", domain="contoso.example", users=people)
    transport = _Recorded(EmulatorTransport(emulator))
    clock = SystemClock()
    credential = EmulatorCredential(base_url=_URL, tenant_id=CONTOSO, app_id="bench", clock=clock, transport=transport)
    client = GraphClient(
        tenant_id=CONTOSO, credential=credential, clock=clock, graph_url=_URL, read_only=True, transport=transport
    )
    source = GraphSource(client, clock, source_attributes(sync.mapping))
    links = await _digests(sync, await _pages(source))
    auth = BearerAuthentication(credential, f"{_URL}/.default", clock)
    typed = GraphServiceClient(request_adapter=GraphRequestAdapter(auth, client=httpx.AsyncClient(transport=transport)))
    typed.request_adapter.base_url = f"{_URL}/v1.0"

    async def ours() -> int:
        users = await _pages(source)
        return len(users) - sum(worth_a_look(sync, user, links[user.id]) for user in users)

    with run.step(f"{people:,} users read as plain JSON and as typed models", 1):
        plain_us = await _per_user(ours, people, passes=_PASSES)
        await _typed(typed, source.select, pages=1)  # imports the models, so that the measured run does not
        typed_us = await _per_user(lambda: _typed(typed, source.select), people, passes=1)
    await client.close()
    return [
        Figure(name="read and judge one user", value=plain_us, unit="µs", beside=f"CPU, median of {_PASSES}"),
        Figure(name="read one user as a typed model", value=typed_us, unit="µs", beside="CPU; judging not included"),
        Figure(name="typed models over ours", value=typed_us / plain_us, unit="x"),
    ]


async def _digests(sync: Sync, users: Sequence[SourceUser]) -> Mapping[str, LinkDigest]:
    """The digests of links of unchanged users, by source id."""
    links = memory_storage(SystemClock()).links
    for user in users:
        await links.save(linked(sync, user))
    return await links.digests(sync.name, [user.id for user in users])


async def _pages(source: GraphSource) -> list[SourceUser]:
    users: list[SourceUser] = []
    link = None
    while True:
        page = await source.delta_page(link)
        users += page.users
        link = page.next_link
        if link is None:
            return users


async def _typed(client: GraphServiceClient, select: str, *, pages: int = sys.maxsize) -> int:
    """The number of users on at most `pages` pages."""
    parameters = DeltaRequestBuilder.DeltaRequestBuilderGetQueryParameters(select=select.split(","))
    page = await client.users.delta.get(RequestConfiguration(query_parameters=parameters))
    count = 0
    while page is not None:
        count, pages = count + len(page.value or []), pages - 1
        if page.odata_next_link is None or pages == 0:
            break
        page = await client.users.delta.with_url(page.odata_next_link).get()
    return count


async def _per_user(work: Callable[[], Awaitable[int]], people: int, *, passes: int) -> float:
    """The median CPU time in microseconds, which other programs on the machine hardly change."""
    spent = []
    for _ in range(passes):
        began = time.process_time()
        if await work() != people:
            raise StalledError("a user was not read, or looks changed")
        spent.append(1e6 * (time.process_time() - began) / people)
    return statistics.median(spent)

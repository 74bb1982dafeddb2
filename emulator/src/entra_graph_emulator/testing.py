"""A world for tests: two tenants, callers of each and a subscriber, all on one clock.

Public surface: nothing in the emulator uses it, tests of clients do.
"""

import json
from collections.abc import Iterable, Mapping
from random import Random
from types import TracebackType
from typing import Any, Final, Self
from urllib.parse import parse_qs, urlsplit

import httpx

from entra_graph_emulator.emulator import DEFAULT_APP, Emulator
from entra_graph_emulator.notifications.delivery import PostOutcome
from entra_graph_emulator.transport import EmulatorTransport
from entra_graph_emulator.wire.clock import ManualClock

CONTOSO: Final = "11111111-1111-1111-1111-111111111111"
FABRIKAM: Final = "22222222-2222-2222-2222-222222222222"
BASE: Final = "http://127.0.0.1:8040"
_TEN_YEARS_S: Final = 10 * 365 * 86_400.0


class Graph:
    """One app's requests to one tenant, as plain HTTP. Paths begin after `/v1.0`; whole URLs are accepted too."""

    def __init__(self, http: httpx.AsyncClient, token: str) -> None:
        self._http = http
        self._headers = {"Authorization": f"Bearer {token}"}

    async def get(self, path: str, headers: Mapping[str, str] | None = None, **params: str) -> httpx.Response:
        query = {f"${name}": value for name, value in params.items()}
        return await self._http.get(_url(path), headers=self._headers | dict(headers or {}), params=query or None)

    async def post(self, path: str, body: Any = None) -> httpx.Response:
        return await self._http.post(_url(path), headers=self._headers, json=body)

    async def patch(self, path: str, body: Any) -> httpx.Response:
        return await self._http.patch(_url(path), headers=self._headers, json=body)

    async def put(self, path: str, body: Any) -> httpx.Response:
        return await self._http.put(_url(path), headers=self._headers, json=body)

    async def delete(self, path: str) -> httpx.Response:
        return await self._http.delete(_url(path), headers=self._headers)

    async def send(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any other request, with httpx's own options; given headers replace the usual ones."""
        return await self._http.request(method, _url(path), **{"headers": self._headers, **options})

    async def delta(self, link: str = "/users/delta", headers: Mapping[str, str] | None = None) -> "Round":
        """Follow every page. Gives the entries and the deltaLink."""
        round_ = Round()
        while True:
            answer = (await self.get(link, headers)).raise_for_status().json()
            round_.pages.append(answer["value"])
            if "@odata.deltaLink" in answer:
                round_.link = answer["@odata.deltaLink"]
                return round_
            link = answer["@odata.nextLink"]


class Round:
    def __init__(self) -> None:
        self.pages: list[list[dict[str, Any]]] = []
        self.link = ""

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for page in self.pages for item in page]

    @property
    def ids(self) -> list[str]:
        return [item["id"] for item in self.items]


class Subscriber:
    """An endpoint for change notifications. It answers `status` after `elapsed_s` and keeps the posts.

    `echo` gives its answer to a validation token.
    """

    def __init__(self) -> None:
        self.status: int | None = 202
        self.elapsed_s = 0.05
        self.content_type = "text/plain"
        self.headers: dict[str, str] = {}
        self.validations: list[str] = []
        self.posts: list[tuple[str, list[dict[str, Any]]]] = []

    async def __call__(self, url: str, *, headers: dict[str, str], body: bytes, timeout_s: float) -> PostOutcome:
        self.headers = headers
        query = parse_qs(urlsplit(url).query)
        elapsed = min(self.elapsed_s, timeout_s)
        if "validationToken" in query:
            self.validations.append(url)
            text = self.echo(query["validationToken"][0])
            return PostOutcome(status=200, elapsed_s=self.elapsed_s, content_type=self.content_type, body=text)
        answered = self.elapsed_s <= timeout_s
        self.posts.append((url, json.loads(body)["value"]))
        return PostOutcome(status=self.status if answered else None, elapsed_s=elapsed)

    def echo(self, token: str) -> str:
        return token

    @property
    def items(self) -> list[dict[str, Any]]:
        return [item for _, items in self.posts for item in items]


class World:
    """`async with World() as world`. New users are visible at once unless a test says otherwise."""

    def __init__(self, seed: int = 0) -> None:
        self.clock = ManualClock()
        self.subscriber = Subscriber()
        self.emulator = Emulator(clock=self.clock, rng=Random(seed), poster=self.subscriber)
        self.http = httpx.AsyncClient(transport=EmulatorTransport(self.emulator), base_url=BASE, trust_env=False)
        self.source = self.emulator.create_tenant(CONTOSO, display_name="Contoso", domain="contoso.com")
        self.target = self.emulator.create_tenant(FABRIKAM, display_name="Fabrikam", domain="fabrikam.com")
        for tenant in (self.source, self.target):
            tenant.settings.visibility_s = 0.0
        self.contoso = self.graph(CONTOSO)
        self.fabrikam = self.graph(FABRIKAM)

    def graph(self, tenant: str, *, roles: Iterable[str] | None = None, app: str = DEFAULT_APP) -> Graph:
        return Graph(self.http, self.emulator.token(tenant, app=app, roles=roles, lifetime_s=_TEN_YEARS_S))

    async def control(self, method: str, path: str, body: Any = None) -> Any:
        answer = await self.http.request(method, f"/_emulator{path}", json=body)
        return answer.raise_for_status().json()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.http.aclose()


def _url(path: str) -> str:
    return path if path.startswith("http") else f"/v1.0{path}"

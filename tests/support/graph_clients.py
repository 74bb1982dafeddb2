"""The two clients through which every documented case runs: plain HTTP, and the pipeline of msgraph-sdk."""

import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.headers_collection import HeadersCollection
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter
from msgraph.graph_service_client import GraphServiceClient

from entra_graph_emulator.testing import BASE, World

type Body = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def code(self) -> str:
        return str(self.body["error"]["code"])

    @property
    def message(self) -> str:
        return str(self.body["error"]["message"])

    @property
    def value(self) -> list[Any]:
        return list(self.body["value"])

    @property
    def ids(self) -> list[str]:
        return [each["id"] for each in self.value]


class Client(Protocol):
    async def __call__(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **options: str
    ) -> Answer:
        """`options` are query options without their `$`; a path that begins with http is a link, taken whole."""


class HttpClient:
    def __init__(self, world: World, tenant: str, roles: list[str] | None = None) -> None:
        self._http = world.http
        self._token = world.emulator.token(tenant, roles=roles)

    async def __call__(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **options: str
    ) -> Answer:
        answer = await self._http.request(
            method,
            path if path.startswith("http") else f"/v1.0{path}",
            params={f"${name}": value for name, value in options.items()} or None,
            headers={"Authorization": f"Bearer {self._token}", **(headers or {})},
            json=body,
        )
        return Answer(status=answer.status_code, body=_parsed(answer.content), headers=answer.headers)


class Bearer(AuthenticationProvider):
    def __init__(self, token: str) -> None:
        self._token = token

    async def authenticate_request(
        self, request: RequestInformation, additional_authentication_context: dict[str, Any] | None = None
    ) -> None:
        request.headers.add("Authorization", f"Bearer {self._token}")


class SdkClient:
    """Requests go through the SDK's URL templates, authentication, retries and error types."""

    def __init__(self, world: World, tenant: str, roles: list[str] | None = None) -> None:
        self._adapter: Any = GraphRequestAdapter(Bearer(world.emulator.token(tenant, roles=roles)), client=world.http)
        self._adapter.base_url = f"{BASE}/v1.0"
        GraphServiceClient(request_adapter=self._adapter)  # makes known how to read and write JSON

    async def __call__(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None, **options: str
    ) -> Answer:
        request = RequestInformation()
        request.http_method = Method(method)
        if path.startswith("http"):
            request.url = path
        else:
            names = ",".join(f"%24{name}" for name in options)
            request.url_template = f"{{+baseurl}}{path}{{?{names}}}" if names else f"{{+baseurl}}{path}"
            request.path_parameters = {"baseurl": self._adapter.base_url}
            request.query_parameters = {f"%24{name}": value for name, value in options.items()}
        request.headers = HeadersCollection()
        for name, value in (headers or {}).items():
            request.headers.add(name, value)
        if body is not None:
            request.headers.try_add("Content-Type", "application/json")
            request.content = json.dumps(body).encode()
        try:
            content = await self._adapter.send_primitive_async(request, "bytes", {"XXX": ODataError})
        except ODataError as refused:
            error: Any = refused.error
            shown = {"error": {"code": error.code, "message": error.message}}
            return Answer(status=refused.response_status_code or 0, body=shown, headers=refused.response_headers or {})
        # The SDK hides which 2xx it was; 204 is the one without a body.
        return Answer(status=200 if content else 204, body=_parsed(content or b""))


CLIENTS: dict[str, Callable[..., Client]] = {"http": HttpClient, "sdk": SdkClient}


def documented[F: Callable[..., Awaitable[None]]](*sources: str, date: str = "", probe: str = "") -> Callable[[F], F]:
    """Where the behaviour of a case is written down, the date of that page, and that of a probe which confirmed it."""

    def mark(test: F) -> F:
        test.sources = sources  # type: ignore[attr-defined]
        test.date = date  # type: ignore[attr-defined]
        test.probe = probe  # type: ignore[attr-defined]
        return test

    return mark


def _parsed(content: bytes) -> Any:
    try:
        return json.loads(content) if content else None
    except ValueError:
        return content.decode()

"""All traffic with one Microsoft Graph tenant: plain dicts in and out, our errors, one gate.

Requests go through the SDK's adapter, for its claims challenge and its error type, but bodies stay bytes. The typed
models cost 6 to 16 ms of CPU per user and cannot tell null from absent. The SDK's middleware is left out: its retry
handler would hide 429 answers from the write budget and block the invocation. Its redirect handler would send our token
along, and the rest is telemetry. One client belongs to one event loop.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Protocol
from urllib.parse import quote, unquote
from uuid import uuid4

import httpx
from kiota_abstractions.api_client_builder import register_default_deserializer
from kiota_abstractions.api_error import APIError
from kiota_abstractions.method import Method
from kiota_abstractions.request_information import RequestInformation
from kiota_serialization_json.json_parse_node_factory import JsonParseNodeFactory
from msgraph.generated.models.o_data_errors.o_data_error import ODataError
from msgraph.graph_request_adapter import GraphRequestAdapter

from ..model import Json
from ..model.errors import ConflictError, GraphRefusedError, UnavailableError
from ..ports import Clock, Confirm
from ..ports.listing import Listing
from ..ports.writes import note_write
from ..telemetry.metrics import PERMIT_WAIT, STATUS, TENANT, THROTTLED
from ..telemetry.port import measured
from .auth import BearerAuthentication, Gate, TokenSource, claims_of, trusted
from .failures import error_for, read_failure, retry_after, throttle_percentage
from .tracing import traced

log = logging.getLogger("xtsync.graph")

type JsonObject = dict[str, Json]
type Parameters = Mapping[str, str]

_TIMEOUT = httpx.Timeout(30, connect=5)
_TOTAL_SECONDS = 40.0  # httpx's time-out starts anew with each read; a slow trickle must not block an invocation
_NAME = "client-request-id"
# With `$count=true` in the URL. https://learn.microsoft.com/graph/aad-advanced-queries
_ADVANCED = ("ConsistencyLevel", "eventual")
_LIMITS = httpx.Limits(max_connections=64, max_keepalive_connections=64, keepalive_expiry=60)

register_default_deserializer(JsonParseNodeFactory)  # for the SDK's ODataError


class Budget(Protocol):
    """The write budget of this app on this tenant: budget.WriteBudget."""

    async def take(self) -> None: ...

    def observe(self, percentage: float) -> None: ...

    async def throttled(self, retry_after: float | None) -> None: ...


class GraphClient:
    """One app on one tenant.

    `graph_url` is the host without a version. `transport` replaces the network, as the simulator does in its process.
    With a `budget`, no write is sent without a permit. Every method raises the errors of failures.error_for, the
    credential's errors, and ReadOnlyError or WrongTenantError from the gate.
    """

    def __init__(
        self,
        *,
        tenant_id: str,
        credential: TokenSource,
        clock: Clock,
        graph_url: str = "https://graph.microsoft.com",
        scope: str | None = None,
        read_only: bool = False,
        budget: Budget | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
    ) -> None:
        self.tenant_id = tenant_id
        self._base_url = f"{graph_url.rstrip('/')}/v1.0"
        self._clock = clock
        self._budget = budget
        self._credential = credential
        self._gate = Gate(base_url=self._base_url, tenant_id=tenant_id, read_only=read_only)
        self._auth = BearerAuthentication(credential, scope or f"{graph_url.rstrip('/')}/.default", clock)
        self._http = httpx.AsyncClient(
            transport=transport,
            verify=transport is not None or trusted(),
            timeout=_TIMEOUT,
            limits=_LIMITS,
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())),
            headers={"User-Agent": "xtsync", "Accept": "application/json"},
            event_hooks={"request": [self._gate.check, _named], "response": [_of_this_request, self._answered]},
        )
        self._adapter = GraphRequestAdapter(self._auth, client=self._http)
        self._adapter.base_url = self._base_url
        self._date = ""  # header of the last answer

    async def get(self, template: str, parameters: Parameters | None = None, *, delta: bool = False) -> JsonObject:
        """GET the URL of a template such as `/users/{id}?$select=mail`, with the parameters percent-encoded into it.

        With `delta`, a dead delta link raises ResyncRequiredError.
        """
        return _required(await self._send(Method.GET, self._url(template, parameters), delta=delta))

    async def follow(self, url: str, *, delta: bool = False) -> JsonObject:
        """GET a URL that Graph gave, unchanged. `delta` as in get."""
        if not self.ours(url):
            raise UnavailableError("a link leads to another host")
        return _required(await self._send(Method.GET, url, delta=delta))

    async def pages(self, template: str, parameters: Parameters | None = None) -> AsyncIterator[JsonObject]:
        """Every item of a listing, to its end. Raises UnavailableError for a malformed page, and if there is no end."""
        page = await self.get(template, parameters)
        listing, at = Listing(), None
        while True:
            found, link = items(page), page.get("@odata.nextLink")
            url = None if link is None else str(link)
            listing.page(found, at, url)
            for item in found:
                yield item
            if url is None:
                return
            page, at = await self.follow(url), url

    async def post(
        self,
        template: str,
        parameters: Parameters | None = None,
        *,
        body: JsonObject | None = None,
        confirm: Confirm | None = None,
    ) -> JsonObject | None:
        """`confirm` is asked after the permit was taken, right before the request. On a no, raises ConflictError."""
        return await self._send(Method.POST, self._url(template, parameters), body, confirm=confirm)

    async def patch(
        self, template: str, parameters: Parameters, *, body: JsonObject, confirm: Confirm | None = None
    ) -> JsonObject | None:
        """`confirm` as in post."""
        return await self._send(Method.PATCH, self._url(template, parameters), body, confirm=confirm)

    async def put(
        self, template: str, parameters: Parameters, *, body: JsonObject, confirm: Confirm | None = None
    ) -> JsonObject | None:
        """`confirm` as in post."""
        return await self._send(Method.PUT, self._url(template, parameters), body, confirm=confirm)

    def reference(self, user_id: str) -> JsonObject:
        """The body of a request that sets a reference to a user. https://learn.microsoft.com/graph/api/user-post-manager"""
        return {"@odata.id": f"{self._base_url}/users/{quote(user_id, safe='')}"}

    async def delete(self, template: str, parameters: Parameters, *, confirm: Confirm | None = None) -> None:
        """`confirm` as in post."""
        await self._send(Method.DELETE, self._url(template, parameters), confirm=confirm)

    async def claims(self) -> Mapping[str, Json]:
        """The claims of the access token, even if it is another tenant's."""
        return claims_of(await self._auth.current())

    @property
    def answered_at(self) -> datetime | None:
        """The time of Graph's last answer, by Graph's clock; None before the first."""
        try:
            return parsedate_to_datetime(self._date).astimezone(UTC)
        except ValueError:
            return None

    def ours(self, url: str) -> bool:
        return self._gate.ours(url)

    async def close(self) -> None:
        await self._http.aclose()
        await self._credential.close()

    def _url(self, template: str, parameters: Parameters | None) -> str:
        # The SDK's URL template loses the commas of a literal $select, and costs more time than sending the request.
        values = {name: quote(value, safe="") for name, value in (parameters or {}).items()}
        return self._base_url + template.format_map(values)

    async def _send(
        self,
        method: Method,
        url: str,
        body: JsonObject | None = None,
        *,
        delta: bool = False,
        confirm: Confirm | None = None,
    ) -> JsonObject | None:
        if self._gate.writes(method.value, url) and self._budget is not None:
            asked = self._clock.now()
            await self._budget.take()
            waited = (self._clock.now() - asked).total_seconds()
            measured(PERMIT_WAIT, max(waited, 0), {TENANT: self.tenant_id})
        if confirm is not None and not await confirm():
            raise ConflictError("the change is out of date: the user was read or changed meanwhile")
        try:
            return await self._traced(method, url, body, delta=delta)
        except GraphRefusedError as error:
            if error.status != 401:
                raise
        # The token may have expired on the way. A request that got a 401 was not done, so it is sent again once.
        self._auth.forget()
        return await self._traced(method, url, body, delta=delta)

    async def _traced(self, method: Method, url: str, body: JsonObject | None, *, delta: bool) -> JsonObject | None:
        with traced(method.value, url, self.tenant_id) as span:
            try:
                return await self._exchange(method, url, body, delta=delta)
            except GraphRefusedError as error:
                span.note({STATUS: error.status})
                raise

    async def _exchange(self, method: Method, url: str, body: JsonObject | None, *, delta: bool) -> JsonObject | None:
        request = RequestInformation(method)
        request.url = url
        if "$count=true" in unquote(url):  # an advanced query, which a nextLink goes on with but for its header
            request.headers.try_add(*_ADVANCED)
        if body is not None:
            request.set_stream_content(json.dumps(body).encode(), "application/json")
        try:
            async with asyncio.timeout(_TOTAL_SECONDS):
                content = await self._adapter.send_primitive_async(request, "bytes", {"XXX": ODataError})
        except APIError as error:
            raise error_for(read_failure(error), now=self._clock.now(), delta=delta) from error
        except (httpx.HTTPError, httpx.StreamError, OSError) as error:  # TimeoutError is an OSError
            raise UnavailableError(f"no answer from {self._base_url} ({type(error).__name__})") from error
        return _parsed(content)

    async def _answered(self, response: httpx.Response) -> None:
        """The hook that httpx calls with every answer. Successful answers, too, carry the throttle percentage."""
        self._date = response.headers.get("date", "")
        if response.is_redirect:  # the SDK would return an unfollowed redirect as if it were a success
            raise UnavailableError(f"a redirect ({response.status_code}) instead of an answer")
        if response.status_code in {429, 503}:
            wait = retry_after(response.headers, self._clock.now())
            log.warning(
                "graph.throttled tenant=%s status=%d retry_after=%.1f", self.tenant_id, response.status_code, wait or 0
            )
            measured(THROTTLED, wait or 0, {TENANT: self.tenant_id, STATUS: str(response.status_code)})
        request = response.request
        if not self._gate.writes(request.method, request.url):
            return
        if response.is_success:
            note_write(response.headers.get("request-id", ""))
        if self._budget is None:
            return
        if response.status_code == 429:
            await self._budget.throttled(retry_after(response.headers, self._clock.now()))
        percentage = throttle_percentage(response.headers)
        if percentage is not None:
            self._budget.observe(percentage)


async def _named(request: httpx.Request) -> None:
    request.headers[_NAME] = str(uuid4())


async def _of_this_request(response: httpx.Response) -> None:
    """A gateway that answers twice would shift all later answers of its connection: each to another user's request.

    Graph repeats the name of a request in its answer. If no name came to Graph, it gives its own `request-id` instead.
    https://learn.microsoft.com/graph/best-practices-concept
    """
    name = response.headers.get(_NAME)
    if name not in (None, response.request.headers[_NAME], response.headers.get("request-id")):
        raise UnavailableError("the answer to another request")


def quoted(text: str) -> str:
    """A text of a filter. https://learn.microsoft.com/graph/query-parameters"""
    return "'" + text.replace("'", "''") + "'"


def items(page: JsonObject) -> list[JsonObject]:
    """The objects of one page of a listing. Raises UnavailableError if `value` is not a list of objects."""
    value = page.get("value")
    if isinstance(value, list):
        objects = [item for item in value if isinstance(item, dict)]
        if len(objects) == len(value):
            return objects
    raise UnavailableError("a page of a listing without a list of objects")


def moment(value: str) -> datetime:
    """A time that Graph wrote: ISO 8601, UTC, with up to seven decimals. Raises UnavailableError for other text."""
    try:
        at = datetime.fromisoformat(value)
    except ValueError as error:
        raise UnavailableError("a time that is not ISO 8601") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _parsed(content: object) -> JsonObject | None:
    """The JSON object of an answer; None for an answer without a body, such as 204."""
    if not isinstance(content, bytes):
        return None
    try:
        value = json.loads(content)
    except ValueError as error:
        raise UnavailableError("the answer is not JSON") from error
    if not isinstance(value, dict):
        raise UnavailableError("the answer is not a JSON object")
    return value


def _required(answer: JsonObject | None) -> JsonObject:
    if answer is None:
        raise UnavailableError("the answer is empty")
    return answer

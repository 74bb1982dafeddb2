"""The table of errors: each answer of Graph, word for word where it is known, and what it means to us."""

from __future__ import annotations

import asyncio
import traceback
from collections.abc import AsyncIterator
from datetime import timedelta
from email.utils import format_datetime
from itertools import count

import httpx
import pytest

from sync_core.graph.client import GraphClient
from sync_core.graph.failures import retry_after, throttle_percentage
from sync_core.model.errors import (
    GraphRefusedError,
    NotVisibleYetError,
    ResyncRequiredError,
    SyncError,
    ThrottledError,
    TransientError,
    UnavailableError,
)
from tests.support.clock import START
from tests.support.graph import USER, answers, client_for

SECRET = "0c2a7d54-1111-4444-8888-00000000beef"  # stands for an id or address in Graph's text


def body(code: str, message: str = f"About {SECRET}.") -> dict[str, object]:
    inner = {"date": "2024-01-01T00:00:00", "request-id": "from-body", "client-request-id": "c"}
    return {"error": {"code": code, "message": message, "innerError": inner}}


COMPANY = "Unable to read the company information from the directory."
AGED = "DeltaLink older than 30 days is not supported."
EXPIRED = "The sync state generation is not found. The delta token is expired and data must be synchronized again."
EXISTS = (
    f"The invited user already exists in the directory as objectID: {SECRET}. They can use that account to sign in."
)

TABLE: list[tuple[str, int, object, dict[str, str], type[SyncError]]] = [
    ("too many", 429, body("TooManyRequests"), {"Retry-After": "2.128"}, ThrottledError),
    ("too many, bare", 429, None, {}, ThrottledError),
    ("busy, with a time", 503, body("ServiceUnavailable"), {"Retry-After": "5"}, ThrottledError),
    ("old throttling", 503, body("Request_ThrottledTemporarily"), {}, ThrottledError),
    ("busy", 503, body("ServiceUnavailable"), {}, UnavailableError),
    ("internal", 500, body("InternalServerError"), {}, UnavailableError),
    ("bad gateway", 502, None, {}, UnavailableError),
    ("gateway time-out", 504, body("UnknownError"), {}, UnavailableError),
    ("storage", 507, body("InsufficientStorage"), {}, UnavailableError),
    ("request time-out", 408, None, {}, UnavailableError),
    ("redirect", 307, None, {"Location": "https://elsewhere.example/"}, UnavailableError),
    ("not modified", 304, None, {}, UnavailableError),
    ("replicating", 404, body("Directory_ObjectNotFound", COMPANY), {}, NotVisibleYetError),
    ("missing", 404, body("Request_ResourceNotFound"), {}, GraphRefusedError),
    ("missing, otherwise", 404, body("Directory_ObjectNotFound"), {}, GraphRefusedError),
    ("bad value", 400, body("Request_BadRequest"), {}, GraphRefusedError),
    ("invited already", 400, body("BadRequest", EXISTS), {}, GraphRefusedError),
    ("denied", 403, body("Authorization_RequestDenied"), {}, GraphRefusedError),
    ("conflict", 409, body("Request_MultipleObjectsWithSameKeyValue"), {}, GraphRefusedError),
    ("no token", 401, body("InvalidAuthenticationToken"), {}, GraphRefusedError),
    ("gone, no delta", 410, body("resyncRequired"), {}, GraphRefusedError),
    ("error without a code", 400, {"error": {}}, {}, GraphRefusedError),
    ("error that is text", 400, {"error": "invalid"}, {}, GraphRefusedError),
    ("no error at all", 404, {"message": "no"}, {}, GraphRefusedError),
    ("list", 404, [], {}, GraphRefusedError),
]
RESETS: list[tuple[str, int, object, dict[str, str]]] = [
    ("moved tenant", 410, None, {"Location": "https://graph.microsoft.com/v1.0/users/delta?$deltatoken="}),
    ("gone without location", 410, body("resyncRequired"), {}),
    ("too old", 400, body("syncStateNotFound", EXPIRED), {}),
    ("too old, other case", 400, body("SyncStateNotFound", EXPIRED), {}),
    ("other status", 404, body("resyncRequired"), {}),
    ("older than 30 days", 400, body("Request_UnsupportedQuery", AGED), {}),
]


@pytest.mark.parametrize(
    ("status", "answer", "headers", "error"), [row[1:] for row in TABLE], ids=[r[0] for r in TABLE]
)
@pytest.mark.parametrize("method", ["get", "delete"])
async def test_each_answer_means_one_error(
    status: int, answer: object, headers: dict[str, str], error: type[SyncError], method: str
) -> None:
    """Every failed answer is exactly one of our errors, with the SDK's chained, and Graph's text stays out of both."""
    client = client_for(answers(status, answer, headers))
    with pytest.raises(SyncError) as caught:
        await getattr(client, method)("/users/{id}", {"id": USER})
    assert type(caught.value) is error
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(("status", "answer", "headers"), [row[1:] for row in RESETS], ids=[r[0] for r in RESETS])
async def test_a_dead_delta_link_asks_for_a_resync(status: int, answer: object, headers: dict[str, str]) -> None:
    """Each known way in which a delta link dies is a resync."""
    client = client_for(answers(status, answer, headers))
    with pytest.raises(ResyncRequiredError):
        await client.get("/users/delta", delta=True)


@pytest.mark.parametrize(
    "answer", [body("Request_UnsupportedQuery", "Unsupported Query."), body("Request_BadRequest", AGED)]
)
async def test_a_wrong_delta_query_is_no_resync(answer: object) -> None:
    """A delta query that is wrong in itself would be wrong again from the start."""
    with pytest.raises(GraphRefusedError):
        await client_for(answers(400, answer)).get("/users/delta", delta=True)


async def test_a_refusal_keeps_what_decides() -> None:
    """Status, code, request id and message are there for deciding; the text of the exception has no message."""
    client = client_for(answers(400, body("BadRequest", EXISTS), {"request-id": "from-header"}))
    with pytest.raises(GraphRefusedError) as caught:
        await client.post("/invitations", body={})
    error = caught.value
    assert (error.status, error.graph_code, error.request_id, error.message) == (
        400,
        "BadRequest",
        "from-header",
        EXISTS,
    )
    assert str(error) == "400 BadRequest (request from-header)"
    assert error.__cause__ is not None


async def test_a_proxys_page_is_no_answer_of_graph() -> None:
    """An error page in HTML keeps its status and nothing else."""
    page = httpx.Response(404, text=f"<html>{SECRET}</html>", headers={"Content-Type": "text/html"})
    with pytest.raises(GraphRefusedError, match="404 unknown") as caught:
        await client_for(lambda _: page).get("/users")
    assert SECRET not in "".join(traceback.format_exception(caught.value))


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ConnectTimeout("t"),
        httpx.ReadTimeout("t"),
        httpx.ConnectError("c"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("p"),
        httpx.PoolTimeout("p"),
        ConnectionResetError(),
        TimeoutError(),
    ],
    ids=lambda fault: type(fault).__name__,
)
async def test_no_answer_is_unavailable(fault: Exception) -> None:
    """Time-outs, resets and protocol errors leave open whether a write was done."""

    def handler(_: httpx.Request) -> httpx.Response:
        raise fault

    with pytest.raises(UnavailableError) as caught:
        await client_for(handler).delete("/users/{id}", {"id": USER})
    assert caught.value.__cause__ is fault


@pytest.mark.parametrize("content", [b'{"value": [{"id": "1"', b"\xff\xfe", b"[]", b"null", b'"x"', b"", b"<html>"])
async def test_a_broken_success_is_unavailable(content: bytes) -> None:
    """A truncated, foreign or empty body of a 200 is no answer."""
    handler = lambda _: httpx.Response(200, content=content, headers={"Content-Type": "application/json"})  # noqa: E731
    with pytest.raises(UnavailableError):
        await client_for(handler).get("/users")


async def test_a_trickling_answer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each chunk restarts httpx's clock; the total limit ends it all the same."""
    monkeypatch.setattr("sync_core.graph.client._TOTAL_SECONDS", 0.01)

    class Trickle(httpx.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            while True:
                yield b" "
                await asyncio.sleep(0.001)

    client = client_for(lambda _: httpx.Response(200, stream=Trickle()))
    with pytest.raises(UnavailableError):
        await client.get("/users")


async def listed(client: GraphClient) -> list[object]:
    return [item["id"] async for item in client.pages("/users")]


async def test_a_listing_is_whole_or_an_error() -> None:
    """Paging ends only where Graph says so; a fault on any page is raised, not the end."""
    link = "https://graph.microsoft.com/v1.0/users?$skiptoken=2"
    pages: list[object] = [{"value": [{"id": 1}], "@odata.nextLink": link}, {"value": []}]
    client = client_for(lambda _: httpx.Response(200, json=pages.pop(0)))
    assert await listed(client) == [1]
    for second in ({}, {"value": None}, {"value": ["x"]}):
        pages = [{"value": [{"id": 1}], "@odata.nextLink": link}, second]
        with pytest.raises(UnavailableError):
            await listed(client)
    pages = [{"value": [], "@odata.nextLink": "https://evil.example/v1.0/users"}]
    with pytest.raises(UnavailableError):
        await listed(client)


async def test_a_listing_without_an_end_is_an_error() -> None:
    """A link that leads to itself, or ever new links to the same page, as a proxy may answer. Many may be empty."""
    link = "https://graph.microsoft.com/v1.0/users?$skiptoken="
    client = client_for(lambda _: httpx.Response(200, json={"value": [{"id": 1}], "@odata.nextLink": link}))
    with pytest.raises(UnavailableError):
        await listed(client)
    numbers = count(1)
    client = client_for(
        lambda _: httpx.Response(200, json={"value": [{"id": 1}], "@odata.nextLink": f"{link}{next(numbers)}"})
    )
    with pytest.raises(UnavailableError):
        await listed(client)
    assert next(numbers) < 20
    pages: list[object] = [{"value": [], "@odata.nextLink": f"{link}{n}"} for n in range(50)]
    client = client_for(lambda _: httpx.Response(200, json=pages.pop(0) if pages else {"value": [{"id": 2}]}))
    assert await listed(client) == [2]


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2.128", 2.128),
        ("0", 0.0),
        ("-3", 0.0),
        ("", None),
        ("soon", None),
        ("nan", None),
        ("inf", None),
        ("999999", 3600.0),
        (format_datetime(START + timedelta(seconds=90), usegmt=True), 90.0),
        (format_datetime(START - timedelta(seconds=90), usegmt=True), 0.0),
        ("Mon, 05 Jan 2026 09:00:30 -0000", 30.0),
    ],
)
def test_retry_after_in_all_its_forms(text: str, seconds: float | None) -> None:
    """Decimal seconds and HTTP dates are understood, nonsense is as if absent, an hour is the most."""
    assert retry_after(httpx.Headers({"Retry-After": text}), START) == seconds


@pytest.mark.parametrize(("text", "value"), [("1.2", 1.2), ("", None), ("nan", None), ("high", None)])
def test_throttle_percentage(text: str, value: float | None) -> None:
    """The percentage is a number or it is not there."""
    assert throttle_percentage({"x-ms-throttle-limit-percentage": text}) == value


async def test_a_wait_travels_with_the_error() -> None:
    """Transient errors carry Graph's own waiting time."""
    with pytest.raises(TransientError) as caught:
        await client_for(answers(500, None, {"Retry-After": "7.5"})).get("/users")
    assert caught.value.retry_after == 7.5

"""The way from one instance to Graph and back: what can go wrong goes wrong here, and all of it is written down."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextvars import ContextVar
from datetime import datetime
from typing import Any

import httpx

from entra_graph_emulator import Emulator, EmulatorTransport, Tenant, User
from entra_graph_emulator.directory.delta import FORMS, Cursor
from entra_graph_emulator.wire import tokens

from .history import Exchange, TargetState, working_on
from .instance import Instance

_GRAPH_S = 0.06
_token_asked_at: ContextVar[datetime | None] = ContextVar("token_asked_at", default=None)


class Wire(httpx.AsyncBaseTransport):
    """`meddle` lets the world do something right before or right after a request of ours takes effect."""

    def __init__(
        self, instance: Instance, emulator: Emulator, *, source: str, target: str, meddle: Callable[[Exchange], None]
    ) -> None:
        self._instance = instance
        self._emulator = emulator
        self._transport = EmulatorTransport(emulator)
        self._source = source
        self._target = target
        self._meddle = meddle
        self._tenants: dict[str, str] = {}  # by authorization header
        self._picks = instance.stage.chance.stream(f"wire/{instance.name}")

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        if "/oauth2/" in request.url.path:
            _token_asked_at.set(_token_asked_at.get() or self._now())
            await self._instance.step(_GRAPH_S)
            return await self._transport.handle_async_request(request)
        exchange = self._exchange(request)
        try:
            return await self._exchanged(request, exchange)
        finally:
            self._note(exchange)

    async def _exchanged(self, request: httpx.Request, exchange: Exchange) -> httpx.Response:
        weather = self._instance.stage.weather
        self._instance.stage.history.exchanges.append(exchange)
        if exchange.is_write and exchange.tenant == self._target and weather.strikes("late-write"):
            await asyncio.sleep(weather.amount("late-write", 5, 35))  # within the time that our client waits
        await self._instance.step(_GRAPH_S)
        refused = self._refused(request)
        if refused is not None:
            return self._answered(exchange, refused)
        self._expire_delta(exchange)
        self._meddle(exchange)
        exchange.before = self._state(exchange)
        users = self._emulator.tenant(self._target).user_count
        response = await self._transport.handle_async_request(request)
        exchange.created = self._emulator.tenant(self._target).user_count > users
        exchange.done_at = self._now()
        exchange.status = response.status_code
        exchange.after = self._state(exchange)
        self._learn(exchange, response)
        self._meddle(exchange)
        await self._instance.step(_GRAPH_S)
        if exchange.is_write and response.is_success and weather.strikes("graph-500-applied"):
            return self._answered(exchange, _failure(500, "InternalServerError", request))
        if weather.strikes("graph-answer-lost"):
            raise httpx.ReadError("the answer was lost", request=request)
        if response.is_success and response.content and weather.strikes("graph-truncated"):
            body = response.content[: len(response.content) // 2]
            return self._answered(exchange, httpx.Response(response.status_code, content=body, request=request))
        return self._answered(exchange, response)

    def _refused(self, request: httpx.Request) -> httpx.Response | None:
        """Failures by which nothing was done."""
        weather = self._instance.stage.weather
        if weather.strikes("graph-429"):
            seconds = self._picks.choice(("1", "2.128", "10", "40"))
            return _failure(429, "TooManyRequests", request, {"Retry-After": seconds})
        if weather.strikes("graph-503"):
            return _failure(503, "ServiceUnavailable", request)
        if weather.strikes("graph-404-of-a-proxy"):
            return httpx.Response(404, text="<html>no such page</html>", request=request)
        if weather.strikes("graph-reset"):
            raise httpx.ReadError("the connection was reset", request=request)
        return None

    def _expire_delta(self, exchange: Exchange) -> None:
        continued = "$deltatoken" in exchange.path and exchange.tenant == self._source
        if continued and self._instance.stage.weather.strikes("delta-expired"):
            tenant = self._emulator.tenant(self._source)
            tenant.delta_reset_form = self._picks.choice(FORMS)
            tenant.delta_generation += 1

    def _exchange(self, request: httpx.Request) -> Exchange:
        path = request.url.raw_path.decode().removeprefix("/v1.0")
        parts = path.partition("?")[0].split("/")
        body = json.loads(request.content) if request.content else {}
        begun_at = _token_asked_at.get()
        _token_asked_at.set(None)
        return Exchange(
            begun_at=begun_at,
            tenant=self._tenant_of(request.headers.get("Authorization", "")),
            method=request.method,
            path=path if "delta" in path else path.partition("?")[0],
            instance=self._instance.name,
            taken=working_on.get(),
            sent_at=self._now(),
            object_id=next((part for part in parts if len(part) == 36), ""),
            body=body,
        )

    def _tenant_of(self, authorization: str) -> str:
        if authorization not in self._tenants:
            self._tenants[authorization] = tokens.read(authorization, self._now()).tenant
        return self._tenants[authorization]

    def _state(self, exchange: Exchange) -> TargetState | None:
        if exchange.tenant != self._target or not exchange.object_id:
            return None
        return target_state(self._emulator.tenant(self._target), exchange.object_id)

    def _learn(self, exchange: Exchange, response: httpx.Response) -> None:
        known = self._emulator.tenant(exchange.tenant).find(exchange.object_id)
        if exchange.method == "GET" and exchange.path == f"/users/{exchange.object_id}" and _is_old(response, known):
            name = "source-reads-old" if exchange.tenant == self._source else "target-reads-old"
            self._instance.stage.weather.saw(name)
        if response.status_code == 404 and known and not exchange.path.endswith("/$ref"):
            name = "source-not-visible" if exchange.tenant == self._source else "target-not-visible"
            self._instance.stage.weather.saw(name)
        if not response.content:
            return
        answer = json.loads(response.content)
        if response.status_code == 400 and exchange.tenant == self._target and exchange.method == "PATCH":
            named = "details" in answer["error"]
            self._instance.stage.weather.saw("address-in-use" if named else "refused-without-name")
        exchange.code = str(answer.get("error", {}).get("code", "")) if response.is_error else ""
        if exchange.method == "GET" and exchange.path == f"/users/{exchange.object_id}" and response.is_success:
            exchange.shown = answer
        if exchange.path == "/invitations" and response.is_success:
            exchange.object_id = answer["invitedUser"]["id"]
            if self._emulator.tenant(self._target).find(exchange.object_id) is None:
                self._instance.stage.weather.saw("invitation-without-user")
        if exchange.path.endswith("/checkMemberGroups") and response.is_success:
            exchange.member_of = answer["value"]
        if "/users/delta" in exchange.path and exchange.tenant == self._source and response.is_success:
            self._judge_delta(exchange, answer)

    def _judge_delta(self, exchange: Exchange, answer: dict[str, Any]) -> None:
        """Which oddities of delta pages this one really had."""
        weather = self._instance.stage.weather
        ids = [str(item["id"]) for item in answer["value"]]
        if len(set(ids)) < len(ids):
            weather.saw("delta-doubled")
        if not ids and "@odata.nextLink" in answer:
            weather.saw("delta-empty-page")
        if len(ids) > 1 and self._emulator.tenant(self._source).settings.delta_shuffle:
            weather.saw("delta-shuffled")
        token = exchange.path.partition("$deltatoken=")[2]
        if token:
            tenant = self._emulator.tenant(self._source)
            since = Cursor.decode(token).end
            changed = {change.user for change in tenant.log.between(since, len(tenant.log))}
            if not changed.issuperset(ids):
                weather.saw("delta-replayed")
            if Cursor.decode(_token(answer)).end < len(tenant.log):
                weather.saw("delta-lag")

    def _answered(self, exchange: Exchange, response: httpx.Response) -> httpx.Response:
        exchange.seen = response.status_code
        exchange.answered_at = self._now()
        return response

    def _note(self, exchange: Exchange) -> None:
        where = "source" if exchange.tenant == self._source else "target"
        done = "not done" if exchange.status is None else f"did {exchange.status}"
        seen = "saw nothing" if exchange.seen is None else f"saw {exchange.seen}"
        sent = f"{(self._now() - exchange.sent_at).total_seconds():.3f}s ago"
        about = exchange.taken.user[:8] if exchange.taken else "-"
        body = f" {json.dumps(exchange.body)}" if exchange.method == "PATCH" else ""
        self._instance.stage.history.note(
            self._instance.name,
            f"{where} {exchange.method} {exchange.path} {exchange.object_id[:8]} for {about}: {done}, {seen}"
            f" {exchange.code}(sent {sent}){body}",
        )

    def _now(self) -> datetime:
        return self._instance.stage.clock.now()


def _is_old(response: httpx.Response, known: User | None) -> bool:
    """Whether this is not what the user is like now."""
    if response.is_error or known is None:
        return response.is_success and known is None
    now = known.properties
    return any(name in now and value != now[name] for name, value in json.loads(response.content).items())


def target_state(tenant: Tenant, user_id: str) -> TargetState:
    user = tenant.find(user_id)
    return TargetState(present=user is not None, enabled=user is not None and user.get("accountEnabled") is not False)


def _token(answer: dict[str, Any]) -> str:
    link = str(answer.get("@odata.nextLink") or answer.get("@odata.deltaLink"))
    return link.rpartition("token=")[2]


def _failure(status: int, code: str, request: httpx.Request, headers: dict[str, str] | None = None) -> httpx.Response:
    body = {"error": {"code": code, "message": "simulated"}}
    return httpx.Response(status, json=body, headers=headers, request=request)

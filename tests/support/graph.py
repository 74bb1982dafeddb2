"""A Graph client whose answers a test writes down: no emulator, no network."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx

from sync_core.graph.client import GraphClient
from sync_core.graph.credentials import AccessToken

from .clock import START, ManualClock

TENANT = "22222222-2222-2222-2222-222222222222"
USER = "aaaaaaaa-0000-0000-0000-000000000001"

type Handler = Callable[[httpx.Request], httpx.Response]


def jwt(claims: object, number: int = 0) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(claims).encode()).decode().rstrip("=")
    return f"header{number}.{payload}.signature"


class Tokens:
    """A token source that counts; every token is another one."""

    def __init__(self, claims: object = None) -> None:
        self.claims = {"tid": TENANT} if claims is None else claims
        self.asked: list[str | None] = []

    async def get_token(self, *scopes: str, claims: str | None = None, enable_cae: bool = False) -> AccessToken:
        self.asked.append(claims)
        token = jwt(self.claims, len(self.asked))
        return AccessToken(token=token, expires_on=int((START + timedelta(hours=1)).timestamp()))

    async def close(self) -> None:
        pass


def client_for(handler: Handler, **options: Any) -> GraphClient:
    defaults: dict[str, Any] = {"tenant_id": TENANT, "credential": Tokens(), "clock": ManualClock()}
    return GraphClient(**defaults | options, transport=httpx.MockTransport(handler))


def answers(status: int, body: object = None, headers: dict[str, str] | None = None) -> Handler:
    if body is None:
        return lambda _: httpx.Response(status, headers=headers)
    return lambda _: httpx.Response(status, json=body, headers=headers)


async def yes() -> bool:
    """ports.Confirm: nothing stands against the write."""
    return True


async def no() -> bool:
    return False

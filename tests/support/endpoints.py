"""The operator endpoints without a host, over a bench of the command line."""

from __future__ import annotations

import json
from typing import Any

from sync_core.assembly import Runtime
from sync_core.config.file import load_config
from sync_core.config.settings import load_settings
from sync_core.ops.calls import Answer, Call
from sync_core.ops.endpoints import answer
from sync_core.ops.principal import HEADER

from .cli import ADA, NAME, SETTINGS, Bench
from .principals import principal

ORIGIN = "https://app.example"
JSON = {"content-type": "application/json; charset=utf-8"}


def call(bench: Bench, name: str, *roles: str, body: object = None, enabled: bool = True, **options: Any) -> Answer:
    """`headers` over those of somebody signed in; `route` over Ada in the one sync there is; None takes a name out."""

    async def runtime(read_only: bool) -> Runtime:
        config = load_config(bench.folder / "sync.yaml")
        return bench.build(load_settings(SETTINGS), config, read_only=read_only, on_look=lambda _: None)

    route = {"sync": NAME, "user": ADA, "tenant": "contoso", **options.get("route", {})}
    request = Call(
        headers={HEADER: principal(*roles), **JSON, **options.get("headers", {})},
        route={name: text for name, text in route.items() if text is not None},
        query=options.get("query", {}),
        body=options.get("raw", json.dumps(body or {}).encode()),
    )
    return bench.do(answer(name, request, enabled=enabled, origin=ORIGIN, runtime=runtime))


def said(answer: Answer) -> Any:
    """The document as its reader gets it."""
    return json.loads(answer.body)

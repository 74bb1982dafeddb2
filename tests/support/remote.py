"""A deployed app behind httpx, without a host: the endpoints over a bench, and the function that works on plans."""

from __future__ import annotations

import re
from collections.abc import Sequence
from io import StringIO

import httpx

from sync_core.assembly import Runtime
from sync_core.cli.__main__ import main
from sync_core.cli.world import World
from sync_core.config.file import load_config
from sync_core.config.settings import load_settings
from sync_core.model.messages import PLAN_JOBS, decode_plan_run
from sync_core.ops.calls import NOT_KEPT, Call
from sync_core.ops.endpoints import ENDPOINTS, answer
from sync_core.ops.planner import Planner
from sync_core.ops.principal import HEADER

from .cli import SETTINGS, Result, Terminal
from .planning import PlanBench
from .principals import principal

URL = "https://app.example"
AUDIENCE = "api://99999999-0000-0000-0000-000000000000/xtsync-operators-x"


class Remote(PlanBench):
    """`there` is a command with --url; `run` is the same one beside the app."""

    roles: Sequence[str] = ("Operator",)

    def there(self, *argv: str, typed: str | None = None, **world: object) -> Result:
        """Nothing of the app is on the caller's machine: no settings, no sync.yaml. `typed` at a terminal."""
        out, err = StringIO(), StringIO()
        (self.folder / "laptop").mkdir(exist_ok=True)
        given: dict[str, object] = {
            "environ": {"XTSYNC_AUDIENCE": AUDIENCE, "XTSYNC_URL": URL},
            "token": self.token,
            "transport": httpx.MockTransport(self.serve),
            **world,
        }
        laptop = World(
            folder=self.folder / "laptop",
            stdin=StringIO() if typed is None else Terminal(typed),
            stdout=out,
            stderr=err,
            build=self._nothing,
            **given,  # type: ignore[arg-type]
        )
        return Result(code=main(argv, laptop), out=out.getvalue(), err=err.getvalue())

    async def token(self, scope: str) -> str:
        assert scope == f"{AUDIENCE}/.default"
        return "hush-hush"

    async def serve(self, request: httpx.Request) -> httpx.Response:
        """As App Service with function_app.py behind it."""
        if request.headers.get("Authorization") != "Bearer hush-hush":
            return httpx.Response(401, text="You do not have permission to view this directory or page.")
        await self._work()
        path = request.url.path.removeprefix("/api/")
        for name, endpoint in ENDPOINTS.items():
            pattern = re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", endpoint.path)
            found = re.fullmatch(pattern, path)
            if found is None or endpoint.method != request.method:
                continue
            headers = {**request.headers, HEADER: principal(*self.roles)}
            call = Call(headers=headers, route=found.groupdict(), query=dict(request.url.params), body=request.content)
            given = await answer(name, call, enabled=True, origin=URL, runtime=self._runtime)
            return httpx.Response(given.status, text=given.body, headers={**NOT_KEPT, **given.headers})
        return httpx.Response(404)

    async def _work(self) -> None:
        for message in await self.storage.queues_by_name[PLAN_JOBS].receive():
            deployed = load_config(self.folder / "sync.yaml")
            planner = Planner(plans=self.storage.plans, clock=self.clock, deployed=deployed, build=self.reader_of)
            await planner.run(decode_plan_run(message.body))

    async def _runtime(self, read_only: bool) -> Runtime:
        config = load_config(self.folder / "sync.yaml")
        return self.build(load_settings(SETTINGS), config, read_only=read_only, on_look=lambda _: None)

    def _nothing(self, *_: object, **__: object) -> Runtime:
        raise AssertionError("a runtime was made on the caller's machine")

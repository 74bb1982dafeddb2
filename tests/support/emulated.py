"""The command line over two tenants of the Graph emulator, in process, with storage in memory."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from entra_graph_emulator.testing import BASE, CONTOSO, FABRIKAM, World as Graph
from entra_graph_emulator.transport import EmulatorTransport
from sync_core.assembly import Runtime
from sync_core.cli.__main__ import main
from sync_core.cli.world import World
from sync_core.config.file import Config
from sync_core.config.settings import Settings
from sync_core.decision.look import Look
from sync_core.deployment import build
from sync_core.model import Link, LinkState
from sync_core.storage.repositories import memory_storage

from .cli import Result, Terminal

NAME = "contoso-to-fabrikam"
_SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "XTSYNC_CREDENTIAL": "emulator",
    "XTSYNC_GRAPH_URL": BASE,
}
_FILE = f"""\
tenants:
  contoso: {{ id: {CONTOSO} }}
  fabrikam: {{ id: {FABRIKAM} }}
syncs:
  - name: {NAME}
    source: contoso
    target: fabrikam
"""


class EmulatedBench:
    """`run` is the command line. `world` is the emulator, which no test of this kind asks for anything itself."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = Graph()
        self.storage = memory_storage(self.world.clock)
        self.configure()
        self._first = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, fault: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.do(self.world.http.aclose())

    def configure(self, more: str = "") -> None:
        """The one sync of sync.yaml, with more keys."""
        (self.folder / "sync.yaml").write_text(_FILE + more)

    def run(self, *argv: str, terminal: bool = False) -> Result:
        out, err = (Terminal(), Terminal()) if terminal else (StringIO(), StringIO())
        self._first = self._last()
        world = World(environ=_SETTINGS, folder=self.folder, stdin=StringIO(), stdout=out, stderr=err, build=self.build)
        return Result(code=main(argv, world), out=out.getvalue(), err=err.getvalue())

    def build(self, settings: Settings, config: Config, *, read_only: bool, on_look: Callable[[Look], None]) -> Runtime:
        transport = EmulatorTransport(self.world.emulator)
        return build(
            settings,
            config,
            clock=self.world.clock,
            storage=self.storage,
            transport=transport,
            read_only=read_only,
            on_look=on_look,
        )

    def do[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(coroutine)

    def requests(self) -> list[dict[str, Any]]:
        """Those to Graph of the last command."""
        found = self.world.emulator.log.report(since=self._first)["items"]
        return [each for each in found if each["kind"] != "token"]

    def _last(self) -> int:
        return int(self.world.emulator.log.report()["last"])

    # --- what people and administrators do ---

    def get(self, tenant: str, path: str) -> list[dict[str, Any]]:
        answer = self.do(self.world.graph(tenant).get(path))
        found: list[dict[str, Any]] = answer.raise_for_status().json()["value"]
        return found

    def group(self, *members: str) -> str:
        tenant = self.world.source
        made = tenant.groups.create(
            {"displayName": "Group", "mailEnabled": False, "securityEnabled": True, "mailNickname": "group"}
        )
        for each in members:
            self.join(made.id, each)
        return made.id

    def join(self, group: str, member: str) -> None:
        tenant = self.world.source
        item = tenant.object(member)
        assert item is not None
        tenant.groups.add(tenant.groups.get(group), "members", item)

    def roles(self, tenant: str, roles: list[str]) -> None:
        self.do(self.world.control("PUT", f"/tenants/{tenant}/apps/xtsync", {"roles": roles}))

    def redeem_automatically(self, tenant: str, partner: str, **allowed: bool) -> None:
        """`outbound` or `inbound`, as the tenant's cross-tenant access settings for the partner say."""
        policies = self.world.emulator.tenant(tenant).policies
        consent = {"automaticUserConsentSettings": {f"{way}Allowed": yes for way, yes in allowed.items()}}
        if partner in policies.partners:
            policies.change_partner(partner, consent)
        else:
            policies.add_partner(partner, consent)

    def fault(self, tenant: str, path: str, status: int) -> None:
        self.world.emulator.faults.add({"tenant": tenant, "path": path, "status": status})

    # --- stored state ---

    def save(self, link: Link) -> None:
        self.do(self.storage.links.save(link))

    def stored(self, user: str) -> Link | None:
        return self.do(self.storage.links.get(NAME, user))

    def link(self, user: str, target: str, **more: Any) -> None:
        """A pair of ours."""
        self.save(Link(sync=NAME, source_id=user, state=LinkState.LINKED, target_id=target, **more))
        self.do(self.storage.links.claim(FABRIKAM, target, f"{NAME}/{user}"))

    def file(self, text: str) -> str:
        (self.folder / "rows.csv").write_text(text)
        return "rows.csv"

"""A bench for the command line: a folder, storage in memory, twins of the two directories."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

from sync_core.assembly import Directories, Runtime, assemble
from sync_core.cli.__main__ import main
from sync_core.cli.world import World
from sync_core.config.file import Config, load_config
from sync_core.config.settings import Settings, load_settings
from sync_core.decision.look import Look
from sync_core.deployment import messenger
from sync_core.model import MANAGER, Link, LinkState, Nomination, fingerprint
from sync_core.model.messages import USER_CHANGES, decode_nomination
from sync_core.ports import HoldRecord
from sync_core.storage.memory import MemoryQueue
from sync_core.storage.repositories import Storage, memory_storage

from .clock import ManualClock
from .directories import FindableSource, needed
from .faults import Faults
from .make import ADA as ADA, BOB as BOB, NAME as NAME
from .target import MemoryTarget

CYD = "cccccccc-0000-0000-0000-000000000003"

SYNC = """\
tenants:
  contoso: { id: 11111111-1111-1111-1111-111111111111 }
  fabrikam: { id: 22222222-2222-2222-2222-222222222222 }
syncs:
  - name: contoso-to-fabrikam
    source: contoso
    target: fabrikam
"""
CONFIG = f"{SYNC}    deletion_guard: {{ max_percent: 0, min_count: 1, window: 24h }}\n"
SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "XTSYNC_CREDENTIAL": "emulator",
    "XTSYNC_GRAPH_URL": "http://127.0.0.1:8040",
}


class Terminal(StringIO):
    def isatty(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Bench:
    """`run` is the command line; the rest is the world behind it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.environ: Mapping[str, str] = SETTINGS
        self.clock = ManualClock()
        self.faults = Faults()
        self.storage: Storage = memory_storage(self.clock)
        self.source = FindableSource(self.clock, self.faults)
        self.target = MemoryTarget(self.clock, self.faults)
        self.built: list[bool] = []  # read_only of each runtime
        self.closed = 0
        (folder / "sync.yaml").write_text(CONFIG)

    def run(self, *argv: str, answer: str | None = None, terminal: bool = False) -> Result:
        """`answer` is typed at a terminal; without one nobody sits there."""
        out, err = (Terminal(), Terminal()) if terminal else (StringIO(), StringIO())
        world = World(
            environ=self.environ,
            folder=self.folder,
            stdin=StringIO() if answer is None else Terminal(answer),
            stdout=out,
            stderr=err,
            build=self.build,
        )
        return Result(code=main(argv, world), out=out.getvalue(), err=err.getvalue())

    def do[T](self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run(coroutine)

    def hold(self, user: str, *, sync: str = NAME, change: str = "SoftDelete") -> HoldRecord:
        return self.do(
            self.storage.guards.save_hold(
                HoldRecord(
                    sync=sync,
                    source_id=user,
                    target_id=f"guest-of-{user[:4]}",
                    change=change,
                    reason="1 of at most 1 deletions in the window were used",
                    held_at=self.clock.now(),
                )
            )
        )

    def hold_two(self) -> None:
        """Ada is to be deleted, and half an hour later Bob is to be disabled."""
        self.hold(ADA)
        self.clock.advance(timedelta(minutes=30))
        self.hold(BOB, change="Disable")

    def code(self, *options: str) -> str:
        """The code that stands for the holds listed now."""
        return str(self.run("holds", "--json", *options).json["code"])

    def link(self, user: str) -> Link:
        """Without a manager, as was applied."""
        link = Link(
            sync=NAME,
            source_id=user,
            state=LinkState.LINKED,
            target_id=f"guest-of-{user[:4]}",
            applied={MANAGER: fingerprint(None)},
            on_create_written=True,
        )
        self.target.add(link.target_id or "", f"{user[:4]}@contoso.example")
        return self.do(self.storage.links.save(link))

    def put(self, queue: str, stored: str) -> None:
        """A message as somebody sends it who does not know of base64."""
        there = self.storage.queues_by_name[queue]
        assert isinstance(there, MemoryQueue)
        there.put(stored)

    def nominations(self) -> list[Nomination]:
        """What a function app would receive now; hidden messages are not among it.

        Without the fingerprint of the configuration.
        """
        messages = self.do(self.storage.queues_by_name[USER_CHANGES].receive())
        return [replace(decode_nomination(message.body), config="") for message in messages]

    def stored(self) -> object:
        """Every row of every table, and the depth of every queue."""

        async def read() -> object:
            tables = self.storage.tables_by_name
            rows = {name: [row async for row in table.query(None)] for name, table in tables.items()}
            return rows, await self.storage.queues.depths()

        return self.do(read())

    def runtime(self) -> Runtime:
        """As the function app has it, for what no command does."""
        settings = load_settings(self.environ)
        return self.build(settings, load_config(self.folder / "sync.yaml"), read_only=False, on_look=lambda _: None)

    def build(self, settings: Settings, config: Config, *, read_only: bool, on_look: Callable[[Look], None]) -> Runtime:
        self.built.append(read_only)
        self.source.ask_for(needed(config.syncs.values()))
        graph = Directories(
            sources=dict.fromkeys(config.source_tenants, self.source),
            groups={},
            targets=dict.fromkeys(config.target_tenants, self.target),
            subscriptions={},
        )
        return assemble(
            config,
            graph,
            self.storage,
            self.clock,
            messenger=messenger(settings),
            on_look=on_look,
            closers=[self._close],
        )

    async def _close(self) -> None:
        self.closed += 1

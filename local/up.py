"""`make up`: the local stack as one lives in it, with the tenants of sync.yaml, kept from one day to the next.

An edit of sync.yaml is taken over while it runs: new tenants are made, and the Functions host starts anew. A file with
faults changes nothing.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from local.emulated import Emulated
from local.ports import Ports
from local.processes import ChildFailedError
from local.sign_in import address
from local.stack import ROOT, Stack
from sync_core.config.file import Config, load_config
from sync_core.model.errors import ConfigError

KEPT: Final = ROOT / ".cache" / "up"
_LOOK_S: Final = 0.5


@dataclass(slots=True, kw_only=True)
class Up:
    """`kept` is the folder of what outlives the process, or None. `people` are made in each source tenant."""

    config: Path
    ports: Ports
    people: int
    kept: Path | None = None
    core_tools: bool = False
    split: bool = False
    ready: bool = field(default=False, init=False)
    _stamp: tuple[int, int] | None = field(default=None, init=False)

    async def run(self, stopped: asyncio.Event) -> int:
        """Until `stopped`. Raises ConfigError or ChildFailedError for a start that fails, or a part that dies."""
        config = self._read()
        self.ports.refuse_occupied()
        stack = Stack(
            hosts=0,  # none works before the tenants are there
            config=self.config,
            ports=self.ports,
            core_tools=self.core_tools,
            split=self.split,
            sign_in=True,
            storage_folder=self.kept and self.kept / "azurite",
        )
        async with stack, Emulated(stack.graph_url) as emulated:
            await self._seed(emulated, config)
            await _work(stack)
            self.ready = True
            _say(f"ready graph={stack.graph_url} functions={stack.functions_url}")
            if not self.core_tools:  # the stand-in of the sign-in is part of the built-in host
                _say(f"page {address(stack.functions_url)}")
            try:
                await self._live(stack, emulated, stopped)
            finally:
                await stack.stop_hosts()
                await self._save(emulated)
        return 0

    async def _live(self, stack: Stack, emulated: Emulated, stopped: asyncio.Event) -> None:
        """Take over each edit of sync.yaml. Raises ChildFailedError when a part of the stack ends by itself."""
        while not stopped.is_set():
            ends = [asyncio.create_task(each) for each in (stopped.wait(), stack.wait(), self._edited())]
            done, pending = await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
            for task in pending:
                task.cancel()
            await asyncio.gather(*pending, return_exceptions=True)
            if ends[1] in done and not stopped.is_set():
                raise ChildFailedError(ends[1].result())
            if ends[2] in done and not stopped.is_set():
                await self._take_over(stack, emulated)

    async def _edited(self) -> None:
        while _stamp(self.config) in (None, self._stamp):  # noqa: ASYNC110 - an editor tells nobody
            await asyncio.sleep(_LOOK_S)

    async def _take_over(self, stack: Stack, emulated: Emulated) -> None:
        try:
            config = self._read()
        except ConfigError as error:
            sys.stderr.write(f"{error}\n{self.config.name} has faults: what ran before keeps running\n")
            return
        await stack.stop_hosts()
        await self._seed(emulated, config)
        await _work(stack)
        _say(f"reloaded {self.config.name}: {', '.join(config.syncs)}")

    def _read(self) -> Config:
        self._stamp = _stamp(self.config)
        return load_config(self.config)

    async def _seed(self, emulated: Emulated, config: Config) -> None:
        """Make the tenants that are not there, as they were kept if they were. They agree on automatic redemption."""
        known = {tenant["id"] for tenant in (await emulated.control("GET", "/tenants"))["value"]}
        for key, tenant in config.tenants.items():
            if tenant.id in known:
                continue
            if self.kept is not None and (file := self.kept / f"{tenant.id}.json").exists():
                await emulated.tenant(tenant.id, key, people=0)
                await _restore(emulated, tenant.id, file)
            else:
                people = self.people if key in config.source_tenants else 0
                await emulated.tenant(tenant.id, key, people=people)

    async def _save(self, emulated: Emulated) -> None:
        """Every tenant of the emulator, in a file that replaces the one before at once."""
        if self.kept is None:
            return
        try:
            tenants = (await emulated.control("GET", "/tenants"))["value"]
        except httpx.TransportError:
            sys.stderr.write(f"the Graph emulator is gone, and {self.kept} is not up to date: remove it\n")
            return
        for tenant in tenants:
            state = await emulated.control("GET", f"/tenants/{tenant['id']}/snapshot")
            unfinished = self.kept / f"{tenant['id']}.tmp"
            unfinished.write_text(json.dumps(state), encoding="utf-8")
            unfinished.replace(unfinished.with_suffix(".json"))


def kept_folder(environ: Mapping[str, str]) -> Path | None:
    """With KEEP=1 the folder that is kept; else None, and what was kept before stays for the next KEEP=1."""
    if environ.get("KEEP", "0") in {"", "0"}:
        return None
    KEPT.mkdir(parents=True, exist_ok=True)
    return KEPT


async def _restore(emulated: Emulated, tenant_id: str, file: Path) -> None:
    """Raises ChildFailedError for a file that holds no tenant."""
    try:
        kept = json.loads(await asyncio.to_thread(file.read_bytes))
        await emulated.control("PUT", f"/tenants/{tenant_id}/snapshot", kept)
    except (ValueError, httpx.HTTPStatusError) as error:
        raise ChildFailedError(f"{file} is not a tenant that was kept: remove {file.parent}") from error


async def _work(stack: Stack) -> None:
    await stack.start_hosts(1)
    for function in ("keep_subscriptions", "poll_feeds"):
        await stack.start_by_hand(function)


def _stamp(path: Path) -> tuple[int, int] | None:
    """What changes with an edit. None: the file is not there, as while an editor replaces it."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()

"""The whole local stack: Azurite, the Graph emulator and one or more Functions hosts, as child processes.

    async with Stack() as stack:            # ports of 0: free ones
        ...                                 # stack.graph_url, stack.functions_url, stack.environment

Tables and queues are made here, as the Bicep templates make them in Azure.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from local import hosts
from local.azurite import Azurite
from local.groups import split
from local.loopback import loopback
from local.ports import Ports
from local.processes import ChildFailedError, Startable, die_with_parent, free_ports, stop_process
from sync_core.storage.connect import connect

ROOT = Path(__file__).resolve().parents[1]
# The settings that `func start` reads from local.settings.json. `settings` of `Stack` win over them.
DEFAULTS = {
    "POLL_SCHEDULE": "0 */5 * * * *",
    "SUBSCRIPTION_SCHEDULE": "0 30 * * * *",
    "XTSYNC_CREDENTIAL": "emulator",
}
# For tests and benchmarks that start the timers by hand: by themselves they fire once a year.
BY_HAND = {"POLL_SCHEDULE": "0 0 0 1 1 *", "SUBSCRIPTION_SCHEDULE": "0 0 0 1 1 *"}

_READY_S = 60  # the most that a child may take to start


@dataclass(slots=True, kw_only=True)
class Stack(Startable):
    """`settings` are app settings over the defaults; `core_tools` uses `func start` instead of the built-in host.

    `split` runs HTTP, user_changes and the rest as three processes, as Flex Consumption splits an app. Where neither is
    said, XTSYNC_STACK_HOST=func and XTSYNC_STACK_SPLIT=1 decide: so the end-to-end tests run on every kind of stack.
    """

    ports: Ports = field(default_factory=Ports)
    config: Path = ROOT / "sync.yaml"
    app: Path = ROOT
    settings: Mapping[str, str] = field(default_factory=dict)
    hosts: int = 1
    core_tools: bool = field(default_factory=lambda: os.environ.get("XTSYNC_STACK_HOST") == "func")
    split: bool = field(default_factory=lambda: os.environ.get("XTSYNC_STACK_SPLIT") == "1")
    telemetry: Path | None = None  # the built-in host appends what Application Insights would get to this file
    sign_in: bool = False  # the built-in host asks callers of /api/ops who they are, as App Service would
    storage_folder: Path | None = None  # None: tables, queues and blobs are in memory
    storage_requests: Path | None = None  # Azurite appends a line for each request to this file
    azurite: Azurite = field(init=False)
    host_processes: list[asyncio.subprocess.Process] = field(default_factory=list)
    functions_urls: list[str] = field(default_factory=list)  # the first one answers HTTP
    log: deque[str] = field(default_factory=lambda: deque(maxlen=10_000))  # the output of the children
    _emulator: asyncio.subprocess.Process | None = None
    _readers: dict[asyncio.subprocess.Process, asyncio.Task[None]] = field(default_factory=dict)

    @property
    def graph_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.graph}"

    @property
    def functions_url(self) -> str:
        return self.functions_urls[0]

    @property
    def environment(self) -> dict[str, str]:
        """The app settings, for hosts and for `xtsync` beside them."""
        return {
            **DEFAULTS,
            "XTSYNC_CONFIG": str(self.config),
            "XTSYNC_GRAPH_URL": self.graph_url,
            "XTSYNC_PUBLIC_URL": f"http://127.0.0.1:{self.ports.functions}",
            "AzureWebJobsStorage": self.azurite.connection_string,
            **({"XTSYNC_OPERATOR_ENDPOINTS": "entra"} if self.sign_in and not self.core_tools else {}),
            **self.settings,
        }

    async def start(self) -> None:
        """Start everything and wait until it answers. If a part fails, stop all and raise ChildFailedError."""
        self.azurite = Azurite(
            *(self.ports.blob, self.ports.queue, self.ports.table),
            folder=self.storage_folder,
            requests=self.storage_requests,
        )
        for name in ("graph", "functions"):
            if getattr(self.ports, name) == 0:
                setattr(self.ports, name, free_ports(1)[0])
        try:
            await asyncio.gather(self.azurite.start(), self._start_emulator())
            storage = connect(self.azurite.connection_string)
            try:
                await storage.create_all()
            finally:
                await storage.close()
            await self.start_hosts(self.hosts)
        except BaseException:
            await self.stop()
            raise

    async def start_hosts(self, count: int) -> None:
        """So many hosts, the first on the port of HTTP; on a split stack those of the other functions beside them."""
        for n in range(count):
            await self.start_host(self.ports.functions if n == 0 else free_ports(1)[0])
        if self.split and count:
            for group in split(self.app)[1:]:
                await self.start_host(free_ports(1)[0], group)

    async def start_host(self, port: int, only: Sequence[str] = ()) -> asyncio.subprocess.Process:
        """One more Functions host on the same storage account and queue, with `only` these functions.

        On a split stack a host of which nothing is said has the HTTP functions.
        """
        functions = list(only) or (split(self.app)[0] if self.split else [])
        command = hosts.command(self.app, port, core_tools=self.core_tools, functions=functions)
        if self.telemetry is not None and not self.core_tools:
            command += ["--telemetry", str(self.telemetry)]
        if self.sign_in and not self.core_tools:
            command.append("--sign-in")
        process = await self._spawn(command, hosts.environment(self.environment, core_tools=self.core_tools))
        self.host_processes.append(process)
        self.functions_urls.append(f"http://127.0.0.1:{port}")
        try:
            await hosts.until_running(process, self.functions_urls[-1], core_tools=self.core_tools)
        except ChildFailedError as error:
            await self._forget(process)
            raise ChildFailedError(f"{error}:\n{''.join(self.log)}") from error
        return process

    async def start_by_hand(self, function: str) -> None:
        """Run a function now on the host that has it, as the portal's "Run" does: POST /admin/functions/{name}."""
        async with loopback(timeout=30) as http:
            for url in self.functions_urls:
                response = await http.post(f"{url}/admin/functions/{function}", json={"input": ""})
                if response.status_code != httpx.codes.NOT_FOUND:
                    response.raise_for_status()
                    return
        raise LookupError(f"no host has a function {function}")

    async def functions(self) -> list[str]:
        """The names of the functions of all hosts, sorted."""
        async with loopback(timeout=30) as http:
            answers = [(await http.get(f"{url}/admin/functions")).json() for url in self.functions_urls]
        return sorted(function["name"] for answer in answers for function in answer)

    async def polls(self) -> list[dict[str, int]]:
        """The polls of each queue since the start, for each host. The built-in host alone counts them."""
        async with loopback(timeout=30) as http:
            return [(await http.get(f"{url}/_host/polls")).json() for url in self.functions_urls]

    async def xtsync(self, *arguments: str) -> tuple[int, Any]:
        """Run the command as an administrator would. Gives its exit code, and its answer to `--json`."""
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "sync_core.cli", *arguments, "--json"),
            cwd=ROOT,
            env={**os.environ, **self.environment},
            stdout=asyncio.subprocess.PIPE,
        )
        out, _ = await process.communicate()
        return await process.wait(), json.loads(out)

    async def kill_host(self, process: asyncio.subprocess.Process) -> None:
        """SIGKILL this one host, as a power cut would, with the worker processes of Core Tools."""
        hosts.kill(process)
        await self._forget(process)

    async def wait(self) -> str:
        """Return when one of the children ends by itself: which one, and its exit code."""
        waits = {asyncio.ensure_future(self.azurite.ended()): "Azurite"}
        if self._emulator is not None:
            waits[asyncio.ensure_future(self._emulator.wait())] = "the Graph emulator"
        waits |= {asyncio.ensure_future(process.wait()): "the Functions host" for process in self.host_processes}
        try:
            [ended, *_], _ = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for each in waits:
                each.cancel()
        code = ended.result()
        how = f"was ended by {signal.Signals(-code).name}" if code < 0 else f"ended with code {code}"
        return f"{waits[ended]} {how}; its last lines are above"

    async def stop_hosts(self) -> None:
        """The hosts finish the work in hand."""
        await asyncio.gather(*(self._forget(process) for process in list(self.host_processes)))

    async def stop(self) -> None:
        """Stop the hosts first, so that they can finish their work, then everything else."""
        await self.stop_hosts()
        if self._emulator is not None:
            await stop_process(self._emulator)
            self._emulator = None
        await self.azurite.stop()
        await asyncio.gather(*self._readers.values())

    async def _forget(self, process: asyncio.subprocess.Process) -> None:
        await hosts.stop(process)
        await self._readers.pop(process)  # all that it said is in the log then
        i = self.host_processes.index(process)
        del self.host_processes[i], self.functions_urls[i]

    async def _start_emulator(self) -> None:
        command = [sys.executable, "-m", "entra_graph_emulator", "--port", str(self.ports.graph)]
        self._emulator = await self._spawn(
            command, hosts.environment(self.environment, core_tools=False), ready="ready "
        )

    async def _spawn(
        self, command: list[str], environment: Mapping[str, str], *, ready: str = ""
    ) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *command,
            cwd=self.app,
            env=environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
            start_new_session=True,  # Ctrl-C reaches this process only, which then stops the children in order
            preexec_fn=die_with_parent(),
        )
        if ready:
            self.log += await _until_ready(process, ready)
        self._readers[process] = asyncio.create_task(self._pass_on(process))
        return process

    async def _pass_on(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        async for line in process.stdout:
            self.log.append(line.decode(errors="replace"))
            sys.stderr.write(self.log[-1])


async def _until_ready(process: asyncio.subprocess.Process, ready: str) -> list[str]:
    """The output up to a line with `ready` in it. Raises ChildFailedError with the output of a child without one."""
    assert process.stdout is not None
    said: list[str] = []
    try:
        async with asyncio.timeout(_READY_S):
            while not said or (ready not in said[-1] and said[-1]):
                said.append((await process.stdout.readline()).decode(errors="replace"))
    except TimeoutError:
        said.append("")
    if not said[-1]:  # it ended, or took too long
        await stop_process(process)
        raise ChildFailedError(f"it was not ready within {_READY_S} s, or ended:\n{''.join(said)}")
    return said

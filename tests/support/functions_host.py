"""The local Functions host as a child process.

async with HostProcess(Path("."), settings={"AzureWebJobsStorage": storage.connection_string}) as host:
    await client.get(f"{host.url}/api/health")
"""

import asyncio
import os
import signal
import sys
from collections.abc import Mapping
from pathlib import Path

from local.processes import ChildFailedError, Startable, die_with_parent, stop_process

_PROJECT = Path(__file__).parents[2]


class HostProcess(Startable):
    """One host, one application. `settings` are added to this process's environment; `log` takes standard error."""

    def __init__(
        self,
        app: Path,
        *,
        settings: Mapping[str, str],
        port: int = 0,
        grace_s: float = 10.0,
        verbose: bool = False,
        log: Path | None = None,
    ) -> None:
        self._arguments = ["--app", str(app), "--port", str(port), "--grace", str(grace_s)]
        if verbose:
            self._arguments.append("--verbose")
        self._settings = dict(settings)
        self._grace_s = grace_s
        self._log = log
        self._process: asyncio.subprocess.Process | None = None
        self.ready = ""

    @property
    def url(self) -> str:
        """The address from the `ready` line."""
        return self.ready.split()[1]

    @property
    def pid(self) -> int | None:
        """The process id while it runs."""
        return self._process.pid if self._process else None

    async def start(self, *, timeout_s: float = 60.0) -> None:
        """Return after the `ready` line. Raises ChildFailedError; the reason is on standard error."""
        errors = self._log.open("ab") if self._log else None
        try:
            self._process = await asyncio.create_subprocess_exec(
                sys.executable,
                *("-m", "local.functions_host", *self._arguments),
                stdin=asyncio.subprocess.DEVNULL,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                env=os.environ | {"PYTHONPATH": str(_PROJECT)} | self._settings,
                start_new_session=True,  # Ctrl-C reaches the parent only, which passes it on as SIGTERM
                preexec_fn=die_with_parent(signal.SIGTERM),
            )
        finally:
            if errors is not None:
                errors.close()
        await self._wait_until_ready(self._process, timeout_s)

    async def stop(self) -> int:
        """SIGTERM, then wait for the work in hand. Gives the exit code."""
        if self._process is None:
            return 0
        return await stop_process(self._process, grace_s=self._grace_s + 10)

    async def kill(self) -> None:
        """SIGKILL: what a crash looks like."""
        if self._process is not None and self._process.returncode is None:
            self._process.kill()
            await self._process.wait()

    async def _wait_until_ready(self, process: asyncio.subprocess.Process, timeout_s: float) -> None:
        assert process.stdout is not None
        try:
            async with asyncio.timeout(timeout_s):
                line = (await process.stdout.readline()).decode()
        except TimeoutError:
            line = ""
        if not line.startswith("ready "):
            code = await stop_process(process)
            raise ChildFailedError(f"the Functions host did not get ready (exit code {code})")
        self.ready = line.strip()

"""One Functions host as a child process: the built-in one, or Azure's own from Core Tools. The same call asks both
whether they run.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from local.loopback import loopback
from local.processes import ChildFailedError, stop_process

_ROOT = Path(__file__).resolve().parents[1]
_RUNNING_S = {False: 60, True: 240}  # the first start of Core Tools downloads the extension bundle


def command(app: Path, port: int, *, core_tools: bool, functions: Sequence[str] = ()) -> list[str]:
    """What starts a host in the folder `app`, with all functions or these. Raises ChildFailedError without `func`."""
    words = [sys.executable, "-m", "local.functions_host", "--app", str(app), "--port", str(port)]
    if core_tools:
        words = [_func(), "start", "--port", str(port)]
    return [*words, "--functions", *functions] if functions else words


def environment(settings: Mapping[str, str], *, core_tools: bool) -> dict[str, str]:
    """This process's environment and the app settings. `func` lets both win over local.settings.json.

    `func` takes the Python that it finds first on PATH: here the one of this environment.
    """
    if not core_tools:
        return {**os.environ, **settings, "PYTHONPATH": str(_ROOT)}
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    return {**os.environ, "FUNCTIONS_WORKER_RUNTIME": "python", **settings, "PATH": path}


async def until_running(process: asyncio.subprocess.Process, url: str, *, core_tools: bool) -> None:
    """Return when functions can be called. Raises ChildFailedError if the process ends, or takes too long.

    The state is `Running` then: https://github.com/Azure/azure-functions-host/wiki/Admin-API. No line of the output
    says the same: the worker's "started and initialized" comes before the routes are mapped.
    """
    allowed_s = _RUNNING_S[core_tools]
    try:
        async with asyncio.timeout(allowed_s), loopback(timeout=5) as http:
            while not await _runs(http, url):
                if process.returncode is not None:
                    raise ChildFailedError(f"the Functions host ended with code {process.returncode}")
                await asyncio.sleep(0.05)
    except TimeoutError as error:
        raise ChildFailedError(f"the Functions host did not run within {allowed_s} s") from error


async def stop(process: asyncio.subprocess.Process) -> None:
    """Let the work in hand finish. Python workers that Core Tools left behind end with their host."""
    await stop_process(process, grace_s=15)
    kill(process)


def kill(process: asyncio.subprocess.Process) -> None:
    """SIGKILL the host and its workers. It was started in a session of its own, so that they are one group."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


async def _runs(http: httpx.AsyncClient, url: str) -> bool:
    try:
        answer = await http.get(f"{url}/admin/host/status")
        return answer.is_success and answer.json().get("state") == "Running"
    except (httpx.TransportError, ValueError):  # nothing listens yet, or something that is no host
        return False


def _func() -> str:
    func = shutil.which("func")
    if func is None:
        raise ChildFailedError("`func` is not on PATH: install Azure Functions Core Tools 4, or take the built-in host")
    return func

"""`import`: the time that a cold instance needs to load the app.

Graph gives the webhook 3 s. The start of the host, the start of its worker process and their handshake take a part of
that before our first line runs.
"""

from __future__ import annotations

import asyncio
import statistics
import sys

from local.stack import ROOT

from .figures import Figure
from .run import Run, StalledError

_RUNS = 5
# Libraries that the webhook must not load, since their import takes longer than all the rest.
_HEAVY = ("msgraph", "azure.identity", "azure.data.tables")
_PROGRAM = f"import function_app, sys; print(sum(name in sys.modules for name in {_HEAVY!r}))"


async def measure(run: Run) -> list[Figure]:
    seconds, heavy = [], 0
    await _import()  # compiles the byte code, which a deployed package has too
    with run.step("fresh processes", _RUNS) as advance:
        for n in range(_RUNS):
            spent, loaded = await _import()
            seconds.append(spent)
            heavy = max(heavy, loaded)
            advance(n + 1)
    return [
        Figure(
            name="import function_app",
            value=statistics.median(seconds),
            unit="s",
            limit=0.6,
            beside=f"median of {_RUNS}",
        ),
        Figure(name="heavy libraries loaded by it", value=heavy, unit="", limit=0, beside=", ".join(_HEAVY)),
    ]


async def _import() -> tuple[float, int]:
    """The seconds that the interpreter reports, without its own start, and the number of heavy libraries loaded."""
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-X", "importtime", "-c", _PROGRAM),
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    out, err = await process.communicate()
    if process.returncode != 0:
        raise StalledError("function_app cannot be imported")
    # import time: self [us] | cumulative | imported package
    [line] = [line for line in err.decode().splitlines() if line.endswith("| function_app")]
    return int(line.split("|")[1]) / 1e6, int(out)

"""`simulate`: the number of histories that the simulator runs in a second."""

from __future__ import annotations

import asyncio
import importlib.util
import sys
import time

from local.stack import ROOT

from .figures import Figure
from .run import Run

_SEEDS = 100


async def measure(run: Run) -> list[Figure]:
    """Without tests/simulator in the checkout there are no figures."""
    if importlib.util.find_spec("tests.simulator") is None:
        return []
    seeds = run.size(_SEEDS)
    began = time.monotonic()
    with run.step(f"{seeds} seeds", 1):
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-m", "tests.simulator", "--seeds", str(seeds)),
            cwd=ROOT,
            stdout=asyncio.subprocess.DEVNULL,
        )
        code = await process.wait()
    seconds = time.monotonic() - began
    return [
        Figure(name="seeds", value=seeds / seconds, unit="/s", beside=f"{seeds} seeds, the start of Python included"),
        Figure(name="exit code", value=code, unit="", limit=0, beside="0: every invariant held"),
    ]

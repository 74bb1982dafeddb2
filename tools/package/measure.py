"""Sizes, and what a cold instance waits for: imports in fresh processes that see nothing but the package."""

from __future__ import annotations

import json
import os
import platform
import statistics
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from .build import SITE

# As an always-ready instance does: function_app when it starts, the rest with the first message.
_PROBE = """
import sys, time
sys.path[:0] = sys.argv[1:]
started = time.perf_counter(), time.process_time()
import function_app
loaded = time.perf_counter(), time.process_time()
import asyncio
from sync_core import bootstrap, deployment
async def first_call():
    await deployment.build(bootstrap.settings(), bootstrap.config()).close()
asyncio.run(first_call())
built = time.perf_counter(), time.process_time()
import json
print(json.dumps({
    "function_app": loaded[0] - started[0], "function_app_cpu": loaded[1] - started[1],
    "first_call": built[0] - loaded[0], "first_call_cpu": built[1] - loaded[1],
}))
"""
_SETTINGS = {
    "AzureWebJobsStorage__accountName": "nowhere",
    "XTSYNC_IDENTITY_CLIENT_ID": "identity",
    "XTSYNC_SOURCE_CLIENT_ID": "source",
    "XTSYNC_TARGET_CLIENT_ID": "target",
}


def runs_here() -> bool:
    """The package has compiled modules for Linux on x86-64."""
    return sys.platform == "linux" and platform.machine() == "x86_64"


def size(folder: Path) -> tuple[int, int]:
    """Bytes and files."""
    sizes = [path.stat().st_size for path in folder.rglob("*") if path.is_file()]
    return sum(sizes), len(sizes)


def cold_imports(app: Path, *, runs: int = 5, flags: Iterable[str] = ()) -> dict[str, float]:
    """Seconds, the median of each: `function_app`, and `first_call`, what the first message imports on top of it.

    Each also as CPU time (`.._cpu`), which other processes on this machine disturb less.

    -S keeps this environment's own packages out: whatever the package lacks would raise ModuleNotFoundError here.
    """
    command = [sys.executable, "-S", "-B", *flags, "-c", _PROBE, str(app), str(app / SITE)]
    environ = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XTSYNC", "AzureWeb"))
    }
    samples = [
        json.loads(subprocess.run(command, cwd=app, env=environ | _SETTINGS, check=True, capture_output=True).stdout)
        for _ in range(runs)
    ]
    return {name: statistics.median(sample[name] for sample in samples) for name in samples[0]}

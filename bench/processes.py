"""The CPU time and the memory that child processes have used. Only Linux gives these figures."""

from __future__ import annotations

import os
from asyncio.subprocess import Process
from collections.abc import Iterable
from pathlib import Path

from .figures import Figure


def cpu_seconds(processes: Iterable[Process]) -> float:
    """User and system time of all processes together, in seconds. Other programs on the machine hardly change it."""
    return sum(_cpu_ticks(Path(f"/proc/{each.pid}/stat")) for each in processes) / os.sysconf("SC_CLK_TCK")


def peak_memory(process: Process, *, limit: float) -> list[Figure]:
    """The peak of resident memory, shared libraries included; `limit` is in MB. Empty if there is no /proc."""
    status = Path(f"/proc/{process.pid}/status")
    if not status.exists():
        return []
    [line] = [line for line in status.read_text().splitlines() if line.startswith("VmHWM:")]
    return [Figure(name="peak memory of the host process", value=int(line.split()[1]) / 1024, unit="MB", limit=limit)]


def cpu_figure(name: str, seconds: float, count: int) -> list[Figure]:
    if seconds == 0:
        return []
    return [Figure(name=name, value=1000 * seconds / count, unit="ms", beside="host process, worker included")]


def _cpu_ticks(stat: Path) -> int:
    """The sum of fields 14 and 15 of proc(5). The name in field 2 may contain spaces, so counting starts after it."""
    if not stat.exists():
        return 0
    fields = stat.read_text().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])

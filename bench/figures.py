"""The figures of a scenario, each with a remark for comparison and, if it has one, its limit."""

from __future__ import annotations

import math
import os
import platform
import statistics
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from typing import Any

from rich.table import Table

# Whose work a good part of the CPU time is.
_LIBRARIES = ("azure-functions-runtime", "azure-data-tables", "azure-storage-queue", "msgraph-sdk", "aiohttp")


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One measured value. `limit` is the largest accepted value; it is 0 for a count of faults."""

    name: str
    value: float
    unit: str
    beside: str = ""  # shown beside the value, for comparison
    limit: float | None = None

    @property
    def passed(self) -> bool | None:
        """None without a limit."""
        return None if self.limit is None else self.value <= self.limit


def percentile(values: Sequence[float], percent: float) -> float:
    """The percentile by nearest rank, so that it is one of the values. The 99th of 50 values is the largest."""
    rank = math.ceil(percent / 100 * len(values))
    return sorted(values)[max(0, rank - 1)]


def spread(
    values: Sequence[float], name: str, *, tail: int, limit: float | None = None, beside: str = ""
) -> list[Figure]:
    """Median, tail percentile and maximum of `values` (seconds), in milliseconds. `limit` (seconds) is the tail's."""
    tail_ms = 1000 * percentile(values, tail)
    tail_limit = None if limit is None else 1000 * limit
    return [
        Figure(name=f"{name}, median", value=1000 * statistics.median(values), unit="ms"),
        Figure(name=f"{name}, p{tail}", value=tail_ms, unit="ms", limit=tail_limit, beside=beside),
        Figure(name=f"{name}, slowest", value=1000 * max(values), unit="ms"),
    ]


def as_json(results: dict[str, list[Figure]], *, quick: bool) -> dict[str, Any]:
    """All figures, with the machine, the versions of what was measured, and the day."""
    return {
        "date": datetime.now(UTC).date().isoformat(),
        "quick": quick,
        "python": platform.python_version(),
        "cpus": os.cpu_count(),
        "load": round(os.getloadavg()[2], 1),  # programs that ran or waited, over the last quarter of an hour
        "machine": f"{platform.system()} {platform.machine()}",
        "versions": {name: version(name) for name in _LIBRARIES},
        "figures": [
            {"scenario": scenario, **asdict(figure), "passed": figure.passed}
            for scenario, figures in results.items()
            for figure in figures
        ],
    }


def as_table(results: dict[str, list[Figure]]) -> Table:
    table = Table(title="Measured")
    for column, justify in (("Scenario", "left"), ("Figure", "left"), ("Value", "right"), ("Unit", "left")):
        table.add_column(column, justify="right" if justify == "right" else "left")
    for column in ("Limit", "", "Compared with"):
        table.add_column(column, justify="right" if column == "Limit" else "left")
    for scenario, figures in results.items():
        table.add_section()
        for n, figure in enumerate(figures):
            table.add_row(scenario if n == 0 else "", *_row(figure))
    return table


def _row(figure: Figure) -> tuple[str, str, str, str, str, str]:
    limit = "" if figure.limit is None else shown(figure.limit)
    passed = {None: "", True: "ok", False: "[bold red]MISSED[/]"}[figure.passed]
    return figure.name, shown(figure.value), figure.unit, limit, passed, figure.beside


def shown(value: float) -> str:
    """A number for people: whole or large numbers without decimals, others with three significant digits."""
    if value == int(value) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"

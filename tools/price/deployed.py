"""What the bill needs of the templates, of host.json and of the measured figures: read from them, said nowhere else."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from .month import Deployment, Measured, Work
from .prices import Meter

ROOT = Path(__file__).resolve().parents[2]
RESULTS = ROOT / "bench" / "results" / "cost.json"
SNAPSHOT = ROOT / "infra" / "snapshots" / "plain.snapshot.json"
LISTENING = 2  # feed-pages works at each poll, user-changes at each change; the other queues are asked now and then

_ALERTS = {"PT5M": Meter.ALERTS_5, "PT15M": Meter.ALERTS_15}
_EVERY = re.compile(r"0 \*/(\d+) \* \* \* \*")


def deployment() -> Deployment:
    """As the templates make it without any option."""
    found = list(_properties(json.loads(SNAPSHOT.read_text(encoding="utf-8"))))
    scale = next(each["functionAppConfig"] for each in found if "functionAppConfig" in each)["scaleAndConcurrency"]
    schedule = _EVERY.fullmatch(next(each["POLL_SCHEDULE"] for each in found if "POLL_SCHEDULE" in each))
    assert schedule is not None, "the poll's schedule is no longer every so many minutes"
    host = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))
    hours, minutes, seconds = host["extensions"]["queues"]["maxPollingInterval"].split(":")
    assert hours == minutes == "00"
    return Deployment(
        memory_mb=scale["instanceMemoryMB"],
        ready=sum(each["instanceCount"] for each in scale["alwaysReady"]),
        poll_minutes=Decimal(schedule[1]),
        listening=LISTENING,
        asks_a_second=1 / Decimal(seconds),
        alerts=Counter(_ALERTS[each["evaluationFrequency"]] for each in found if "evaluationFrequency" in each),
    )


def figures(path: Path = RESULTS) -> Mapping[str, Decimal]:
    """The measured figures by name. FileNotFoundError where nothing was measured."""
    results = json.loads(path.read_text(encoding="utf-8"), parse_float=Decimal)
    return {each["name"]: Decimal(each["value"]) for each in results["figures"]}


def measured(values: Mapping[str, Decimal]) -> Measured:
    """KeyError names the figure that is missing."""
    return Measured(
        poll=_work(values, "a poll"),
        change=_work(values, "a change"),
        round=_work(values, "a full round, for 1,000 people"),
    )


def _work(values: Mapping[str, Decimal], what: str) -> Work:
    return Work(
        http=values[f"{what}: executions of HTTP functions"],
        executions=values[f"{what}: other executions"],
        tables=values[f"{what}: table operations"],
        queues=values[f"{what}: queue operations, polls left out"],
        log_bytes=values[f"{what}: bytes of log"],
    )


def _properties(snapshot: Any) -> list[dict[str, Any]]:
    return [each["properties"] for each in snapshot["predictedResources"] if "properties" in each]

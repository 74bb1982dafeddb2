"""The workbook's charts of metrics and traces, on what Microsoft's exporter really sends of the program's telemetry."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.support.collector import Collector
from tests.support.exported import azure_monitor, row, run

from .kql import Workspace, with_time_range
from .snapshots import Deployment

CHARTS = {
    name: with_time_range(query)
    for name, query in Deployment.committed("plain").charts.items()
    if name.startswith(("metric-", "traced-"))
}
PROGRAM = """
from sync_core import bootstrap
from sync_core.graph.tracing import traced
from sync_core.telemetry.metrics import METRICS
from sync_core.telemetry.port import Kind, measured, span

bootstrap.start_telemetry()
for metric in METRICS:
    values = {"xtsync.why": "notification", "xtsync.change": "Update", "xtsync.sync": "a-to-b"}
    for value in (2, 5):
        measured(metric, value, {name: values.get(name, name) for name in metric.attributes})
with span("process user-changes", Kind.WORKED), traced("PATCH", "https://graph.microsoft.com/v1.0/users/1", "t"):
    pass
"""


@pytest.fixture(scope="module")
def shown() -> dict[str, list[dict[str, Any]]]:
    """What each chart shows when every metric was recorded as 2 and as 5, and one request was traced."""
    collector = Collector()
    try:
        run(PROGRAM, **azure_monitor(collector))
        rows = [row(envelope) for envelope in collector.envelopes()]
    finally:
        collector.close()
    with Workspace(rows) as workspace:
        until = datetime.now(UTC) + timedelta(hours=1)
        return {name: workspace.answer(query, until=until) for name, query in CHARTS.items()}


def test_every_chart_of_telemetry_shows_what_was_recorded(shown: dict[str, list[dict[str, Any]]]) -> None:
    """By the names and attributes that the exporter gives them: a misspelt one would show nothing."""
    [changed], [late], [asked] = shown["metric-changes"], shown["metric-latency"], shown["traced-requests"]
    assert (changed["Changes"], changed["Change"]) == (7, "Update")
    assert (late["Longest"], late["Sync"]) == (5, "a-to-b")
    assert (asked["Requests"], asked["Request"]) == (1, "PATCH /v1.0/users/{id}")
    outcomes = {each["Outcome"]: each["Reason"] for each in shown["metric-outcomes"]}
    assert outcomes == {"xtsync.held": "", "xtsync.parked": "xtsync.reason", "xtsync.retries": "error.type"}
    waits = {each["Name"]: each["Seconds"] for each in shown["metric-waits"]}
    assert waits == {"xtsync.graph.throttled": 7, "xtsync.graph.permit.wait": 7}
    people = {each["Name"]: each["People"] for each in shown["metric-people"]}
    assert people == dict.fromkeys((f"xtsync.users.{which}" for which in ("linked", "parked", "held", "waiting")), 5)
    assert shown.keys() == CHARTS.keys()

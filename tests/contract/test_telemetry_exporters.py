"""What leaves the process by each exporter, caught on loopback. Each runs in a process of its own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.collector import Collector, attributes
from tests.support.exported import azure_monitor, run

RECEIVED, WORKED = "POST graph/notifications", "process user-changes"
SENT = "PATCH /v1.0/users/{id}"  # as Application Insights names it
PROGRAM = """
from sync_core import bootstrap
from sync_core.graph.tracing import traced
from sync_core.telemetry.metrics import CHANGES, LATENCY
from sync_core.telemetry.port import Kind, measured, span

bootstrap.start_telemetry()
with span("POST graph/notifications", Kind.RECEIVED, {"http.response.status_code": 202}) as received:
    carried = received.traceparent
with span("process user-changes", Kind.WORKED, {"xtsync.sync": "a-to-b"}, parent=carried):
    with traced("PATCH", "https://graph.microsoft.com/v1.0/users/0000-1?$select=id", "the tenant"):
        measured(CHANGES, 2, {"xtsync.sync": "a-to-b", "xtsync.change": "Update"})
        measured(LATENCY, 1.5, {"xtsync.sync": "a-to-b", "xtsync.why": "notification"})
"""


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    yield collector
    collector.close()


def test_a_collector_gets_one_trace_and_the_metrics(collector: Collector) -> None:
    """By OTLP over HTTP; the kinds are the convention's, and each span names its parent."""
    run(PROGRAM, XTSYNC_TELEMETRY="otlp", OTEL_EXPORTER_OTLP_ENDPOINT=collector.endpoint)
    spans = {span.name: span for span in collector.spans()}
    received, worked, sent = (spans[name] for name in (RECEIVED, WORKED, "PATCH /users/{id}"))
    assert (len(collector.spans()), len({each.trace_id for each in spans.values()})) == (3, 1)
    assert (worked.parent_span_id, sent.parent_span_id) == (received.span_id, worked.span_id)
    assert [each.kind for each in (received, worked, sent)] == [2, 5, 3]
    assert attributes(worked) == {"xtsync.sync": "a-to-b"}
    assert collector.metrics() == {"xtsync.changes", "xtsync.change.latency"}


def test_application_insights_gets_no_second_record_of_a_run(collector: Collector) -> None:
    """The host records each run as a request, which alerts count; of ours all are dependencies. And nothing else."""
    run(PROGRAM, **azure_monitor(collector))
    rows = {
        row["data"]["baseData"].get("name") or row["data"]["baseData"]["metrics"][0]["name"]: row
        for row in collector.envelopes()
    }
    assert {name: row["data"]["baseType"] for name, row in rows.items()} == {
        RECEIVED: "RemoteDependencyData",
        WORKED: "RemoteDependencyData",
        SENT: "RemoteDependencyData",
        "xtsync.changes": "MetricData",
        "xtsync.change.latency": "MetricData",
    }
    assert len(rows) == len(collector.envelopes())
    worked, sent = rows[WORKED], rows[SENT]
    assert worked["tags"]["ai.operation.id"] == sent["tags"]["ai.operation.id"]
    assert sent["tags"]["ai.operation.parentId"] == worked["data"]["baseData"]["id"]
    assert worked["tags"]["ai.cloud.role"] == "func-xtsync"
    [point] = rows["xtsync.change.latency"]["data"]["baseData"]["metrics"]
    assert (point["value"], point["count"], point["max"]) == (1.5, 1, 1.5)
    assert rows["xtsync.changes"]["data"]["baseData"]["properties"] == {
        "xtsync.sync": "a-to-b",
        "xtsync.change": "Update",
    }


def test_application_insights_gets_nothing_without_a_token_where_entra_is_asked_for(collector: Collector) -> None:
    """The setting is the host's own. A token is never sent without TLS: so here nothing arrives, and nothing fails."""
    run(PROGRAM, **azure_monitor(collector), APPLICATIONINSIGHTS_AUTHENTICATION_STRING="Authorization=AAD")
    assert collector.posts == []


def test_a_collector_that_is_gone_stops_nothing() -> None:
    """The program comes to its end, which waits for a few seconds at most."""
    run(PROGRAM, XTSYNC_TELEMETRY="otlp", OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1")


def test_an_exporter_that_cannot_start_is_logged_and_stops_nothing() -> None:
    """A connection string that is none: everything else works without telemetry, and no setting is quoted."""
    log = run(
        PROGRAM, XTSYNC_TELEMETRY="azure_monitor", APPLICATIONINSIGHTS_CONNECTION_STRING="InstrumentationKey=hunter2"
    )
    assert "telemetry.not_started error=ValueError" in log
    assert "hunter2" not in log

"""Telemetry by OpenTelemetry's SDK: whose part a span is, what is kept, and that nothing waits for a receiver."""

from __future__ import annotations

import threading
from collections.abc import Sequence

import pytest
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.trace import StatusCode, get_tracer

from sync_core.model.errors import GraphRefusedError
from sync_core.telemetry.metrics import CHANGES, METRICS, USERS_HELD, Metric
from sync_core.telemetry.port import Kind, install, measured, span
from sync_core.telemetry.sdk import SdkTelemetry
from tests.support.spans import recording

ELSEWHERE = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
QUEUE_CAPACITY = 64


def test_a_message_goes_on_in_the_trace_that_it_carries() -> None:
    """The trace id is the notification's, and its span is the parent; what is done meanwhile is part of it."""
    with recording() as recorded:
        with span("received", Kind.RECEIVED) as received:
            carried = received.traceparent
        with span("worked", Kind.WORKED, parent=carried), span("inside"), span("sent", Kind.SENT):
            pass
    assert recorded.tree() == {"received": None, "worked": "received", "inside": "worked", "sent": "inside"}
    assert len(recorded.traces()) == 1


@pytest.mark.parametrize("carried", ["", "nonsense", "00-0-0-00", f"ff{ELSEWHERE[2:]}"])
def test_a_message_without_a_trace_begins_one(carried: str) -> None:
    """Also inside of something else: a message is handled for its own sake."""
    with recording() as recorded, span("outer", Kind.WORKED), span("worked", Kind.WORKED, parent=carried):
        pass
    assert recorded.tree() == {"outer": None, "worked": None}
    assert len(recorded.traces()) == 2


def test_a_request_of_ours_alone_is_no_trace() -> None:
    """Such as the operators' reads: nobody asked for a trace of them."""
    with recording() as recorded, span("sent", Kind.SENT) as alone:
        alone.note({"a": 1})
    assert (recorded.spans, alone.traceparent) == ((), "")


def test_a_trace_that_is_not_kept_is_not_kept_anywhere() -> None:
    """The decision travels in the message; otherwise half of a trace would be sent."""
    with recording(ratio=0) as recorded, span("received", Kind.RECEIVED) as received:
        carried = received.traceparent
    assert int(carried[-2:], 16) & 1 == 0
    with recording(ratio=1) as elsewhere, span("worked", Kind.WORKED, parent=carried), span("inside"):
        pass
    assert (recorded.spans, elsewhere.spans) == ((), ())


def test_an_error_is_told_by_its_short_name() -> None:
    """Its text may quote what Graph said of somebody."""
    refused: Exception = GraphRefusedError(status=400, code="Request_BadRequest", message="ada@contoso.com is taken")
    for error in (refused, ValueError("ada@contoso.com")):
        with recording() as recorded:
            with pytest.raises(type(error)), span("outer", Kind.WORKED), span("inner"):
                raise error
            inner = recorded.named("inner")
            assert inner.status.status_code is StatusCode.ERROR
            assert not any("ada" in str(value) for value in (*recorded.values(), inner.status.description))
            assert inner.events == ()
    assert recorded.named("outer").attributes == {"error.type": "ValueError"}


def test_the_spans_of_libraries_go_nowhere() -> None:
    """They have URLs with addresses in them, and are made with the global provider, which is not ours."""
    with recording() as recorded, span("worked", Kind.WORKED), get_tracer("of a library").start_as_current_span("GET"):
        pass
    assert [each.name for each in recorded.spans] == ["worked"]


@pytest.mark.parametrize("metric", METRICS, ids=lambda metric: metric.name)
def test_every_metric_of_the_table_is_recorded_by_its_name(metric: Metric) -> None:
    """With its attributes, whatever instrument it is."""
    attributes = dict.fromkeys(metric.attributes, "a")
    with recording() as recorded:
        measured(metric, 3, attributes)
        assert recorded.measured() == {metric.name: {tuple(sorted(attributes.items())): 3}}


def test_a_figure_of_the_poll_is_sent_once() -> None:
    """Another instance may measure next: this one would repeat what is not so any more. A counter goes on."""
    with recording() as recorded:
        measured(USERS_HELD, 2, {"xtsync.sync": "a-to-b"})
        measured(USERS_HELD, 3, {"xtsync.sync": "a-to-b"})
        measured(CHANGES, 1, {})
        assert recorded.measured() == {
            "xtsync.users.held": {(("xtsync.sync", "a-to-b"),): 3},
            "xtsync.changes": {(): 1},
        }
        assert recorded.measured() == {"xtsync.changes": {(): 1}}


class Stuck(SpanExporter):
    """A receiver that takes what it gets and does not answer."""

    def __init__(self) -> None:
        self.answer = threading.Event()
        self.asked = threading.Event()
        self.taken: list[str] = []

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        self.taken += [each.name for each in spans]
        self.asked.set()
        self.answer.wait()
        return SpanExportResult.FAILURE


def test_a_receiver_that_does_not_answer_holds_up_nobody() -> None:
    """What does not fit is dropped, and the end of the process does not wait for it either."""
    stuck = Stuck()
    processor = BatchSpanProcessor(stuck, max_queue_size=QUEUE_CAPACITY, max_export_batch_size=QUEUE_CAPACITY)
    telemetry = SdkTelemetry(processor=processor, reader=InMemoryMetricReader(), resource=Resource({}), ratio=1)
    before = install(telemetry)
    try:
        for _ in range(50 * QUEUE_CAPACITY):
            with span("worked", Kind.WORKED):
                pass
        assert stuck.asked.wait(10)
        telemetry.close(0.1)
        assert not stuck.answer.is_set()
    finally:
        install(before)
        stuck.answer.set()
    assert len(stuck.taken) <= 3 * QUEUE_CAPACITY

"""Telemetry that stays in this process, as tests look at it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field

from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from sync_core.telemetry.port import install
from sync_core.telemetry.sdk import SdkTelemetry


@dataclass(frozen=True, slots=True, kw_only=True)
class Recorded:
    """Everything that was sent: spans in the order in which they ended."""

    exporter: InMemorySpanExporter = field(default_factory=InMemorySpanExporter)
    reader: InMemoryMetricReader = field(default_factory=InMemoryMetricReader)

    @property
    def spans(self) -> tuple[ReadableSpan, ...]:
        return self.exporter.get_finished_spans()

    def named(self, name: str) -> ReadableSpan:
        [span] = [span for span in self.spans if span.name == name]
        return span

    def tree(self) -> dict[str, str | None]:
        """Each span's name, and its parent's; names that occur twice must have parents of the same name."""
        names = {_id(span): span.name for span in self.spans}
        tree: dict[str, str | None] = {}
        for span in self.spans:
            parent = None if span.parent is None else names[span.parent.span_id]
            assert tree.setdefault(span.name, parent) == parent
        return tree

    def traces(self) -> set[int]:
        return {span.context.trace_id for span in self.spans if span.context is not None}

    def values(self) -> set[object]:
        """Of all attributes of all spans, with the spans' names."""
        return {span.name for span in self.spans} | {
            value for span in self.spans for value in (span.attributes or {}).values()
        }

    def measured(self) -> Mapping[str, Mapping[tuple[tuple[str, object], ...], float]]:
        """By the metric's name and the attributes: the value, and of a histogram the sum."""
        data = self.reader.get_metrics_data()
        found: dict[str, dict[tuple[tuple[str, object], ...], float]] = {}
        for of_resource in [] if data is None else data.resource_metrics:
            for of_scope in of_resource.scope_metrics:
                for metric in of_scope.metrics:
                    for point in metric.data.data_points:
                        key = tuple(sorted((point.attributes or {}).items()))
                        value = point.value if hasattr(point, "value") else point.sum
                        found.setdefault(metric.name, {})[key] = value
        return found


@contextmanager
def recording(*, ratio: float = 1) -> Iterator[Recorded]:
    """Telemetry is on meanwhile."""
    recorded = Recorded()
    telemetry = SdkTelemetry(
        processor=SimpleSpanProcessor(recorded.exporter),
        reader=recorded.reader,
        resource=Resource({}),
        ratio=ratio,
    )
    before = install(telemetry)
    try:
        yield recorded
    finally:
        install(before)
        telemetry.close()


def _id(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.span_id)

"""The port by OpenTelemetry's SDK.

The providers are this object's own, and no global ones: the libraries under Graph and storage make spans with the
global one, and those have addresses and filters in them.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.metrics import CallbackOptions, Meter, Observation
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import MetricReader
from opentelemetry.sdk.resources import SERVICE_INSTANCE_ID, SERVICE_NAME, Resource
from opentelemetry.sdk.trace import SpanProcessor, TracerProvider
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace import SpanKind, Status, StatusCode
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from ..model.errors import SyncError
from .metrics import METRICS, Instrument, Metric
from .port import Attributes, Kind, Span

_SCOPE = "xtsync"
_PROPAGATOR = TraceContextTextMapPropagator()
_OF_ITS_OWN = {Kind.RECEIVED, Kind.WORKED}
_KINDS = {
    Kind.RECEIVED: SpanKind.SERVER,
    Kind.WORKED: SpanKind.CONSUMER,
    Kind.SENT: SpanKind.CLIENT,
    Kind.INSIDE: SpanKind.INTERNAL,
}
# Where the host records each run of a function itself, a second record would count it twice.
BESIDE_THE_HOST = {**_KINDS, Kind.RECEIVED: SpanKind.INTERNAL, Kind.WORKED: SpanKind.INTERNAL}

type _Record = Callable[[float, Mapping[str, str]], None]


class SdkTelemetry:
    """`ratio` is the part of the traces that is kept, decided where each begins. Spans go to `processor`."""

    def __init__(
        self,
        *,
        processor: SpanProcessor,
        reader: MetricReader,
        resource: Resource,
        ratio: float,
        kinds: Mapping[Kind, SpanKind] = _KINDS,
    ) -> None:
        self._kinds = kinds
        sampler = ParentBased(TraceIdRatioBased(ratio))
        self._spans = TracerProvider(sampler=sampler, resource=resource, shutdown_on_exit=False)
        self._spans.add_span_processor(processor)
        self._metrics = MeterProvider([reader], resource=resource, shutdown_on_exit=False)
        self._tracer = self._spans.get_tracer(_SCOPE)
        meter = self._metrics.get_meter(_SCOPE)
        self._record = {metric.name: _recorder(meter, metric) for metric in METRICS}

    @contextmanager
    def span(self, name: str, kind: Kind, attributes: Attributes, parent: str) -> Iterator[Span]:
        if kind is Kind.SENT and not trace.get_current_span().is_recording():
            yield _SdkSpan(trace.INVALID_SPAN)
            return
        context = _PROPAGATOR.extract({"traceparent": parent}, Context()) if kind in _OF_ITS_OWN else None
        begun = self._tracer.start_span(name, context, self._kinds[kind], dict(attributes))
        span = _SdkSpan(begun)
        # Exceptions are told by their short names: their texts may quote what Graph said.
        with trace.use_span(begun, end_on_exit=True, record_exception=False, set_status_on_exception=False):
            try:
                yield span
            except BaseException as error:
                span.failed(error.code if isinstance(error, SyncError) else type(error).__name__)
                raise

    def measured(self, metric: Metric, value: float, attributes: Mapping[str, str]) -> None:
        self._record[metric.name](value, attributes)

    def close(self, seconds: float = 3) -> None:
        """Send what is left, for so long at most: nobody waits for a receiver that is gone."""
        closing = [threading.Thread(target=provider.shutdown, daemon=True) for provider in (self._spans, self._metrics)]
        for thread in closing:
            thread.start()
        for thread in closing:
            thread.join(seconds / len(closing))


class _SdkSpan:
    def __init__(self, span: trace.Span) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        carrier: dict[str, str] = {}
        _PROPAGATOR.inject(carrier, trace.set_span_in_context(self._span, Context()))
        return carrier.get("traceparent", "")

    def note(self, attributes: Attributes) -> None:
        self._span.set_attributes(dict(attributes))

    def failed(self, error: str) -> None:
        self._span.set_attribute("error.type", error)
        self._span.set_status(Status(StatusCode.ERROR))


class _Figures:
    """Those of a gauge, each of which is sent once.

    The SDK's own gauge sends its last value for as long as the process lives. But the next poll may run on another
    instance, and this one's figure would stand beside the newer one.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()  # the exporter's thread takes what others put
        self._figures: dict[tuple[tuple[str, str], ...], float] = {}

    def put(self, value: float, attributes: Mapping[str, str]) -> None:
        with self._lock:
            self._figures[tuple(attributes.items())] = value

    def taken(self, _: CallbackOptions) -> list[Observation]:
        with self._lock:
            taken, self._figures = self._figures, {}
        return [Observation(value, dict(attributes)) for attributes, value in taken.items()]


def this_process() -> Resource:
    """The app and this instance of it, by the names that Azure gives them; OTEL_RESOURCE_ATTRIBUTES adds to it."""
    named = {
        SERVICE_NAME: os.environ.get("OTEL_SERVICE_NAME") or os.environ.get("WEBSITE_SITE_NAME") or "xtsync",
        SERVICE_INSTANCE_ID: os.environ.get("WEBSITE_INSTANCE_ID") or str(os.getpid()),
    }
    return Resource.create(named)


def _recorder(meter: Meter, metric: Metric) -> _Record:
    match metric.instrument:
        case Instrument.COUNTER:
            return meter.create_counter(metric.name, metric.unit, metric.description).add
        case Instrument.GAUGE:
            figures = _Figures()
            meter.create_observable_gauge(metric.name, [figures.taken], metric.unit, metric.description)
            return figures.put
        case Instrument.HISTOGRAM:
            return meter.create_histogram(
                metric.name, metric.unit, metric.description, explicit_bucket_boundaries_advisory=metric.bounds
            ).record

"""Telemetry to a collector that takes OTLP over HTTP: OTEL_EXPORTER_OTLP_ENDPOINT, _HEADERS and their like.

It is sent by threads of its own, from a queue that drops what it cannot hold. A receiver that is slow or gone costs
data, and never a look at a user.
https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/
"""

from __future__ import annotations

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .sdk import SdkTelemetry, this_process


def start(*, ratio: float) -> SdkTelemetry:
    return SdkTelemetry(
        processor=BatchSpanProcessor(OTLPSpanExporter()),
        reader=PeriodicExportingMetricReader(OTLPMetricExporter()),
        resource=this_process(),
        ratio=ratio,
    )

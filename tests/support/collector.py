"""A collector on this machine: what is sent to it by OTLP over HTTP, or by Application Insights' own protocol."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator, Sequence
from typing import Any

from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span

from .listener import Listener


class Collector(Listener):
    """It takes everything; `posts` has it as it came."""

    def __init__(self) -> None:
        super().__init__()
        self.status = 200

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def bodies(self, path: str) -> Iterator[bytes]:
        """Unpacked."""
        for (headers, body), at in zip(list(self.posts), list(self.paths), strict=False):
            if at == path:
                yield gzip.decompress(body) if headers.get("content-encoding") == "gzip" else body

    def spans(self) -> Sequence[Span]:
        return [
            span
            for body in self.bodies("/v1/traces")
            for of_resource in ExportTraceServiceRequest.FromString(body).resource_spans
            for of_scope in of_resource.scope_spans
            for span in of_scope.spans
        ]

    def metrics(self) -> set[str]:
        """The names of those that were sent."""
        return {
            metric.name
            for body in self.bodies("/v1/metrics")
            for of_resource in ExportMetricsServiceRequest.FromString(body).resource_metrics
            for of_scope in of_resource.scope_metrics
            for metric in of_scope.metrics
        }

    def envelopes(self) -> Sequence[dict[str, Any]]:
        """Application Insights' rows: `name`, `tags`, and `data` with `baseType` and `baseData`."""
        found: list[dict[str, Any]] = []
        for body in self.bodies("/v2.1/track"):
            sent = json.loads(body)
            found += sent if isinstance(sent, list) else [sent]
        return found


def attributes(span: Span) -> dict[str, Any]:
    return {each.key: getattr(each.value, each.value.WhichOneof("value") or "string_value") for each in span.attributes}

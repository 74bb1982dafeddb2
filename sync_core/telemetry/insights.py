"""Telemetry to Application Insights, by Microsoft's exporter. It is sent as in collector.py.

A token is Entra's where APPLICATIONINSIGHTS_AUTHENTICATION_STRING says so, which is the host's own setting.
https://learn.microsoft.com/azure/azure-monitor/app/azure-ad-authentication
"""

from __future__ import annotations

import os

from azure.monitor.opentelemetry.exporter import AzureMonitorMetricExporter, AzureMonitorTraceExporter
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.trace.export import BatchSpanProcessor

from .sdk import BESIDE_THE_HOST, SdkTelemetry, this_process

# The exporter would report on itself to Microsoft, and let Microsoft turn parts of it on and off.
# It would also send a row about the process with each batch of spans.
_UNASKED = (
    "APPLICATIONINSIGHTS_STATSBEAT_DISABLED_ALL",
    "APPLICATIONINSIGHTS_SDKSTATS_DISABLED",
    "APPLICATIONINSIGHTS_CONTROLPLANE_DISABLED",
    "APPLICATIONINSIGHTS_OPENTELEMETRY_RESOURCE_METRIC_DISABLED",
)


def start(connection_string: str, *, ratio: float) -> SdkTelemetry:
    """Raises ValueError for a text that is no connection string."""
    for name in _UNASKED:
        os.environ.setdefault(name, "true")
    spans = AzureMonitorTraceExporter(connection_string=connection_string, disable_offline_storage=True)
    metrics = AzureMonitorMetricExporter(connection_string=connection_string, disable_offline_storage=True)
    return SdkTelemetry(
        processor=BatchSpanProcessor(spans),
        reader=PeriodicExportingMetricReader(metrics),
        resource=this_process(),
        ratio=ratio,
        kinds=BESIDE_THE_HOST,
    )

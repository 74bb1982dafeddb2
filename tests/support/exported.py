"""What a program exports: it runs in a process of its own, to its end, with a collector on loopback."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from datetime import datetime, timedelta
from typing import Any

from local.functions_host.telemetry import Row
from tools.infra import ROOT

from .collector import Collector

SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "XTSYNC_CREDENTIAL": "emulator",
    "XTSYNC_GRAPH_URL": "http://127.0.0.1:1",
    "XTSYNC_TELEMETRY_RATIO": "1",
    "WEBSITE_SITE_NAME": "func-xtsync",
}
KEY = "00000000-0000-0000-0000-000000000001"


def run(program: str, **settings: str) -> str:
    """The program's log. It is Python that calls bootstrap.start_telemetry; what it has not sent is sent at its end."""
    ended = subprocess.run(
        [sys.executable, "-c", program],
        cwd=ROOT,
        env={**SETTINGS, **settings},
        capture_output=True,
        text=True,
        check=True,
    )
    return ended.stderr


def azure_monitor(collector: Collector) -> dict[str, str]:
    """The settings of an app whose Application Insights is this collector."""
    return {
        "XTSYNC_TELEMETRY": "azure_monitor",
        "APPLICATIONINSIGHTS_CONNECTION_STRING": f"InstrumentationKey={KEY};IngestionEndpoint={collector.endpoint}/",
    }


def row(envelope: dict[str, Any]) -> tuple[str, Row]:
    """The row that Application Insights makes of it, and its table.

    https://learn.microsoft.com/azure/azure-monitor/app/data-model-complete
    """
    data = envelope["data"]["baseData"]
    kept: Row = {
        "TimeGenerated": datetime.fromisoformat(envelope["time"]),
        "Properties": json.dumps(data.get("properties", {})),
    }
    if envelope["data"]["baseType"] == "MetricData":
        [point] = data["metrics"]
        value = point["value"]
        least, most = point.get("min"), point.get("max")
        span = {"Min": value if least is None else least, "Max": value if most is None else most}
        return "AppMetrics", {**kept, "Name": point["name"], "Sum": value, "ItemCount": point["count"], **span}
    _, clock, part = re.split(r"[.]", data["duration"])
    hours, minutes, seconds = map(int, clock.split(":"))
    took = timedelta(hours=hours, minutes=minutes, seconds=seconds + float(f"0.{part or 0}"))
    return "AppDependencies", {
        **kept,
        "Name": data["name"],
        "DurationMs": took.total_seconds() * 1000,
        "Success": data["success"],
        "OperationId": envelope["tags"]["ai.operation.id"],
    }

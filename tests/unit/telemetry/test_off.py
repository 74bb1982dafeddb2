"""Off costs no import: neither when a cold instance answers Graph, nor with the first message."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

from sync_core.telemetry.metrics import CHANGES
from sync_core.telemetry.port import Kind, measured, span
from tools.infra import ROOT

# msgraph-sdk loads the API for itself; what only this program asks for is the SDK and the exporters.
OURS = ("opentelemetry.sdk", "opentelemetry.exporter", "opentelemetry.metrics", "azure.monitor", "google.protobuf")
SETTINGS = {
    "AzureWebJobsStorage": "UseDevelopmentStorage=true",
    "XTSYNC_CREDENTIAL": "emulator",
    "XTSYNC_GRAPH_URL": "http://127.0.0.1:1",
    "OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1",
}
PROGRAM = """
import asyncio, json, sys
import function_app
from sync_core import bootstrap
cold = [name for name in sys.modules if name.startswith("opentelemetry") or name == "sync_core.telemetry.metrics"]
asyncio.run(bootstrap.runtime())
print(json.dumps([cold, sorted(sys.modules)]))
"""


def loaded(telemetry: str) -> tuple[list[str], list[str]]:
    """What of telemetry is loaded to answer from cold; and all that is loaded with the first message."""
    answer = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=ROOT,
        env={**SETTINGS, "XTSYNC_TELEMETRY": telemetry},
        capture_output=True,
        check=True,
    )
    cold, warm = json.loads(answer.stdout)
    return cold, warm


@pytest.mark.parametrize(("telemetry", "on"), [("off", False), ("otlp", True)])
def test_only_if_it_is_on_are_the_libraries_loaded(telemetry: str, on: bool) -> None:
    """And even then not before the first post or message."""
    cold, warm = loaded(telemetry)
    assert cold == []
    assert any(name.startswith(OURS) for name in warm) is on


def test_a_span_that_is_off_is_nothing() -> None:
    """So a message carries nothing, and counting counts nowhere."""
    with span("received", Kind.RECEIVED, {"a": 1}) as outer, span("inside") as inner:
        inner.note({"b": 2})
        inner.failed("Refused")
        measured(CHANGES, 1, {})
    assert (outer.traceparent, inner) == ("", outer)

"""The local host's telemetry has the rows that Application Insights would get."""

from __future__ import annotations

import asyncio
import logging
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from local.functions_host.telemetry import Row, Telemetry, into_file, running
from tests.support.telemetry import read_telemetry

NOON = datetime(2026, 11, 29, 12, tzinfo=UTC)


@pytest.fixture
def rows() -> list[tuple[str, Row]]:
    return []


@pytest.fixture
def telemetry(rows: list[tuple[str, Row]]) -> Telemetry:
    return Telemetry(lambda table, row: rows.append((table, row)), now=lambda: NOON)


def test_a_log_record_is_a_trace_of_its_function(telemetry: Telemetry, rows: list[tuple[str, Row]]) -> None:
    """With the text as logged, and App Insights' number for its level."""
    log = logging.getLogger("test_telemetry")
    log.addHandler(telemetry)
    try:
        with running("poll_feeds", "1"):
            log.warning("feed.stopped tenant=%s", "contoso")
    finally:
        log.removeHandler(telemetry)
    expected = {"TimeGenerated": NOON, "OperationName": "poll_feeds", "ItemCount": 1, "SeverityLevel": 2}
    assert rows == [("AppTraces", {**expected, "Message": "feed.stopped tenant=contoso"})]


async def test_a_line_whose_invocation_has_ended_is_dropped(telemetry: Telemetry, rows: list[tuple[str, Row]]) -> None:
    """A task may outlive the function that started it; the host does not take its lines any more."""
    log = logging.getLogger("test_telemetry")
    log.addHandler(telemetry)
    ended = asyncio.Event()

    async def late() -> None:
        log.warning("in time")
        await ended.wait()
        log.warning("too late")

    try:
        with running("poll_feeds", "1"):
            task = asyncio.create_task(late())
            await asyncio.sleep(0)
        ended.set()
        await task
    finally:
        log.removeHandler(telemetry)
    assert [row["Message"] for _, row in rows] == ["in time"]


@pytest.mark.parametrize("name", ["local.functions_host.invoker", "azure_functions_runtime"])
def test_the_host_s_own_lines_are_no_traces(telemetry: Telemetry, rows: list[tuple[str, Row]], name: str) -> None:
    """The host and the worker log about themselves."""
    telemetry.emit(logging.LogRecord(name, logging.INFO, "", 0, "executed", None, None))
    assert rows == []


@pytest.mark.parametrize(
    ("status", "failed", "code", "success"),
    [(None, False, "0", True), (None, True, "0", False), (202, False, "202", True), (415, False, "415", False)],
)
def test_an_invocation_is_a_request(
    telemetry: Telemetry, rows: list[tuple[str, Row]], *, status: int | None, failed: bool, code: str, success: bool
) -> None:
    """A function without HTTP has the code 0; an answer of 400 and above is no success."""
    telemetry.request("health", began=NOON - timedelta(seconds=1.5), status=status, failed=failed)
    ((table, row),) = rows
    assert (table, row["Name"], row["OperationName"]) == ("AppRequests", "health", "health")
    assert (row["ResultCode"], row["Success"], row["DurationMs"]) == (code, success, 1500.0)


def test_a_file_keeps_rows_as_they_were(tmp_path: Path) -> None:
    """Several hosts may append to one file, a line each time."""
    path = tmp_path / "telemetry.jsonl"
    for number in range(2):
        into_file(path)("AppTraces", {"TimeGenerated": NOON, "Message": f"event.{number}"})
    assert read_telemetry(path) == [
        ("AppTraces", {"TimeGenerated": NOON, "Message": f"event.{number}"}) for number in range(2)
    ]

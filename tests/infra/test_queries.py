"""Microsoft's own analyser reads every query, given the columns of the two tables that they ask."""

from __future__ import annotations

import json

from tools.infra import ROOT

from .kql import analyse, with_time_range
from .snapshots import Deployment

MISSPELT = "AppTraces | where Mesage startswith 'feed.' | summarize count() by OperationName"


def test_the_analyser_has_nothing_against_any_query() -> None:
    """Of the alerts, and of the workbook; and it does see a misspelt column, a table that is none, and half a query."""
    queries = dict(Deployment.committed("plain").queries())
    planted = [MISSPELT, "AppTrace | take 1", "AppTraces | summarize make_set_iff(Message, true)"]
    *complaints, column, table, function = analyse([*map(with_time_range, queries.values()), *planted])
    assert {name: found for name, found in zip(queries, complaints, strict=True) if found} == {}
    assert ["'Mesage' does not refer to any known column" in each for each in column] == [True]
    assert "'AppTrace' does not refer to any known table" in table[0]
    assert "'make_set_iff' does not refer to any known function" in function[0]


def test_the_host_is_as_quiet_when_it_sends_by_opentelemetry() -> None:
    """In that mode it goes by rules of its own. Without them each idle poll of a queue is two lines of 1 kB."""
    logging = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["logging"]
    assert logging["OpenTelemetry"]["logLevel"] == logging["logLevel"]


def test_no_row_is_a_sample() -> None:
    """The percentiles of the workbook take each row for one item: neither table may be sampled."""
    settings = json.loads((ROOT / "host.json").read_text(encoding="utf-8"))["logging"]["applicationInsights"]
    assert {"Trace", "Request"} <= set(settings["samplingSettings"]["excludedTypes"].split(";"))

"""JSON lines: one answer for each request."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sync_core.mapping.expressions import evaluate_lines

from .support import NOW


def _answers(*lines: str, seed: int = 1) -> list[dict[str, Any]]:
    return [json.loads(line) for line in evaluate_lines(lines, now_default=NOW, seed=seed)]


@pytest.mark.parametrize(
    ("request_", "answer"),
    [
        ({"expression": "[x]", "source": {"x": "é"}}, {"value": "é"}),
        ({"expression": "[x]"}, {"value": None}),
        ({"expression": "[x]", "source": None, "now": None, "context": None}, {"value": None}),
        ({"expression": "IgnoreFlowIfNullOrEmpty([x])"}, {"flow": "ignore"}),
        ({"expression": 'IIF(1, IgnoreObjectFlow, "")'}, {"flow": "ignore-object"}),
        ({"expression": "Now()", "now": "2021-07-02T15:33:38Z"}, {"value": "7/2/2021 3:33:38 PM"}),
        ({"expression": "Now()", "now": "2021-07-02T15:33:38-08:00"}, {"value": "7/2/2021 11:33:38 PM"}),
        ({"expression": "Now()", "now": "2021-07-02"}, {"value": "7/2/2021 12:00:00 AM"}),
        ({"expression": "Now()"}, {"value": "7/30/2025 12:00:00 PM"}),
        ({"expression": "DefaultDomain()", "context": {"default_domain": "c.com"}}, {"value": "c.com"}),
        ({"expression": "Redact([x])", "source": {"x": "s"}}, {"value": "s", "log": "[Redact]"}),
        ({"expression": "[x]", "source": {"x": "\ud800"}}, {"value": "\ud800"}),
    ],
)
def test_answers(request_: dict[str, Any], answer: dict[str, Any]) -> None:
    """Values, flows and defaults."""
    assert _answers(json.dumps(request_)) == [answer]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("nonsense", "not JSON"),
        ("[" * 100_000, "not JSON"),
        ('{"expression": "[x]", "source": {"x": NaN}}', "not JSON"),
        ('{"expression": "[x]", "source": {"x": ' + "1" * 5000 + "}}", "not JSON"),
        ("[1]", "not a JSON object"),
        ("{}", "'expression' must be text"),
        ('{"expression": 1}', "'expression' must be text"),
        ('{"expression": "[x]", "source": []}', "'source' must be an object"),
        ('{"expression": "[x]", "sauce": {}}', "'sauce' is not known"),
        ('{"expression": "[x]", "context": {"a": 1}}', "'context.a' is not known"),
        ('{"expression": "[x]", "context": {"existing_target_values": [1]}}', "list of text"),
        ('{"expression": "[x]", "context": {"default_domain": 1}}', "must be text"),
        ('{"expression": "[x]", "now": "soon"}', "ISO 8601"),
        ('{"expression": "[x]", "now": 1}', "ISO 8601"),
        ('{"expression": "Nope("}', "line 1, column 6: "),
        ('{"expression": "CDate([x])", "source": {"x": "never"}}', "line 1, column 1: CDate: expects a date"),
    ],
)
def test_errors(line: str, words: str) -> None:
    """Every fault is an answer."""
    (answer,) = _answers(line)
    assert answer.keys() == {"error"}
    assert words in answer["error"]


def test_blank_lines_are_skipped_and_lines_do_not_depend_on_each_other() -> None:
    """A line's chance is made of the seed and its number."""
    guid = '{"expression": "Guid()"}'
    first, second = _answers(guid, guid)
    assert first != second
    assert _answers("nonsense", guid)[1] == second
    assert _answers(guid, "", "  \n") == [first]
    assert _answers(guid, seed=2) != [first]

"""Every case of Microsoft's pages that documented.json holds.

`expected` is what the reference's rules give; `page_says` stands beside it where a page contradicts those rules.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sync_core.mapping.expressions import evaluate_lines

from .support import NOW, plain

CASES: list[dict[str, Any]] = json.loads(Path(__file__).with_name("documented.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[f"{i}-{case['function']}" for i, case in enumerate(CASES)])
def test_documented_case(case: dict[str, Any]) -> None:
    """The evaluator gives what Microsoft's page documents for this expression and this input."""
    request = {key: case[key] for key in ("expression", "source", "now", "context") if key in case}
    answer = json.loads(next(evaluate_lines([json.dumps(request)], now_default=NOW, seed=1)))
    match case["expected"]:
        case {"$flow": flow}:
            assert answer == {"flow": flow}
        case {"$regex": pattern}:
            assert re.fullmatch(pattern, answer["value"])
        case {"$random": rule}:
            _assert_random(answer["value"], rule)
        case expected:
            assert plain(answer["value"]) == plain(expected)
    assert answer.get("log") == case.get("log")


def _assert_random(text: str, rule: dict[str, Any]) -> None:
    assert len(text) == rule["length"]
    assert sum(char.isdigit() for char in text) >= rule["min_digits"]
    assert sum(not char.isalnum() for char in text) >= rule["min_special"]
    assert sum(char.isupper() for char in text) >= rule["min_upper"]
    assert sum(char.islower() for char in text) >= rule["min_lower"]
    assert not set(text) & set(rule["avoid"])

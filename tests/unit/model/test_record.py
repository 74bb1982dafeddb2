"""What the record keeps of a value."""

from __future__ import annotations

import pytest

from sync_core.model import Json
from sync_core.model.record import as_text


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, None),
        ("x", "x"),
        (True, "true"),
        (["a", "é"], '["a", "é"]'),
        ({"id": "t1", "since": None}, "t1"),
        ("a\ud800", "a?"),
    ],
)
def test_values_become_text(value: Json, text: str | None) -> None:
    """Whatever a mapping makes; half a surrogate pair fits into no row."""
    assert as_text(value) == text

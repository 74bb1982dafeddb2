"""Values, described in messages."""

from __future__ import annotations

from sync_core.mapping.expressions.dotnet.moment import Moment
from sync_core.mapping.expressions.values import Value, shape


def test_values_are_described_and_not_quoted() -> None:
    """Messages go to logs."""
    values: list[Value] = ["secret", True, ["secret"], None, 13, {}, Moment(0)]
    assert [shape(value) for value in values] == [
        "text of 6 characters",
        "true or false",
        "a list of 1",
        "null",
        "a number",
        "a complex value",
        "a date",
    ]

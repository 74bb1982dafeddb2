"""Values of expressions as target attributes take them."""

from __future__ import annotations

import pytest

from sync_core.mapping.expressions import EvaluationError, fit
from sync_core.mapping.expressions.dotnet.moment import Moment
from sync_core.mapping.expressions.values import Value, shape
from sync_core.model import Json


@pytest.mark.parametrize(
    ("value", "kind", "expected"),
    [
        ("True", bool, True),
        ("false", bool, False),
        (True, bool, True),
        (13, str, "13"),
        (True, str, "True"),
        (["a"], str, "a"),
        ("a", list, ["a"]),
        (["a", 1], list, ["a", "1"]),
        (None, bool, None),
        ("", str, ""),
        ([], list, []),
    ],
)
def test_fit(value: Json, kind: type[bool | str | list[str]], expected: Json) -> None:
    """Booleans surface as .NET's strings; Graph wants booleans."""
    assert fit(value, kind) == expected


@pytest.mark.parametrize(("value", "kind"), [("yes", bool), (1, bool), (["a", "b"], str), ({"id": "1"}, str)])
def test_what_does_not_fit(value: Json, kind: type[bool | str | list[str]]) -> None:
    """Writing something else instead would be worse than an error."""
    with pytest.raises(EvaluationError):
        fit(value, kind)


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

"""Replace in all its forms."""

from __future__ import annotations

import pytest

from sync_core.mapping import expressions
from sync_core.mapping.expressions import EvaluationError
from sync_core.model import Json

from .support import value, x


@pytest.mark.parametrize(
    ("text", "given_", "expected"),
    [
        ('Replace([x], "a", , , "b", , )', "banana", "bbnbnb"),
        ('Replace([x], "A", , , "b", , )', "banana", "banana"),
        ('Replace([x], "a", , , "", ,)', "banana", "bnn"),
        ('Replace([x], "a", , , "b", , )', None, None),
        ('Replace([x], "a", , , "b", , )', "", ""),
        ("Replace([x], 1, , , 2, , )", 121, "222"),
        ('Replace([x], "a", , , "$0", , )', "ab", "$0b"),
        ('Replace([x], "<u>", , , , , "<u>@c.com, <u>")', "ann", "ann@c.com, ann"),
        ('Replace([x], "<u>", , , , , "<u>@c.com")', None, None),
        ('Replace([x], "a", , , , [y], )', "ab", "Yb"),
        ('Replace([x], "a", , , , "y", )', "ab", "Yb"),
        ('Replace([x], , "[a-zA-Z_]*", , "", , )', "john_doe72", "72"),
        ('Replace([x], , "b+", , "-", , )', "abbbc", "a-c"),
        ('Replace([x], , "b+", , "[$0]", , )', "abbbc", "a[bbb]c"),
        ('Replace([x], , "(?<f>\\\\w+) (?<l>\\\\w+)", , "${l}, ${f}", , )', "John Doe", "Doe, John"),
        ('Replace([x], , "(\\\\w+) (?<l>\\\\w+)", , "$2-$1", , )', "John Doe", "Doe-John"),
        ('Replace([x], , "b", , "${nope}$9$$", , )', "abc", "a${nope}$9$c"),
        ('Replace([x], , "b", , , [y], )', "abc", "aYc"),
        ('Replace([x], , "<.>", , , , "<a> and <b>")', "$0", "$0 and $0"),
        ('Replace([x], , "(?<n>^\\\\d*)", "n", "888", , )', "545 Tremont Street", "888 Tremont Street"),
        ('Replace([x], , "(?<n>^\\\\d*)", "n", "888", , )', "Tremont Street", "Tremont Street"),
        ('Replace([x], , "a(?<n>\\\\d)", "n", "#", , )', "a1 a2 1", "a# a# 1"),
        ('Replace([x], , "a(?<n>\\\\d)", "n", "$0", , )', "a1", "a$0"),
        ('Replace([x], , "a(?<n>\\\\d)", "n", , , "a1-a2")', "Z", "aZ-aZ"),
        ('Replace([x], , "(?<n>\\\\d+)", "n", , [y], )', "own", "own"),
        ('Replace([x], , "(?<n>Y)", "n", , [y], )', "", "Y"),
        ('Replace([x], , "(?<n>Y)", "n", , "y", )', None, "Y"),
        ('Replace([x], , "(?<n>\\\\d+)", "n", , [y], )', None, None),
        ('Replace([x], , "(?<n>\\\\d+)", "n", , [z], )', None, None),
        ('Replace([x], , [x], , "!", , )', "a", "!"),
        ('Replace([x], , "(?<n>z)|Y", "n", , [y], )', "", None),
        ('Replace([x], "a", , , IIF(1, IgnoreAttributeFlow, ""), , )', "a", expressions.Flow.IGNORE_ATTRIBUTE),
        ('Replace(IIF(1, IgnoreAttributeFlow, ""), "a", , , "b", , )', "a", expressions.Flow.IGNORE_ATTRIBUTE),
    ],
)
def test_replace(text: str, given_: Json, expected: Json | expressions.Flow) -> None:
    """Which slots are filled decides what it does."""
    assert value(text, {"x": given_, "y": "Y"}) == expected


@pytest.mark.parametrize("pattern", ['[x], , "', '"("'])
def test_patterns_from_attributes_are_checked_when_they_come(pattern: str) -> None:
    """An attribute may hold anything."""
    with pytest.raises(EvaluationError, match="does not close"):
        x('Replace("abc", , [x], , "", , )', "(")
    with pytest.raises(EvaluationError, match="oldValue is empty"):
        x('Replace("abc", [x], , , "", , )', None)
    with pytest.raises(EvaluationError, match="no group of that name"):
        x('Replace("abc", , "(?<g>a)", [x], "", , )', "nope")

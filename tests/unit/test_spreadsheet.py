"""CSV that a spreadsheet opens without running anything in it."""

from __future__ import annotations

import csv
from datetime import UTC, datetime
from io import StringIO

import pytest
from hypothesis import given, strategies as st

from sync_core.ops.spreadsheet import line

FORMULAS = ("=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", "\n=1", '=cmd|"/c calc"!A1', "＝1")


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_text(text: str) -> None:
    """An apostrophe in front; the rest is as it was, whatever quotes the cell needs."""
    assert next(csv.reader(StringIO(line([text]), newline=""))) == [f"'{text}"]


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1), min_size=1))
def test_every_cell_is_read_back_and_none_begins_a_formula(cells: list[str]) -> None:
    """Commas, quotes and line ends inside a cell stay inside it."""
    (read,) = csv.reader(StringIO(line(cells), newline=""))
    assert [each.removeprefix("'") for each in read] == [each.removeprefix("'") for each in cells]
    assert not any(each[0] in "=+-@\t\r\n" for each in read)


def test_values_as_cells() -> None:
    """Times in UTC, several names in one cell, nothing for null."""
    at = datetime(2026, 11, 29, 8, tzinfo=UTC)
    assert line([at, 7, None, ("city", "mail"), ""]) == "2026-11-29T08:00:00.000000Z,7,,city mail,\r\n"

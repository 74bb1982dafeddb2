"""docs/expressions.md: every function is described, and every example gives what it says."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from sync_core.mapping import expressions
from sync_core.mapping.expressions import FUNCTIONS, UNAVAILABLE
from sync_core.mapping.expressions.dotnet.regex_syntax import MAX_COUNT, MAX_PATTERN
from sync_core.mapping.expressions.parser import MAX_DEPTH
from sync_core.mapping.expressions.tokens import MAX_LENGTH
from sync_core.mapping.expressions.values import MAX_TEXT

from .support import context, plain

PAGE = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text(encoding="utf-8")
ITEM = r"^- `(\w+)\([^`]*\)`:(?:.*\n)+?  Example: `` (.+) ``\s+gives `` (.+) ``\.$"
ITEMS = re.findall(ITEM, PAGE, re.MULTILINE)
SOURCE = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.DOTALL)[0])


def test_every_function_has_its_item() -> None:
    """In the order of the alphabet, as on Microsoft's page."""
    names = [name for name, _, _ in ITEMS]
    assert sorted(names, key=str.lower) == names
    assert set(names) == set(FUNCTIONS)
    for name in UNAVAILABLE:
        assert f"`{name}`" in PAGE


@pytest.mark.parametrize(("name", "text", "gives"), ITEMS, ids=[name for name, _, _ in ITEMS])
def test_example(name: str, text: str, gives: str) -> None:
    """The example is one of this function, and gives what stands beside it."""
    expression = expressions.compile(text.replace("\\|", "|"), looked_up=True)
    found = expression.evaluate(SOURCE, context(existing=["ann.lee@contoso.com"], domain="contoso.com"))
    assert name in text
    if name in ("Guid", "RandomString"):
        assert len(str(found)) == len(gives)
    elif isinstance(found, expressions.Flow):
        assert gives == f"({found.value})"
    else:
        assert (json.dumps(found) if isinstance(found, list) else str(plain(found))) == gives


def test_the_limits_are_those_of_the_code() -> None:
    """A number on the page is a promise."""
    for limit in (MAX_LENGTH, MAX_DEPTH, MAX_TEXT, MAX_PATTERN, MAX_COUNT):
        assert f"{limit:,}" in PAGE

"""The table of metrics in docs/telemetry.md is the one of the code."""

from __future__ import annotations

import pytest

from tools.metrics_doc import PAGE, page


def test_the_table_is_up_to_date() -> None:
    """`make docs` writes it."""
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text


def test_a_page_without_its_markers_is_not_written() -> None:
    """The table would be nowhere, and nothing would say so."""
    with pytest.raises(ValueError, match="has lost its markers"):
        page("# Telemetry\n")

"""The picture of the layers in docs/architecture.md is the contract that import-linter holds."""

from __future__ import annotations

from configparser import ConfigParser
from pathlib import Path

import pytest

from tools.layers import PAGE, page, pictures, read_contracts

CONTRACTS = """\
[importlinter:contract:rooms]
type = layers
containers = app
layers =
    cli
    ops | graph
    model

[importlinter:contract:pure]
type = forbidden
source_modules =
    app.model
"""


def test_the_picture_is_up_to_date() -> None:
    """`make docs` draws it."""
    text = PAGE.read_text(encoding="utf-8")
    assert page(text) == text


def test_every_room_of_the_contract_is_in_the_picture() -> None:
    """With what the package's docstring says of it."""
    contracts = read_contracts()
    for room in contracts["importlinter:contract:rooms"]["layers"].replace("|", " ").split():
        assert f" {room}/ " in pictures(contracts) or f" {room}.py " in pictures(contracts)


def test_layers_are_drawn_from_top_to_bottom(tmp_path: Path) -> None:
    """A line between two layers, none between neighbours, and a star where the contract forbids I/O."""
    for name in ("cli", "graph", "model"):
        (tmp_path / "app" / name).mkdir(parents=True)
    rooms = ("cli/      for people", "ops.py    documents", "graph/    Graph", "model/    the nouns")
    said = '"""An app.\n\n' + "".join(f"    {room}\n" for room in rooms) + '"""'
    (tmp_path / "app" / "__init__.py").write_text(said, encoding="utf-8")
    contracts = ConfigParser()
    contracts.read_string(CONTRACTS)
    assert pictures(contracts, tmp_path).splitlines() == [
        "```text",
        "app/",
        "---------------------------",
        "  cli/           for people",
        "---------------------------",
        "  ops.py         documents",
        "  graph/         Graph",
        "---------------------------",
        "* model/         the nouns",
        "---------------------------",
        "```",
    ]


def test_a_page_without_markers_is_refused() -> None:
    """Else the picture would vanish without a word."""
    with pytest.raises(ValueError, match="has lost its markers"):
        page("# Architecture\n")

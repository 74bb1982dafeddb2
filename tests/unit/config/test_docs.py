"""docs/configuration.md and docs/sync.schema.json say what the program takes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from sync_core.config.cases import run_cases
from sync_core.config.file import Config, parse_config
from sync_core.model import Operator
from tests.support.cli import SYNC
from tools.sync_schema import main as write_schema, schema_text

DOCS = Path(__file__).parents[3] / "docs"
TEXT = (DOCS / "configuration.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)
CASES = [text for text in EXAMPLES if text.startswith("cases:")]


def whole(example: str) -> str:
    """Parts of a sync are put into one; receivers of notices stand beside the syncs."""
    if example.startswith("notify:"):
        return SYNC + example
    return example if "tenants:" in example else SYNC + "".join(f"    {line}\n" for line in example.splitlines())


@pytest.mark.parametrize(
    "example", [text for text in EXAMPLES if text not in CASES], ids=lambda text: text.split(":")[0]
)
def test_every_example_is_valid_and_gives_no_warning(example: str) -> None:
    """People copy examples."""
    assert not parse_config(whole(example)).warnings


def test_the_example_cases_pass_with_the_example_mapping(tmp_path: Path) -> None:
    """Run against the scope and mapping that stand above them."""
    parts = [text for text in EXAMPLES if text.startswith(("scope:", "mapping:"))]
    config: Config = parse_config(whole("".join(parts)))
    (tmp_path / "cases.yaml").write_text(CASES[0], encoding="utf-8")
    results = run_cases(tmp_path / "cases.yaml", config)
    assert [(result.name, result.differences) for result in results if result.differences] == []
    assert len(results) == 2


def test_the_schema_is_current(capsys: pytest.CaptureFixture[str]) -> None:
    """`python -m tools.sync_schema > docs/sync.schema.json` after a change."""
    write_schema()
    assert (DOCS / "sync.schema.json").read_text(encoding="utf-8") == schema_text() == capsys.readouterr().out


def test_every_key_is_described() -> None:
    """In the schema with a word for the editor, in the documentation by name."""
    schema: dict[str, Any] = json.loads(schema_text())
    for shape in [schema, *schema["$defs"].values()]:
        for key in shape.get("properties", {}):
            assert f"`{key}`" in TEXT or f"## {key}" in TEXT or f"{key}:" in TEXT, key
        for name, value in shape.get("properties", {}).items():
            assert "description" in value or "$ref" in value, name
    for operator in Operator:
        assert f"`{operator}`" in TEXT, operator

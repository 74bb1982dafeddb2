"""The pages for operators say what the code and the templates have, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sync_core.cli.__main__ import build_parser
from sync_core.config.settings import Settings
from tools.settings_doc import PAGE, SCHEDULES, page

ROOT = Path(__file__).parents[3]
ALERTS = (ROOT / "infra" / "modules" / "alerts.bicep").read_text(encoding="utf-8")
OPERATIONS = (ROOT / "docs" / "operations.md").read_text(encoding="utf-8")
COMMANDS = sorted(set(re.findall(r"xtsync ([a-z]+(?: (?:list|approve|reject))?)", OPERATIONS)))


def test_the_page_of_settings_is_up_to_date() -> None:
    """`make docs` writes it."""
    assert PAGE.read_text(encoding="utf-8") == page()


def test_every_setting_is_described() -> None:
    """An alias without a description would be a line that helps nobody."""
    listed = set(re.findall(r"^- `(\w+)`", page(), re.MULTILINE))
    fields = Settings.model_fields.values()
    assert {str(field.alias) for field in fields} | set(SCHEDULES) <= listed
    assert [field.alias for field in fields if not field.description] == []


def test_every_alert_has_its_section_in_operations() -> None:
    """By name and in the order of the templates; none that does not exist."""
    assert re.findall(r"^### `([\w-]+)`$", OPERATIONS, re.MULTILINE) == re.findall(
        r"^    name: '([\w-]+)'$", ALERTS, re.MULTILINE
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_in_operations_exists(command: str) -> None:
    """As typed; --help leaves with 0 only for a command that there is."""
    with pytest.raises(SystemExit) as left:
        build_parser().parse_args([*command.split(), "--help"])
    assert left.value.code == 0


def test_every_file_that_operations_links_to_exists() -> None:
    """Nobody wants to find out at night that a link is dead."""
    links = [link for link in re.findall(r"\]\(([^)#]+)", OPERATIONS) if "://" not in link]
    assert [link for link in links if not (ROOT / "docs" / link).exists()] == []

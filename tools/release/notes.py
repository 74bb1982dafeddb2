"""Whether a tag may be released, and what its notes say."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

_SECTION = re.compile(
    r"^## \[(?P<version>[^\]]+)\] - (?P<day>\S+)\n(?P<notes>.*?)(?=^## |^\[|\Z)", re.DOTALL | re.MULTILINE
)


def project_version(root: Path) -> str:
    return str(tomllib.loads((root / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def faults(tag: str, version: str, changelog: str) -> Iterator[str]:
    """Why this tag is not to be released, each with the remedy."""
    if tag != f"v{version}":
        yield f"the tag is {tag} and pyproject.toml has version {version}: tag v{version}, or change the version"
    found = _section(version, changelog)
    if found is None:
        yield f'CHANGELOG.md has no section "## [{version}] - <day>": write it'
    elif not re.fullmatch(r"\d{4}-\d\d-\d\d", found["day"]):
        yield f'the section of {version} in CHANGELOG.md is "{found["day"]}": put the day of the release there'


def notes(version: str, changelog: str) -> str:
    """The section of that version without its heading. Raises ValueError where there is none."""
    found = _section(version, changelog)
    if found is None:
        raise ValueError(f"CHANGELOG.md has no section of {version}")
    return found["notes"].strip() + "\n"


def _section(version: str, changelog: str) -> re.Match[str] | None:
    return next((each for each in _SECTION.finditer(changelog) if each["version"] == version), None)

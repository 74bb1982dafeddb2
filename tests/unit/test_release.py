"""A release: whether a tag may become one, what its notes say, and the bill of materials."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tools.release.notes import faults, notes
from tools.release.sbom import bill

CHANGELOG = """\
# Changes

## [0.3.0] - unreleased

Later.

## [0.2.0] - 2026-02-01

### Added

- One thing.

## [0.1.0] - 2026-01-01

The first.
"""


def test_a_tag_that_is_the_version_may_be_released() -> None:
    """With a dated section there is nothing to say."""
    assert list(faults("v0.2.0", "0.2.0", CHANGELOG)) == []


@pytest.mark.parametrize(
    ("tag", "version", "fault"),
    [
        ("v0.2.1", "0.2.0", "the tag is v0.2.1 and pyproject.toml has version 0.2.0"),
        ("v0.3.0", "0.3.0", 'the section of 0.3.0 in CHANGELOG.md is "unreleased"'),
        ("v0.4.0", "0.4.0", 'CHANGELOG.md has no section "## [0.4.0] - <day>"'),
    ],
)
def test_any_other_tag_is_refused_with_the_remedy(tag: str, version: str, fault: str) -> None:
    """Before anything is built."""
    [found] = faults(tag, version, CHANGELOG)
    assert found.startswith(fault)


def test_notes_are_the_section_of_the_version() -> None:
    """Up to the next section, or to the end."""
    assert notes("0.2.0", CHANGELOG) == "### Added\n\n- One thing.\n"
    assert notes("0.1.0", CHANGELOG) == "The first.\n"
    with pytest.raises(ValueError, match=r"no section of 0\.9\.0"):
        notes("0.9.0", CHANGELOG)


def test_the_bill_lists_what_is_installed_in_the_package(tmp_path: Path) -> None:
    """Each part with its address, its licence and what it needs of the others; the app with the digest of its zip."""
    install(tmp_path, "Big_Library", "2.0", "License-Expression: MIT\nRequires-Dist: small (>=1)\nRequires-Dist: other")
    install(tmp_path, "small", "1.0", "License: BSD 3-Clause\n")
    archive = tmp_path / "app.zip"
    archive.write_bytes(b"zip")
    made = bill(tmp_path, archive, "0.2.0")
    assert made["components"] == [
        {
            "type": "library",
            "bom-ref": "pkg:pypi/big-library@2.0",
            "name": "big-library",
            "version": "2.0",
            "purl": "pkg:pypi/big-library@2.0",
            "licenses": [{"expression": "MIT"}],
        },
        {
            "type": "library",
            "bom-ref": "pkg:pypi/small@1.0",
            "name": "small",
            "version": "1.0",
            "purl": "pkg:pypi/small@1.0",
            "licenses": [{"license": {"name": "BSD 3-Clause"}}],
        },
    ]
    assert made["dependencies"] == [
        {"ref": "xtsync", "dependsOn": ["pkg:pypi/big-library@2.0", "pkg:pypi/small@1.0"]},
        {"ref": "pkg:pypi/big-library@2.0", "dependsOn": ["pkg:pypi/small@1.0"]},
        {"ref": "pkg:pypi/small@1.0", "dependsOn": []},
    ]
    digest = hashlib.sha256(b"zip").hexdigest()
    assert f"'hashes': [{{'alg': 'SHA-256', 'content': '{digest}'}}]" in str(made["metadata"])


def test_the_same_zip_gives_the_same_bill(tmp_path: Path) -> None:
    """No time and no chance is in it; another zip has another serial number."""
    install(tmp_path, "small", "1.0", "")
    archive = tmp_path / "app.zip"
    archive.write_bytes(b"one")
    first = bill(tmp_path, archive, "0.2.0")
    assert bill(tmp_path, archive, "0.2.0") == first
    archive.write_bytes(b"two")
    assert bill(tmp_path, archive, "0.2.0")["serialNumber"] != first["serialNumber"]


def install(site: Path, name: str, version: str, more: str) -> None:
    folder = site / f"{name}-{version}.dist-info"
    folder.mkdir()
    text = f"Metadata-Version: 2.4\nName: {name}\nVersion: {version}\n{more}\n"
    (folder / "METADATA").write_text(text, encoding="utf-8")

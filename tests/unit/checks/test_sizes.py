"""The check on sizes, and what the first import of the app loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tools.checks import sizes
from tools.checks.source import ROOT

LATE = "    import json  # noqa: PLC0415 - why\n"


def found(root: Path, name: str, text: str) -> list[str]:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return [f"{finding.room}: {finding.what}" for finding in sizes.findings(root)]


@pytest.mark.parametrize("place", ["sync_core", "local"])
def test_a_long_file_is_found(tmp_path: Path, place: str) -> None:
    """The limit itself is allowed."""
    assert found(tmp_path, f"{place}/a.py", "x = 1\n" * 350) == []
    assert found(tmp_path, f"{place}/a.py", "x = 1\n" * 351) == [f"{place} files: 351 lines"]


@pytest.mark.parametrize("place", ["sync_core", "local"])
def test_a_long_function_is_found(tmp_path: Path, place: str) -> None:
    """Its decorators count; methods and functions within functions are measured, too."""
    assert found(tmp_path, f"{place}/a.py", "def f():\n" + "    x = 1\n" * 44) == []
    text = "class A:\n    @property\n    def f(self):\n" + "        x = 1\n" * 44
    assert found(tmp_path, f"{place}/a.py", text) == [f"{place} functions: f has 46 lines"]


def test_more_than_five_late_imports_are_found(tmp_path: Path) -> None:
    """Five in all of sync_core are allowed, wherever they stand."""
    found(tmp_path, "sync_core/a.py", "def f():\n" + LATE * 5)
    assert found(tmp_path, "local/a.py", "def f():\n" + LATE) == []
    assert len(found(tmp_path, "sync_core/b.py", "def f():\n" + LATE)) == 6


def test_a_link_changed_outside_of_its_file_is_found(tmp_path: Path) -> None:
    """Only model/link.py may; a test may build any link that it likes."""
    change = "changed = replace(link, dirty=True)\n"
    for name in ("sync_core/model/link.py", "tests/a.py", "local/a.py"):
        assert found(tmp_path, name, change) == []
    assert found(tmp_path, "sync_core/a.py", change) == ["replace(link: a link changed by replace()"]


def test_the_app_starts_without_graph_identity_and_storage() -> None:
    """The webhook answers from cold, so the first import must not load what only later messages need."""
    heavy = ("msgraph", "azure.identity", "azure.data.tables")
    program = f"import function_app, sys; print([name for name in {heavy!r} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", program], cwd=ROOT, capture_output=True, check=True, text=True)
    assert loaded.stdout == "[]\n"

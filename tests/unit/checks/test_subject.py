"""The check of a commit message, which the commit hook runs."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tools.checks import subject


@pytest.mark.parametrize(
    "message",
    [
        "x" * 72,
        "Subject\n\nBody.\n",
        "Subject\n# a comment of git's\n",
        f"Merge branch '{'x' * 80}'",
        "fixup! " + "x" * 80,
    ],
)
def test_a_good_message_passes(message: str) -> None:
    """Git's own subjects may be longer, since nobody wrote them."""
    assert list(subject.faults(message)) == []


@pytest.mark.parametrize(
    ("message", "fault"),
    [
        ("x" * 73, "has 73 characters; 72 are allowed"),
        ("\n\nBody", "first line is empty"),
        ("", "first line is empty"),
        ("Subject\nBody", "second line is not empty"),
    ],
)
def test_a_fault_names_its_remedy(message: str, fault: str) -> None:
    """One line for each fault."""
    [found] = subject.faults(message)
    assert fault in found


def test_the_exit_code_stops_the_commit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Git reads it from the file that it hands over."""
    file = tmp_path / "COMMIT_EDITMSG"
    file.write_text("x" * 80, encoding="utf-8")
    monkeypatch.setattr(sys, "argv", ["subject", str(file)])
    assert subject.main() == 1
    assert capsys.readouterr().err.startswith("commit message: the subject has 80 characters")

"""The ratchet: a room may have as many findings as its ceiling, and a ceiling only falls."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.checks import ceilings
from tools.checks.ceilings import Finding, above, lowered, main, read, text

OLD = {"words": {"a": 2, "b": 1}, "dead": {"a": 1}}


def finding(room: str, line: int = 1) -> Finding:
    return Finding(room=room, path=Path(room, "x.py"), line=line, what="too long", remedy="cut it")


@pytest.fixture(autouse=True)
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    file = tmp_path / "ceilings.toml"
    file.write_text(text(OLD), encoding="utf-8")
    monkeypatch.setattr(ceilings, "FILE", file)
    monkeypatch.setattr(read, "__defaults__", (file,))
    return file


def test_a_room_at_its_ceiling_passes(capsys: pytest.CaptureFixture[str]) -> None:
    """Old findings do not stop a change; they are counted."""
    assert main("words", [finding("a"), finding("a", 2)], []) == 0
    assert capsys.readouterr().out == "words: no room is above its ceiling, 2 old findings left\n"


def test_a_room_above_its_ceiling_lists_all_its_findings(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody can tell which of them is new, and other rooms stay out of the list."""
    assert main("words", [finding("a"), finding("b"), finding("b", 2)], []) == 1
    assert capsys.readouterr().out.splitlines() == [
        "b/x.py:1: too long; cut it",
        "b/x.py:2: too long; cut it",
        "words: b has 2 findings and may have 1",
    ]


def test_a_room_without_a_ceiling_may_have_none() -> None:
    """A new room starts clean, and so does a check without any ceiling."""
    assert above(OLD, "words", [finding("c")]) == above(OLD, "sizes", [finding("c")]) == [finding("c")]


def test_lower_writes_only_lower_numbers(file: Path) -> None:
    """A room without findings leaves the file; a room with more than before does not get more."""
    assert main("words", [finding("b"), finding("b", 2)], ["--lower"]) == 1
    assert read(file) == {"words": {"b": 1}, "dead": {"a": 1}}


def test_a_check_without_findings_leaves_the_file() -> None:
    """Then there is nothing left to lower."""
    assert lowered(OLD, "dead", {}) == {"words": {"a": 2, "b": 1}, "dead": {}}
    assert "[dead]" not in text(lowered(OLD, "dead", {}))


def test_a_named_room_is_listed_below_its_ceiling_too(capsys: pytest.CaptureFixture[str]) -> None:
    """For somebody who cleans a room."""
    assert main("words", [finding("a"), finding("b")], ["a"]) == 1
    assert capsys.readouterr().out == "a/x.py:1: too long; cut it\n"
    assert main("words", [finding("b")], ["a"]) == 0


def test_counts_are_printed_by_room(capsys: pytest.CaptureFixture[str]) -> None:
    """`--count` says how much is left where."""
    assert main("words", [finding("a"), finding("b")], ["--count"]) == 0
    assert capsys.readouterr().out.splitlines()[:2] == ["    1 a", "    1 b"]


def test_the_checked_in_file_is_what_the_program_writes() -> None:
    """So `--lower` changes nothing but numbers."""
    path = Path(ceilings.__file__).with_name("ceilings.toml")
    assert path.read_text(encoding="utf-8") == text(read(path))

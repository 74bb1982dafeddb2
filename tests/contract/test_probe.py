"""The built-in host gives the recorded answers, so that a run of the probe on the real host compares the two."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.contract import probe


async def test_the_built_in_host_gives_the_recorded_answers() -> None:
    """Every row. Where a change is meant: `python -m tests.contract.probe --host stand-in --record`."""
    recorded = json.loads(probe.RECORD.read_text(encoding="utf-8"))
    assert probe.difference(recorded["answers"], await probe.ask(core_tools=False)) == ""


@pytest.mark.parametrize(("status", "code"), [(500, 0), (200, 1)])
def test_a_difference_is_printed_and_is_exit_code_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], status: int, code: int
) -> None:
    """As a unified diff from the record to this host; the same answers print nothing."""
    answers: dict[str, Any] = json.loads(probe.RECORD.read_text(encoding="utf-8"))["answers"]
    answers["a function that raises"]["status"] = status

    async def ask(*, core_tools: bool) -> dict[str, object]:
        return answers

    monkeypatch.setattr(probe, "ask", ask)
    assert probe.main(["--host", "stand-in"]) == code
    printed = capsys.readouterr().out
    assert ('-    "status": 500' in printed, '+    "status": 200' in printed) == (bool(code), bool(code))


def test_without_core_tools_it_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Exit code 2, and no difference."""
    monkeypatch.setattr("local.hosts.shutil.which", lambda _name: None)
    assert probe.main(["--host", "func"]) == 2
    assert "install Azure Functions Core Tools 4" in capsys.readouterr().err

"""`xtsync holds`: the list of held deletions, and the code that stands for it."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.cli import ADA, BOB, CYD, NAME, SETTINGS, Bench


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.hold_two()
    return bench


def test_list_shows_who_why_and_the_way_on(bench: Bench) -> None:
    """The table has sync, users, change, age, state and reason, and then the code with the commands to use it."""
    result = bench.run("holds")
    assert result.code == 0
    listed = bench.code()
    first = next(line for line in result.out.splitlines() if ADA in line)
    for word in (NAME, "guest-of-aaaa", "SoftDelete", "30 min ago", "held", "1 of at most 1 deletions"):
        assert word in first
    assert f"2 deletions waiting. CODE {listed} stands for exactly these 2:" in result.out
    assert f"xtsync holds approve {listed}" in result.out
    assert listed.startswith("2-")
    assert bench.run("holds", "list").out == result.out


def test_list_json(bench: Bench) -> None:
    """Programs get the code and each hold with its decision."""
    document = bench.run("holds", "list", "--sync", NAME, "--json").json
    assert set(document) == {"code", "holds"}
    assert document["holds"][1] == {
        "sync": NAME,
        "source_id": BOB,
        "target_id": "guest-of-bbbb",
        "change": "Disable",
        "cause": None,
        "reason": "1 of at most 1 deletions in the window were used",
        "held_at": "2026-01-05T09:30:00.000000Z",
        "state": "held",
        "decided_at": None,
        "decided_by": None,
    }


def test_options_before_the_action_count(bench: Bench) -> None:
    """`holds --sync NAME list` and `holds list --sync NAME` are the same."""
    assert bench.run("holds", "--sync", "nonsense", "list").code == 2
    assert bench.run("holds", "list", "--sync", "nonsense").code == 2
    assert bench.run("holds", "--json", "list").json["holds"]


def test_a_narrow_terminal_gets_blocks(bench: Bench) -> None:
    """Where the table does not fit, each hold is a block of lines, and its ids stay whole."""
    bench.environ = {**SETTINGS, "COLUMNS": "60"}
    shown = bench.run("holds", terminal=True).out
    assert ADA in shown
    assert max(map(len, shown.splitlines())) < 100
    bench.environ = {**SETTINGS, "COLUMNS": "250"}
    [row] = [line for line in bench.run("holds", terminal=True).out.splitlines() if ADA in line]
    assert NAME in row


def test_nothing_held(tmp_path: Path) -> None:
    """An empty list is said in words, and has a code for nothing."""
    bench = Bench(tmp_path)
    assert bench.run("holds").out == "No deletion is held.\n"
    assert bench.code().startswith("0-")
    assert bench.run("holds", "approve", bench.code(), "--yes").code == 1


def test_an_approval_that_ran_out_waits_again(bench: Bench) -> None:
    """After a day an unused approval counts no more, and the hold can be approved again."""
    bench.run("holds", "approve", bench.code(), "--yes")
    bench.clock.advance(timedelta(hours=25))
    assert "approval expired" in bench.run("holds").out
    assert bench.run("status", "--json").json["holds"][0]["waiting"] == 2
    assert bench.run("holds", "approve", bench.code(), "--yes").code == 0


def test_the_code_ignores_order_and_time(tmp_path: Path) -> None:
    """The same holds have the same code, whenever and in whatever order they were made; other holds another one."""

    def code(name: str, *users: str) -> str:
        folder = tmp_path / name
        folder.mkdir()
        bench = Bench(folder)
        for user in users:
            bench.clock.advance(timedelta(minutes=5))
            bench.hold(user)
        return bench.code()

    assert code("a", ADA, BOB) == code("b", BOB, ADA)
    assert code("c", ADA, BOB) != code("d", ADA, CYD)

"""`xtsync holds`: the list of held deletions, and the code that stands for it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.model.errors import UnavailableError
from tests.support.cli import ADA, BOB, CYD, NAME, SETTINGS, Bench
from tests.support.make import person


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


def test_people_have_names_where_a_person_reads(bench: Bench) -> None:
    """Of the source user, or of the target user where that one is gone; JSON has object ids alone."""
    bench.source.users[ADA] = person("Ada")
    bench.target.add("guest-of-bbbb", "bob@contoso.example", displayName="Bob")
    shown = bench.run("holds").out
    assert "Ada <ada@contoso.example>" in next(line for line in shown.splitlines() if ADA in line)
    assert "Bob" in next(line for line in shown.splitlines() if BOB in line)
    assert "ada@" not in bench.run("holds", "--no-names").out + bench.run("holds", "--json").out
    assert "ada@" not in bench.run("holds", "list", "--no-names").out


def test_names_that_cannot_be_read_hide_no_hold(bench: Bench) -> None:
    """As on a laptop, where nobody has the app's identity: one try, then object ids alone."""
    bench.source.users[ADA] = person("Ada")
    bench.faults.fail_next("source.read_user", *[UnavailableError()] * 2)
    shown = bench.run("holds")
    assert (shown.code, ADA in shown.out, BOB in shown.out, " name  " in shown.out) == (0, True, True, False)


def test_a_list_is_grouped_by_cause(bench: Bench) -> None:
    """The largest cause first: one mistake is most often one cause."""
    for n, cause in enumerate(("deleted in the source", "out of scope: no group", "out of scope: no group")):
        hold = bench.hold(f"dddddddd-0000-0000-0000-{n:012d}")
        bench.do(bench.storage.guards.save_hold(replace(hold, cause=cause)))
    lines = bench.run("holds").out.splitlines()
    headings = [line for line in lines if line.endswith((" user", " users"))]
    assert headings == [
        "no cause was recorded: 2 users",
        "out of scope: no group: 2 users",
        "deleted in the source: 1 user",
    ]

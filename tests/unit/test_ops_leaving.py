"""The users who are due, and those whom a person keeps, for the command line and the endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.model import Kind, Why
from tests.support.cli import ADA, BOB, CONFIG, NAME, Bench
from tests.support.endpoints import call, said
from tests.support.make import person
from tests.support.principals import OPERATOR_ID

STAGES = "    deprovision: { source_deleted: [disable, { after: 14d, then: soft_delete }] }\n"
DAY = timedelta(days=1)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Ada was deleted in the source, and is disabled."""
    bench = Bench(tmp_path)
    (tmp_path / "sync.yaml").write_text(CONFIG + STAGES)
    bench.source.users[ADA] = person("Ada")
    bench.run("sync", ADA)
    bench.clock.advance(timedelta(hours=1))
    bench.source.soft_delete(ADA)
    bench.run("sync", ADA, "--sync", NAME)
    bench.nominations()
    bench.clock.advance(timedelta(minutes=1))
    return bench


def test_who_is_due_in_words(bench: Bench) -> None:
    """The stage, what comes and when; the status shows the same."""
    line = f"{NAME}  {ADA}  disable  2026-01-05 10:00:00 UTC  soft_delete  in 14 days  -"
    assert " ".join(line.split()) in " ".join(bench.run("due", "--no-names").out.split())
    status = " ".join(bench.run("status").out.split())
    assert f"1 user of {NAME} in stages of leaving (all: xtsync due)" in status
    assert " ".join(line.split()) in status
    assert "The next stage, soft_delete, comes at 2026-01-19 10:00:00 UTC." in bench.run("why", ADA).out


def test_nobody_is_due(tmp_path: Path) -> None:
    """Without stages there is nothing to list."""
    assert Bench(tmp_path).run("due").out == "Nobody leaves in stages now.\n"


def test_a_person_is_kept_and_then_no_longer(bench: Bench) -> None:
    """The author and the reason stand in the list and on record, and each word leads to a look."""
    kept = bench.run("keep", ADA, "--until", "2026-03-01", "--reason", "hands over", "--by", "anna")
    assert (kept.code, kept.out) == (0, f"{NAME}: user {ADA} is kept until 2026-03-01 00:00:00 UTC\n")
    assert [(each.user, each.why) for each in bench.nominations()] == [(ADA, Why.OPERATOR)]
    bench.run("sync", ADA, "--sync", NAME)
    assert "by anna: hands over" in bench.run("due").out
    assert "anna keeps the user until 2026-03-01 00:00:00 UTC: hands over." in bench.run("why", ADA).out
    bench.clock.advance(20 * DAY)
    bench.run("sync", ADA, "--sync", NAME)
    assert list(bench.target.deleted) == []

    ended = bench.run("keep", ADA, "--end", "--by", "bea")
    assert (ended.code, ended.out) == (0, f"{NAME}: user {ADA} is kept no longer, and looked at now\n")
    bench.clock.advance(timedelta(minutes=1))
    bench.run("sync", ADA, "--sync", NAME)
    assert len(bench.target.deleted) == 1
    events = bench.run("history", ADA, "--json").json["events"]
    told = {each["kind"]: each["text"] for each in events}
    assert told[Kind.KEPT] == "anna keeps the user: until 2026-03-01 00:00:00 UTC: hands over"
    assert told[Kind.KEEP_ENDED] == "bea keeps the user no longer"


@pytest.mark.parametrize(
    "argv",
    [
        ["--until", "14d"],
        ["--reason", "r"],
        ["--until", "14d", "--reason", " "],
        ["--until", "14d", "--reason", "r", "--end"],
        [],
        ["--until", "366d", "--reason", "r"],
        ["--until", "2026-01-05", "--reason", "r"],
        ["--until", "soon", "--reason", "r"],
    ],
)
def test_a_word_that_does_not_say_enough_is_wrong_usage(bench: Bench, argv: list[str]) -> None:
    """Nothing is stored; nobody is kept for more than a year, or until a time that has passed."""
    before = bench.stored()
    wrong = bench.run("keep", ADA, *argv)
    assert (wrong.code, "hint: " in wrong.err) == (2, True)
    assert bench.stored() == before


def test_the_last_word_counts(bench: Bench) -> None:
    """A second word, also a shorter one, takes the place of the first."""
    for until in ("2026-05-01", "2026-03-01"):
        bench.run("keep", ADA, "--until", until, "--reason", until, "--by", "anna")
    bench.run("sync", ADA, "--sync", NAME)
    (each,) = bench.run("due", "--json").json["due"]
    assert (each["due_at"], each["keep"]["reason"]) == ("2026-03-01T00:00:00.000000Z", "2026-03-01")


def test_a_person_is_kept_before_they_leave(bench: Bench) -> None:
    """By user principal name; nothing is due, and nothing is taken when they leave."""
    bench.source.users[BOB] = person("Bob")
    bench.run("sync", BOB)
    writes = len(bench.target.writes)
    assert bench.run("keep", "bob@contoso.example", "--until", "30d", "--reason", "r", "--by", "anna").code == 0
    bench.source.soft_delete(BOB)
    bench.clock.advance(DAY)
    bench.run("sync", BOB, "--sync", NAME)
    assert len(bench.target.writes) == writes


def test_nobody_to_end(bench: Bench) -> None:
    """It says where to see who is kept."""
    refused = bench.run("keep", ADA, "--end", "--by", "anna")
    assert (refused.code, "hint: `xtsync due` shows who is kept." in refused.err) == (1, True)


def test_the_endpoint_keeps_and_ends(bench: Bench) -> None:
    """Recorded with the caller's object id."""
    kept = call(bench, "keep", "Operator", body={"until": "30d", "reason": " a handover "})
    (record,) = said(kept)["kept"]
    assert (kept.status, record["by"], record["reason"]) == (200, OPERATOR_ID, "a handover")
    for ended in ([{"sync": NAME, "user": ADA}], []):
        answer = call(bench, "end_keep", "Operator")
        assert (answer.status, said(answer)["ended"]) == (200, ended)


@pytest.mark.parametrize(
    "body",
    [
        {"until": "30d"},
        {"until": "30d", "reason": " "},
        {"until": "400d", "reason": "r"},
        {"until": "soon", "reason": "r"},
        {"until": 30, "reason": "r"},
    ],
)
def test_the_endpoint_refuses_a_word_that_does_not_say_enough(bench: Bench, body: Mapping[str, object]) -> None:
    """Nothing is stored."""
    before = bench.stored()
    assert call(bench, "keep", "Operator", body=body).status == 400
    assert bench.stored() == before


@pytest.mark.parametrize(
    ("query", "status"),
    [
        ({}, 200),
        ({"sync": NAME, "limit": "1"}, 200),
        ({"sync": "x"}, 404),
        ({"limit": "0"}, 400),
        ({"after": "x"}, 400),
        ({"after": f"{NAME}/2026-01-19T10:00:00Z/{ADA}"}, 200),
        ({"after": "\x00/2026-01-19T10:00:00Z/\x00"}, 200),
    ],
)
def test_a_page_of_the_due(bench: Bench, query: Mapping[str, str], status: int) -> None:
    """A place that no page gave is no error of ours."""
    assert call(bench, "due", "Reader", query=query).status == status

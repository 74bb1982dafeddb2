"""`xtsync pause` and `xtsync resume`."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_core.model.messages import FEED_PAGES, decode_feed_run
from tests.support.cli import ADA, NAME, Bench
from tests.support.make import person


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_pause_and_a_resume_in_words(bench: Bench) -> None:
    """Status says who paused it and why, until it goes on."""
    paused = bench.run("pause", "--reason", "why 40?", "--by", "anna")
    assert (paused.code, paused.out) == (0, f"{NAME}: paused\n")
    status = " ".join(bench.run("status").out.split())
    assert f"PAUSED {NAME}, by anna, 0.0 s ago: why 40?" in status
    resumed = bench.run("resume", "--by", "bea")
    assert (resumed.code, resumed.out) == (0, f"{NAME}: running\ncontoso: a full round starts now\n")
    assert "PAUSED" not in bench.run("status").out
    (message,) = bench.do(bench.storage.queues_by_name[FEED_PAGES].receive())
    assert decode_feed_run(message.body).tenant == "contoso"


def test_a_pause_without_a_reason_is_wrong_usage(bench: Bench) -> None:
    """Nothing is paused."""
    before = bench.stored()
    assert bench.run("pause").code == 2
    assert bench.stored() == before


def test_a_sync_that_nobody_has_cannot_be_paused(bench: Bench) -> None:
    """The names that there are, are named."""
    assert bench.run("pause", "--sync", "elsewhere", "--reason", "r").code == 2


def test_an_operator_who_asks_for_one_person_is_told_that_the_sync_is_paused(bench: Bench) -> None:
    """Nothing is written, and the way out is named; that is no fault."""
    bench.source.users[ADA] = person("Ada")
    bench.run("pause", "--reason", "why 40?", "--by", "anna")
    asked = bench.run("sync", ADA)
    assert (asked.code, bench.target.writes) == (0, [])
    assert "put off: contoso-to-fabrikam: the sync is paused, by anna: why 40?" in asked.out
    assert "xtsync resume" in asked.out


def test_the_doctor_warns_of_a_pause(bench: Bench) -> None:
    """It is no fault: somebody asked for it, and may have forgotten it."""
    bench.run("pause", "--deletions-only", "--reason", "r", "--by", "anna")
    (finding,) = [each for each in bench.run("doctor", "--json").json["findings"] if each["check"] == "pauses"]
    assert (finding["verdict"], finding["detail"]) == ("warning", f"{NAME}: deletions paused")


def test_a_plan_shows_what_a_pause_puts_off(bench: Bench) -> None:
    """And what would come is told as ever."""
    bench.source.users[ADA] = person("Ada")
    bench.run("pause", "--reason", "r", "--by", "anna")
    planned = bench.run("plan")
    assert "Postpone of Invite" in planned.out
    assert "the sync is paused" in planned.out

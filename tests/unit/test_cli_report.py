"""`xtsync report`: who has access to which target because of us."""

from __future__ import annotations

import csv
from dataclasses import replace
from datetime import timedelta
from io import StringIO
from pathlib import Path

import pytest

from sync_core.model import ENABLED, Guarded, fingerprint
from tests.support.cli import ADA, BOB, CYD, NAME, Bench
from tests.support.make import person

PEOPLE = {ADA: "Ada", BOB: "=Bob()", CYD: "Cyd"}


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Ada has access and has redeemed; Bob, who is called like a formula, was disabled; Cyd's deletion is held."""
    bench = Bench(tmp_path)
    for user, name in PEOPLE.items():
        bench.source.users[user] = person(name, mail=f"{user[:4]}@contoso.example")
        bench.run("sync", user)
    bench.clock.advance(timedelta(hours=1))
    bench.source.users[BOB]["accountEnabled"] = False
    bench.run("sync", BOB)
    bench.source.soft_delete(CYD)
    bench.run("sync", CYD)
    ((_, account),) = bench.target.of("aaaa@contoso.example")
    account.redeemed = True
    return bench


def test_the_document(bench: Bench) -> None:
    """By the stored pairs alone: redemption is not invented, and nobody is read."""
    bench.faults.calls.clear()
    result = bench.run("report", "--json")
    assert result.code == 0
    shown = [(each["source_id"], each["access"], each["redeemed"]) for each in result.json["entries"]]
    assert shown == [(ADA, "enabled", None), (BOB, "disabled", None), (CYD, "held", None)]
    assert result.json["entries"][0] == {
        "sync": NAME,
        "source_id": ADA,
        "target": "fabrikam",
        "target_id": "guest-1",
        "access": "enabled",
        "since": "2026-01-05T09:00:00.000000Z",
        "redeemed": None,
    }
    assert [each for each in bench.faults.calls if each.startswith(("source.", "target."))] == []
    assert bench.built[-1] is True


def test_redemption_is_asked_for(bench: Bench) -> None:
    """Where the target does not say, it stays open."""
    ((guest, account),) = bench.target.of("bbbb@contoso.example")
    account.external = False
    entries = bench.run("report", "--json", "--redeemed").json["entries"]
    assert [each["redeemed"] for each in entries] == [True, None, False]
    assert entries[1]["target_id"] == guest


def test_csv_with_names_runs_nothing(bench: Bench) -> None:
    """A name that looks like a formula is text; names are read now, and rest nowhere."""
    result = bench.run("report", "--csv", "--names", "--redeemed")
    rows = list(csv.DictReader(StringIO(result.out)))
    assert [(row["name"].partition(" ")[0], row["access"], row["redeemed"]) for row in rows] == [
        ("Ada", "enabled", "yes"),
        ("'=Bob()", "disabled", "no"),
        ("Cyd", "held", "no"),
    ]
    assert rows[0]["since"] == "2026-01-05T09:00:00.000000Z"
    assert "Bob()" not in str(bench.stored())


def test_the_table(bench: Bench) -> None:
    """Without names unless they are asked for."""
    lines = bench.run("report").out.splitlines()
    assert lines[-1] == "3 pairs"
    assert "Ada" not in "".join(lines)
    assert "2026-01-05 09:00:00 UTC" in lines[1]
    assert "Ada" in bench.run("report", "--names").out


def test_nobody(tmp_path: Path) -> None:
    """A fresh deployment."""
    assert Bench(tmp_path).run("report").out == "Nobody has access because of a sync.\n"


def test_more_people_than_are_read_at_once(tmp_path: Path) -> None:
    """Everybody once."""
    bench = Bench(tmp_path)
    links = bench.storage.links
    first = bench.link(ADA)
    held = replace(first, applied={ENABLED: fingerprint(False)}, guarded=Guarded.HELD, etag=None)
    ids = [f"{n:08d}-0000-0000-0000-000000000001" for n in range(650)]
    for source_id in ids:
        bench.do(links.save(replace(held, source_id=source_id)))
    entries = bench.run("report", "--json").json["entries"]
    assert [each["source_id"] for each in entries] == [*ids, ADA]
    assert {each["access"] for each in entries[:-1]} == {"held"}

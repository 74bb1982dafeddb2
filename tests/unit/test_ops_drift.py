"""Users whom somebody edited or blocked in the target, for the command line and the endpoints."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.cli import drift
from tests.support.cli import ADA, BOB, CONFIG, NAME, Bench
from tests.support.endpoints import call
from tests.support.make import person

ENFORCE = "    drift: { attributes: enforce, repairs: 1 }\n"


def edited(folder: Path, more: str = "") -> Bench:
    """Somebody gave the guests of Ada and Bob another department."""
    bench = Bench(folder)
    (folder / "sync.yaml").write_text(CONFIG + more)
    for user, name in ((ADA, "Ada"), (BOB, "Bob")):
        bench.source.users[user] = person(name)
        bench.run("sync", user)
    bench.clock.advance(timedelta(hours=1))
    for account in bench.target.users.values():
        account.attributes["department"] = "Their own"
    for user in (ADA, BOB):
        bench.run("sync", user)
    return bench


def test_what_is_listed_in_words(tmp_path: Path) -> None:
    """One line for each attribute, with names where they may be shown, and none of its values."""
    bench = edited(tmp_path)
    shown = bench.run("drift").out
    assert " ".join(shown.split()).count(f"{NAME} {ADA}") == 1
    assert ("Ada" in shown, "report  listed" in shown, "Their own" in shown) == (True, True, False)
    assert "Ada" not in bench.run("drift", "--no-names").out


def test_nobody_differs(tmp_path: Path) -> None:
    """Nothing is known of an edit until somebody looks."""
    assert Bench(tmp_path).run("drift").out.startswith("Nobody is known")


def test_as_csv(tmp_path: Path) -> None:
    """One row for each attribute."""
    header, *rows = edited(tmp_path).run("drift", "--csv").out.splitlines()
    assert header == "sync,source user,target user,attribute,since,policy,state"
    assert [row.split(",")[1] for row in rows] == [ADA, BOB]


def test_csv_has_everybody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many pages that takes, since a spreadsheet would not say that there are more."""
    monkeypatch.setattr(drift, "_PAGE", 1)
    _, *rows = edited(tmp_path).run("drift", "--csv").out.splitlines()
    assert [row.split(",")[1] for row in rows] == [ADA, BOB]


def test_what_waits_and_what_is_fought(tmp_path: Path) -> None:
    """Of a day's one repair, Ada's was used; the other waits. Then somebody writes her value back again and again."""
    bench = edited(tmp_path, ENFORCE)
    (bob,) = bench.run("drift", "--json").json["users"]
    assert (bob["source_id"], bob["state"], bob["repairs"]) == (BOB, "waits", 0)
    (bench.folder / "sync.yaml").write_text(CONFIG + ENFORCE.replace("1", "9"))
    ada = next(iter(bench.target.users.values()))
    for _ in range(3):
        bench.clock.advance(timedelta(minutes=1))
        ada.attributes["department"] = "Their own"
        bench.run("sync", ADA)
    shown = {each["source_id"]: each["state"] for each in bench.run("drift", "--json").json["users"]}
    assert shown[ADA] == "fought"


def test_a_pair_that_is_over_is_not_listed(tmp_path: Path) -> None:
    """The row is left of a look before."""
    bench = edited(tmp_path)
    for guest in list(bench.target.users):
        bench.target.remove(guest)
    bench.clock.advance(timedelta(minutes=1))
    bench.run("sync", ADA)
    assert [each["source_id"] for each in bench.run("drift", "--json").json["users"]] == [BOB]


@pytest.mark.parametrize(
    ("query", "status"),
    [({}, 200), ({"limit": "1"}, 200), ({"after": "x"}, 400), ({"sync": "nobody"}, 404), ({"limit": "x"}, 400)],
)
def test_a_page(tmp_path: Path, query: Mapping[str, str], status: int) -> None:
    """As of every list."""
    assert call(edited(tmp_path), "drift", "Reader", query=query).status == status

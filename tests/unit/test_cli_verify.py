"""`xtsync verify` over the twins: a search that lags, and pages."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from tests.support.cli import ADA, BOB, CYD, NAME, Bench
from tests.support.endpoints import call, said
from tests.support.make import person

PEOPLE = (ADA, BOB, CYD)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Three newcomers of an hour ago, whose guests somebody blocked."""
    bench = Bench(tmp_path)
    for user in PEOPLE:
        bench.source.users[user] = person(user[:4])
        bench.run("sync", user)
    for account in bench.target.users.values():
        account.redeemed, account.attributes["accountEnabled"] = True, False
    bench.clock.advance(timedelta(hours=1))
    return bench


def test_a_search_that_lags_is_no_trouble(bench: Bench) -> None:
    """One whom it does not find, and who is there by id, is passed over; one who is not there is gone."""
    guests = list(bench.target.users)
    bench.target.unsearchable.add(guests[0])
    bench.target.remove(guests[1])
    result = bench.run("verify", "--json")
    assert result.json["looked_at"] == 2
    assert {user["target_id"]: user["cause"] for user in result.json["users"]} == {
        guests[1]: "gone",
        guests[2]: "blocked",
    }


def test_pages_are_bounded_and_lose_nobody(bench: Bench) -> None:
    """Each goes on behind the last one looked at, to the end."""
    found, more = [], ""
    for _ in range(4):
        query = {"limit": "1", "sync": NAME, "since": "24h", **({"after": more} if more else {})}
        page = said(call(bench, "verify", "Reader", query=query))
        found += [user["source_id"] for user in page["users"]]
        more = page["more"]
        if more is None:
            break
    assert found == list(PEOPLE)
    assert more is None


@pytest.mark.parametrize("query", [{"after": "nonsense"}, {"since": "yesterday"}, {"limit": "0"}, {"sync": "nobody"}])
def test_nonsense_is_refused(bench: Bench, query: dict[str, str]) -> None:
    """Before anybody is asked."""
    bench.faults.calls.clear()
    assert call(bench, "verify", "Reader", query=query).status in {400, 404}
    assert [each for each in bench.faults.calls if each.startswith("target.")] == []

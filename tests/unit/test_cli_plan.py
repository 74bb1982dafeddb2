"""`xtsync plan`: what would happen to everybody, and nothing of it does."""

from __future__ import annotations

from pathlib import Path

import pytest

from sync_core.model.errors import UnavailableError
from tests.support.cli import ADA, BOB, CYD, NAME, Bench
from tests.support.directories import pages
from tests.support.make import person

MORE = tuple(f"dddddddd-0000-0000-0000-{n:012d}" for n in range(3))


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    """Ada is new, Bob was disabled, Cyd and three more were deleted; the guard lets one deletion pass."""
    bench = Bench(tmp_path)
    bench.source.users = {ADA: person("Ada"), BOB: person("Bob", accountEnabled=False)}
    bench.source.deleted = {user: person("Cyd") for user in (CYD, *MORE)}
    for user in (BOB, CYD, *MORE):
        bench.link(user)
    everybody = [bench.source.entry(user) for user in (ADA, BOB)]
    bench.source.pages = dict(pages(everybody))
    return bench


def test_everybody_is_decided_on_and_nothing_is_written(bench: Bench) -> None:
    """Invitations, and of the deletions and disables as many as the guard allows; the rest would be held."""
    before = bench.stored()
    result = bench.run("plan", "--json")
    assert (result.code, bench.built, bench.target.writes) == (3, [True], [])
    assert bench.stored() == before
    [plan] = result.json["syncs"]
    assert plan["sync"] == NAME
    assert sum(plan["counts"].values()) == 6
    assert plan["counts"]["Invite"] == 1
    held = plan["counts"].get("Hold of SoftDelete", 0) + plan["counts"].get("Hold of Disable", 0)
    allowed = plan["counts"].get("SoftDelete", 0) + plan["counts"].get("Disable", 0)
    assert (allowed, held) == (1, 4)


def test_a_plan_that_can_be_read(bench: Bench) -> None:
    """What takes access away comes first, and each kind is cut at twenty."""
    result = bench.run("plan")
    assert result.code == 3
    lines = result.out.splitlines()
    assert lines[0] == NAME
    assert lines[1].split() == ["what", "would", "happen", "users"]
    assert any(line.split() == ["invite", "into", "the", "target", "1"] for line in lines[2:6])
    assert f"  {ADA}  Ada <ada@contoso.example>  Invite: accountEnabled," in result.out
    assert "    because: all internal users" in result.out
    assert f"  {CYD}  Hold of SoftDelete" in bench.run("plan", "--no-names").out
    assert "ada@" not in bench.run("plan", "--no-names").out + bench.run("plan", "--json").out
    assert "Research" not in result.out


def test_nothing_to_do(bench: Bench) -> None:
    """Said in words, with exit code 0."""
    bench.source.pages = dict(pages([]))
    bench.source.users = {user: person("Someone") for user in (BOB, CYD, *MORE)}
    bench.source.deleted = {}
    result = bench.run("plan", "--sync", NAME)
    assert (result.code, result.out.split("\n")[1]) == (0, "  nobody had to be looked at")


def test_one_user_who_cannot_be_decided_on_does_not_stop_the_others(bench: Bench) -> None:
    """The error is listed with the user."""
    bench.faults.fail_next("source.read_user", UnavailableError())
    result = bench.run("plan", "--json")
    assert result.code == 1
    [plan] = result.json["syncs"]
    assert sum(plan["counts"].values()) == 6
    assert [user["change"] for user in plan["users"]].count("error") == 1


def test_a_feed_that_cannot_be_read_is_tried_again_and_then_given_up(bench: Bench) -> None:
    """A plan of half the tenant would be worse than none."""
    bench.faults.fail_next("source.delta_page", UnavailableError())
    assert bench.run("plan").code == 3
    bench.faults.fail_next("source.delta_page", *[UnavailableError()] * 20)
    result = bench.run("plan")
    assert (result.code, result.out) == (1, "")
    assert "the feed of contoso cannot be read" in result.err


def test_an_unknown_sync_is_wrong_usage(bench: Bench) -> None:
    """With the names that there are."""
    result = bench.run("plan", "--sync", "nowhere")
    assert result.code == 2
    assert NAME in result.err


def test_values_of_now_and_then_are_shown_on_request(bench: Bench) -> None:
    """What an update would replace is read from the target user; without the option no value is asked for."""
    bench.source.users[BOB] = person("Bob", department="Sales")
    bench.source.deleted = {}
    bench.source.pages = dict(pages([bench.source.entry(BOB)]))
    for user in (CYD, *MORE):
        bench.source.users[user] = person("Cyd")
    bench.target.users["guest-of-bbbb"].attributes["department"] = "Research"
    shown = bench.run("plan", "--show-values").out
    assert "    department = 'Sales'  (now 'Research')" in shown
    [plan] = bench.run("plan", "--show-values", "--json").json["syncs"]
    [bob] = [user for user in plan["users"] if user["user"] == BOB]
    assert (bob["values"]["department"], bob["before"]["department"]) == ("Sales", "Research")
    [plan] = bench.run("plan", "--json").json["syncs"]
    assert "values" not in plan["users"][0]
    assert bench.faults.count("target.read_values") == 2


def test_a_target_that_does_not_answer_is_an_error_of_that_user(bench: Bench) -> None:
    """As for any other read; the others are planned."""
    bench.source.users[BOB] = person("Bob", department="Sales")
    bench.faults.fail_next("target.read_values", UnavailableError())
    [plan] = bench.run("plan", "--show-values", "--json").json["syncs"]
    assert [user["change"] for user in plan["users"]].count("error") == 1

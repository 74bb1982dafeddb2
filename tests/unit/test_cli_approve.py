"""`xtsync holds approve` and `reject`: decisions are bound to the users listed."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.model import Why
from sync_core.model.errors import ConflictError
from sync_core.ports import HoldRecord, HoldState
from sync_core.storage.guards import TableGuards
from tests.support.cli import ADA, BOB, CYD, NAME, Bench
from tests.support.make import person


class Contested(TableGuards):
    """Somebody else changes one hold just before we save it."""

    async def save_hold(self, hold: HoldRecord) -> HoldRecord:
        if hold.source_id == ADA:
            raise ConflictError("the row was changed")
        return await super().save_hold(hold)


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    bench = Bench(tmp_path)
    bench.hold_two()
    return bench


def _states(bench: Bench) -> dict[str, HoldState]:
    return {hold.source_id: hold.state for hold in bench.do(bench.storage.guards.holds(NAME))}


def test_approve_nominates_exactly_the_listed(bench: Bench) -> None:
    """Every hold of the list is approved in the person's name, and exactly these users are on the queue."""
    result = bench.run("holds", "approve", bench.code(), "--yes", "--by", "anna")
    assert result.code == 0, result.err
    assert "2 deletions approved by anna" in result.out
    holds = bench.do(bench.storage.guards.holds(NAME))
    assert [(hold.state, hold.decided_by) for hold in holds] == [(HoldState.APPROVED, "anna")] * 2
    nominated = bench.nominations()
    assert {(each.user, each.why) for each in nominated} == {(ADA, Why.APPROVED), (BOB, Why.APPROVED)}
    shown = bench.run("holds").out
    assert "approved by anna" in shown
    assert "Nothing is left to decide" in shown


def test_approve_is_refused_when_somebody_was_held_since(bench: Bench) -> None:
    """The code never covers a user that its author has not seen; the refusal names the newcomer."""
    listed = bench.code()
    bench.clock.advance(timedelta(seconds=1))
    bench.hold(CYD)
    before = bench.stored()
    result = bench.run("holds", "approve", listed, "--yes")
    assert result.code == 1
    assert f"{listed} stands for 2 holds, and the list has 3 now (new: {CYD}); nothing was decided" in result.err
    assert bench.stored() == before


def test_approve_is_refused_when_somebody_was_released_since(bench: Bench) -> None:
    """A shorter list is another list."""
    listed = bench.code()
    bench.do(bench.storage.guards.drop_hold(bench.do(bench.storage.guards.holds(NAME))[0]))
    result = bench.run("holds", "approve", listed, "--yes")
    assert result.code == 1
    assert "stands for 2 holds, and the list has 1 now" in result.err
    assert bench.nominations() == []


def test_approve_is_refused_when_the_change_is_another(bench: Bench) -> None:
    """Agreeing to disable somebody is not agreeing to delete them."""
    listed = bench.code()
    hold = next(hold for hold in bench.do(bench.storage.guards.holds(NAME)) if hold.source_id == BOB)
    bench.do(bench.storage.guards.drop_hold(hold))
    bench.hold(BOB, change="SoftDelete")
    assert bench.run("holds", "approve", listed, "--yes").code == 1


def test_a_subset_can_be_approved(bench: Bench) -> None:
    """Users named after the code are decided, and the others keep waiting."""
    result = bench.run("holds", "approve", bench.code(), ADA.upper(), "--yes", "--json")
    assert result.json["users"] == [{"sync": NAME, "source_id": ADA}]
    assert _states(bench) == {ADA: HoldState.APPROVED, BOB: HoldState.HELD}
    assert [each.user for each in bench.nominations()] == [ADA]


def test_a_user_may_be_named_by_user_principal_name(bench: Bench) -> None:
    """As with `xtsync sync`. A user who left the source has no such name, and the hint asks for the object id."""
    bench.source.users[ADA] = person("Ada")
    result = bench.run("holds", "approve", bench.code(), "ada@contoso.example", "--yes", "--json")
    assert result.json["users"] == [{"sync": NAME, "source_id": ADA}]
    result = bench.run("holds", "reject", bench.code(), "bob@contoso.example", "--yes")
    assert result.code == 1
    assert (
        "hint: Check the spelling. A deleted user is found by mail address for 30 days, and always by object id."
        in result.err
    )
    assert _states(bench) == {ADA: HoldState.APPROVED, BOB: HoldState.HELD}


def test_a_user_who_is_not_held_is_refused(bench: Bench) -> None:
    """Naming somebody outside the list decides nothing at all."""
    result = bench.run("holds", "approve", bench.code(), ADA, CYD, "--yes")
    assert result.code == 1
    assert f"not held: {CYD}" in result.err
    assert set(_states(bench).values()) == {HoldState.HELD}


def test_reject_nominates_nobody_and_can_be_taken_back(bench: Bench) -> None:
    """A rejection leaves the user alone; naming the user decides anew."""
    assert bench.run("holds", "reject", bench.code(), ADA, "--yes").code == 0
    assert bench.nominations() == []
    assert _states(bench)[ADA] is HoldState.REJECTED
    assert bench.run("holds", "approve", bench.code(), "--yes").code == 0  # all that wait: BOB
    assert _states(bench) == {ADA: HoldState.REJECTED, BOB: HoldState.APPROVED}
    assert f"xtsync holds approve {bench.code()} USER" in bench.run("holds").out
    assert bench.run("holds", "approve", bench.code(), ADA, "--yes").code == 0
    assert _states(bench)[ADA] is HoldState.APPROVED


def test_without_a_terminal_it_asks_for_yes(bench: Bench) -> None:
    """Nobody can confirm in a pipe: wrong usage, and nothing is decided."""
    result = bench.run("holds", "approve", bench.code())
    assert result.code == 2
    assert "hint: Add --yes" in result.err
    assert set(_states(bench).values()) == {HoldState.HELD}


@pytest.mark.parametrize(("answer", "exit_code"), [("y\n", 0), ("YES\n", 0), ("\n", 1), ("n\n", 1), ("", 1)])
def test_confirmation_defaults_to_no(bench: Bench, answer: str, exit_code: int) -> None:
    """The users concerned are shown, and only an explicit yes goes on."""
    result = bench.run("holds", "approve", bench.code(), answer=answer)
    assert result.code == exit_code
    assert "Approve these 2 deletions? [y/N]" in result.err
    assert ADA in result.err
    assert (set(_states(bench).values()) == {HoldState.APPROVED}) is (exit_code == 0)


def test_what_is_no_code_is_wrong_usage(bench: Bench) -> None:
    """A typo is told apart from a list that changed."""
    result = bench.run("holds", "approve", "everything", "--yes")
    assert result.code == 2
    assert "'everything' is no code" in result.err


def test_a_lost_race_decides_the_rest(bench: Bench) -> None:
    """When one hold changes under our hands, the others are decided and nominated, and the exit code is 1."""
    bench.storage = replace(bench.storage, guards=Contested(bench.storage.tables_by_name["guards"]))
    result = bench.run("holds", "approve", bench.code(), "--yes")
    assert result.code == 1
    assert f"{ADA}: not approved: the hold changed meanwhile" in result.out
    assert [each.user for each in bench.nominations()] == [BOB]


def test_who_decided_is_listed_after_the_hold_is_gone(bench: Bench) -> None:
    """With the change, the person who decided, and when; as text and for programs."""
    assert bench.run("holds", "decisions").out == "Nobody has decided anything yet.\n"
    bench.run("holds", "approve", bench.code(), ADA, "--yes", "--by", "anna")
    for hold in bench.do(bench.storage.guards.holds(NAME)):
        bench.do(bench.storage.guards.drop_hold(hold))
    bench.clock.advance(timedelta(hours=2))
    shown = bench.run("holds", "decisions").out
    for word in (NAME, ADA, "SoftDelete", "approved", "anna", "2 h ago"):
        assert word in shown
    (decision,) = bench.run("holds", "decisions", "--json").json["decisions"]
    assert (decision["decision"], decision["decided_by"]) == ("approved", "anna")
    assert bench.run("holds", "decisions", "--sync", "nonsense").code == 2

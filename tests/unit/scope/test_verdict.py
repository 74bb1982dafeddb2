"""Scope: assignment and filters both have to let somebody in, and what cannot be known puts nobody out."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from sync_core.model import Assigned, Clause, Filter, Operator, SourceUser, Verdict
from sync_core.scope.verdict import scope
from tests.support.make import ADA, BOB, SALES, STAFF, source, sources, sync

TWO = Assigned(groups=frozenset({SALES, STAFF}), members=frozenset({BOB}))


def member(*groups: str, missing: tuple[str, ...] = (), **attributes: str) -> SourceUser:
    """Ada, after a fresh read that asked for her memberships."""
    return replace(source(**attributes), member_of=frozenset(groups), missing_groups=frozenset(missing))  # type: ignore[arg-type]


def department(name: str, *, operator: Operator = Operator.EQUALS) -> Filter:
    return Filter(name="Department", clauses=(Clause(attribute="department", operator=operator, value=name),))


@given(sources)
def test_everybody_internal_is_in_scope_and_the_verdict_says_why(source: SourceUser) -> None:
    """Nobody is deleted for a scope that nobody configured."""
    internal = Verdict(in_scope=True, reason="all internal users")
    assert scope(sync(), source) == (Verdict(in_scope=False, reason="external") if source.external else internal)


@pytest.mark.parametrize(
    ("user", "verdict"),
    [
        (member(SALES), Verdict(in_scope=True, reason=f"member of group {SALES}")),
        (member(SALES, STAFF), Verdict(in_scope=True, reason=f"member of group {SALES}, group {STAFF}")),
        (replace(source(), id=BOB.upper()), Verdict(in_scope=True, reason="assigned by id")),
        (member(), Verdict(in_scope=False, reason=f"not a member of group {SALES}, group {STAFF}")),
        (member(SALES, missing=(STAFF,)), Verdict(in_scope=True, reason=f"member of group {SALES}")),
        (
            member(missing=(STAFF,)),
            Verdict(in_scope=False, undecided=True, reason=f"there is no group {STAFF}"),
        ),
        (source(), Verdict(in_scope=False, undecided=True, reason="memberships are not known")),
    ],
    ids=["member", "of both", "by id", "no member", "member beside a missing group", "missing group", "not asked"],
)
def test_assignment_is_a_group_or_an_id(user: SourceUser, verdict: Verdict) -> None:
    """One is enough. A group that is not there to be asked, and a question that was not put, decide nothing."""
    assert scope(sync(assigned=TWO), user) == verdict


def test_single_users_need_no_groups() -> None:
    """Nobody asks for memberships then, and nothing is open."""
    only = sync(assigned=Assigned(members=frozenset({ADA})))
    assert scope(only, source()).in_scope
    assert scope(only, replace(source(), id=BOB)) == Verdict(in_scope=False, reason="not assigned")


def test_a_long_list_of_groups_is_named_in_part() -> None:
    """A verdict is read by people, and stored."""
    many = Assigned(groups=frozenset(f"{n:08}-0000-0000-0000-000000000000" for n in range(9)))
    assert scope(sync(assigned=many), member()).reason.endswith("and 6 more")


@pytest.mark.parametrize(
    ("user", "operator", "expected"),
    [
        (member(SALES, department="Research"), Operator.EQUALS, "in"),
        (member(SALES, department="Legal"), Operator.EQUALS, "out"),
        (member(department="Research"), Operator.EQUALS, "out"),
        (member(missing=(STAFF,), department="Research"), Operator.EQUALS, "undecided"),
        (member(missing=(STAFF,), department="Legal"), Operator.EQUALS, "out"),
        (member(SALES, department="a" * 40 + "!"), Operator.REGEX_MATCH, "out"),
        (member(department="a" * 40 + "!"), Operator.REGEX_MATCH, "out"),
    ],
)
def test_out_by_one_is_out_and_what_one_leaves_open_is_not_in(
    user: SourceUser, operator: Operator, expected: str
) -> None:
    """Assignment and filters are asked both; a certain no is not undone by an open question."""
    value = "Research" if operator is Operator.EQUALS else "(a+)+"
    both = replace(sync(assigned=TWO), filters=(department(value, operator=operator),))
    verdict = scope(both, user)
    found = "undecided" if verdict.undecided else "in" if verdict.in_scope else "out"
    assert found == expected
    if found == "in":
        assert verdict.reason == f"member of group {SALES}; filter 'Department'"

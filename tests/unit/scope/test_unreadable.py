"""An attribute that the app has no role to read is null without meaning it: nobody is let in or out by that."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import pytest

from sync_core.config.file import parse_config
from sync_core.decision.look import desired
from sync_core.model import Clause, Filter, Operator, Rule, SourceUser
from sync_core.scope.verdict import scope
from tests.support.cli import SYNC
from tests.support.make import source, sync

LEAVE = "employeeLeaveDateTime"
STAYS = Clause(attribute=LEAVE, operator=Operator.IS_NULL)
LATER = Clause(attribute=LEAVE, operator=Operator.AFTER, value="2026-01-01")
OSLO = Clause(attribute="city", operator=Operator.EQUALS, value="Oslo")


def unreadable() -> SourceUser:
    return replace(source(), unreadable=frozenset({LEAVE}))


@pytest.mark.parametrize("clause", [STAYS, LATER])
def test_a_clause_about_it_is_undecided(clause: Clause) -> None:
    """IS NULL would let a leaver in; AFTER would deprovision everybody."""
    verdict = scope(sync(filters=[Filter(name="F", clauses=[clause])]), unreadable())
    assert (verdict.in_scope, verdict.undecided) == (False, True)
    assert "the app has no role User-LifeCycleInfo.Read.All" in verdict.reason


@pytest.mark.parametrize(
    ("filters", "undecided"),
    [([[STAYS, OSLO]], False), ([[STAYS], [OSLO]], True)],
    ids=["one filter", "two filters"],
)
def test_another_clause_that_does_not_hold_decides(filters: Sequence[Sequence[Clause]], undecided: bool) -> None:
    """Precedence: out, then undecided, then in."""
    asked = sync(filters=[Filter(name=str(n), clauses=clauses) for n, clauses in enumerate(filters)])
    assert scope(asked, unreadable()).undecided is undecided


def test_a_date_that_is_there_was_read() -> None:
    """Only null may be for want of the role."""
    user = replace(source(), attributes={**source().attributes, LEAVE: "2026-03-01T00:00:00Z"})
    assert scope(sync(filters=[Filter(name="F", clauses=[LATER])]), user).in_scope


def test_a_rule_of_it_leaves_its_attribute_out() -> None:
    """Null would clear what the target has."""
    rules = [Rule(target="extensionAttribute1", source=LEAVE), Rule(target="city", source="city")]
    found = desired(replace(sync(), mapping=rules), unreadable())
    assert (set(found.always), dict(found.left_out)) == (
        {"city"},
        {"extensionAttribute1": "the app has no role to read it"},
    )


def test_validate_names_the_role_of_filters_and_rules() -> None:
    """With the line; the file alone does not know what the app was granted."""
    text = (
        SYNC
        + """\
    scope:
      filters: [{ name: A, clauses: [{ attribute: employeeLeaveDateTime, operator: IS NULL }] }]
    mapping:
      - { target: accountEnabled, source: accountEnabled }
      - { target: mail, source: mail }
      - { target: extensionAttribute1, expression: '[employeeLeaveDateTime]' }
"""
    )
    warnings = parse_config(text).warnings
    assert [each.where.partition(" ")[2] for each in warnings] == [
        "syncs[0].scope.filters[0].clauses[0].attribute",
        "syncs[0].mapping[2]",
    ]
    assert all("User-LifeCycleInfo.Read.All" in each.message for each in warnings)

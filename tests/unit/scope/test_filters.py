"""Scoping filters: Entra's operators, its null rule, and what goes beyond."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from sync_core.model import Clause, Filter, Json, Operator, RegexMode, Several, SourceState, SourceUser, Sync
from sync_core.scope.checks import operator_named
from sync_core.scope.filters import judge, scope_attributes
from sync_core.scope.verdict import scope
from tests.support.clock import START
from tests.support.make import sync as make_sync

O = Operator  # noqa: E741
ANY, ALL = Several.ANY, Several.ALL


def clause(operator: Operator, value: str | tuple[str, ...] = "", attribute: str = "city", **more: object) -> Clause:
    return Clause(attribute=attribute, operator=operator, value=value, **more)  # type: ignore[arg-type]


def holds(each: Clause, value: Json) -> bool:
    return judge([Filter(name="A", clauses=[each])], user({each.attribute: value})).in_scope


def user(attributes: dict[str, Json]) -> SourceUser:
    return SourceUser(id="u", state=SourceState.LIVE, attributes=attributes, read_at=START)


@pytest.mark.parametrize(
    ("operator", "value", "inside", "outside"),
    [
        (O.EQUALS, "Oslo", ["Oslo"], ["oslo", "Oslo ", 1]),
        (O.EQUALS, "true", [True, "true"], ["True", False]),
        (O.EQUALS, "17", [17, "17"], [18, "017"]),
        (O.NOT_EQUALS, "Oslo", ["oslo", 3], ["Oslo"]),
        (O.IS_TRUE, "", [True, "True", "true"], [False, "yes", 1]),
        (O.IS_FALSE, "", [False, "false"], [True, 0]),
        (O.IS_NOT_NULL, "", ["Oslo", False, 0, ["x"]], []),
        (O.GREATER_THAN, "9", ["10", 10], ["9", "8", "ten", "10.5", "9" * 30]),
        (O.GREATER_THAN_OR_EQUALS, "9", ["9", "10"], ["8", "-9"]),
        (O.LESS_THAN, "9", ["8", "-1"], ["9", "x"]),
        (O.LESS_THAN_OR_EQUALS, "-1", ["-1", "-2"], ["0"]),
        (O.INCLUDES, "sl", ["Oslo"], ["OSLO", "os"]),
        (O.ENDS_WITH, "lo", ["Oslo"], ["OsLO", "lo "]),
        (O.WITHIN, "Oslo,Bergen", ["Oslo", "Bergen"], ["oslo", "Oslo;"]),
        (O.NOT_WITHIN, "Oslo,Bergen", ["Paris"], ["Oslo"]),
        (O.IN, ("Oslo", "Bergen"), ["Oslo", "Bergen"], ["oslo", "Oslo,Bergen"]),
        (O.NOT_IN, ("Oslo", "Bergen"), ["Paris"], ["Oslo"]),
        (
            O.BEFORE,
            "2026-01-02",
            ["2026-01-01T23:59:59Z", "2026-01-01"],
            ["2026-01-02T00:00:00Z", "2026-01-02", "soon"],
        ),
        (O.AFTER, "2026-01-02", ["2026-01-03T00:00:00Z"], ["2026-01-02T23:59:59Z", "2026-01-02", 5]),
        (O.AFTER, "2026-01-02T12:00:00+02:00", ["2026-01-02T10:00:01Z"], ["2026-01-02T10:00:00Z"]),
        (O.REGEX_MATCH, "[1-9][0-9]", ["10", "99"], ["100", "5", "10\n"]),
        (O.REGEX_MATCH, "a|ab", ["a", "ab"], ["abc"]),
        (O.NOT_REGEX_MATCH, "[1-9][0-9]", ["100"], ["10"]),
    ],
)
def test_an_operator_holds_where_the_reference_says(
    operator: Operator, value: str | tuple[str, ...], inside: list[Json], outside: list[Json]
) -> None:
    """Text with its case, numbers whole, dates as moments."""
    each = clause(operator, value)
    assert [text for text in inside if not holds(each, text)] == []
    assert [text for text in outside if holds(each, text)] == []


@pytest.mark.parametrize("nothing", [None, "", []], ids=repr)
@pytest.mark.parametrize("operator", list(Operator))
def test_a_clause_about_nothing_never_holds_but_is_null(operator: Operator, nothing: Json) -> None:
    """Entra's null rule: NOT EQUALS and NOT REGEX MATCH are false as well."""
    value: str | tuple[str, ...] = ("x",) if operator in (O.IN, O.NOT_IN) else "1"
    assert holds(clause(operator, value), nothing) is (operator is O.IS_NULL)


def test_is_null_does_not_hold_for_a_value() -> None:
    """False and zero are values."""
    values: list[Json] = ["x", False, 0, ["x"]]
    assert not any(holds(clause(O.IS_NULL), value) for value in values)


def test_a_pattern_may_be_searched_for() -> None:
    """What Microsoft leaves open is said per clause."""
    assert holds(clause(O.REGEX_MATCH, "sl", mode=RegexMode.SEARCH), "Oslo")
    assert not holds(clause(O.REGEX_MATCH, "sl"), "Oslo")


def test_of_several_values_all_or_any_must_comply() -> None:
    """Entra refuses such attributes; Graph's schema has both and defaults to all."""
    mails: Json = ["a@x.example", "b@y.example"]
    ends = {"operator": O.ENDS_WITH, "value": "@x.example", "attribute": "proxyAddresses"}
    assert holds(clause(**ends, match=ANY), mails)  # type: ignore[arg-type]
    assert not holds(clause(**ends, match=ALL), mails)  # type: ignore[arg-type]
    assert holds(clause(**ends, match=ALL), ["a@x.example"])  # type: ignore[arg-type]


OSLO, CHIEF = clause(O.EQUALS, "Oslo"), clause(O.EQUALS, "Chief", "jobTitle")
TWO = [Filter(name="Place", clauses=[OSLO]), Filter(name="Rank", clauses=[CHIEF, clause(O.IS_NOT_NULL)])]


@pytest.mark.parametrize(
    ("attributes", "in_scope", "reason"),
    [
        ({"city": "Oslo"}, True, "filter 'Place'"),
        ({"city": "Rome", "jobTitle": "Chief"}, True, "filter 'Rank'"),
        (
            {"jobTitle": "Chief"},
            False,
            "filter 'Place': city EQUALS; filter 'Rank': city IS NOT NULL does not hold",
        ),
        ({"city": "Rome"}, False, "filter 'Place': city EQUALS; filter 'Rank': jobTitle EQUALS does not hold"),
    ],
)
def test_one_filter_is_enough_and_the_verdict_names_what_decided(
    attributes: dict[str, Json], in_scope: bool, reason: str
) -> None:
    """Names of filters, attributes and operators; never a value of the user, for verdicts are logged."""
    verdict = scope(with_filters(*TWO), user(attributes))
    assert (verdict.in_scope, verdict.reason, verdict.undecided) == (in_scope, reason, False)


def with_filters(*filters: Filter) -> Sync:
    base = make_sync()
    return Sync(name=base.name, source=base.source, target=base.target, mapping=(), filters=filters)


def test_a_verdict_stays_short() -> None:
    """A scope of many filters names three of them."""
    many = [Filter(name=str(n), clauses=[OSLO]) for n in range(5)]
    assert judge(many, user({})).reason.endswith("filter '2': city EQUALS; and 2 more does not hold")


def test_a_pattern_decides_about_any_value() -> None:
    """Nested quantifiers over a long value: true or false, and never open."""
    nested = clause(O.REGEX_MATCH, "(?:(x+x+)+)y", "jobTitle")
    for end, found in (("", False), ("y", True)):
        verdict = judge([Filter(name="A", clauses=[nested])], user({"jobTitle": "x" * 10_000 + end}))
        assert (verdict.in_scope, verdict.undecided) == (found, False)


@pytest.mark.parametrize(
    ("value", "mode", "text", "expected"),
    [
        ("^Oslo$", RegexMode.FULL, "Oslo", True),
        ("^Oslo$", RegexMode.FULL, "Oslo\n", False),
        ("^Oslo$", RegexMode.SEARCH, "Oslo\n", True),
        ("Os|Oslo", RegexMode.FULL, "Oslo", True),
        ("(?x) Oslo # the capital", RegexMode.FULL, "Oslo", True),
        ("slo", RegexMode.FULL, "Oslo", False),
        ("slo", RegexMode.SEARCH, "Oslo", True),
    ],
)
def test_a_pattern_matches_the_whole_value_or_a_part(value: str, mode: RegexMode, text: str, expected: bool) -> None:
    """Whole: to the last character, a line break included, and by any of several alternatives."""
    assert holds(clause(O.REGEX_MATCH, value, mode=mode), text) is expected


def test_extension_attributes_are_read_where_graph_has_them() -> None:
    """And selected with their parent, for Graph gives them only together."""
    each = Filter(name="A", clauses=[clause(O.EQUALS, "x", "extensionAttribute3"), clause(O.IS_NULL)])
    assert judge([each], user({"onPremisesExtensionAttributes": {"extensionAttribute3": "x"}})).in_scope
    assert scope_attributes(with_filters(each)) == {"onPremisesExtensionAttributes", "city"}
    assert scope_attributes(make_sync()) == set()


@pytest.mark.parametrize(
    ("text", "operator"),
    [
        ("Greater_Than", O.GREATER_THAN),
        ("GREATER THAN", O.GREATER_THAN),
        ("not_equals", O.NOT_EQUALS),
        (" Is  Null ", O.IS_NULL),
        ("!&", O.NOT_WITHIN),
        ("STARTS_WITH", None),
    ],
)
def test_operators_are_known_in_all_their_spellings(text: str, operator: Operator | None) -> None:
    """Portal, guides and API write them differently."""
    assert operator_named(text) is operator


_scalars = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=12)
_user_values = _scalars | st.lists(_scalars, max_size=3) | st.dictionaries(st.text(max_size=2), _scalars, max_size=2)
_operands: dict[Operator, st.SearchStrategy[str | tuple[str, ...]]] = {
    **dict.fromkeys(Operator, st.sampled_from(["a", "12", "2026-01-01"])),
    **dict.fromkeys((O.IN, O.NOT_IN), st.just(("a", "1"))),
    **dict.fromkeys((O.LESS_THAN, O.LESS_THAN_OR_EQUALS, O.GREATER_THAN, O.GREATER_THAN_OR_EQUALS), st.just("5")),
    **dict.fromkeys((O.BEFORE, O.AFTER), st.just("2026-01-01")),
}


@given(st.data(), st.sampled_from(Operator), _user_values, st.sampled_from(Several))
def test_every_user_has_a_verdict(data: st.DataObject, operator: Operator, value: Json, match: Several) -> None:
    """Whatever a directory holds, a clause is true or false, and an opposite differs where there is a value."""
    assert isinstance(holds(clause(operator, data.draw(_operands[operator]), match=match), value), bool)
    if value not in (None, "", []) and not isinstance(value, list):
        for one, other in ((O.EQUALS, O.NOT_EQUALS), (O.REGEX_MATCH, O.NOT_REGEX_MATCH), (O.WITHIN, O.NOT_WITHIN)):
            assert holds(clause(one, "a"), value) is not holds(clause(other, "a"), value)

"""Functions that choose and functions over lists."""

from __future__ import annotations

import pytest

from sync_core.mapping.expressions import CompileError, EvaluationError, Flow
from sync_core.model import Json

from .support import context, value, x

_IGNORE = Flow.IGNORE_ATTRIBUTE


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ('IIF([x]="USA", "y", "n")', "USA", "y"),
        ('IIF([x]="USA", "y", "n")', "usa", "n"),
        ('IIF([x]="USA", "y", "n")', None, "n"),
        ('IIF([x]<>"USA", "y", "n")', "UK", "y"),
        ('IIF([x]<>"USA", "y", "n")', None, "n"),
        ('IIF([x]="", "y", "n")', "", "n"),
        ('IIF([x]<>"", "y", "n")', "a", "y"),
        ('IIF([x]=1, "y", "n")', "1", "y"),
        ('IIF([x]=1, "y", "n")', "01", "y"),
        ('IIF([x]=1, "y", "n")', "one", "n"),
        ('IIF([x]="1", "y", "n")', 1, "y"),
        ('IIF([x]>5, "y", "n")', "13", "y"),
        ('IIF([x]>"5", "y", "n")', "13", "y"),
        ('IIF([x]>=13, "y", "n")', 13, "y"),
        ('IIF([x]<5, "y", "n")', "13", "n"),
        ('IIF([x]<=5, "y", "n")', None, "n"),
        ('IIF([x]>"a", "y", "n")', "b", "y"),
        ('IIF([x]="true", "y", "n")', True, "y"),
        ('IIF([x]="True", "y", "n")', True, "y"),
        ('IIF([x]="True", "y", "n")', "true", "n"),
        ('IIF([x], "y", "n")', True, "y"),
        ('IIF([x], "y", "n")', "True", "y"),
        ('IIF([x], "y", "n")', "0", "n"),
        ('IIF([x], "y", "n")', "text", "n"),
        ('IIF([x], "y", "n")', None, "n"),
        ('IIF(IsPresent([x]), [x], "Other")', "", "Other"),
        ('IIF(IsNullOrEmpty([x]), "Other", [x])', None, "Other"),
        ('IIF(Left([x], 1)="", "empty", "full")', None, "empty"),
        ('IIF(DateDiff("d", Now(), CDate([x])) <> 1, "y", "n")', None, "n"),
        ('IIF(DateDiff("d", Now(), CDate([x])) > 5, "y", "n")', "2025-08-10", "y"),
        ('IIF(CDate([x]) > Now(), "y", "n")', "2025-08-10", "y"),
        ('IIF(CDate([x]) = Now(), "y", "n")', "2025-07-30T12:00:00Z", "y"),
        ('IIF(Now() > [x], "y", "n")', "2025-08-10", "n"),
        ('IIF(Now() > "", "y", "n")', None, "n"),
        ('IIF(IIF(1, IgnoreAttributeFlow, "") = "a", "y", "n")', None, _IGNORE),
        ('IIF(IIF(1, IgnoreAttributeFlow, ""), "y", "n")', None, _IGNORE),
        ('CBool(IIF(1, IgnoreAttributeFlow, ""))', None, _IGNORE),
        ('Switch(IIF(1, IgnoreAttributeFlow, ""), "d", "a", "b")', None, _IGNORE),
        ('IIF([x]="a", IgnoreAttributeFlow, [x])', "a", _IGNORE),
        ('IIF([x]="a", IgnoreObjectFlow, [x])', "a", Flow.IGNORE_OBJECT),
        ('IIF([x]="a", IgnoreObjectFlow, [x])', "b", "b"),
        ('Append(IIF([x]="a", IgnoreAttributeFlow, [x]), "!")', "a", _IGNORE),
        ('CBool([x] = "a")', "a", True),
        ("CBool([x] = [y])", None, True),
        ("CBool([x] <> [y])", None, False),
        ('CBool([x] = "a")', None, False),
        ("CBool([x] > 1)", None, False),
        ("CBool([x])", 0, False),
        ("CBool([x])", "2", True),
        ("CBool([x])", "False", False),
        ("CBool([x])", None, False),
        ("Coalesce([y], [x])", "a", "a"),
        ("Coalesce([x], [y])", "", ""),
        ("Coalesce([y], [x])", None, None),
        ('Coalesce([x], "")', None, ""),
        ('Coalesce([x], "d")', [], "d"),
        ("Coalesce([x])", "a", "a"),
        ("IsNull([x])", None, True),
        ("IsNull([x])", "", False),
        ("IsNull([x])", [], True),
        ("IsNullOrEmpty([x])", "", True),
        ("IsNullOrEmpty([x])", [], True),
        ("IsNullOrEmpty([x])", False, False),
        ("IsNullOrEmpty([x])", 0, False),
        ("IsPresent([x])", "a", True),
        ("IsPresent([x])", "", False),
        ("IsPresent([x])", None, False),
        ("IsString([x])", "a", True),
        ("IsString([x])", 13, True),
        ("IsString([x])", None, False),
        ("IsString([x])", ["a", "b"], False),
        ("Not([x])", "True", False),
        ("Not([x])", "False", True),
        ("Not([x])", True, False),
        ("Not([x])", "x", True),
        ("Not([x])", None, True),
        ("Not([x])", 1, True),
        ('Switch([x], "d", "a", "1", "b", "2")', "b", "2"),
        ('Switch([x], "d", "a", "1", "b", "2")', "B", "d"),
        ('Switch([x], , "a", "1")', "b", None),
        ('Switch([x], "", "a", "1")', "b", ""),
        ('Switch([x], "d", "", "empty")', None, "empty"),
        ('Switch([x], "d", "", "empty")', "", "empty"),
        ('Switch([x], "d", "", "empty")', [], "empty"),
        ('Switch([x], "d", "True", "yes")', True, "yes"),
        ('Switch([x], "d", 13, "yes")', "13", "yes"),
        ('Switch([x], "d", "a", "first", "a", "second")', "a", "first"),
        ('Switch([x], [x], "", "none")', ["one"], ["one"]),
        ("Switch(IsPresent([x]), [x], IsPresent([y]), [y])", "a", "a"),
        ('Switch([x], "d", "a", IgnoreAttributeFlow)', "a", _IGNORE),
        ('Switch([x], CDate("never"), "a", "1")', "a", "1"),
        ("IgnoreFlowIfNullOrEmpty([x])", None, _IGNORE),
        ("IgnoreFlowIfNullOrEmpty([x])", "", _IGNORE),
        ("IgnoreFlowIfNullOrEmpty([x])", [], _IGNORE),
        ("IgnoreFlowIfNullOrEmpty([x])", "a", "a"),
        ("IgnoreFlowIfNullOrEmpty([x])", False, False),
        ("Redact([x])", "a", "a"),
    ],
)
def test_choices(text: str, given: Json, expected: Json | Flow) -> None:
    """One rule, or one edge that the reference leaves open."""
    found = x(text, given)
    assert found == expected
    assert type(found) is type(expected)


@pytest.mark.parametrize(
    ("text", "given", "expected"),
    [
        ("Count([x])", ["a", "b"], 2),
        ("Count([x])", [], 0),
        ("Count([x])", None, 0),
        ("Count([x])", "a", 1),
        ("Item([x], 2)", ["a", "b"], "b"),
        ("Item([x], 3)", ["a", "b"], None),
        ('Item([x], "1")', "a", "a"),
        ("Item([x], 1)", None, None),
        ('Item(Split([x], ";"), 2)', "a;b", "b"),
        ('Join(", ", "", [x], "b")', "a", "a, b"),
        ('Join(", ", [x], "b")', None, "b"),
        ('Join("-", [x], "c")', ["a", "", None, "b"], "a-b-c"),
        ('Join("", 1000, [x])', "7", "10007"),
        ('Join("", [x])', None, ""),
        ('Join("-", "a", [x], "b")', " ", "a- -b"),
        ('Join("-", "a", [x])', True, "a-True"),
        ('Join([x], "a", "b")', None, "ab"),
        ("RemoveDuplicates([x])", ["b", "a", "b", "A"], ["b", "a", "A"]),
        ("RemoveDuplicates([x])", None, []),
        ('Split([x], ",")', "a,b", ["a", "b"]),
        ('Split([x], ",")', "a, b,", ["a", " b", ""]),
        ('Split([x], "::")', "a::b:c", ["a", "b:c"]),
        ('Split([x], ",")', "a", ["a"]),
        ('Split([x], "")', "ab", ["ab"]),
        ('Split([x], ",")', "", []),
        ('Split([x], ",")', None, None),
    ],
)
def test_lists(text: str, given: Json, expected: Json) -> None:
    """A single value counts as a list of one, null as none."""
    assert x(text, given) == expected


def test_item_counts_from_one() -> None:
    """Index 0 must not be used, says the reference."""
    with pytest.raises(EvaluationError, match="counts from 1"):
        x("Item([x], 0)", ["a"])


def test_unique_values_are_looked_for_without_case() -> None:
    """Directories do not tell names apart by case."""
    text = 'SelectUniqueValue("Ann", "Ann2", "Ann3")'
    assert value(text, {}, context(existing=[])) == "Ann"
    assert value(text, {}, context(existing=["ann", "ANN2"])) == "Ann3"
    with pytest.raises(EvaluationError, match="every value"):
        value(text, {}, context(existing=["ann", "ann2", "ann3"]))
    with pytest.raises(EvaluationError, match="nobody looked"):
        value(text)
    with pytest.raises(CompileError, match="outermost"):
        value(f'Append({text}, "c")')


def test_the_default_domain_comes_from_the_context() -> None:
    """Without one it is an error, as the reference says."""
    assert value("DefaultDomain()", {}, context(domain="contoso.com")) == "contoso.com"
    with pytest.raises(EvaluationError, match="default domain"):
        value("DefaultDomain()")


def test_what_is_not_chosen_is_not_evaluated() -> None:
    """A branch that would fail does no harm to those who do not take it."""
    assert x('IIF([x]="a", "fine", CDate("never"))', "a") == "fine"
    assert x('Coalesce([x], CDate("never"))', "a") == "a"
    with pytest.raises(EvaluationError, match="expects a date"):
        x('IIF([x]="a", "fine", CDate("never"))', "b")

"""Scoping filters: which source users are in, by Entra's rules and some of our own. Pure.

https://learn.microsoft.com/entra/identity/app-provisioning/define-conditional-rules-for-provisioning-user-accounts

- One matching filter is enough; within a filter every clause must hold.
- A clause about an attribute that is null, "" or an empty list never holds; only IS NULL does.
- Text is compared with its case.
- `memberOf` (ours) asks for groups, through every level. A user in no group at all is no member; that is not null.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from ..mapping.expressions.dotnet.regex import Regex, compile_regex
from ..mapping.sources import flat, nothing, selected
from ..model import (
    MEMBER_OF,
    READ_ROLES,
    Attributes,
    Clause,
    Filter,
    Json,
    Operator,
    RegexMode,
    Several,
    SourceUser,
    Sync,
    Verdict,
)
from .memberships import is_member, why_unknown

type Test = Callable[[Json], bool]

UNARY = frozenset({Operator.IS_TRUE, Operator.IS_FALSE, Operator.IS_NULL, Operator.IS_NOT_NULL})
REGEX = frozenset({Operator.REGEX_MATCH, Operator.NOT_REGEX_MATCH})
LISTS = frozenset({Operator.IN, Operator.NOT_IN})
DATES = frozenset({Operator.BEFORE, Operator.AFTER})
NUMBERS: dict[Operator, Callable[[int, int], bool]] = {
    Operator.GREATER_THAN: lambda a, b: a > b,
    Operator.GREATER_THAN_OR_EQUALS: lambda a, b: a >= b,
    Operator.LESS_THAN: lambda a, b: a < b,
    Operator.LESS_THAN_OR_EQUALS: lambda a, b: a <= b,
}
_TEXTS: dict[Operator, Callable[[str, str], bool]] = {
    Operator.INCLUDES: lambda text, value: value in text,
    Operator.ENDS_WITH: lambda text, value: text.endswith(value),
    Operator.WITHIN: lambda text, value: text in value,
    Operator.NOT_WITHIN: lambda text, value: text not in value,
}
NEGATED = frozenset({Operator.NOT_EQUALS, Operator.NOT_IN, Operator.NOT_REGEX_MATCH})
MEMBERSHIP = frozenset({Operator.EQUALS, Operator.NOT_EQUALS, Operator.IN, Operator.NOT_IN})
_INTEGER = re.compile(r"-?[0-9]{1,18}")
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_SHOWN = 3  # filters named in a verdict


def judge(filters: Sequence[Filter], source: SourceUser) -> Verdict:
    """The verdict of at least one filter."""
    attributes = flat(source.attributes)
    failed: list[str] = []
    undecided: list[str] = []
    for each in filters:
        clause, holds = _first_failing(each, source, attributes)
        if clause is None:
            return Verdict(in_scope=True, reason=f"filter '{each.name}'")
        where = f"filter '{each.name}': {clause.attribute} {clause.operator}"
        if holds is False:
            failed.append(where)
        else:
            undecided.append(f"{where} is open, {_why_open(source, clause)}")
    if undecided:
        return Verdict(in_scope=False, reason=_listed(undecided), undecided=True)
    return Verdict(in_scope=False, reason=f"{_listed(failed)} does not hold")


def scope_attributes(sync: Sync) -> set[str]:
    """The source attributes that a sync's scope reads: the feed and every fresh read select them."""
    names = {clause.attribute for each in sync.filters for clause in each.clauses}
    return selected(names - {MEMBER_OF})


def _listed(places: Sequence[str]) -> str:
    more = len(places) - _SHOWN
    return "; ".join(places[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")


def _first_failing(each: Filter, source: SourceUser, attributes: Attributes) -> tuple[Clause | None, bool | None]:
    """The clause that decides against the user: one that is false before one that is undecided."""
    unknown: Clause | None = None
    for clause in each.clauses:
        if clause.attribute in source.unreadable:
            holds = None
        else:
            holds = _belongs(clause, source) if clause.groups else _holds(clause, attributes.get(clause.attribute))
        if holds is False:
            return clause, False
        if holds is None and unknown is None:
            unknown = clause
    return unknown, None


def _why_open(source: SourceUser, clause: Clause) -> str:
    if clause.groups:
        return why_unknown(source, clause.groups)
    return f"the app has no role {READ_ROLES[clause.attribute]}"


def _belongs(clause: Clause, source: SourceUser) -> bool | None:
    found = is_member(source, clause.groups)
    return None if found is None else found is not (clause.operator in NEGATED)


def _holds(clause: Clause, value: Json) -> bool:
    if clause.operator is Operator.IS_NULL:
        return nothing(value)
    if nothing(value):
        return False
    if clause.operator is Operator.IS_NOT_NULL:
        return True
    test = _test(clause)
    quantifier = any if clause.match is Several.ANY else all
    return quantifier(test(each) for each in (value if isinstance(value, list) else [value]))


@lru_cache(maxsize=1024)
def _test(clause: Clause) -> Test:
    """The clause's answer for one value that is there."""
    operator, value = clause.operator, clause.value
    if operator in (Operator.IS_TRUE, Operator.IS_FALSE):
        wanted = "true" if operator is Operator.IS_TRUE else "false"
        return lambda each: text_of(each).lower() == wanted
    if operator in REGEX:
        return _matches(clause)
    if operator in NUMBERS:
        return _compares(operator, int(str(value)))
    if operator in DATES:
        return _dated(operator, str(value))
    if operator in _TEXTS:
        holds = _TEXTS[operator]
        return lambda each: holds(text_of(each), str(value))
    values, negated = (value,) if isinstance(value, str) else value, operator in NEGATED
    return lambda each: any(_equal(each, one) for one in values) is not negated


def text_of(value: Json) -> str:
    """One value as Entra's filters see it; booleans and numbers by their .NET names."""
    return value if isinstance(value, str) else str(value)


def _equal(each: Json, value: str) -> bool:
    if isinstance(each, bool):
        return value.lower() == str(each).lower()
    return text_of(each) == value


def integer(text: str) -> int | None:
    return int(text) if _INTEGER.fullmatch(text) else None


def _compares(operator: Operator, value: int) -> Test:
    """A value that is no whole number is neither more nor less."""
    holds = NUMBERS[operator]

    def test(each: Json) -> bool:
        number = integer(text_of(each))
        return number is not None and holds(number, value)

    return test


def moments(text: str) -> tuple[datetime, datetime] | None:
    """An ISO 8601 date or time: where it begins and ends. A date lasts a day; UTC unless it says otherwise."""
    try:
        begin = datetime.fromisoformat(text)
        begin = begin.replace(tzinfo=UTC) if begin.tzinfo is None else begin.astimezone(UTC)
        return begin, begin + timedelta(days=1) - timedelta.resolution if _DAY.fullmatch(text) else begin
    except (ValueError, OverflowError):
        return None


def _dated(operator: Operator, value: str) -> Test:
    """Strictly before the beginning of a day or moment, or strictly after its end."""
    limits = moments(value)
    assert limits is not None
    begin, end = limits

    def test(each: Json) -> bool:
        found = moments(text_of(each))
        if found is None:
            return False
        return found[0] < begin if operator is Operator.BEFORE else found[0] > end

    return test


def _matches(clause: Clause) -> Test:
    regex, wanted = pattern(clause), clause.operator is Operator.REGEX_MATCH
    fits = regex.is_all_of if clause.mode is RegexMode.FULL else regex.is_in
    return lambda each: fits(text_of(each)) is wanted


def pattern(clause: Clause) -> Regex:
    """Raises DotNetError."""
    return compile_regex(str(clause.value))

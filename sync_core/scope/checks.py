"""Faults and likely mistakes of scoping filters, found at load, because a wrong scope deletes people."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator

from ..mapping.checks import Finding, unreadable
from ..mapping.expressions.dotnet.faults import DotNetError
from ..mapping.sources import MULTI_VALUED, readable
from ..model import ENABLED, MEMBER_OF, Clause, Operator, is_object_id
from .filters import DATES, LISTS, MEMBERSHIP, NUMBERS, REGEX, UNARY, integer, moments, pattern

_BY_NAME = {operator.lower().replace("_", " "): operator for operator in Operator}


def operator_named(text: str) -> Operator | None:
    """Entra writes `Greater_Than` and `NOT EQUALS`, its guides `GREATER THAN` and `Not equals`: all the same."""
    return _BY_NAME.get(" ".join(text.lower().replace("_", " ").split()))


def clause_faults(clause: Clause, given: Collection[str]) -> Iterator[Finding]:
    if clause.attribute == MEMBER_OF:
        yield from _membership_faults(clause, given)
    elif clause.attribute.lower() == MEMBER_OF.lower():
        yield Finding("attribute", f"is written {MEMBER_OF}")
    elif not readable(clause.attribute):
        yield Finding("attribute", unreadable(clause.attribute))
    if "mode" in given and clause.operator not in REGEX:
        yield Finding("mode", "is for REGEX MATCH and NOT REGEX MATCH")
    if clause.attribute in MULTI_VALUED and "match" not in given and clause.operator not in UNARY:
        yield Finding(None, f"'{clause.attribute}' has several values: say `match: any` or `match: all`")
    message = _value_fault(clause, given)
    if message is not None:
        yield Finding("value" if "value" in given else None, message)


def _membership_faults(clause: Clause, given: Collection[str]) -> Iterator[Finding]:
    if clause.operator not in MEMBERSHIP:
        yield Finding("operator", f"{MEMBER_OF} takes {', '.join(sorted(MEMBERSHIP))}, with object ids of groups")
        return
    if "match" in given:
        yield Finding("match", f"is not for {MEMBER_OF}: membership in any of the groups counts")
    for each in sorted(clause.groups) if clause.value else ():
        if not is_object_id(each):
            yield Finding("value", f"'{each}' is no object id of a group")


def _value_fault(clause: Clause, given: Collection[str]) -> str | None:
    operator, value = clause.operator, clause.value
    if operator in UNARY:
        return f"{operator} takes no value" if "value" in given else None
    if "value" not in given or value in ("", ()):
        return f"{operator} needs a value; an empty attribute is found by IS NULL"
    if (operator in LISTS) is not isinstance(value, tuple):
        return f"{operator} takes {'a list of values' if operator in LISTS else 'one value'}"
    if operator in NUMBERS and integer(str(value)) is None:
        return f"{operator} takes a whole number"
    if operator in DATES and moments(str(value)) is None:
        return f"{operator} takes an ISO date or time, such as 2026-01-31 or 2026-01-31T12:00:00Z"
    return _regex_fault(clause) if operator in REGEX else None


def _regex_fault(clause: Clause) -> str | None:
    try:
        pattern(clause)
    except DotNetError as error:
        return f"cannot be used: {error}"
    return None


def clause_warnings(clause: Clause, given: Collection[str]) -> Iterator[Finding]:
    """Microsoft does not say whether a pattern has to match the whole value; where it matters, ask."""
    if clause.operator in REGEX and "mode" not in given and not _anchored(str(clause.value)):
        yield Finding(
            "value",
            "matches the whole value only; Microsoft does not document this. Say `mode: full` if that is meant,"
            " `mode: search` if any part may match",
        )


def asks_for_enabled(clause: Clause) -> bool:
    """Whether the clause holds for enabled users alone."""
    if clause.attribute != ENABLED:
        return False
    equals_true = clause.operator is Operator.EQUALS and str(clause.value).lower() == "true"
    return equals_true or clause.operator is Operator.IS_TRUE


_BEGINS = re.compile(r"\^|\\A|\.\*")
_ENDS = re.compile(r"(?:[^\\]|^)(?:\\\\)*(?:\$|\\z|\\Z|\.\*)\Z")


def _anchored(text: str) -> bool:
    """Whether it is plain to see that the pattern means the same in both modes."""
    return bool(_BEGINS.match(text) and _ENDS.search(text)) and "|" not in text

"""The values that expressions compute with, the two flows, the context of an evaluation, and .NET's conversions.

The service behind Microsoft's mappings is written in .NET; numbers and booleans surface as their .NET strings.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from random import Random

from ...model import Attributes, Json
from .dotnet.general import parse_general
from .dotnet.moment import Moment
from .errors import EvaluationError
from .tokens import number

# Nested calls can multiply lengths; no directory attribute comes near this.
MAX_TEXT = 65_536


class Flow(Enum):
    """Results that are not values: write nothing to this attribute, or leave the whole user alone."""

    IGNORE_ATTRIBUTE = "ignore"
    IGNORE_OBJECT = "ignore-object"


type Value = Json | Moment | Flow


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """The facts that an evaluation may use besides the user. Equal contexts give equal values.

    `random` feeds Guid and RandomString. `existing_target_values` are the values that SelectUniqueValue must avoid;
    None means that they were not looked up. `default_domain` is the default verified domain of the tenant.
    """

    now: datetime
    random: Random = field(repr=False, compare=False)
    existing_target_values: Collection[str] | None = None
    default_domain: str | None = None


class Run:
    """One evaluation: the user and the context."""

    __slots__ = ("context", "source")

    def __init__(self, source: Attributes, context: Context) -> None:
        self.source = source
        self.context = context


type Thunk = Callable[[Run], Value]


def nothing(value: Value) -> bool:
    """Null, the empty text, or a list without values: Entra does not tell an empty collection from an absent one."""
    return value is None or value in ("", [])


def single(value: Value) -> bool | int | float | str | Moment | Flow | None:
    """One value; a list counts as the one value it holds."""
    if isinstance(value, list):
        if len(value) > 1:
            raise EvaluationError(f"expects one value, not a list of {len(value)}; use Join or Item")
        return single(value[0]) if value else None
    if isinstance(value, dict):
        raise EvaluationError("expects one value, not a complex one")
    return value


def bounded(value: Value) -> Value:
    if value.__class__ is str and len(value) > MAX_TEXT:
        raise EvaluationError(f"gives more than {MAX_TEXT:,} characters")
    return value


def to_text(value: Value) -> str | None:
    """.NET's string of a value; null stays null."""
    if value is None or isinstance(value, str):
        return value
    one = single(value)
    match one:
        case None:
            return None
        case bool():
            return "True" if one else "False"
        case float():
            return _float_text(one)
        case Moment():
            return one.text()
        case _:
            return str(one)


def _float_text(value: float) -> str:
    if value.is_integer() and abs(value) < 1e15:
        return str(int(value))
    return repr(value).replace("e", "E")


def to_number(value: Value) -> int | float | None:
    one = single(value)
    if one is None or one == "":
        return None
    if isinstance(one, str):
        one = number(one.strip())
    if isinstance(one, bool) or not isinstance(one, int | float):
        raise EvaluationError(f"expects a number, not {shape(value)}")
    return one


def to_integer(value: Value) -> int | None:
    """A whole number, also as text ("3")."""
    found = to_number(value)
    if found is None:
        return None
    if found != found or found in (float("inf"), float("-inf")) or found != int(found):  # noqa: PLR0124
        raise EvaluationError("expects a whole number")
    return int(found)


def to_moment(value: Value, now: datetime) -> Moment | None:
    """A date, also as text in one of the forms that CDate knows."""
    one = single(value)
    if one is None or isinstance(one, Moment):
        return one
    text = to_text(one) or ""
    if not text.strip():
        return None
    found = parse_general(text, now)
    if found is None:
        raise EvaluationError(f"expects a date such as 2025-12-31 or 12/31/2025 5:00:00 PM, not {shape(value)}")
    return found


def to_list(value: Value) -> list[Json]:
    """All values; one value is a list of one, null an empty list."""
    if isinstance(value, list):
        return value
    if value is None:
        return []
    return [value.text() if isinstance(value, Moment) else value]  # type: ignore[list-item]  # no flow comes here


def to_boolean(value: Value) -> bool:
    """True, "True" in any case, and numbers other than zero; all else is false."""
    one = single(value)
    if isinstance(one, bool):
        return one
    if isinstance(one, str):
        found = number(one.strip())
        return bool(found) if found is not None else one.strip().lower() == "true"
    return bool(one) if isinstance(one, int | float) else False


def to_json(value: Value) -> Json | Flow:
    """The value as it leaves the evaluator: a date becomes text, because no attribute holds dates."""
    return value.text() if isinstance(value, Moment) else value


def shape(value: Value) -> str:
    """A value described without quoting it."""
    match value:
        case str():
            return f"text of {len(value)} characters"
        case bool():
            return "true or false"
        case list():
            return f"a list of {len(value)}"
        case Moment():
            return "a date"
        case None:
            return "null"
        case int() | float():
            return "a number"
        case _:
            return "a complex value"

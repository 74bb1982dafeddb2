"""Comparisons, as they stand in the condition of IIF and in CBool.

The reference: an empty or null source attribute makes the condition of IIF fail. It does not say whether that is false
or an error. Here it is false, whatever the operator, as with Null in VBA.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from operator import eq, ge, gt, le, lt, ne

from .dotnet.moment import Moment
from .tokens import number
from .values import Value, nothing, single, to_moment, to_text

type Key = int | float | str

_HOLDS: dict[str, Callable[[Key, Key], bool]] = {"=": eq, "<>": ne, ">": gt, ">=": ge, "<": lt, "<=": le}


def compare(
    operator: str, left: Value, right: Value, fails: tuple[bool, bool], *, null_fails: bool, now: datetime
) -> bool:
    """`fails` says of each side whether an empty value makes the condition false."""
    if (fails[0] and nothing(left)) or (fails[1] and nothing(right)):
        return False
    if left is None or right is None:
        if null_fails or operator not in ("=", "<>"):
            return False
        # Outside IIF, null and "" are the same, as they are to Switch.
        return (nothing(left) and nothing(right)) == (operator == "=")
    keys = _keys(operator, left, right, now)
    return keys is not None and _HOLDS[operator](*keys)


def _keys(operator: str, left: Value, right: Value, now: datetime) -> tuple[Key, Key] | None:
    a, b = single(left), single(right)
    ordered = operator not in ("=", "<>")
    if isinstance(a, Moment) and isinstance(b, Moment):
        return a.ticks, b.ticks
    if ordered and (isinstance(a, Moment) or isinstance(b, Moment)):
        x, y = to_moment(a, now), to_moment(b, now)
        return None if x is None or y is None else (x.ticks, y.ticks)
    if ordered or _numeric(a) or _numeric(b):
        p, q = _number(a), _number(b)
        if p is not None and q is not None:
            return p, q
    text, other = to_text(a) or "", to_text(b) or ""
    # A boolean of the directory equals "true" however it is written.
    return (text.lower(), other.lower()) if isinstance(a, bool) or isinstance(b, bool) else (text, other)


def _numeric(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _number(value: object) -> int | float | None:
    if isinstance(value, str):
        return number(value.strip())
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None

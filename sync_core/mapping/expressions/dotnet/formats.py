"""Date and time formats of .NET, cut into parts, and dates written with them (invariant culture).

https://learn.microsoft.com/dotnet/standard/base-types/custom-date-and-time-format-strings and
https://learn.microsoft.com/dotnet/standard/base-types/standard-date-and-time-format-strings.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache

from .faults import DotNetError
from .moment import Moment, Zone

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SPECIFIERS = "dfFghHKmMstyz"

# A format of one letter names one of these.
STANDARD = {
    "d": "MM/dd/yyyy",
    "D": "dddd, dd MMMM yyyy",
    "f": "dddd, dd MMMM yyyy HH:mm",
    "F": "dddd, dd MMMM yyyy HH:mm:ss",
    "g": "MM/dd/yyyy HH:mm",
    "G": "MM/dd/yyyy HH:mm:ss",
    "m": "MMMM dd",
    "M": "MMMM dd",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "HH:mm",
    "T": "HH:mm:ss",
    "u": "yyyy-MM-dd HH:mm:ss'Z'",
    "U": "dddd, dd MMMM yyyy HH:mm:ss",
    "y": "yyyy MMMM",
    "Y": "yyyy MMMM",
}


@dataclass(frozen=True, slots=True)
class Part:
    """`count` times the specifier, or a literal (then `specifier` is empty)."""

    specifier: str
    count: int = 0
    literal: str = ""


@lru_cache(maxsize=512)
def parts(pattern: str) -> tuple[Part, ...]:
    """The parts of a format. Raises DotNetError, which names the fault."""
    if not pattern:
        raise DotNetError("the format is empty")
    if len(pattern) == 1:
        if pattern not in STANDARD:
            raise DotNetError(f"'{pattern}' is no standard format; as a custom format it is written '%{pattern}'")
        pattern = STANDARD[pattern]
    return tuple(_cut(pattern))


def _cut(pattern: str) -> list[Part]:
    found: list[Part] = []
    i = 0
    while i < len(pattern):
        char = pattern[i]
        if char in _SPECIFIERS:
            count = 1 if char == "K" else len(pattern) - i - len(pattern[i:].lstrip(char))
            if char in "fF" and count > 7:
                raise DotNetError("a fraction of a second has at most 7 digits")
            found.append(Part(char, count))
            i += count
        elif char in "\"'":
            literal, i = _quoted(pattern, i)
            found += [Part("", literal=c) for c in literal]
        elif char == "\\":
            if i + 1 == len(pattern):
                raise DotNetError("the format ends in a backslash")
            found.append(Part("", literal=pattern[i + 1]))
            i += 2
        elif char == "%":
            if i + 1 == len(pattern) or pattern[i + 1] == "%":
                raise DotNetError("'%' must stand before a letter of the format")
            i += 1
        else:
            # An unquoted Z is a literal when writing, and reads as the zone UTC.
            found.append(Part("Z") if char == "Z" else Part("", literal=char))
            i += 1
    return found


def _quoted(pattern: str, at: int) -> tuple[str, int]:
    literal, i = "", at + 1
    while i < len(pattern):
        if pattern[i] == pattern[at]:
            return literal, i + 1
        if pattern[i] == "\\" and i + 1 < len(pattern):
            i += 1
        literal += pattern[i]
        i += 1
    raise DotNetError("the format holds a quote that does not close")


def format_moment(moment: Moment, pattern: str) -> str:
    """Raises DotNetError for a wrong format."""
    at = moment.datetime
    out = ""
    for part in parts(pattern):
        if part.specifier == "":
            out += part.literal
        elif part.specifier == "F":
            digits = f"{moment.fraction:07}"[: part.count].rstrip("0")
            out = out + digits if digits else out.removesuffix(".")
        elif part.specifier == "f":
            out += f"{moment.fraction:07}"[: part.count]
        elif part.specifier in "zK":
            out += _zone(moment, part)
        else:
            out += _WRITERS[part.specifier](at, part.count)
    return out


def _zone(moment: Moment, part: Part) -> str:
    """Only the name of the zone can differ: the service's own offset is zero."""
    if part.specifier == "K":
        return {Zone.UTC: "Z", Zone.LOCAL: "+00:00", Zone.UNSPECIFIED: ""}[moment.zone]
    return ("+0", "+00", "+00:00")[min(part.count, 3) - 1]


def _padded(value: int, count: int) -> str:
    return f"{value:02}" if count > 1 else str(value)


def _day(at: datetime, count: int) -> str:
    if count <= 2:
        return _padded(at.day, count)
    return DAYS[at.weekday()][: 3 if count == 3 else None]


def _month(at: datetime, count: int) -> str:
    if count <= 2:
        return _padded(at.month, count)
    return MONTHS[at.month - 1][: 3 if count == 3 else None]


def _year(at: datetime, count: int) -> str:
    return _padded(at.year % 100, count) if count <= 2 else f"{at.year:0{count}}"


_WRITERS: dict[str, Callable[[datetime, int], str]] = {
    "d": _day,
    "M": _month,
    "y": _year,
    "h": lambda at, count: _padded(at.hour % 12 or 12, count),
    "H": lambda at, count: _padded(at.hour, count),
    "m": lambda at, count: _padded(at.minute, count),
    "s": lambda at, count: _padded(at.second, count),
    "t": lambda at, count: ("AM" if at.hour < 12 else "PM")[: 1 if count == 1 else None],
    "g": lambda _at, _count: "A.D.",
    "Z": lambda _at, _count: "Z",
}

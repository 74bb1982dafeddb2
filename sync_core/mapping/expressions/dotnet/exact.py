"""Reads a date in a given format, as .NET's DateTime.ParseExact does with the invariant culture.

https://learn.microsoft.com/dotnet/api/system.datetime.parseexact and, for the styles,
https://learn.microsoft.com/dotnet/api/system.globalization.datetimestyles.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Flag
from functools import lru_cache

from .faults import DotNetError
from .formats import DAYS, MONTHS, Part, parts
from .moment import TICKS_PER_SECOND, Moment, Zone

TWO_DIGIT_YEAR_MAX = 2049  # of current .NET; 2029 before .NET 6


class Styles(Flag):
    """.NET's DateTimeStyles."""

    NONE = 0
    ALLOW_LEADING_WHITE = 1
    ALLOW_TRAILING_WHITE = 2
    ALLOW_INNER_WHITE = 4
    ALLOW_WHITE_SPACES = 7
    NO_CURRENT_DATE_DEFAULT = 8
    ADJUST_TO_UNIVERSAL = 16
    ASSUME_LOCAL = 32
    ASSUME_UNIVERSAL = 64
    ROUNDTRIP_KIND = 128


DEFAULT_STYLES = Styles.ROUNDTRIP_KIND | Styles.ALLOW_LEADING_WHITE | Styles.ALLOW_TRAILING_WHITE
_BY_NAME = {style.name.replace("_", "").lower(): style for style in Styles if style.name} | {
    "none": Styles.NONE,
    "allowwhitespaces": Styles.ALLOW_WHITE_SPACES,
}


@lru_cache(maxsize=64)
def styles(names: str) -> Styles:
    """`RoundtripKind, AllowLeadingWhite`, or empty for the default. Raises DotNetError."""
    if not names.strip():
        return DEFAULT_STYLES
    found = Styles.NONE
    for name in names.split(","):
        found |= _style(name.strip())
    assume = Styles.ASSUME_LOCAL | Styles.ASSUME_UNIVERSAL
    if found & assume == assume:
        raise DotNetError("AssumeLocal and AssumeUniversal exclude each other")
    if Styles.ROUNDTRIP_KIND in found and found & (assume | Styles.ADJUST_TO_UNIVERSAL):
        raise DotNetError("RoundtripKind excludes AssumeLocal, AssumeUniversal and AdjustToUniversal")
    return found


def _style(name: str) -> Styles:
    """By its name or, as .NET's own page lists them, by its number."""
    if re.fullmatch(r"[0-9]{1,3}", name) and int(name) < 2 * Styles.ROUNDTRIP_KIND.value:
        return Styles(int(name))
    key = name.lower().removeprefix("datetimestyles.")
    if key not in _BY_NAME:
        raise DotNetError(f"'{name}' is none of .NET's DateTimeStyles")
    return _BY_NAME[key]


_DIGITS = frozenset("0123456789")


class _MismatchError(Exception):
    pass


@dataclass(slots=True)
class _Reader:
    text: str
    at: int = 0
    fields: dict[str, int] = field(default_factory=dict)

    def digits(self, least: int, most: int) -> int:
        end = self.at
        while end < self.at + most and self.text[end : end + 1] in _DIGITS:
            end += 1
        if end - self.at < least:
            raise _MismatchError
        found, self.at = self.text[self.at : end], end
        return int(found or "0")

    def literal(self, char: str) -> None:
        if not self.text.startswith(char, self.at):
            raise _MismatchError
        self.at += len(char)

    def optional(self, char: str) -> bool:
        found = self.text.startswith(char, self.at)
        self.at += len(char) if found else 0
        return found

    def one_of(self, names: tuple[str, ...]) -> int:
        rest = self.text[self.at : self.at + 12].lower()
        for i, name in sorted(enumerate(names), key=lambda pair: -len(pair[1])):
            if rest.startswith(name.lower()):
                self.at += len(name)
                return i
        raise _MismatchError

    def white(self) -> None:
        self.at = len(self.text) - len(self.text[self.at :].lstrip())

    def set(self, name: str, value: int) -> None:
        """A field may come twice, as long as it says the same."""
        if self.fields.setdefault(name, value) != value:
            raise _MismatchError


def parse_exact(text: str, pattern: str, style: Styles, now: datetime) -> Moment | None:
    """The moment, or None when `text` is not in this format. Raises DotNetError for a wrong format.

    `now` fills in what a format leaves open: its day for a time alone, its year for a day and month.
    """
    return _parse(text, parts(pattern), style, (now.year, now.month, now.day))


@lru_cache(maxsize=1024)  # hire dates and the like repeat
def _parse(text: str, wanted: tuple[Part, ...], style: Styles, today: tuple[int, int, int]) -> Moment | None:
    reader = _Reader(text.rstrip() if Styles.ALLOW_TRAILING_WHITE in style else text)
    if Styles.ALLOW_LEADING_WHITE in style:
        reader.white()
    try:
        for i, part in enumerate(wanted):
            follower = wanted[i + 1] if i + 1 < len(wanted) else None
            _read(reader, part, follower, inner_white=Styles.ALLOW_INNER_WHITE in style)
        if reader.at != len(reader.text):
            return None
        return _moment(reader.fields, style, today)
    except (_MismatchError, ValueError):
        return None


def _read(reader: _Reader, part: Part, follower: Part | None, *, inner_white: bool) -> None:
    if inner_white:
        reader.white()
    count = part.count
    match part.specifier:
        case "":
            _literal(reader, part, follower, inner_white=inner_white)
        case "y":
            _year(reader, count)
        case "M" | "d" if count > 2:
            _name(reader, part)
        case "M" | "d" | "h" | "H" | "m" | "s":
            reader.set(part.specifier, reader.digits(min(count, 2), 2))
        case "f":
            reader.set("f", reader.digits(count, count) * 10 ** (7 - count))
        case "F":
            start = reader.at
            value = reader.digits(0, count)
            reader.set("f", value * 10 ** (7 - (reader.at - start)))
        case "t":
            reader.set("t", reader.one_of(("A", "P") if count == 1 else ("AM", "PM")))
        case "g":
            reader.one_of(("A.D.", "AD"))
        case _:
            _read_zone(reader, part)


def _read_zone(reader: _Reader, part: Part) -> None:
    if part.specifier == "Z":
        reader.one_of(("Z", "GMT"))
        reader.set("utc", 1)
    elif part.specifier == "z":
        _offset(reader, part.count)
    elif reader.optional("Z"):  # K: a zone, or none
        reader.set("utc", 1)
    elif reader.text[reader.at : reader.at + 1] in ("+", "-"):
        _offset(reader, 3)


def _literal(reader: _Reader, part: Part, follower: Part | None, *, inner_white: bool) -> None:
    if part.literal.isspace() and inner_white:
        return
    if part.literal == "." and follower is not None and follower.specifier == "F":
        reader.optional(".")  # .FFF: the point goes where the fraction is empty
    else:
        reader.literal(part.literal)


def _year(reader: _Reader, count: int) -> None:
    if count > 2:
        reader.set("y", reader.digits(count, count))
        return
    short = reader.digits(count, 2)
    century = TWO_DIGIT_YEAR_MAX - TWO_DIGIT_YEAR_MAX % 100
    reader.set("y", century + short - (100 if short > TWO_DIGIT_YEAR_MAX % 100 else 0))


def _name(reader: _Reader, part: Part) -> None:
    names = MONTHS if part.specifier == "M" else DAYS
    found = reader.one_of(tuple(name[:3] for name in names) if part.count == 3 else names)
    reader.set("M" if part.specifier == "M" else "weekday", found + (part.specifier == "M"))


def _offset(reader: _Reader, count: int) -> None:
    sign = -1 if reader.optional("-") else 1
    if sign == 1:
        reader.literal("+")
    hours = reader.digits(2 if count == 2 else 1, 2)
    minutes = 0
    if count > 2:
        reader.optional(":")
        minutes = reader.digits(2, 2)
    if minutes > 59 or hours > 14:
        raise _MismatchError
    reader.set("offset", sign * (hours * 60 + minutes))


def _moment(fields: dict[str, int], style: Styles, today: tuple[int, int, int]) -> Moment:
    year, month, day = _date(fields, style, today)
    date = datetime(year, month, day, _hour(fields), fields.get("m", 0), fields.get("s", 0), tzinfo=UTC)
    if fields.get("weekday", date.weekday()) != date.weekday():
        raise _MismatchError
    ticks = Moment.of(date).ticks + fields.get("f", 0) - fields.get("offset", 0) * 60 * TICKS_PER_SECOND
    return Moment(ticks, _zone(fields, style))


def _date(fields: dict[str, int], style: Styles, today: tuple[int, int, int]) -> tuple[int, int, int]:
    if not fields.keys() & {"y", "M", "d"}:
        return (1, 1, 1) if Styles.NO_CURRENT_DATE_DEFAULT in style else today
    return fields.get("y", today[0]), fields.get("M", 1), fields.get("d", 1)


def _hour(fields: dict[str, int]) -> int:
    """The hour from `H`, or from `h` with its half of the day, AM when none is given."""
    half = fields.get("t")
    if "h" in fields:
        hour = fields["h"] % 12 + 12 * (half or 0)
        if fields["h"] > 12 or fields.get("H", hour) != hour:
            raise _MismatchError
        return hour
    if "H" in fields and half is not None and (fields["H"] >= 12) != bool(half):
        raise _MismatchError
    return fields.get("H", 12 * (half or 0))


def _zone(fields: dict[str, int], style: Styles) -> Zone:
    zoned = "utc" in fields or "offset" in fields
    if Styles.ADJUST_TO_UNIVERSAL in style and (zoned or style & (Styles.ASSUME_LOCAL | Styles.ASSUME_UNIVERSAL)):
        return Zone.UTC
    if "utc" in fields and Styles.ROUNDTRIP_KIND in style:
        return Zone.UTC
    if zoned or style & (Styles.ASSUME_LOCAL | Styles.ASSUME_UNIVERSAL):
        return Zone.LOCAL
    return Zone.UNSPECIFIED

"""Reads a date in any of the forms that .NET's DateTime.Parse knows and directories use (invariant culture, UTC).

https://learn.microsoft.com/dotnet/standard/base-types/parsing-datetime. Month before day; an offset is honoured, and
a date with an offset and no time is midnight at that offset, as Microsoft's CDate examples show.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from functools import lru_cache

from .exact import TWO_DIGIT_YEAR_MAX
from .formats import DAYS, MONTHS
from .moment import TICKS_PER_SECOND, Moment

_LONGEST = 64


def _names(names: tuple[str, ...]) -> str:
    return "|".join([*names, *(name[:3] for name in names)])


_MONTH = rf"(?P<name>{_names(MONTHS)})\.?"
_DATES = tuple(
    re.compile(pattern, re.IGNORECASE | re.ASCII)
    for pattern in (
        r"(?P<y>\d{4})(?P<sep>[-/.])(?P<m>\d{1,2})(?P=sep)(?P<d>\d{1,2})(?!\d)",
        r"(?P<m>\d{1,2})(?P<sep>[-/.])(?P<d>\d{1,2})(?P=sep)(?P<y>\d{4}|\d{2})(?!\d)",
        rf"(?P<d>\d{{1,2}})[-\s]+{_MONTH}[-,\s]+(?P<y>\d{{4}}|\d{{2}})(?!\d)",
        rf"{_MONTH}\s+(?P<d>\d{{1,2}}),?\s+(?P<y>\d{{4}})(?!\d)",
        rf"{_MONTH},?\s+(?P<y>\d{{4}})(?!\d)",
        rf"(?P<y>\d{{4}}),?\s+{_MONTH}\s+(?P<d>\d{{1,2}})(?!\d)",
        rf"(?P<y>\d{{4}}),?\s+{_MONTH}(?!\w)",
        rf"(?P<d>\d{{1,2}})[-\s]+{_MONTH}(?!\w)",
        rf"{_MONTH}\s+(?P<d>\d{{1,2}})(?!\d)",
        r"(?P<y>\d{4})[-/](?P<m>\d{1,2})(?!\d)",
        r"(?P<m>\d{1,2})/(?P<y>\d{4})(?!\d)",
        r"(?P<m>\d{1,2})/(?P<d>\d{1,2})(?!\d)",
    )
)
_WEEKDAY = re.compile(rf"(?P<name>{_names(DAYS)})\.?,?\s+", re.IGNORECASE)
_TIME = re.compile(
    r"(?P<h>\d{1,2})(?::(?P<n>\d{1,2})(?::(?P<s>\d{1,2})(?:[.,](?P<f>\d{1,16}))?)?)?\s*(?P<t>[AP]M?(?![A-Z]))?",
    re.IGNORECASE | re.ASCII,
)
_ZONE = re.compile(r"\s*(?:Z|GMT|(?P<sign>[+-])(?P<h>\d{1,2})(?::?(?P<m>\d{2}))?)$", re.IGNORECASE | re.ASCII)


def parse_general(text: str, now: datetime, *, needs_date: bool = False) -> Moment | None:
    """The moment in UTC, or None. A time alone is today's, unless a date is needed; no offset means UTC."""
    text = text.strip()
    if len(text) > _LONGEST:
        return None
    today = now.astimezone(UTC) if now.tzinfo else now
    return _parse(text, today.year, today.month, today.day, needs_date=needs_date)


@lru_cache(maxsize=1024)  # one date is compared in many places, and hire dates repeat
def _parse(text: str, year: int, month: int, day: int, *, needs_date: bool) -> Moment | None:
    weekday = _WEEKDAY.match(text)
    rest = text[weekday.end() :] if weekday else text
    found = next((match for pattern in _DATES if (match := pattern.match(rest))), None)
    if found is None and (needs_date or weekday):
        return None
    date = _date(found, year) if found else (year, month, day)
    try:
        at = datetime(*date, tzinfo=UTC)
        if weekday and DAYS[at.weekday()][:3].lower() != weekday["name"][:3].lower():
            return None
        ticks = _time(rest[found.end() :] if found else rest, has_date=found is not None)
        return None if ticks is None else Moment.of(at).plus(ticks)
    except ValueError:
        return None


def _date(match: re.Match[str], this_year: int) -> tuple[int, int, int]:
    groups = match.groupdict()
    name = groups.get("name")
    month = [m[:3].lower() for m in MONTHS].index(name[:3].lower()) + 1 if name else int(groups["m"])
    year = this_year if groups.get("y") is None else int(groups["y"])
    if groups.get("y") and len(groups["y"]) == 2:
        year += 1900 if year > TWO_DIGIT_YEAR_MAX % 100 else 2000
    return year, month, int(groups.get("d") or 1)


def _time(rest: str, *, has_date: bool) -> int | None:
    """The ticks to add to midnight for what follows the date: a time, a zone, both or nothing."""
    zone = _ZONE.search(rest)
    offset = 0
    if zone:
        rest = rest[: zone.start()]
        if zone["sign"]:
            hours, minutes = int(zone["h"]), int(zone["m"] or 0)
            if hours > 14 or minutes > 59:
                return None
            offset = (hours * 60 + minutes) * 60 * (-1 if zone["sign"] == "-" else 1)
    seconds = _clock(rest, has_date=has_date)
    return None if seconds is None else seconds - offset * TICKS_PER_SECOND


def _clock(rest: str, *, has_date: bool) -> int | None:
    if has_date:
        if not rest.strip():
            return 0
        if not re.match(r"[Tt]|\s|,\s", rest):
            return None
        rest = re.sub(r"^(?:[Tt]|,)?\s*", "", rest)
    match = _TIME.fullmatch(rest.strip())
    if match is None or (match["n"] is None and match["t"] is None):
        return None
    hour, minute, second = int(match["h"]), int(match["n"] or 0), int(match["s"] or 0)
    if match["t"]:
        if hour > 12:
            return None
        hour = hour % 12 + (12 if match["t"].upper().startswith("P") else 0)
    if hour > 23 or minute > 59 or second > 59:
        return None
    fraction = int(((match["f"] or "") + "0" * 7)[:7])
    return ((hour * 60 + minute) * 60 + second) * TICKS_PER_SECOND + fraction

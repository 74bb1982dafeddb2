"""Times and counts in words for people."""

from __future__ import annotations

from datetime import UTC, datetime

_UNITS = ((86_400, "days"), (3600, "h"), (60, "min"))


def span(seconds: float) -> str:
    """`48 s`, `5 min`, `3 h`, `12 days`: one unit is enough to judge by."""
    for size, unit in _UNITS:
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def ago(at: datetime | None, now: datetime) -> str:
    return "never" if at is None else f"{span(max(0, (now - at).total_seconds()))} ago"


def ahead(at: datetime | None, now: datetime) -> str:
    if at is None:
        return "-"
    seconds = (at - now).total_seconds()
    return f"in {span(seconds)}" if seconds > 0 else f"{span(-seconds)} ago"


def at_second(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"

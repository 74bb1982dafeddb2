"""Times and spans: as documents have them, and as an operator gives them."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from .errors import UsageError

_SPAN = re.compile(r"([1-9][0-9]{0,4})([dhm])")
_UNITS = {"d": timedelta(days=1), "h": timedelta(hours=1), "m": timedelta(minutes=1)}


def seconds_between(start: datetime, end: datetime) -> float:
    """To the millisecond."""
    return round((end - start).total_seconds(), 3)


def ahead(text: str, now: datetime) -> datetime:
    """`14d`, `24h` or `30m` from now; or a date or time in ISO 8601, in UTC where it says no other zone.

    Raises UsageError for any other text, and for a time that no calendar has.
    """
    span = _SPAN.fullmatch(text)
    try:
        return _iso(text) if span is None else now + int(span[1]) * _UNITS[span[2]]
    except (ValueError, OverflowError):
        raise UsageError(
            f"'{text}' is no time", hint="Say 14d, 24h or 30m from now, or 2026-11-29 or 2026-11-29T08:00."
        ) from None


def moment(text: str, now: datetime) -> datetime:
    """`7d`, `24h` or `30m` ago; or a date or time in ISO 8601, in UTC where it says no other zone.

    Raises UsageError for any other text, and for a time that no calendar has.
    """
    span = _SPAN.fullmatch(text)
    try:
        if span is not None:
            return now - int(span[1]) * _UNITS[span[2]]
        return _iso(text)
    except (ValueError, OverflowError):
        raise UsageError(
            f"'{text}' is no time", hint="Say 7d, 24h or 30m for a time ago, or 2026-11-29 or 2026-11-29T08:00."
        ) from None


def _iso(text: str) -> datetime:
    at = datetime.fromisoformat(text)
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)

"""Spans of time as documents have them."""

from __future__ import annotations

from datetime import datetime


def seconds_between(start: datetime, end: datetime) -> float:
    """To the millisecond."""
    return round((end - start).total_seconds(), 3)

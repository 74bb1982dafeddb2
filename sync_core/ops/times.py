"""Times as the documents have them."""

from __future__ import annotations

from datetime import datetime

from ..model.messages import format_time


def iso(at: datetime | None) -> str | None:
    return None if at is None else format_time(at)


def seconds_between(start: datetime | None, end: datetime | None) -> float | None:
    return None if start is None or end is None else round((end - start).total_seconds(), 3)

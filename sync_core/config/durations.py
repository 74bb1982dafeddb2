"""Durations in sync.yaml."""

from __future__ import annotations

import re
from datetime import timedelta

DURATION = r"^[1-9][0-9]{0,4}[mhd]$"
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


def duration(value: object) -> timedelta:
    """The duration of a text such as `30m`, `24h` or `7d`. Raises ValueError for anything else."""
    if not isinstance(value, str) or not re.fullmatch(DURATION, value):
        raise ValueError("must be a duration such as 30m, 24h or 7d")
    return timedelta(**{_UNITS[value[-1]]: int(value[:-1])})

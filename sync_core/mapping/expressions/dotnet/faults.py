"""The faults for which .NET would throw: a wrong format, style, culture or pattern, a date out of range."""

from __future__ import annotations


class DotNetError(ValueError):
    """The message names the fault and quotes no user's data."""

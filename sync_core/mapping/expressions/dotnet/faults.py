"""What .NET would throw for: a wrong format, style, culture or pattern, a date out of range."""

from __future__ import annotations


class DotNetError(ValueError):
    """The message says what is wrong and quotes nobody's data."""

"""Laws are tried on the same examples every time: a red run can be repeated, and nobody is failed by chance."""

from __future__ import annotations

from hypothesis import settings

settings.register_profile("unit", deadline=None, max_examples=50, derandomize=True, database=None)
settings.load_profile("unit")

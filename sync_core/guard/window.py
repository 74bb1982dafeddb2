"""The deletion guard: how much may be taken away within a rolling window, and what happens to the rest. Pure.

Disables and deletions count alike, whatever path they came by. If a worker dies between the count and the link that
remembers it, the retry counts once more: the guard errs towards holding. The limit is a percentage of the sync's
links, but never below a minimum count, so that a small tenant can still work.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..model import Change, Disable, GuardLimits, Hold, Update
from ..ports import GuardWindow

# The window moves in slices of this share of it; a slice counts until all of it has left the window.
_SLICES = 144


def limit(window: GuardWindow, limits: GuardLimits) -> int:
    """How many deletions the window allows."""
    return max(limits.min_count, int(window.linked * limits.max_percent / 100))


def used(window: GuardWindow, limits: GuardLimits, now: datetime) -> int:
    """How many deletions the window has seen."""
    return sum(_current(window, limits, now).values())


def count(window: GuardWindow, limits: GuardLimits, now: datetime) -> GuardWindow | None:
    """The window with one more deletion in it; None when that would be over the limit."""
    slices = _current(window, limits, now)
    if sum(slices.values()) >= limit(window, limits):
        return None
    start = _slice_start(limits, now).isoformat()
    return replace(window, slices={**slices, start: slices.get(start, 0) + 1})


def hold(change: Change, window: GuardWindow, limits: GuardLimits, now: datetime) -> Hold:
    """The change, stopped. Its other writes, which take no access away, still happen."""
    meanwhile = None
    if isinstance(change, Disable):
        rest = {name: value for name, value in change.attributes.items() if name != "accountEnabled"}
        meanwhile = Update(attributes=rest) if rest else None
    return Hold(held=change, used=used(window, limits, now), limit=limit(window, limits), meanwhile=meanwhile)


def _current(window: GuardWindow, limits: GuardLimits, now: datetime) -> dict[str, int]:
    length = limits.window / _SLICES
    return {
        start: n for start, n in window.slices.items() if datetime.fromisoformat(start) + length > now - limits.window
    }


def _slice_start(limits: GuardLimits, now: datetime) -> datetime:
    seconds = limits.window.total_seconds() / _SLICES
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, now.tzinfo)

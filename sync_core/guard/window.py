"""The arithmetic of one window of a guard: how many people it lets pass, and who counts. Pure.

In the deletion guard, disables and deletions count alike, whatever path they came by, and one person counts once in a
window. A count stays for as long as the window, from the person's last removal on. If a worker dies in between,
somebody may count twice: the guard errs towards holding. The limit is a percentage of the links, but never below a
minimum count, so that a small tenant can still work.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from ..model import Change, Counts, Disable, Hold, Limit
from ..ports import GuardWindow

# The window moves in slices of this share of it; a slice counts until all of it has left the window.
_SLICES = 144


def limit(window: GuardWindow, limits: Limit) -> int:
    """How many people the window allows."""
    return max(limits.min_count, int(window.linked * limits.max_percent / 100))


def used(window: GuardWindow, limits: Limit, now: datetime) -> int:
    """How many people the window has seen."""
    return sum(_current(window, limits, now).values())


def counts(window: GuardWindow, limits: Limit, now: datetime, last: datetime | None) -> bool:
    """Whether a person whose last removal was counted at `last` is one of them."""
    return last is not None and _slice_start(limits, last) in _current(window, limits, now)


def count(window: GuardWindow, limits: Limit, now: datetime, *, last: datetime | None = None) -> GuardWindow | None:
    """The window with this person in it as of now; None when that would be over the limit.

    A person who counts already is let pass. The earlier count still stands then: see `given_back`.
    """
    slices = _current(window, limits, now)
    known, start = counts(window, limits, now, last), _slice_start(limits, now)
    if known and last is not None and _slice_start(limits, last) == start:
        return window
    if not known and sum(slices.values()) >= limit(window, limits):
        return None
    return replace(window, slices={**slices, start: slices.get(start, 0) + 1})


def taken(window: GuardWindow, limits: Limit, now: datetime, people: int) -> GuardWindow:
    """The window with so many more people in it."""
    slices, start = _current(window, limits, now), _slice_start(limits, now)
    return replace(window, slices={**slices, start: slices.get(start, 0) + people})


def given_back(window: GuardWindow, limits: Limit, last: datetime, people: int = 1) -> GuardWindow:
    """The window without so many of those who were counted at `last`."""
    start = _slice_start(limits, last)
    slices = {**window.slices, start: window.slices.get(start, 0) - people}
    return replace(window, slices={each: n for each, n in slices.items() if n > 0})


def same_slice(limits: Limit, one: datetime, other: datetime) -> bool:
    return _slice_start(limits, one) == _slice_start(limits, other)


def hold(change: Change, window: GuardWindow, limits: Limit, now: datetime, *, of: Counts = Counts.SYNC) -> Hold:
    """The change, stopped. Its other writes, which take no access away, still happen."""
    return Hold(
        held=change,
        used=used(window, limits, now),
        limit=limit(window, limits),
        counts=of,
        window=limits.window,
        meanwhile=change.rest if isinstance(change, Disable) else None,
    )


def _current(window: GuardWindow, limits: Limit, now: datetime) -> dict[str, int]:
    length = limits.window / _SLICES
    return {
        start: n for start, n in window.slices.items() if datetime.fromisoformat(start) + length > now - limits.window
    }


def _slice_start(limits: Limit, now: datetime) -> str:
    seconds = limits.window.total_seconds() / _SLICES
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, now.tzinfo).isoformat()

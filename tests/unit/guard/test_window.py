"""The arithmetic of the deletion guard: percentage, minimum, and a window that rolls in slices."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from sync_core.guard import window as guard
from sync_core.model import Disable, GuardLimits, Hold, SoftDelete, Update
from sync_core.ports import GuardWindow
from tests.support.clock import START
from tests.support.make import HOLD_ALL

LIMITS = GuardLimits(max_percent=5, min_count=10, window=timedelta(hours=24))
SLICE = timedelta(minutes=10)  # a 144th of 24 hours
DELETE = SoftDelete(why="source user gone")


def window(linked: int = 0, **slices: int) -> GuardWindow:
    return GuardWindow(of="a-to-b", linked=linked, slices=slices)


def counted(times: int, *, linked: int = 0, limits: GuardLimits = LIMITS) -> GuardWindow:
    result = window(linked)
    for _ in range(times):
        after = guard.count(result, limits, START)
        assert after is not None
        result = after
    return result


@pytest.mark.parametrize(
    ("linked", "percent", "minimum", "allowed"),
    [
        (0, 5, 10, 10),
        (199, 5, 10, 10),
        (220, 5, 10, 11),
        (239, 5, 10, 11),
        (100_000, 5, 10, 5_000),
        (100_000, 0, 0, 0),
        (7, 100, 0, 7),
        (999, 0.1, 0, 0),
    ],
)
def test_the_limit_is_a_percentage_but_never_below_the_minimum(
    linked: int, percent: float, minimum: int, allowed: int
) -> None:
    """A share of the links, rounded down, or the minimum count when that is more."""
    assert guard.limit(window(linked), GuardLimits(max_percent=percent, min_count=minimum)) == allowed


def test_the_deletion_over_the_limit_is_not_counted() -> None:
    """The tenth of ten is allowed, the eleventh gets no window to store."""
    full = counted(10)
    assert guard.used(full, LIMITS, START) == 10
    assert guard.count(full, LIMITS, START) is None


def test_a_limit_of_nothing_allows_nothing() -> None:
    """Zero per cent and a minimum of zero hold the very first deletion."""
    assert guard.count(window(1_000_000), HOLD_ALL, START) is None


def test_counting_leaves_the_old_window_alone() -> None:
    """A window is a value: a lost compare-and-swap may count again from the stored one."""
    before = window()
    assert guard.count(before, LIMITS, START) is not None
    assert guard.used(before, LIMITS, START) == 0


def test_a_deletion_counts_until_all_of_its_slice_has_left_the_window() -> None:
    """The edges are conservative: a deletion at the start of a slice counts for the window and one slice more."""
    full = counted(10)
    last = START + LIMITS.window + SLICE
    assert guard.used(full, LIMITS, last - timedelta(microseconds=1)) == 10
    assert guard.used(full, LIMITS, last) == 0
    again = guard.count(full, LIMITS, last)
    assert again is not None
    assert list(again.slices.values()) == [1], "slices that have left are dropped from the record"


def test_slices_leave_one_after_another() -> None:
    """Room comes back as it was used, not all at once."""
    first = counted(4)
    second = guard.count(first, LIMITS, START + timedelta(hours=6))
    assert second is not None
    assert guard.used(second, LIMITS, START + timedelta(hours=23)) == 5
    assert guard.used(second, LIMITS, START + timedelta(hours=25)) == 1
    assert guard.used(second, LIMITS, START + timedelta(hours=31)) == 0


def test_a_hold_keeps_the_change_and_says_how_full_the_window_is() -> None:
    """A person who approves must see what is held, and against which limit."""
    held = guard.hold(DELETE, counted(10), LIMITS, START)
    assert held == Hold(held=DELETE, used=10, limit=10, meanwhile=None)
    assert not held.removes


def test_a_held_disable_still_writes_what_takes_nothing_away() -> None:
    """Only accountEnabled waits for a person; a new department does not."""
    change = Disable(attributes={"accountEnabled": False, "department": "Sales"})
    held = guard.hold(change, window(), LIMITS, START)
    assert held.held == change
    assert held.meanwhile == Update(attributes={"department": "Sales"})
    assert guard.hold(Disable(attributes={"accountEnabled": False}), window(), LIMITS, START).meanwhile is None


_gaps = st.lists(st.integers(0, 40_000), min_size=1, max_size=60)  # seconds between attempts
_limits = st.builds(
    GuardLimits,
    max_percent=st.just(0),
    min_count=st.integers(0, 5),
    window=st.sampled_from([timedelta(minutes=1), timedelta(hours=1), timedelta(hours=24), timedelta(days=7)]),
)


def attempts(gaps: list[int], limits: GuardLimits) -> Iterator[tuple[datetime, GuardWindow, list[datetime]]]:
    """After each attempt: the time, what the guard knows, and the times of those that were allowed."""
    now, state, allowed = START, window(), list[datetime]()
    for gap in gaps:
        now += timedelta(seconds=gap)
        after = guard.count(state, limits, now)
        if after is not None:
            state = after
            allowed.append(now)
        yield now, state, allowed


@given(_gaps, _limits)
def test_no_window_ever_sees_more_than_the_limit(gaps: list[int], limits: GuardLimits) -> None:
    """However the attempts are spread, any stretch as long as the window has at most as many as allowed."""
    *_, (_, _, allowed) = attempts(gaps, limits)
    for at in allowed:
        assert sum(at - limits.window < other <= at for other in allowed) <= limits.min_count


@given(_gaps, _limits)
def test_used_never_forgets_a_deletion_of_the_window(gaps: list[int], limits: GuardLimits) -> None:
    """The number shown as used is never less than the number really deleted within the window."""
    for now, state, allowed in attempts(gaps, limits):
        assert guard.used(state, limits, now) >= sum(at > now - limits.window for at in allowed)

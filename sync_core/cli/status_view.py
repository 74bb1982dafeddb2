"""`xtsync status` for people: one table for each thing, and a word wherever something wants attention."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from ..model.messages import parse_time
from .screen import Cell, Screen, good, warning
from .words import ago, ahead, many

type Entry = Mapping[str, Any]  # as status --json gives it

_MOST_PARKED = 20


def show(screen: Screen, status: Entry, now: datetime) -> None:
    _table(
        screen,
        "Syncs",
        ("name", "from", "to", "last activity", "deletions in window"),
        status["syncs"],
        lambda sync: (
            sync["name"],
            sync["source"],
            sync["target"],
            ago(_time(sync["last_activity_at"]), now),
            str(sync["deletions_in_window"]),
        ),
    )
    _table(
        screen,
        "Feeds",
        ("tenant", "feed", "phase", "last completed", "entries", "error"),
        status["feeds"],
        lambda feed: _feed(feed, now),
    )
    _table(
        screen,
        "Subscriptions",
        ("tenant", "resource", "id", "expires", "state"),
        status["subscriptions"],
        lambda each: _subscription(each, now),
    )
    _table(screen, "Queues", ("queue", "messages", ""), status["queues"], _queue)
    if status["poisoned"]:
        screen.line(warning(f"{many(status['poisoned'], 'poisoned message')} kept in the table `activity`"))
        screen.line()
    _holds(screen, status["holds"])
    _parked(screen, status["parked"], now)


def _table(
    screen: Screen,
    title: str,
    headers: Sequence[str],
    entries: Sequence[Entry],
    cells: Callable[[Entry], Sequence[Cell]],
) -> None:
    screen.heading(title)
    screen.table(headers, [cells(entry) for entry in entries])
    screen.line()


def _feed(feed: Entry, now: datetime) -> Sequence[Cell]:
    completed = _time(feed["completed_at"])
    phase = feed["phase"] + (" (full round)" if feed["full"] and feed["phase"] != "idle" else "")
    return (
        feed["tenant"],
        feed["feed"],
        phase,
        ago(completed, now) if completed else warning("never"),
        str(feed["entries"]),
        warning(feed["error"]) if feed["error"] else "-",
    )


def _subscription(each: Entry, now: datetime) -> Sequence[Cell]:
    state = good("live") if each["state"] == "live" else warning(each["state"].upper())
    return each["tenant"], each["resource"], each["id"] or "-", ahead(_time(each["expires_at"]), now), state


def _queue(queue: Entry) -> Sequence[Cell]:
    poisoned = queue["poison"] and queue["depth"] > 0
    return queue["name"], str(queue["depth"]), warning("POISON") if poisoned else ""


def _holds(screen: Screen, holds: Sequence[Entry]) -> None:
    held = [each for each in holds if each["waiting"] or each["approved"] or each["rejected"]]
    if not held:
        screen.line("No deletion is held.")
        screen.line()
        return
    _table(
        screen,
        "Held deletions (see them with: xtsync holds)",
        ("sync", "waiting", "approved", "rejected"),
        held,
        lambda each: (
            each["sync"],
            warning(str(each["waiting"])) if each["waiting"] else "0",
            str(each["approved"]),
            str(each["rejected"]),
        ),
    )


def _parked(screen: Screen, parked: Sequence[Entry], now: datetime) -> None:
    if not parked:
        screen.line("Nobody is parked.")
        return
    screen.heading("Parked users (look again with: xtsync sync USER)")
    screen.table(
        ("sync", "source user", "reason", "next try", "tries"),
        [
            (
                user["sync"],
                user["source_id"],
                user["reason"],
                ahead(_time(user["next_try_at"]), now),
                str(user["tries"]),
            )
            for user in parked[:_MOST_PARKED]
        ],
    )
    if len(parked) > _MOST_PARKED:
        screen.line(f"and {len(parked) - _MOST_PARKED} more; --json lists them all")


def _time(text: str | None) -> datetime | None:
    return None if text is None else parse_time(text)

"""`xtsync status` for people: one table for each thing, and a word wherever something wants attention."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from ..model import Control, Counts
from ..ops.documents import (
    CreationStatus,
    FeedStatus,
    HoldCounts,
    LeavingStatus,
    ParkedUser,
    QueueStatus,
    RefusedUser,
    Status,
    SubscriptionState,
    SubscriptionStatus,
    SyncStatus,
    WindowStatus,
)
from ..ops.words import ago, ahead, many, span
from ..ports import FeedPhase
from .creations import invited
from .due import show_due
from .screen import Cell, Screen, good, warning

_MOST_PARKED = 20


def show(screen: Screen, status: Status) -> None:
    now = status.at
    syncs = ("name", "from", "to", "mode", "last activity", "deletions, of the fullest window")
    feeds = ("tenant", "feed", "phase", "last completed", "entries", "error")
    subscriptions = ("tenant", "resource", "id", "expires", "state")
    _table(screen, "Syncs", syncs, status.syncs, lambda each: _sync(each, now))
    for sync in status.syncs:
        if sync.control is not Control.RUNNING:
            by, since = sync.controlled_by or "-", ago(sync.controlled_at, now)
            screen.line(warning(f"{sync.control.upper()} {sync.name}, by {by}, {since}: {sync.control_reason}"))
            screen.line("Nothing is lost meanwhile. Let it go on with: xtsync resume")
            screen.line()
        if sync.stopped is not None:
            screen.line(warning(f"STOPPED {sync.stopped.reason}"))
            screen.line(sync.stopped.hint)
            screen.line()
        if sync.removing:
            screen.line(warning(f"REMOVING {sync.name}: everybody loses access"))
            screen.line(f"Take it back with: xtsync remove {sync.name} --cancel")
            screen.line()
    _table(screen, "Feeds", feeds, status.feeds, lambda each: _feed(each, now))
    _table(screen, "Subscriptions", subscriptions, status.subscriptions, lambda each: _subscription(each, now))
    _table(screen, "Queues", ("queue", "messages", ""), status.queues, _queue)
    if status.poisoned:
        screen.line(warning(f"{many(status.poisoned, 'poisoned message')} kept in the table `activity`"))
    if status.poisoned or any(each.poison and each.depth for each in status.queues):
        screen.line("See what failed again and again, put it back or remove it with: xtsync poison")
        screen.line()
    _holds(screen, [each for each in status.holds if each.waiting or each.approved or each.rejected])
    _creations(screen, [each for each in status.creations if each.waiting or each.approved], now)
    _leaving(screen, [each for each in status.leaving if each.users], now)
    _parked(screen, status.parked, now)
    _refused(screen, status.refused, now)


def _table[T](
    screen: Screen, title: str, headers: Sequence[str], entries: Sequence[T], cells: Callable[[T], Sequence[Cell]]
) -> None:
    screen.heading(title)
    screen.table(headers, [cells(entry) for entry in entries])
    screen.line()


def _sync(sync: SyncStatus, now: datetime) -> Sequence[Cell]:
    return sync.name, sync.source, sync.target, _mode(sync), ago(sync.last_activity_at, now), _fullest(sync.windows)


def _mode(sync: SyncStatus) -> str:
    return sync.mode if sync.control is Control.RUNNING else sync.control


def _fullest(windows: Sequence[WindowStatus]) -> str:
    """The window that has the least room, of those whose limit is known."""
    fullest = min(windows, key=lambda each: (each.limit is None, (each.limit or 0) - each.used))
    into = " into the target" if fullest.counts is Counts.TARGET else ""
    limit = "" if fullest.limit is None else f" of {fullest.limit}"
    return f"{fullest.used}{limit}{into} in {span(fullest.window_s)}"


def _feed(feed: FeedStatus, now: datetime) -> Sequence[Cell]:
    full = " (full round)" if feed.full and feed.phase is not FeedPhase.IDLE else ""
    return (
        feed.tenant,
        feed.feed,
        feed.phase + full,
        ago(feed.completed_at, now) if feed.completed_at else warning("never"),
        str(feed.entries),
        warning(feed.error) if feed.error else "-",
    )


def _subscription(each: SubscriptionStatus, now: datetime) -> Sequence[Cell]:
    live = each.state is SubscriptionState.LIVE
    state = good(each.state) if live else warning(each.state.upper())
    return each.tenant, each.resource, each.id or "-", ahead(each.expires_at, now), state


def _queue(queue: QueueStatus) -> Sequence[Cell]:
    word = "POISON" if queue.poison and queue.depth > 0 else ""
    if queue.unreadable:
        word = f"{word} {queue.unreadable} UNREADABLE".lstrip()
    return queue.name, str(queue.depth), warning(word) if word else ""


def _holds(screen: Screen, holds: Sequence[HoldCounts]) -> None:
    if not holds:
        screen.line("No deletion is held.")
        screen.line()
        return
    headers = ("sync", "waiting", "approved", "rejected")
    _table(screen, "Held deletions (see them with: xtsync holds)", headers, holds, _counts)


def _counts(held: HoldCounts) -> Sequence[Cell]:
    waiting = warning(str(held.waiting)) if held.waiting else "0"
    return held.sync, waiting, str(held.approved), str(held.rejected)


def _creations(screen: Screen, creations: Sequence[CreationStatus], now: datetime) -> None:
    if not creations:
        return
    headers = ("sync", "waiting", "since", "approved", "invited in the window")
    _table(
        screen,
        "Newcomers who wait (let them in with: xtsync creations)",
        headers,
        creations,
        lambda each: (
            each.sync,
            warning(str(each.waiting)) if each.waiting else "0",
            ago(each.since, now),
            str(each.approved),
            invited(each),
        ),
    )


def _leaving(screen: Screen, leaving: Sequence[LeavingStatus], now: datetime) -> None:
    for each in leaving:
        screen.heading(f"{many(each.users, 'user')} of {each.sync} in stages of leaving (all: xtsync due)")
        show_due(screen, each.next, now)
        screen.line()


def _parked(screen: Screen, parked: Sequence[ParkedUser], now: datetime) -> None:
    if not parked:
        screen.line("Nobody is parked.")
        return
    screen.heading("Parked users (look again with: xtsync sync USER)")
    screen.table(
        ("sync", "source user", "reason", "next try", "tries"),
        [
            (user.sync, user.source_id, user.reason, ahead(user.next_try_at, now), str(user.tries))
            for user in parked[:_MOST_PARKED]
        ],
    )
    if len(parked) > _MOST_PARKED:
        screen.line(f"and {len(parked) - _MOST_PARKED} more; --json lists them all")


def _refused(screen: Screen, refused: Sequence[RefusedUser], now: datetime) -> None:
    if not refused:
        return
    screen.line()
    screen.heading("Attributes that Graph refuses (try at once with: xtsync sync USER)")
    screen.table(
        ("sync", "source user", "attributes", "since", "next try"),
        [
            (user.sync, user.source_id, ", ".join(user.attributes), ago(user.since, now), ahead(user.next_try_at, now))
            for user in refused[:_MOST_PARKED]
        ],
    )
    if len(refused) > _MOST_PARKED:
        screen.line(f"and {len(refused) - _MOST_PARKED} more; --json lists them all")

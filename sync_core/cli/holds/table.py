"""Held deletions for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...ops.documents import Decisions, HeldDeletion
from ...ops.words import ago
from ..screen import Cell, Screen, warning


def show_holds(screen: Screen, holds: Sequence[HeldDeletion], now: datetime) -> None:
    headers = ("sync", "source user", "target user", "change", "why", "held", "state", "over the limit")
    screen.table(headers, [_cells(hold, now) for hold in holds])


def show_decisions(screen: Screen, past: Decisions, now: datetime) -> None:
    if not past.decisions:
        screen.line("Nobody has decided anything yet.")
        return
    headers = ("sync", "source user", "target user", "change", "why", "decision", "by", "when")
    screen.table(
        headers,
        [
            (
                each.sync,
                each.source_id,
                each.target_id,
                each.change,
                each.cause or "-",
                each.decision,
                each.decided_by,
                ago(each.decided_at, now),
            )
            for each in past.decisions
        ],
    )


def _cells(hold: HeldDeletion, now: datetime) -> Sequence[Cell]:
    by = f" by {hold.decided_by}" if hold.decided_by else ""
    return (
        hold.sync,
        hold.source_id,
        hold.target_id,
        hold.change,
        hold.cause or "-",
        ago(hold.held_at, now),
        warning(hold.state) if hold.state.waiting else hold.state + by,
        hold.reason,
    )

"""Held deletions for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...ops.documents import HeldDeletion
from ...ops.words import ago
from ..screen import Cell, Screen, warning


def show_holds(screen: Screen, holds: Sequence[HeldDeletion], now: datetime) -> None:
    headers = ("sync", "source user", "target user", "change", "held", "state", "why")
    screen.table(headers, [_cells(hold, now) for hold in holds])


def _cells(hold: HeldDeletion, now: datetime) -> Sequence[Cell]:
    by = f" by {hold.decided_by}" if hold.decided_by else ""
    return (
        hold.sync,
        hold.source_id,
        hold.target_id,
        hold.change,
        ago(hold.held_at, now),
        warning(hold.state) if hold.state.waiting else hold.state + by,
        hold.reason,
    )

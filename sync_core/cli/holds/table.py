"""The holds as they are stored, for people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...guard.deletions import standing, waiting
from ...ports import HoldRecord
from ..screen import Cell, Screen, warning
from ..words import ago


def show_holds(screen: Screen, holds: Sequence[HoldRecord], now: datetime) -> None:
    headers = ("sync", "source user", "target user", "change", "held", "state", "why")
    screen.table(headers, [_cells(hold, now) for hold in holds])


def _cells(hold: HoldRecord, now: datetime) -> Sequence[Cell]:
    state = standing(hold, now)
    by = f" by {hold.decided_by}" if hold.decided_by else ""
    return (
        hold.sync,
        hold.source_id,
        hold.target_id,
        hold.change,
        ago(hold.held_at, now),
        warning(state) if waiting(hold, now) else state + by,
        hold.reason,
    )

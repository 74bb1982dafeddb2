"""The holds as they are stored, for people and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ..bootstrap import Runtime
from ..holds import standing, waiting
from ..ports import HoldRecord
from .find import find_syncs
from .screen import Cell, Screen, warning
from .words import ago, iso


async def read_holds(runtime: Runtime, sync: str | None) -> list[HoldRecord]:
    """Oldest first."""
    holds = [hold for each in find_syncs(runtime, sync) for hold in await runtime.storage.guards.holds(each.name)]
    return sorted(holds, key=lambda hold: (hold.held_at, hold.sync, hold.source_id))


def as_json(hold: HoldRecord, now: datetime) -> dict[str, object]:
    return {
        "sync": hold.sync,
        "source_id": hold.source_id,
        "target_id": hold.target_id,
        "change": hold.change,
        "reason": hold.reason,
        "held_at": iso(hold.held_at),
        "state": standing(hold, now),
        "decided_at": iso(hold.decided_at),
        "decided_by": hold.decided_by or None,
    }


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

"""Held deletions for people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ...ops.documents import Decisions, HeldDeletion
from ...ops.people import Pair
from ...ops.words import ago
from ..groups import grouped, show_groups
from ..screen import Cell, Screen, warning


def show_holds(
    screen: Screen, holds: Sequence[HeldDeletion], now: datetime, named: Mapping[Pair, str] | None = None
) -> None:
    causes = grouped(holds, lambda hold: hold.cause or "no cause was recorded")
    headers = ("sync", "source user", *(("name",) if named else ()), "target user", "change", "held", "state", "over")
    show_groups(screen, causes, headers, lambda hold: _cells(hold, now, named))


def pair_of(hold: HeldDeletion) -> Pair:
    return Pair(sync=hold.sync, source_id=hold.source_id, target_id=hold.target_id)


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


def _cells(hold: HeldDeletion, now: datetime, named: Mapping[Pair, str] | None) -> Sequence[Cell]:
    by = f" by {hold.decided_by}" if hold.decided_by else ""
    return (
        hold.sync,
        hold.source_id,
        *((named.get(pair_of(hold), "-"),) if named else ()),
        hold.target_id,
        hold.change,
        ago(hold.held_at, now),
        warning(hold.state) if hold.state.waiting else hold.state + by,
        hold.reason,
    )

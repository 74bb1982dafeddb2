"""`record`: how many requests to storage, and how long, a question to a large record takes: a table in memory.

A request is a page of at most 1,000 rows, or one row read by its key, as the service counts them. The time is that of
this program alone: in Azure, each request costs a round trip of some milliseconds more.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from random import Random

from sync_core.model import Event, InScope, Kind, Why
from sync_core.ports import Asked
from sync_core.storage.activity import TableActivity
from sync_core.storage.memory import MemoryTable
from sync_core.storage.table import Row

from .figures import Figure
from .run import Run

_EVENTS = 333_334  # of three rows each: a million rows
_PEOPLE = 20_000
_ASKED = 20  # times
_MOST = 8  # requests: a row that says since when there are rows by kind, and a page of each kind, for two syncs
_NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
_YEAR = timedelta(days=365)
_KINDS: Mapping[Kind, int] = {Kind.UPDATED: 88, Kind.INVITED: 5, Kind.DISABLED: 3, Kind.SOFT_DELETED: 3, Kind.HELD: 1}
_SYNCS = ("contoso-to-fabrikam", "contoso-to-northwind")


class _Counting(MemoryTable):
    """Counts requests as the service does, and takes many rows at once."""

    def __init__(self) -> None:
        super().__init__()
        self.requests = 0

    def fill(self, rows: Iterable[Row]) -> int:
        """Into an empty table; how many there are."""
        self._rows = {(row.pk, row.rk): row for row in rows}
        self._order = sorted(self._rows)
        return len(self._order)

    async def get(self, pk: str, rk: str) -> Row | None:
        self.requests += 1
        return await super().get(pk, rk)

    def _page(self, pk: str | None, rk_from: str, last: tuple[str, str] | None) -> list[Row]:
        page = super()._page(pk, rk_from, last)
        # The table in memory asks once more to find the end; the service says with a page whether there is another.
        self.requests += bool(page) or last is None
        return page


class _Written(MemoryTable):
    """Keeps the rows as they were written: sorting them one by one would take most of the time."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[Row] = []

    async def upsert(self, row: Row) -> str:
        self.rows.append(replace(row, etag="x"))
        return "x"


async def measure(run: Run) -> list[Figure]:
    table, written = _Counting(), _Written()
    activity = TableActivity(table)
    events = run.size(_EVENTS)
    with run.step(f"{events:,} events", events):
        await TableActivity(written).record([_event(n, events) for n in range(events)])
        rows = table.fill(written.rows)
    del written

    first = _event(0, events)
    sync, person = _SYNCS[0], (first.sync, first.user)
    day = _NOW - timedelta(days=1)
    questions: Mapping[str, Asked] = {
        "one person, all": Asked(of=[person], limit=1000),
        "the last day of one sync, all": Asked(of=[(sync, "")], since=day, limit=1000),
        "one kind of one sync, the newest 100": Asked(of=[(sync, "")], kinds=frozenset({Kind.HELD})),
        "one kind of one sync, the last week": Asked(
            of=[(sync, "")], kinds=frozenset({Kind.HELD}), since=_NOW - timedelta(days=7), limit=1000
        ),
        "three kinds of both syncs, the newest 100": Asked(
            of=[(each, "") for each in _SYNCS], kinds=frozenset({Kind.HELD, Kind.DISABLED, Kind.SOFT_DELETED})
        ),
    }
    beside = f"of {rows:,} rows"
    figures = [each for name, asked in questions.items() for each in await _asked(activity, table, name, asked, beside)]
    for name in _SYNCS:
        await activity.vouch(name, _NOW - _YEAR)
    indexed = [
        replace(each, name=f"{each.name}, with rows by kind", limit=_MOST if each.unit == "requests" else None)
        for name, asked in questions.items()
        if asked.kinds
        for each in await _asked(activity, table, name, asked, beside)
    ]
    return [*figures, *indexed]


async def _asked(activity: TableActivity, table: _Counting, name: str, asked: Asked, beside: str) -> list[Figure]:
    seconds: list[float] = []
    given = 0
    for _ in range(_ASKED):
        table.requests, given, question, began = 0, 0, asked, time.perf_counter()
        while True:
            page = await activity.page(question)
            given += len(page.events)
            if not page.more or "all" not in name:
                break
            question = replace(question, after=page.more)
        seconds.append(time.perf_counter() - began)
    return [
        Figure(name=name, value=table.requests, unit="requests", beside=f"{given} events {beside}"),
        Figure(name=name, value=round(statistics.median(seconds) * 1000, 1), unit="ms", beside="median"),
    ]


def _event(n: int, events: int) -> Event:
    draw = Random(n)
    at = _NOW - _YEAR * ((n + draw.random()) / events)
    (kind,) = draw.choices(list(_KINDS), list(_KINDS.values()))
    return Event(
        at=at,
        sync=_SYNCS[draw.random() < 0.3],
        user=_user(draw.randrange(_PEOPLE)),
        kind=kind,
        why=Why.NOTIFICATION,
        reason="deleted in the source" if kind is Kind.SOFT_DELETED else "",
        scope=InScope.IN,
        scope_reason="all internal users",
        attributes=("department", "jobTitle"),
        target_id=_user(draw.randrange(_PEOPLE)),
        graph_request_ids=(_user(n),),
        nominated_at=at - timedelta(seconds=2),
    )


def _user(n: int) -> str:
    return f"{n:08d}-0000-4000-8000-000000000001"

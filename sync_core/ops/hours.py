"""How much happened in each of the last 24 hours."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from ..assembly import Runtime
from ..model import Event, Sync
from ..ports import Asked
from . import documents
from .history import MOST

_HOURS = 24
_READ = 5  # pages, so that the answer does not take as long as a resync makes the record


async def changes_per_hour(runtime: Runtime, syncs: Iterable[Sync]) -> documents.Hours:
    """From the newest 5,000 events. An hour without any is there, too."""
    last = runtime.clock.now().replace(minute=0, second=0, microsecond=0)
    hours = [last - timedelta(hours=n) for n in reversed(range(_HOURS))]
    asked = Asked(of=[(sync.name, "") for sync in syncs], since=hours[0], limit=MOST)
    events: list[Event] = []
    for _ in range(_READ):
        page = await runtime.storage.activity.page(asked)
        events += page.events
        if not page.more:
            break
        asked = replace(asked, after=page.more)
    counts = Counter((_hour(event.at), event.kind) for event in events)
    return documents.Hours(
        hours=[
            documents.Hour(at=at, kinds={kind: n for (hour, kind), n in sorted(counts.items()) if hour == at})
            for at in hours
        ],
        complete=not page.more,
    )


def _hour(at: datetime) -> datetime:
    return at.replace(minute=0, second=0, microsecond=0)

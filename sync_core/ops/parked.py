"""Users who are parked: their change is refused, and they are tried again at a falling rate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..model import Sync
from ..ports import Links
from . import documents
from .times import seconds_between


async def parked_users(links: Links, syncs: Iterable[Sync], now: datetime) -> list[documents.ParkedUser]:
    return [
        documents.ParkedUser(
            sync=link.sync,
            source_id=link.source_id,
            reason=parked.reason,
            next_try_at=parked.until,
            next_try_in_s=seconds_between(now, parked.until),
            tries=parked.tries,
        )
        for sync in syncs
        for link in await links.parked(sync.name)
        if (parked := link.parked) is not None
    ]

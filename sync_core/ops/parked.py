"""Users who are parked, and users of whom Graph refuses some attributes: both are tried again at a falling rate."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from ..model import Reason, Sync
from ..ports import Links
from . import documents
from .changes import WAYS_OUT
from .times import seconds_between


async def parked_users(links: Links, syncs: Iterable[Sync], now: datetime) -> list[documents.ParkedUser]:
    return [
        documents.ParkedUser(
            sync=link.sync,
            source_id=link.source_id,
            reason=parked.reason,
            hint=_way_out(parked.reason),
            next_try_at=parked.until,
            next_try_in_s=seconds_between(now, parked.until),
            tries=parked.tries,
        )
        for sync in syncs
        for link in await links.parked(sync.name)
        if (parked := link.parked) is not None
    ]


def _way_out(reason: str) -> str | None:
    return WAYS_OUT.get(Reason(reason)) if reason in set(Reason) else None


async def refused_users(links: Links, syncs: Iterable[Sync]) -> list[documents.RefusedUser]:
    return [
        documents.RefusedUser(
            sync=link.sync,
            source_id=link.source_id,
            attributes=sorted(link.refused),
            since=min(link.refused_since.values(), default=None),
            next_try_at=link.due,
        )
        for sync in syncs
        for link in await links.refusing(sync.name)
    ]

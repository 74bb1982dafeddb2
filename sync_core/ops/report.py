"""Everybody's access to a target because of us: the pairs as stored, and on request who redeemed the invitation."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Sequence
from dataclasses import replace

from ..assembly import Runtime
from ..model import Guarded, Link, Sync
from .documents import AccessEntry
from .documents.report import Access

_AT_ONCE = 300  # people: twenty requests where redemption is asked for


async def access(runtime: Runtime, syncs: Iterable[Sync], *, redeemed: bool) -> AsyncIterator[Sequence[AccessEntry]]:
    """A few hundred people at a time, so that a large report need not be held. Redemption is asked for."""
    for sync in syncs:
        some: list[AccessEntry] = []
        async for link in runtime.storage.links.pairs(sync.name):
            some.append(_entry(sync, link))
            if len(some) == _AT_ONCE:
                yield await _redeemed(runtime, sync, some) if redeemed else some
                some = []
        if some:
            yield await _redeemed(runtime, sync, some) if redeemed else some


async def _redeemed(runtime: Runtime, sync: Sync, entries: Sequence[AccessEntry]) -> Sequence[AccessEntry]:
    target = runtime.engine.targets[sync.target.key]
    known = await target.standing([entry.target_id for entry in entries])
    return [
        replace(entry, redeemed=known[entry.target_id].redeemed if entry.target_id in known else None)
        for entry in entries
    ]


def _entry(sync: Sync, link: Link) -> AccessEntry:
    access = Access.DISABLED if link.disabled else Access.ENABLED
    return AccessEntry(
        sync=sync.name,
        source_id=link.source_id,
        target=sync.target.key,
        target_id=link.target_id or "",
        access=Access.HELD if link.guarded is Guarded.HELD else access,
        since=link.linked_at,
        redeemed=None,
    )

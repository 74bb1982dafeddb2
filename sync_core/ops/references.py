"""Linked users whom a full round passes over, though their manager has another target user than was applied.

A round compares no references: whatever changes a link nominates the reports. If such a nomination was lost, a look
would find what no round finds. The records alone tell it: no tenant is asked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from ..model import MANAGER, Link, Sync, fingerprint
from ..nominate.feed import next_chunk
from ..ports import Links
from ..storage.concurrency import for_each

_NOBODY = fingerprint(None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Compared:
    """Some linked users of one sync: how many, and those who have another reference. The next ones are behind `cursor`.

    A cursor is `<sync>/<source id>`.
    """

    sync: str
    linked: int
    differ: Sequence[str]
    cursor: str


async def compared(links: Links, syncs: Iterable[Sync], cursor: str) -> Compared | None:
    """The next ones of a walk through the linked users, in order of the syncs' names; None at the end."""
    ordered = sorted(syncs, key=lambda each: each.name)
    found = await next_chunk(
        ordered, cursor, lambda sync, after: links.pairs(sync.name, after), lambda link: link.source_id
    )
    if found is None:
        return None
    sync, chunk, place = found
    differ = await _differing(links, sync, chunk) if sync.maps_manager else []
    return Compared(sync=sync.name, linked=len(chunk), differ=differ, cursor=place)


async def _differing(links: Links, sync: Sync, chunk: Sequence[Link]) -> list[str]:
    """A link that is not trusted is nominated by the round."""
    known = {link.source_id: link for link in chunk}
    await _read(links, sync, {link.manager for link in chunk if link.manager} - known.keys(), known)
    return [link.source_id for link in chunk if not link.dirty and _differs(link, known)]


async def _read(links: Links, sync: Sync, managers: Collection[str], known: dict[str, Link]) -> None:
    async def read(user: str) -> None:
        link = await links.get(sync.name, user)
        if link is not None:
            known[user] = link

    await for_each(sorted(managers), read)


def _differs(link: Link, known: dict[str, Link]) -> bool:
    """As the decision asks (decide.py) and the engine refers: nobody is their own manager."""
    manager = known.get(link.manager or "") if link.manager != link.source_id else None
    wanted = _NOBODY if manager is None else fingerprint(manager.reference)
    return link.applied.get(MANAGER) != wanted and not (wanted == _NOBODY and link.unmanaged)

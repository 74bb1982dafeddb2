"""Whether anybody is left in a sync's scope, as full rounds of its feed see it.

A full round begins with all syncs that the feed judges. It strikes out each of which it sees somebody in scope. At its
end the others count as emptied, if they had people before. One of those is struck out as soon as any round sees
somebody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ports import FeedState, Links


async def begun(state: FeedState, syncs: Sequence[str], links: Links) -> FeedState:
    """At the beginning of a full round that judges these syncs. One with a linked user had people, too."""
    peopled = [name for name in syncs if name in state.peopled or await links.one(name) is not None]
    return replace(state, unseen=tuple(syncs), peopled=tuple(peopled))


def missed(state: FeedState, sync: str) -> bool:
    """Whether it matters if somebody of this sync is in scope."""
    return sync in (state.emptied or ()) or (state.full and sync in (state.unseen or ()))


def seen(state: FeedState, sync: str) -> FeedState:
    """Somebody is in scope."""
    unseen, emptied = _without(state.unseen, sync), _without(state.emptied, sync)
    return replace(state, unseen=unseen, emptied=emptied, peopled=tuple(sorted({*state.peopled, sync})))


def concluded(state: FeedState) -> FeedState:
    """At the end of a round. A full one that an earlier version began knows nothing."""
    if not state.full:
        return state
    emptied = None if state.unseen is None else tuple(name for name in state.unseen if name in state.peopled)
    return replace(state, emptied=emptied, unseen=None)


def _without(names: Sequence[str] | None, sync: str) -> Sequence[str] | None:
    return None if names is None else tuple(name for name in names if name != sync)

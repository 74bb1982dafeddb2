"""The kinds of feed, for the reader of rounds (rounds.py): what each has to answer, and what several need for that."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..model import Nomination, Sync
from ..ports import FeedState, Links, TargetDirectory
from ..ports.listing import Listing

_CHUNK = 1000  # as many ids as getByIds takes. https://learn.microsoft.com/graph/api/directoryobject-getbyids


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """The findings of one step, and the state of the round after it; in phase IDLE the round is over."""

    state: FeedState
    nominations: Sequence[Nomination] = ()


class Feed(Protocol):
    """One kind of feed. It reads; the reader of rounds nominates and stores."""

    @property
    def syncs(self) -> Mapping[str, Sync]:
        """All of the configuration, by name."""
        ...

    @property
    def tenants(self) -> Collection[str]:
        """The tenants that have this feed."""
        ...

    def resource(self, tenant: str) -> str | None:
        """The resource whose subscription tells of this tenant's changes; None where the poll alone finds them."""
        ...

    def concerned(self, tenant: str) -> Sequence[Sync]:
        """The syncs for which this tenant's feed nominates, in order of their names."""
        ...

    def fingerprint(self, tenant: str) -> str:
        """A digest of the round's questions and rules: another one means that every user is judged anew."""
        ...

    def scopes(self, tenant: str) -> Sequence[str]:
        """The syncs of which this feed's full rounds see whether anybody is in scope."""
        ...

    def full_is_due(self, state: FeedState, now: datetime) -> bool:
        """Whether the next round is full for its age alone."""
        ...

    async def step(self, state: FeedState, listing: Listing) -> Step:
        """The next page or chunk of a round; ResyncRequiredError when the delta link is dead.

        `listing` is told of each page, and raises UnavailableError if there is no end.
        """
        ...


def syncs_of(syncs: Mapping[str, Sync], tenant: str) -> list[Sync]:
    """The syncs that a source tenant feeds, in order of their names."""
    return sorted((sync for sync in syncs.values() if sync.source.key == tenant), key=lambda sync: sync.name)


def syncs_into(syncs: Mapping[str, Sync], tenant: str) -> list[Sync]:
    """The syncs that lead into a target tenant, in order of their names."""
    return sorted((sync for sync in syncs.values() if sync.target.key == tenant), key=lambda sync: sync.name)


async def next_chunk[T](
    syncs: Iterable[Sync], cursor: str, walk: Callable[[Sync, str], AsyncIterator[T]], id_of: Callable[[T], str] = str
) -> tuple[Sync, list[T], str] | None:
    """The next ids, or what else has ids, of a walk through syncs in order of their names; None at the end.

    With the cursor behind them. `walk` gives those of a sync behind an id.
    """
    at, _, after = cursor.partition("/")
    for sync in syncs:
        if sync.name < at:
            continue
        chunk: list[T] = []
        async for each in walk(sync, after if sync.name == at else ""):
            chunk.append(each)
            if len(chunk) == _CHUNK:
                break
        if chunk:
            return sync, chunk, f"{sync.name}/{id_of(chunk[-1])}"
    return None


async def without_target(links: Links, target: TargetDirectory, sync: Sync, chunk: Sequence[str]) -> list[str]:
    """Those of some linked users, in order of their ids, whose target user is not there."""
    if not chunk:
        return []
    targets = await links.targets(sync.name, chunk[0], chunk[-1])
    existing = await target.existing(list(targets.values()))
    return [user_id for user_id in chunk if user_id in targets and targets[user_id] not in existing]

"""One look at one user: everything that goes into a decision, and the decision. Pure.

Every path that decides comes through here: reconciling, confirming a deletion, a dry run.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..mapping import apply_mapping
from ..model import MANAGER, Change, Desired, Hold, Json, Link, Refuse, Skip, SourceUser, Sync, TargetUser, Verdict
from ..scope.verdict import scope
from .decide import decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    sync: Sync
    source: SourceUser
    verdict: Verdict
    link: Link
    desired: Desired
    candidates: Sequence[TargetUser]
    change: Change

    @property
    def settled(self) -> bool:
        """Nothing (more) is to be done on this read."""
        if isinstance(self.change, Hold):
            return self.change.meanwhile is None
        return isinstance(self.change, Skip | Refuse)


def desired(sync: Sync, source: SourceUser, manager: Json = None) -> Desired:
    """What the target user should have: what the mapping says, and the ownership marker.

    `manager` is the reference to the target user of the source user's manager (Link.reference).
    """
    attributes = {**source.attributes, MANAGER: manager}
    # What depends on time or chance comes out the same for a user until the user is read again.
    mapped = apply_mapping(sync.mapping, attributes, now=source.read_at, seed=f"{sync.name}/{source.id}")
    marker = sync.marker(source.id)
    if marker is None or mapped.ignored:
        return mapped
    return replace(mapped, always={**mapped.always, marker.attribute: marker.text})


def look(
    sync: Sync, source: SourceUser, link: Link, candidates: Sequence[TargetUser] = (), *, manager: Json = None
) -> Look:
    """`manager` as in desired."""
    verdict = scope(sync, source)
    wanted = desired(sync, source, manager)
    change = decide(source, verdict, link, wanted, sync.policy, candidates, sync.marker(source.id))
    return Look(
        sync=sync, source=source, verdict=verdict, link=link, desired=wanted, candidates=candidates, change=change
    )

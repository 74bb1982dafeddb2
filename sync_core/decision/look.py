"""One look at one user: a situation, and what was decided on it. Pure.

Reconciling, confirming a removal and a dry run all decide through here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..mapping import apply_mapping, source_attributes
from ..model import (
    MANAGER,
    Change,
    Desired,
    Hold,
    Json,
    Link,
    Postpone,
    Refuse,
    Rule,
    Skip,
    SourceState,
    SourceUser,
    Sync,
    TargetUser,
    Verdict,
)
from .decide import Situation, decide


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """`link` may say more than the one that was decided on: that the guard holds the change.

    `target` is the linked target user, where the decision took a read of it.
    """

    sync: Sync
    situation: Situation
    link: Link
    change: Change
    target: TargetUser | None = None

    @property
    def source(self) -> SourceUser:
        return self.situation.source

    @property
    def verdict(self) -> Verdict:
        return self.situation.verdict

    @property
    def desired(self) -> Desired:
        return self.situation.desired

    @property
    def candidates(self) -> Sequence[TargetUser]:
        return self.situation.candidates

    @property
    def cause(self) -> str:
        """Why access would be taken away: the same text for the same cause, whatever the kind of change."""
        if self.source.absent:
            return "deleted in the source"
        if self.verdict.out:
            return f"out of scope: {self.verdict.reason}"
        return "disabled in the source" if self.source.state is SourceState.DISABLED else "disabled by the mapping"

    @property
    def leaves(self) -> bool | None:
        """Whether access is to end, sooner or later. None: that cannot be told."""
        if self.situation.heir is not None or self.link.heir is not None:
            return False
        if self.source.absent or self.verdict.out:
            return True
        return None if self.verdict.undecided else False

    @property
    def returns(self) -> bool:
        """Back in the source: whom it names as this user's reports has to be asked again."""
        return self.situation.link.away and not self.source.absent

    @property
    def nothing_to_do(self) -> bool:
        """Nothing (more) needs doing on this read."""
        if isinstance(self.change, Hold | Postpone):
            return self.change.meanwhile is None
        return isinstance(self.change, Skip | Refuse)


def desired(sync: Sync, source: SourceUser, manager: Json = None) -> Desired:
    """The attributes that the target user should have: those of the mapping, and the ownership marker.

    `manager` is the reference to the target user of the source user's manager (Link.reference).
    """
    attributes = {**source.attributes, MANAGER: manager}
    # An expression of time or chance gives the same value for a user until the user is read again.
    rules = [rule for rule in sync.mapping if not _hidden(rule, source)] if source.unreadable else sync.mapping
    mapped = apply_mapping(rules, attributes, now=source.read_at, seed=f"{sync.name}/{source.id}")
    if len(rules) < len(sync.mapping):
        hidden = {rule.target: "the app has no role to read it" for rule in sync.mapping if _hidden(rule, source)}
        mapped = replace(mapped, left_out={**mapped.left_out, **hidden})
    marker = sync.marker(source.id)
    if marker is None or mapped.ignored:
        return mapped
    # It goes first: of a write in parts, none takes the invitation's mark off the name before the marker is there.
    return replace(mapped, always={marker.attribute: marker.text, **mapped.always})


def _hidden(rule: Rule, source: SourceUser) -> bool:
    """Whether the rule reads an attribute that is null only because the app may not read it."""
    return bool(source.unreadable & source_attributes([rule]))


def look(
    sync: Sync,
    source: SourceUser,
    verdict: Verdict,
    link: Link,
    wanted: Desired,
    candidates: Sequence[TargetUser] = (),
    *,
    foreign: bool = False,
    heir: str | None = None,
    kept: datetime | None = None,
) -> Look:
    """`verdict` is the scope's on this very read, and `wanted` is what `desired` says of it."""
    situation = Situation(
        source=source,
        verdict=verdict,
        link=link,
        desired=wanted,
        policy=sync.policy,
        candidates=candidates,
        marker=sync.marker(source.id),
        foreign=foreign,
        heir=heir,
        kept=kept,
    )
    return Look(sync=sync, situation=situation, link=link, change=decide(situation))


def if_approved(decided: Look, target_id: str) -> Change:
    """The decision in the same situation if a person had approved this target user."""
    at = decided.situation
    return decide(replace(at, link=at.link.approved(target_id)))

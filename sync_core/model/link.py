"""The stored pair of source and target user, and every step of its life. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from .users import SourceUser
from .values import (
    ENABLED,
    MANAGER,
    Json,
    digest,
    fingerprint,
)


class LinkState(StrEnum):
    SEEN = "seen"  # looked at; no target user is ours
    INVITING = "inviting"  # nobody was there, and an invitation may have been sent
    LINKED = "linked"  # the pair is ours
    DELETED = "deleted"  # we soft-deleted the target user
    LOST = "lost"  # somebody else deleted or purged the target user

    @property
    def ours(self) -> bool:
        """Whether there is, or was, a target user whom we may write."""
        return self in {LinkState.LINKED, LinkState.DELETED, LinkState.LOST}


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """The stored pair of source and target user, with fingerprints of what was last applied.

    `dirty` stands from before the first write until its record: a dirty link's fingerprints are not trusted, and
    every attribute is applied again. `permit` is what the guard last said of this user's deletion: the name of the
    change that it counted and allowed, or "Hold". `adopt` is the one target user whom a person let this user adopt.
    `refused` says with which error Graph refused which attributes: they count as applied, so that no look sends them
    again until their value changes.
    """

    sync: str
    source_id: str
    state: LinkState = LinkState.SEEN
    target_id: str | None = None
    applied: Mapping[str, str] = field(default_factory=dict)
    refused: Mapping[str, str] = field(default_factory=dict)
    manager: str | None = None  # the source user's manager when we last looked, whether or not they are linked
    kept_out: bool = False  # groups put them out when we last looked: see scope/verdict.py
    member_of: frozenset[str] | None = None  # of the scope's groups, when we last looked; None: not known
    dirty: bool = False
    created: bool = False  # the on-create attributes are in place
    permit: str | None = None
    adopt: str | None = None
    read_at: datetime | None = None  # when the source was last read
    noticed_at: datetime | None = None  # when a notification last led to a look
    invited_at: datetime | None = None
    linked_at: datetime | None = None  # when the target user last became ours, or came back
    deleted_at: datetime | None = None
    parked_until: datetime | None = None
    park_count: int = 0
    reason: str = ""  # why it is parked, held or skipped
    etag: str | None = None

    @property
    def ours(self) -> bool:
        return self.state.ours

    @property
    def disabled(self) -> bool:
        """As far as the record goes."""
        return self.applied.get(ENABLED) == fingerprint(False)

    @property
    def unsettled(self) -> bool:
        """Nobody has yet come to an end with this user: a target user of ours may be there without our knowing."""
        return self.state is LinkState.SEEN and (self.read_at is None or self.parked_until is not None)

    @property
    def invitation_mark(self) -> str:
        """What the display name of our own unfinished invitation begins with, until the first attributes replace it.

        Graph answers an invitation to a known address with the guest who is already there: only the mark tells the
        guest whom we made from one whom somebody else invited at the same moment.
        """
        return f"[{fingerprint([self.sync, self.source_id])}]"

    @property
    def unmanaged(self) -> bool:
        """Our own guest, whom we never gave a manager: there is none to remove."""
        return self.invited_at is not None and MANAGER not in self.applied

    def recorded(self, source: SourceUser, applied: Mapping[str, str]) -> Link:
        """With what was applied on this read. That a manager was once given stays known, whatever the mapping says."""
        kept = {name: value for name, value in self.applied.items() if name == MANAGER}
        if self.unmanaged and applied.get(MANAGER) in ("", fingerprint(None)):
            applied = {name: value for name, value in applied.items() if name != MANAGER}
        manager = source.manager if MANAGER in source.attributes else self.manager
        return replace(self, applied={**kept, **applied}, manager=manager)

    @property
    def reference(self) -> Json:
        """What the `manager` of those who report to this user is to be; None while there is nobody to refer to.

        Entra drops references to a user whom it deletes. So a reference is to one life of the target user: it differs
        from the one before a restore, and is written again.
        """
        if self.state is not LinkState.LINKED:
            return None
        return {"id": self.target_id, "since": self.linked_at.isoformat() if self.linked_at else None}

    @property
    def digest(self) -> str:
        """What a feed compares: empty while the record is not to be trusted."""
        return "" if self.dirty or self.state is not LinkState.LINKED else digest(self.applied)


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDigest:
    digest: str  # Link.digest: empty while the record is not to be trusted
    state: LinkState
    manager: str | None = None  # Link.manager
    reference: str = ""  # the fingerprint of what was applied as manager: empty as digest is
    kept_out: bool = False  # Link.kept_out
    member_of: frozenset[str] | None = None  # Link.member_of

"""What happened, as values: one event is one thing that happened to one user, or to a sync as a whole."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .users import Verdict
from .values import Json


class Kind(StrEnum):
    """The kinds of events. A row in the table keeps the text, so none is renamed."""

    INVITED = "invited"
    LINKED = "linked"  # a guest of ours was found again: after a lost answer, or with the tables lost
    ADOPTED = "adopted"
    UPDATED = "updated"
    DISABLED = "disabled"
    ENABLED = "enabled"
    RESTORED = "restored"
    SOFT_DELETED = "soft_deleted"
    LOST = "lost"  # somebody else deleted the target user
    UNLINKED = "unlinked"  # the target user was left as it is, or is gone
    REDEMPTION_RESET = "redemption_reset"  # the invitation is to be redeemed anew
    LEAVING = "leaving"  # a stage of leaving was reached, or the next one comes at another time
    KEPT = "kept"  # a person keeps somebody who leaves, or would leave
    KEEP_ENDED = "keep_ended"  # a person ended that
    HELD = "held"
    RELEASED = "released"  # from a hold: nothing is to be taken away any more
    REFUSED = "refused"  # by a rule of ours; looked at again at a falling rate
    PARKED = "parked"  # by an error; looked at again at a falling rate
    WOULD_INVITE = "would_invite"  # decided, and put off: the sync observes, or is paused
    WOULD_ADOPT = "would_adopt"
    WOULD_UPDATE = "would_update"
    WOULD_DISABLE = "would_disable"
    WOULD_SOFT_DELETE = "would_soft_delete"
    WOULD_RESTORE = "would_restore"
    WOULD_UNLINK = "would_unlink"
    PAUSED = "paused"  # a person stopped a sync, or what takes access away
    RESUMED = "resumed"
    APPROVED = "approved"  # a person let a deletion or an adoption happen
    REJECTED = "rejected"
    RESYNCED = "resynced"  # a person started the feeds of the source over
    PUT_BACK = "put_back"  # a person had a message handled again that had failed again and again
    DISCARDED = "discarded"  # a person removed such a message
    CONFIGURED = "configured"  # another sync.yaml took the lead
    RENAMED = "renamed"  # a person gave the people of a sync to its new name
    MOVED = "moved"  # a person began a sync anew in another tenant
    REMOVED = "removed"  # a person ended a sync, or took that back; the reason says which
    OTHER = "other"  # a newer version wrote the row; the reason begins with its kind


class InScope(StrEnum):
    IN = "in"
    OUT = "out"
    UNDECIDED = "undecided"

    @classmethod
    def of(cls, verdict: Verdict) -> InScope:
        if verdict.undecided:
            return cls.UNDECIDED
        return cls.IN if verdict.in_scope else cls.OUT


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """The value that one attribute was given, as text. None is no value: the attribute was cleared.

    `before` is what the target had, if that was read anyway. `cut`: there is more than the record has room for. A value
    that is None and cut was left out altogether.
    """

    attribute: str
    value: str | None
    before: str | None = None
    before_known: bool = False
    cut: bool = False


def as_text(value: Json) -> str | None:
    """Text as it is; a reference to a manager as the target user's id; anything else as JSON.

    Half a surrogate pair, which no table and no file can have, becomes a question mark.
    """
    if value is None:
        return None
    if isinstance(value, dict) and "id" in value:
        value = value["id"]
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    return text.encode("utf-8", "replace").decode("utf-8")


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Names of attributes and ids; never an address or a display name, and of values those that the sync asks for.

    An empty text is not known, or does not apply. An empty `user` is the sync as a whole.
    """

    at: datetime
    sync: str
    user: str = ""
    kind: Kind
    why: str = ""  # what led to the look: Why
    reason: str = ""  # of the decision, or of a person
    scope: InScope | None = None
    scope_reason: str = ""
    attributes: Sequence[str] = ()
    values: Sequence[Written] = field(default=(), repr=False)  # personal data: of what `record_values` names
    refused: Sequence[str] = ()  # attributes that Graph refuses to write
    target_id: str = ""
    graph_request_ids: Sequence[str] = ()  # of the writes that Graph accepted, in order; its audit log names them
    operator: str = ""  # an object id, or a name from the command line
    nominated_at: datetime | None = None
    attempt: int = 0
    next_try_at: datetime | None = None
    again: bool = False  # of a user who was parked before

"""One user as a document: the reads, the decisions, and the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from enum import StrEnum
from typing import Literal

from ...model import LinkState, SourceState
from .changes import Change
from .rendering import document


@document
class Source:
    """The user in the source tenant."""

    state: SourceState
    read_at: datetime


@document
class Scope:
    """Whether the user is in scope. Undecided: neither let in nor deprovisioned."""

    in_scope: bool
    undecided: bool
    reason: str


@document
class Link:
    """The recorded pair. Dirty: a write was put off, or begun and not recorded: all attributes are written again."""

    state: LinkState
    target_id: str | None
    dirty: bool


@document
class RefusedAttributes:
    """Attributes that Graph refuses to write: Graph's error of each, and since when, where the record knows it."""

    attributes: Mapping[str, str]
    since: Mapping[str, datetime]
    next_try_at: datetime | None
    hint: str


@document
class Candidate:
    """A target user who has the address or the ownership marker. `linked_to` is SYNC/USER."""

    id: str
    external: bool
    linked_to: str | None
    marker: str | None


@document
class Look:
    """One read of one user, and the decision on it. `candidates` is null where the decision needs none."""

    source: Source
    scope: Scope
    link: Link
    refused: RefusedAttributes | None
    candidates: Sequence[Candidate] | None
    decision: Change


class Result(StrEnum):
    """The outcome in one word. A live run may be done, parked or retried; a dry run would act or would be refused."""

    DONE = "done"
    PARKED = "parked"  # refused: tried again at a falling rate
    RETRY = "retry"  # the function app tries again within minutes
    NOTHING = "nothing"
    HELD = "held"
    POSTPONED = "postponed"  # the sync may not write now
    WOULD = "would"
    REFUSED = "refused"
    FAILED = "failed"


@document
class Outcome:
    """The changes that were made, or would be in a dry run. `error` is a reason or an error's code."""

    result: Result
    changes: Sequence[Change]
    target_id: str | None
    error: str | None
    hint: str | None
    next_try_at: datetime | None


@document
class SyncResult:
    """One user of one sync: each look in order, the outcome, and how long it took in seconds."""

    sync: str
    user: str
    dry_run: bool
    steps: Sequence[Look]
    outcome: Outcome
    seconds: float


@document
class SyncResults:
    results: Sequence[SyncResult]


@document
class User:
    """A source user by object id, in one sync."""

    sync: str
    user: str


@document
class Nominated:
    """The message is stored: the function app looks at this user again."""

    nominated: User


@document
class NominationRequest:
    """Source users by object id, at most 1000."""

    users: Sequence[str]


@document
class NominatedUsers:
    """The messages are stored: the function app looks at these users again."""

    nominated: Sequence[User]


@document
class WaitingUser:
    """A user who is parked until a person decides about an adoption. `text` is the reason in words."""

    sync: str
    source_id: str
    reason: str
    text: str = ""
    next_try_at: datetime


@document
class WaitingUsers:
    waiting: Sequence[WaitingUser]


@document
class AdoptionChoice:
    """A target user who may be meant. `refused` says why no word of a person can make it this source user's.

    `name` and `address` are read for this answer: personal data, which rests nowhere.
    """

    target_id: str
    name: str
    address: str
    external: bool
    enabled: bool
    created_at: datetime | None
    linked_to: str | None
    refused: str | None


@document
class AdoptionChoices:
    """A fresh look at one user who waits: what it decides by itself, and the target users to choose from."""

    sync: str
    source_id: str
    decision: str
    choices: Sequence[AdoptionChoice]


@document
class AdoptionRequest:
    """The target user to adopt, by object id."""

    target_id: str


@document
class ApprovedAdoption:
    """The next look at this source user may adopt exactly this target user."""

    sync: str
    source_id: str
    target_id: str
    result: Literal["approved"] = "approved"


@document
class ApprovedAdoptions:
    """The adoptions of a file. `changed` were looked at by somebody else meanwhile: they were not approved."""

    approved: Sequence[ApprovedAdoption]
    changed: Sequence[User]

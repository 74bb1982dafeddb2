"""Events of the record as documents, and one person explained by them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime

from ...model import InScope, Kind
from .drift import DriftedUser
from .leaving import Keep
from .pairs import PairEntry
from .rendering import document
from .users import SyncResult


@document
class EventDecision:
    """The reason in our own words, and the scope's verdict that it rested on. Null: not known, or there is none."""

    reason: str | None
    scope: InScope | None
    scope_reason: str | None


@document
class WrittenValue:
    """The value that one attribute was given, as text; null if it was cleared.

    `before` is what the target had; not `before_known`: nobody had to read it. `cut`: there was more than the record
    has room for; a value that is null and cut was left out.
    """

    attribute: str
    value: str | None
    before: str | None
    before_known: bool
    cut: bool


@document
class ActivityEvent:
    """One thing that happened to one user, or, where `user` is null, to the sync as a whole.

    `text` says it in a sentence. `why` is what led to the look. `refused` are attributes that Graph refuses to write.
    `values` are those written, of the attributes that `record_values` of sync.yaml names: personal data.
    `graph_request_ids` are those of the writes, as the target tenant's audit log has them. `operator` is an object id,
    or a name from the command line.
    """

    at: datetime
    sync: str
    user: str | None
    kind: Kind
    text: str
    why: str | None
    decision: EventDecision
    attributes: Sequence[str]
    refused: Sequence[str]
    target_id: str | None
    graph_request_ids: Sequence[str]
    operator: str | None
    latency_ms: int | None
    attempt: int
    next_try_at: datetime | None
    values: Sequence[WrittenValue] = ()


@document
class Activity:
    """Events, newest first. `more` as the parameter `after` gives older ones; null where there are none."""

    events: Sequence[ActivityEvent]
    more: str | None


@document
class Hour:
    """The events of one hour, by kind. `at` is its beginning."""

    at: datetime
    kinds: Mapping[Kind, int]


@document
class Hours:
    """The last 24 hours, oldest first. Not `complete`: there were too many events, so the oldest are not counted."""

    hours: Sequence[Hour]
    complete: bool


@document
class Explanation(SyncResult):
    """One look at one user without acting: what it found in sentences, and the last ten events under it.

    `keep` is null where no person keeps the user. `looked_at` is the app's own last look, null before the first one.
    `pair` is null without a target user, and `drift` where nobody is known to have changed it. Both are stored state;
    a version before leaves them out.
    """

    keep: Keep | None
    looked_at: datetime | None
    pair: PairEntry | None = None
    drift: DriftedUser | None = None
    sentences: Sequence[str]
    events: Sequence[ActivityEvent]


@document
class Explanations:
    results: Sequence[Explanation]

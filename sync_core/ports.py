"""What the core needs of the world, and nothing more: time, two directories, and stored state.

Each port has a real adapter (sync_core/graph, sync_core/storage) and runs unchanged in the simulator. Every method may
raise TransientError (try again) or PermanentError; a compare-and-swap that loses raises ConflictError. A record that
was read or saved carries its `etag`; one without is new, and saving it inserts.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from .model import (
    Attributes,
    FeedRun,
    Json,
    LifecycleEvent,
    Link,
    LinkState,
    Marker,
    Nomination,
    Outcome,
    SourceUser,
    TargetUser,
)


class Clock(Protocol):
    def now(self) -> datetime:
        """Aware, UTC."""
        ...

    async def sleep(self, seconds: float) -> None: ...


# --- Graph ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaPage:
    """One page of a delta query. Exactly one of the links is set.

    https://learn.microsoft.com/graph/delta-query-overview
    """

    users: Sequence[SourceUser]  # `@removed` entries are soft-deleted (changed) or gone (deleted), without attributes
    next_link: str | None = None
    delta_link: str | None = None


class SourceDirectory(Protocol):
    """The source tenant, read only."""

    async def read_user(self, user_id: str, groups: Collection[str] = ()) -> SourceUser:
        """A fresh read of one user: GET, after a 404 `directory/deletedItems`, after a second 404 gone.

        Whoever is there is then looked for in these groups, through every level; any failure raises.
        """
        ...

    async def missing_groups(self, groups: Collection[str]) -> set[str]:
        """Which of these groups Graph says it does not have."""
        ...

    async def delta_page(self, link: str | None) -> DeltaPage:
        """The page behind a stored link, or the first of a full round. ResyncRequiredError when the link is dead."""
        ...

    async def reports(self, user_id: str) -> list[str]:
        """The ids of those who report to this user directly; nobody when the user is not there."""
        ...

    async def existing(self, user_ids: Sequence[str]) -> set[str]:
        """Which of these (at most 1,000) ids are there now."""
        ...

    @property
    def select(self) -> str:
        """The attributes that reads and the feed ask for; another list needs a full round."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupChanges:
    """One page of a delta query on members. Exactly one of the links is set.

    https://learn.microsoft.com/graph/delta-query-groups
    """

    joined: Sequence[str]  # users who were added to one of the groups
    left: Sequence[str]  # users who were removed from one
    regrouped: bool  # one of the groups gained or lost a group, or was deleted or restored itself
    next_link: str | None = None
    delta_link: str | None = None


class GroupDirectory(Protocol):
    """The groups of a source tenant, read only. Every one of these listings nominates; none decides."""

    async def closure(self, groups: Collection[str]) -> set[str]:
        """These groups and all that are nested in them; those that do not exist are missing."""
        ...

    async def latest(self, groups: Collection[str]) -> str:
        """A delta link from now on for the members of these groups."""
        ...

    async def changes(self, link: str, groups: Collection[str]) -> GroupChanges:
        """The page behind a stored link, as far as it is about these. ResyncRequiredError when the link is dead."""
        ...

    async def members(self, group: str) -> set[str] | None:
        """Every user who is a member, through every level; None when there is no such group."""
        ...


class Presence(StrEnum):
    PRESENT = "present"
    SOFT_DELETED = "soft-deleted"
    GONE = "gone"


# Asked once the permit is there, right before the request: waiting for a permit must not make what cannot be taken back
# rest on an old read. Its "no" raises ConflictError, and nothing was done.
type Confirm = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedPage:
    """One page of a listing of target users by their ownership marker: the source ids that the markers name."""

    source_ids: Sequence[str]
    next_link: str | None = None


class TargetDirectory(Protocol):
    """The target tenant. Every write takes a permit of the shared write budget first."""

    async def candidates(
        self, address: str | None, *, mark: str | None = None, marker: Marker | None = None
    ) -> list[TargetUser]:
        """The users who bear this address in any of its places, a display name that begins with this mark, or this
        ownership marker. With a marker, each comes with the one that it bears.
        """
        ...

    async def marked(self, marker: Marker, link: str | None = None) -> MarkedPage:
        """The first page of the users who bear a marker with this one's prefix, or the page behind a link."""
        ...

    async def read_user(self, target_id: str) -> TargetUser | None: ...

    async def presence(self, target_id: str) -> Presence: ...

    async def enabled(self, target_id: str) -> bool:
        """Whether this user is there and may sign in."""
        ...

    async def invite(self, address: str, display_name: str, *, confirm: Confirm) -> str:
        """POST /invitations without a mail; the id of the user it made, or of the guest who was already there."""
        ...

    async def update(
        self, target_id: str, attributes: Attributes, *, confirm: Confirm | None = None
    ) -> Mapping[str, str] | None:
        """PATCH; None when there is no such user.

        An attribute that Graph refuses is left out and the rest is written: the result names each of them with the
        error's code. A refusal that no attribute explains raises GraphRefusedError.
        """
        ...

    async def set_manager(self, target_id: str, manager_id: str | None) -> bool:
        """Set or (None) remove the reference; False when there is no such user.

        MissingManagerError when it is the manager who is not there.
        """
        ...

    async def soft_delete(self, target_id: str, *, confirm: Confirm) -> bool:
        """DELETE; False when there is no such user."""
        ...

    async def restore(self, target_id: str) -> bool:
        """From deletedItems; False when it is not there (any more)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GraphSubscription:
    """A subscription as Graph lists it. https://learn.microsoft.com/graph/api/resources/subscription"""

    id: str
    resource: str
    notification_url: str
    expires_at: datetime


class SubscriptionApi(Protocol):
    @property
    def notification_url(self) -> str:
        """Where Graph is to post; a subscription that posts elsewhere is replaced."""
        ...

    async def create(self, *, resource: str, client_state: str, expires_at: datetime) -> GraphSubscription:
        """ConflictError when Graph already has one for this resource."""
        ...

    async def renew(self, subscription_id: str, expires_at: datetime) -> GraphSubscription | None:
        """None when Graph no longer knows it."""
        ...

    async def delete(self, subscription_id: str) -> None: ...

    async def list(self) -> list[GraphSubscription]: ...


class TenantInspection(Protocol):
    """One app on one tenant, for checks: its access token, and what it may read of the tenant's settings."""

    async def claims(self) -> Mapping[str, Json]:
        """What the access token says of itself, also when it is another tenant's. Raises what the credential raises.

        https://learn.microsoft.com/entra/identity-platform/access-token-claims-reference
        """
        ...

    async def get(self, template: str, **parameters: str) -> Mapping[str, Json] | None:
        """One GET below `/v1.0`; None when there is no such thing."""
        ...

    @property
    def answered_at(self) -> datetime | None:
        """Graph's own time of its last answer."""
        ...


# --- stored state -----------------------------------------------------------------------------------------------


class Links(Protocol):
    async def get(self, sync: str, source_id: str) -> Link | None: ...

    async def save(self, link: Link) -> Link:
        """Insert (no etag) or replace if unchanged; the saved link with its new etag."""
        ...

    async def forget(self, link: Link) -> None:
        """Delete the link, and with it the claim on its target user."""
        ...

    async def digests(self, sync: str, source_ids: Sequence[str]) -> Mapping[str, LinkDigest]:
        """What a feed needs of these users' links, read now; users without a link are missing."""
        ...

    def ids(self, sync: str, after: str = "") -> AsyncIterator[str]:
        """The source ids whose target user is ours and present, in order, from `after` on (exclusive)."""
        ...

    def grouped(self, sync: str, after: str = "") -> AsyncIterator[str]:
        """The source ids of those who were in some group of the scope when we last looked, likewise."""
        ...

    async def count(self, sync: str) -> int:
        """How many target users are ours and present."""
        ...

    async def claim(self, target_tenant: str, target_id: str, owner: str) -> str:
        """Make `owner` ("<sync>/<source id>") the only owner of a target user; returns who owns it afterwards."""
        ...

    async def owner(self, target_tenant: str, target_id: str) -> str | None: ...

    async def parked(self, sync: str) -> list[Link]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkDigest:
    digest: str  # Link.digest: empty while the record is not to be trusted
    state: LinkState
    manager: str | None = None  # Link.manager
    reference: str = ""  # the fingerprint of what was applied as manager: empty as digest is
    kept_out: bool = False  # Link.kept_out
    member_of: frozenset[str] | None = None  # Link.member_of


class FeedPhase(StrEnum):
    IDLE = "idle"
    PAGES = "pages"
    SWEEP = "sweep"  # of a full round of users: who is linked and was deleted while nobody was reading?
    MARKED = "marked"  # after that: who bears our marker in the target, and has no link?
    MEMBERS = "members"  # of a full round of groups: who is a member and not linked, or linked and not a member?


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """How far one feed has been read. `delta_link` is where the next round starts; without one it is a full round."""

    tenant: str
    feed: str = "users"
    phase: FeedPhase = FeedPhase.IDLE
    round: str = ""
    full: bool = False
    link: str | None = None  # the next page of this round
    delta_link: str | None = None
    # How far the sweep has come: "<sync>/<source id>"; of the marked and of groups, the sync that was tried last.
    cursor: str = ""
    unlisted: Sequence[str] = ()  # the syncs whose marked target users were not listed to the end since a full round
    fingerprint: str = ""  # of what is selected and how it is mapped: another one needs a full round
    closure: str = ""  # groups: a digest of those whose members are followed; another one needs a full round
    started_at: datetime | None = None
    progress_at: datetime | None = None
    completed_at: datetime | None = None
    full_at: datetime | None = None  # when the last full round was completed
    pages: int = 0
    entries: int = 0
    nominated: int = 0
    error: str = ""  # why this round stopped, if it did: an error code, no text from outside
    etag: str | None = None


class Feeds(Protocol):
    async def get(self, tenant: str, feed: str = "users") -> FeedState:
        """The stored state; a fresh idle one when there is none."""
        ...

    async def save(self, state: FeedState) -> FeedState: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRecord:
    """Our side of one subscription. The client state itself is known to Graph alone; here is its SHA-256."""

    tenant: str
    tenant_id: str
    resource: str = "users"
    subscription_id: str = ""  # empty: about to be created
    client_state_hash: str = ""
    expires_at: datetime | None = None
    etag: str | None = None


class Subscriptions(Protocol):
    async def get(self, tenant: str, resource: str = "users") -> SubscriptionRecord | None: ...

    async def save(self, record: SubscriptionRecord) -> SubscriptionRecord: ...

    async def all(self) -> list[SubscriptionRecord]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardWindow:
    """What a sync has taken away lately: deletions by the start of a slice of the window, and how many links it has."""

    sync: str
    slices: Mapping[str, int] = field(default_factory=dict)  # ISO start of slice -> deletions
    linked: int = 0
    counted_at: datetime | None = None
    etag: str | None = None


class HoldState(StrEnum):
    HELD = "held"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRecord:
    """One deletion that waits for a person. It is bound to this user and this kind of change."""

    sync: str
    source_id: str
    target_id: str
    change: str  # SoftDelete or Disable
    reason: str
    held_at: datetime
    state: HoldState = HoldState.HELD
    decided_at: datetime | None = None
    decided_by: str = ""
    etag: str | None = None


class Guards(Protocol):
    async def window(self, sync: str) -> GuardWindow: ...

    async def save_window(self, window: GuardWindow) -> GuardWindow: ...

    async def hold(self, sync: str, source_id: str) -> HoldRecord | None: ...

    async def save_hold(self, hold: HoldRecord) -> HoldRecord: ...

    async def drop_hold(self, hold: HoldRecord) -> None: ...

    async def holds(self, sync: str) -> list[HoldRecord]: ...


class Activity(Protocol):
    async def record(self, outcome: Outcome) -> None: ...

    async def poisoned(self, queue: str, message_id: str, body: str, at: datetime) -> None:
        """Keep what came out of a poison queue, so that nothing is lost; safe to repeat."""
        ...

    async def prune(self, sync: str, before: datetime, limit: int) -> int:
        """Drop at most `limit` outcomes that are older; how many it dropped."""
        ...

    async def recent(self, sync: str, limit: int) -> list[Mapping[str, object]]: ...

    async def poison_count(self) -> int: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class BudgetRecord:
    """The tokens left of one app's writes on one tenant, as of `at`; shared by all workers."""

    tenant_id: str
    tokens: float
    at: datetime
    etag: str | None = None


class Budgets(Protocol):
    async def get(self, tenant_id: str) -> BudgetRecord | None: ...

    async def save(self, record: BudgetRecord) -> BudgetRecord: ...


class Queues(Protocol):
    """The three work queues. Sending returns when every message is stored; delays are at most 7 days."""

    async def nominate(self, nominations: Sequence[Nomination], *, delay: float = 0) -> None: ...

    async def continue_feed(self, run: FeedRun, *, delay: float = 0) -> None: ...

    async def subscription_event(self, event: LifecycleEvent, *, delay: float = 0) -> None: ...

    async def depths(self) -> Mapping[str, int]:
        """Approximate number of messages by queue name, poison queues included."""
        ...

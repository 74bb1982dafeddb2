"""Stored state: links, feeds, subscriptions, guards and budgets."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Protocol

from ..model import Link, LinkDigest


class Links(Protocol):
    async def get(self, sync: str, source_id: str) -> Link | None: ...

    async def save(self, link: Link) -> Link:
        """Insert (no etag) or replace if unchanged; the saved link with its new etag."""
        ...

    async def forget(self, link: Link) -> None:
        """Delete the link, and with it the claim on its target user."""
        ...

    async def digests(self, sync: str, source_ids: Sequence[str]) -> Mapping[str, LinkDigest]:
        """The parts of these users' links that a feed needs, read now; users without a link are missing."""
        ...

    def ids(self, sync: str, after: str = "") -> AsyncIterator[str]:
        """The source ids whose target user is ours and present, in order, from `after` on (exclusive)."""
        ...

    async def targets(self, sync: str, first: str, last: str) -> Mapping[str, str]:
        """The target ids of those from the source id `first` to `last` (inclusive), by source id."""
        ...

    def grouped(self, sync: str, after: str = "") -> AsyncIterator[str]:
        """The source ids of users who were in some group of the scope at the last look, in order, from `after` on."""
        ...

    def ours(self, sync: str, after: str = "") -> AsyncIterator[Link]:
        """Every pair behind this source id, by source id, also one whose target user is deleted. Newer rows: none."""
        ...

    def pairs(self, sync: str, after: str = "") -> AsyncIterator[Link]:
        """The links whose target user is ours and present, in the order of the source ids, from `after` on."""
        ...

    def unfinished(self, sync: str, *, deleted_before: datetime) -> AsyncIterator[str]:
        """The source ids of users who are being invited, or whose deleted target user was perhaps restored."""
        ...

    async def one(self, sync: str) -> Link | None:
        """The first link whose target user is ours and present."""
        ...

    async def count(self, sync: str) -> int:
        """How many target users are ours and present."""
        ...

    def every(self, sync: str) -> AsyncIterator[Link]:
        """All links of a sync, in order. Raises NewerRowError at one that a newer version wrote."""
        ...

    async def claim(self, target_tenant: str, target_id: str, owner: str) -> str:
        """Make `owner` ("<sync>/<source id>") the only owner of a target user; returns who owns it afterwards."""
        ...

    async def move_claim(self, target_tenant: str, target_id: str, owner: str, to: str) -> None:
        """Make `to` the owner in place of `owner`; safe to repeat. ConflictError if it belongs to neither."""
        ...

    async def release(self, target_id: str, owner: str) -> None:
        """End `owner`'s claim on a target user, and nothing else; safe to repeat. Others' claims are left."""
        ...

    async def owner(self, target_tenant: str, target_id: str) -> str | None: ...

    async def claimed_in(self, target_id: str, owner: str) -> list[str]:
        """The ids of the target tenants in which `owner` claims this id."""
        ...

    async def parked(self, sync: str) -> list[Link]: ...

    async def refusing(self, sync: str) -> list[Link]:
        """The linked users with attributes that Graph refuses to write."""
        ...

    def waiting(self, sync: str) -> AsyncIterator[tuple[datetime, str]]:
        """The newcomers whom the creation guard puts off: since when, and the source id, in no order.

        It reads the sync's whole partition, as `count` does.
        """
        ...


class FeedPhase(StrEnum):
    IDLE = "idle"
    PAGES = "pages"
    SWEEP = "sweep"  # of a full round of users: which linked users no longer exist?
    MARKED = "marked"  # after that: which target users bear our marker and have no link?
    MEMBERS = "members"  # of a full round of groups: which members are not linked, which linked users are not members?


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedState:
    """How far one feed has been read. `delta_link` is where the next round starts; without one it is a full round."""

    tenant: str
    feed: str = "users"
    tenant_id: str = ""  # of the directory that the delta link is of; empty: version 0.1 wrote the row
    phase: FeedPhase = FeedPhase.IDLE
    round: str = ""
    full: bool = False
    link: str | None = None  # the next page of this round
    delta_link: str | None = None
    # How far the sweep has come: "<sync>/<source id>"; of the marked and of groups, the sync that was tried last.
    cursor: str = ""
    unlisted: Sequence[str] = ()  # the syncs whose marked target users were not listed to the end since a full round
    # Syncs by their scopes: nominate/emptied.py. None is not known, since an earlier version wrote the row.
    peopled: Sequence[str] = ()  # they ever had somebody
    unseen: Sequence[str] | None = None  # this full round saw nobody in their scope so far
    emptied: Sequence[str] | None = None  # they were peopled, and the last full round saw nobody
    fingerprint: str = ""  # of what is selected and how it is mapped: another one needs a full round
    closure: str = ""  # groups: a digest of those whose members are followed; another one needs a full round
    started_at: datetime | None = None
    progress_at: datetime | None = None
    completed_at: datetime | None = None
    full_at: datetime | None = None  # when the last full round was completed
    swept_at: datetime | None = None  # users: when it was last asked which linked users still exist
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
class SyncRecord:
    """What a sync was last judged by, across its configurations."""

    name: str
    tenants: tuple[str, str]  # Sync.tenants
    config: str = ""  # Sync.fingerprint; empty: the sync is stopped, or in no configuration
    # From when on it is judged by that: a full round must begin after it. None: it is in no configuration.
    since: datetime | None = None
    removing: bool = False  # its people are to lose access, until nobody is left (`xtsync remove --delete-users`)
    etag: str | None = None


_LONG_AGO = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class ConfigurationRecord:
    """The configurations of this deployment, by fingerprint, in the order in which they took the lead."""

    configs: Sequence[str] = ()
    led_at: datetime = _LONG_AGO  # when the last of them took the lead
    seen_at: datetime = _LONG_AGO  # when one of its processes last said that it is there
    etag: str | None = None

    @property
    def leader(self) -> str:
        """Empty: none ever led."""
        return self.configs[-1] if self.configs else ""


class SyncRecords(Protocol):
    async def all(self) -> tuple[ConfigurationRecord, Mapping[str, SyncRecord]]:
        """The record of the configurations, and that of each sync by its name."""
        ...

    async def save(self, record: SyncRecord) -> SyncRecord: ...

    async def drop(self, record: SyncRecord) -> None: ...

    async def lead(self, record: ConfigurationRecord) -> ConfigurationRecord: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscriptionRecord:
    """Our side of one subscription. The client state itself is known to Graph alone; here is its SHA-256."""

    tenant: str
    tenant_id: str
    resource: str = "users"
    subscription_id: str = ""  # empty: about to be created
    client_state_hash: str = ""
    expires_at: datetime | None = None
    kept_at: datetime | None = None  # when Graph last renewed or created it for us
    etag: str | None = None


class Subscriptions(Protocol):
    async def get(self, tenant: str, resource: str = "users") -> SubscriptionRecord | None: ...

    async def save(self, record: SubscriptionRecord) -> SubscriptionRecord: ...

    async def all(self) -> list[SubscriptionRecord]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardWindow:
    """The recent removals in one window: people by the start of a slice of it, and how many links there are.

    `of` is the name of a sync, or `target:<tenant id>` for all syncs into that tenant.
    """

    of: str
    month: bool = False  # the window of thirty days
    slices: Mapping[str, int] = field(default_factory=dict)  # ISO start of slice -> people
    linked: int = 0
    counted_at: datetime | None = None
    etag: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CountedPerson:
    """When the guard last counted a source user's removal, by sync: one person counts once in a window."""

    target_tenant: str
    source_id: str
    at: Mapping[str, datetime] = field(default_factory=dict)
    etag: str | None = None


class HoldState(StrEnum):
    HELD = "held"
    APPROVED = "approved"
    REJECTED = "rejected"


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldRecord:
    """One deletion that waits for a person. It is bound to this user, this kind of change and its cause.

    A row of version 0.1 has no cause.
    """

    sync: str
    source_id: str
    target_id: str
    change: str  # SoftDelete or Disable
    reason: str  # the window that was full
    held_at: datetime
    cause: str = ""  # of the change: Look.cause
    state: HoldState = HoldState.HELD
    decided_at: datetime | None = None
    decided_by: str = ""
    etag: str | None = None


class Guards(Protocol):
    async def window(self, of: str, *, month: bool = False) -> GuardWindow: ...

    async def save_window(self, window: GuardWindow) -> GuardWindow: ...

    async def hold(self, sync: str, source_id: str) -> HoldRecord | None: ...

    async def save_hold(self, hold: HoldRecord) -> HoldRecord: ...

    async def drop_hold(self, hold: HoldRecord) -> None: ...

    async def holds(self, sync: str) -> list[HoldRecord]: ...

    async def counted(self, target_tenant: str, source_id: str) -> CountedPerson: ...

    async def save_counted(self, person: CountedPerson) -> CountedPerson: ...


class GuardHistory(Protocol):
    """What the guard did, for people; and what it need not remember any longer."""

    async def keep_decision(self, decided: HoldRecord) -> None:
        """Keep who decided about a hold, what and when, also after the hold is gone. Safe to repeat."""
        ...

    async def drop_decision(self, decided: HoldRecord) -> None: ...

    async def decisions(self, sync: str, limit: int) -> list[HoldRecord]:
        """The holds as they were decided, newest decision first."""
        ...

    async def prune_decisions(self, sync: str, before: datetime, limit: int) -> int:
        """Drop at most `limit` decisions that are older; how many it dropped."""
        ...

    async def prune_counted(self, target_tenant: str, before: datetime, limit: int) -> int:
        """Drop at most `limit` people who were counted last before that; how many it dropped."""
        ...


class GuardTable(Guards, GuardHistory, Protocol):
    """All that is stored for the guard."""


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

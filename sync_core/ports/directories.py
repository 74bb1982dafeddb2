"""The two tenants as the core sees them through Microsoft Graph: users, groups, subscriptions, and the app itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ..model import (
    Attributes,
    Json,
    Marker,
    SourceUser,
    TargetEntry,
    TargetUser,
    Tenant,
)
from .inventory import Inventory


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

        A user who is there is then looked for in these groups, through every level; any failure raises.
        """
        ...

    async def missing_groups(self, groups: Collection[str]) -> set[str]:
        """Which of these groups Graph says it does not have."""
        ...

    async def delta_page(self, link: str | None) -> DeltaPage:
        """The page behind a stored link, or the first of a full round. ResyncRequiredError when the link is dead."""
        ...

    async def reports(self, user_id: str) -> list[str] | None:
        """The ids of the direct reports of this user; None when the user is not there."""
        ...

    async def verified_domains(self) -> frozenset[str]:
        """The domains of the tenant, in lower case. An answer may be an hour old."""
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
        """The part about these groups of the page behind a stored link. ResyncRequiredError when the link is dead."""
        ...

    async def members(self, group: str) -> set[str] | None:
        """Every user who is a member, through every level; None when there is no such group."""
        ...


class Presence(StrEnum):
    PRESENT = "present"
    SOFT_DELETED = "soft-deleted"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """Whether a target user can be used. None: the tenant does not say."""

    external: bool
    enabled: bool
    redeemed: bool | None  # has accepted the invitation
    listed: bool | None  # is shown in address lists


# Called after the permit and right before the request: the wait may have made the read stale.
# Its "no" raises ConflictError, and nothing was done.
type Confirm = Callable[[], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkedPage:
    """One page of a listing of target users by their ownership marker: the source ids that the markers name."""

    source_ids: Sequence[str]
    next_link: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetPage:
    """One page of a delta query on the users of a target tenant. Exactly one of the links is set."""

    users: Sequence[TargetEntry]
    next_link: str | None = None
    delta_link: str | None = None


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

    async def delta_page(self, link: str | None) -> TargetPage:
        """The page behind a stored link, or the first of a full round. ResyncRequiredError when the link is dead."""
        ...

    @property
    def select(self) -> str:
        """The attributes that its feed asks for; another list needs a full round."""
        ...

    async def read_user(self, target_id: str) -> TargetUser | None: ...

    async def deleted_user(self, target_id: str) -> TargetUser | None:
        """One who is soft-deleted."""
        ...

    async def read_values(self, target_id: str, names: Sequence[str]) -> Attributes | None:
        """These attributes as they are; None when there is no such user. An answer without one of them is none."""
        ...

    async def presence(self, target_id: str) -> Presence: ...

    async def existing(self, target_ids: Sequence[str]) -> set[str]:
        """Which of these (at most 1,000) ids are there now."""
        ...

    async def standing(self, target_ids: Sequence[str]) -> Mapping[str, Standing]:
        """How each of these stands; one who is not there is missing."""
        ...

    async def enabled(self, target_id: str) -> bool | None:
        """Whether this user may sign in; None when there is no such user, by an answer that may be old."""
        ...

    async def invite(self, address: str, display_name: str, *, confirm: Confirm) -> str:
        """POST /invitations without a mail; the id of the user it made, or of the guest who was already there."""
        ...

    async def reset_redemption(self, target_id: str, address: str, *, confirm: Confirm) -> bool:
        """POST /invitations that this user redeems anew, without a mail; False when there is no such user."""
        ...

    async def update(
        self, target_id: str, attributes: Attributes, *, confirm: Confirm | None = None
    ) -> Mapping[str, str] | None:
        """PATCH; None when there is no such user. Taking access away is a request of its own, and the first.

        An attribute that Graph refuses is left out and the rest is written: the result names each of them with the
        error's code. A refusal that no attribute explains raises GraphRefusedError.
        """
        ...

    async def set_manager(self, target_id: str, manager_id: str | None, *, confirm: Confirm | None = None) -> bool:
        """Set or (None) remove the reference; False when there is no such user.

        MissingManagerError when the manager is the one who is not there.
        """
        ...

    async def soft_delete(self, target_id: str, *, confirm: Confirm) -> bool:
        """DELETE; False when there is no such user."""
        ...

    async def restore(self, target_id: str, *, confirm: Confirm | None = None) -> bool:
        """From deletedItems; False when it is not there (any more).

        AddressTakenError when another object has an address of this user by now.
        """
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
        """The claims of the access token, also of another tenant's. Raises what the credential raises.

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


class Side(StrEnum):
    SOURCE = "source"
    TARGET = "target"


@dataclass(frozen=True, slots=True, kw_only=True)
class AppOnTenant:
    """One of the two app registrations, as it stands on one tenant. `authority` and `graph_url` are its cloud's."""

    tenant: Tenant
    side: Side
    app_id: str
    authority: str
    graph_url: str
    inspection: TenantInspection
    inventory: Inventory
    silent_roles: bool = False  # a token without a `roles` claim may do everything, as the emulator's

    @property
    def subject(self) -> str:
        return f"{self.tenant.key} ({self.side})"

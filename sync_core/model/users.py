"""A user of the source tenant and a user of the target tenant, as reads show them. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from .link_parts import unlinked
from .values import MANAGER, Attributes

PRINCIPAL_NAME = "userPrincipalName"

# Attributes of a user that Graph shows as null to an app without this role.
# https://learn.microsoft.com/graph/api/user-get
READ_ROLES: Mapping[str, str] = {"employeeLeaveDateTime": "User-LifeCycleInfo.Read.All"}


class SourceState(StrEnum):
    LIVE = "live"
    DISABLED = "disabled"
    SOFT_DELETED = "soft-deleted"
    GONE = "gone"


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceUser:
    """A user as the source tenant showed it: by a fresh read, or in a delta page (then only good for nominating)."""

    id: str
    state: SourceState
    attributes: Attributes = field(default_factory=dict)
    member_of: frozenset[str] | None = None  # of the groups that were asked for; None: none were, so nothing is known
    missing_groups: frozenset[str] = frozenset()  # of those, the ones that do not exist
    address_in: tuple[str, ...] = ("mail", PRINCIPAL_NAME)  # the attributes that may have the address to invite
    unreadable: frozenset[str] = frozenset()  # attributes that are null because the app has no role to read them
    read_at: datetime  # taken before the request was sent

    @property
    def absent(self) -> bool:
        return self.state in {SourceState.SOFT_DELETED, SourceState.GONE}

    @property
    def external(self) -> bool:
        """Itself a B2B user: invited, or bearing the mark that Entra gives to guests' names.

        https://learn.microsoft.com/entra/external-id/user-properties. userType does not tell: a user synchronized
        as Member is still external, and an internal guest is not.
        """
        return is_external(self.attributes)

    @property
    def address(self) -> str | None:
        """The address to invite: mail, else the user principal name; by configuration the latter alone."""
        for name in self.address_in:
            value = self.attributes.get(name)
            if isinstance(value, str) and value:
                return value
        return None

    @property
    def domain_of_its_own(self) -> bool:
        """Whether the address is in the domain of the user principal name, which Entra has verified for an employee.

        https://learn.microsoft.com/entra/identity/users/domains-manage
        """
        name = self.attributes.get(PRINCIPAL_NAME)
        return isinstance(name, str) and self.address is not None and domain_of(name) == domain_of(self.address)

    @property
    def manager(self) -> str | None:
        """The id of the manager, in the source tenant."""
        manager = self.attributes.get(MANAGER)
        return manager if isinstance(manager, str) else None


def domain_of(address: str) -> str:
    return address.rpartition("@")[2].lower()


def is_external(attributes: Attributes) -> bool:
    return (
        attributes.get("creationType") == "Invitation"
        or attributes.get("externalUserState") is not None
        or "#EXT#" in str(attributes.get("userPrincipalName") or "").upper()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The ownership marker: a directory extension of the target user that says whose B2B user it is.

    It is written with the first attributes and outlives our tables. The tenant is in it. So a deployment that
    reads another source tenant under the same name does not take its users for leavers.
    """

    attribute: str
    sync: str
    tenant_id: str
    source_id: str

    @property
    def prefix(self) -> str:
        """The beginning that the markers of all users of one sync share."""
        return f"{self.sync}/{self.tenant_id}/"

    @property
    def text(self) -> str:
        return self.prefix + self.source_id


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetUser:
    """A user of the target tenant who might be, or is, somebody's B2B user."""

    id: str
    external: bool
    created_at: datetime | None = None
    enabled: bool = True
    display_name: str = ""
    mail: str = ""
    marker: str | None = None  # the text of the ownership marker that this user bears
    linked_to: str | None = None  # "<sync>/<source id>" of another link that claims this user, if one does
    abandoned: bool = False  # the source user of that link, or of the marker, is deleted

    @property
    def unlinked(self) -> bool:
        """A person ended the pair that this user was in."""
        return (self.linked_to or "").startswith(unlinked(""))

    def unlinked_from(self, source_id: str) -> bool:
        """Whether that was the pair with this source user, in whichever sync."""
        return self.unlinked and (self.linked_to or "").endswith(f"/{source_id}")


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetEntry:
    """A user of the target tenant as a delta page showed it: only good for nominating.

    Without its names, it cannot be told whether a user is external: None.
    """

    id: str
    removed: bool = False  # soft-deleted, or gone
    external: bool | None = None
    enabled: bool | None = None
    attributes: Attributes = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a user is in scope, and why; the reason names filters, attributes and operators, never values.

    `undecided`: a filter could not be evaluated for this user, or a group is not there to be asked. Then the user
    is neither let in nor deprovisioned.
    """

    in_scope: bool
    reason: str
    undecided: bool = False

    @property
    def out(self) -> bool:
        """Out for certain: neither in scope nor undecided."""
        return not (self.in_scope or self.undecided)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """The attributes that the target user should have. `on_create` is written once, with the first attributes.

    `left_out` has the reason for each attribute that could not be mapped (no values, so it may be logged).
    `ignored`: an expression said IgnoreObjectFlow; the user is left alone altogether.
    """

    always: Attributes
    on_create: Attributes = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    ignored: bool = False

    @property
    def names(self) -> set[str]:
        return {*self.always, *self.on_create}

"""The nouns of the project, as values: users, links, changes, nominations, policies.

No I/O and no clock in here; everything else may import this module, and it imports nothing of ours.
Words are those of docs/architecture.md. Times are aware UTC datetimes; ids are Entra object ids (GUID text).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from hashlib import blake2b

type Json = bool | int | float | str | list[Json] | dict[str, Json] | None
type Attributes = Mapping[str, Json]

# The one attribute whose value is another user: set through a reference, resolved through links.
MANAGER = "manager"
# The one that gives and takes access.
ENABLED = "accountEnabled"
# What clauses of scoping filters ask for groups by. No read selects it: whether a user is in a group is asked of Graph.
MEMBER_OF = "memberOf"

# How long Entra keeps a soft-deleted user. https://learn.microsoft.com/graph/api/directory-deleteditems-list
SOFT_DELETE_RETENTION = timedelta(days=30)


def fingerprint(value: Json) -> str:
    """A short digest of one attribute value; links keep these, so no personal data rests in Table Storage."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).hexdigest()


def fingerprints(attributes: Attributes) -> dict[str, str]:
    return {name: fingerprint(value) for name, value in attributes.items()}


def digest(applied: Mapping[str, str]) -> str:
    """One digest over the fingerprints of all attributes: equal digests mean that nothing differs.

    But for the manager, whom an entry of a delta page names only when that changed: see LinkDigest.
    """
    return fingerprint({name: value for name, value in applied.items() if name != MANAGER})


# --- users ------------------------------------------------------------------------------------------------------


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
        """The address to invite: mail, else the user principal name."""
        for name in ("mail", "userPrincipalName"):
            value = self.attributes.get(name)
            if isinstance(value, str) and value:
                return value
        return None

    @property
    def manager(self) -> str | None:
        """The id of whom this user reports to, in the source tenant."""
        manager = self.attributes.get(MANAGER)
        return manager if isinstance(manager, str) else None


def is_external(attributes: Attributes) -> bool:
    return (
        attributes.get("creationType") == "Invitation"
        or attributes.get("externalUserState") is not None
        or "#EXT#" in str(attributes.get("userPrincipalName") or "").upper()
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Marker:
    """The ownership marker: a directory extension of the target user that says whose B2B user it is.

    It is written with the first attributes and outlives our tables. The tenant is in it, so that a deployment that
    reads another source tenant under the same name takes nobody for a leaver of its own.
    """

    attribute: str
    sync: str
    tenant_id: str
    source_id: str

    @property
    def prefix(self) -> str:
        """What the markers of all users of one sync begin with."""
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
    display_name: str = ""
    marker: str | None = None  # the text of the ownership marker that this user bears
    linked_to: str | None = None  # "<sync>/<source id>" of the link that claims this user, if one does


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """Whether a user is in scope, and why; the reason names filters, attributes and operators, never values.

    `undecided`: a filter could not be evaluated for this user, or a group is not there to be asked. Then nobody is let
    in and nobody is deprovisioned.
    """

    in_scope: bool
    reason: str
    undecided: bool = False

    @property
    def out(self) -> bool:
        """For certain."""
        return not (self.in_scope or self.undecided)


@dataclass(frozen=True, slots=True, kw_only=True)
class Desired:
    """What the mapping wants of the target user. `on_create` is written once, with the first attributes.

    `left_out` says of each attribute that could not be mapped for this user why not (no values, so it may be logged).
    `ignored`: an expression said IgnoreObjectFlow; the user is left alone altogether.
    """

    always: Attributes
    on_create: Attributes = field(default_factory=dict)
    left_out: Mapping[str, str] = field(default_factory=dict)
    ignored: bool = False

    @property
    def names(self) -> set[str]:
        return {*self.always, *self.on_create}


# --- links ------------------------------------------------------------------------------------------------------


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
    kept_out: bool = False  # groups put them out when we last looked: see scope.py
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


# --- changes ----------------------------------------------------------------------------------------------------


class Reason(StrEnum):
    """Why nothing is done (skip) or may not be done (refuse)."""

    EXTERNAL = "external"
    DISABLED = "disabled"
    NO_CHANGE = "no change"
    NOT_OURS = "not ours"
    OUT_OF_SCOPE = "out of scope"
    IGNORED = "ignored"
    UNDECIDED = "undecided"
    LEFT = "left by policy"
    UNADOPTED = "unadopted"
    NEEDS_APPROVAL = "adoption needs approval"
    INTERNAL_USER = "internal user"
    AMBIGUOUS = "ambiguous"
    ALREADY_LINKED = "already linked"
    DELETED_IN_TARGET = "deleted in target"
    NO_ADDRESS = "no address"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """What to do with one user: a value that can be printed, compared and judged before it is carried out."""

    @property
    def name(self) -> str:
        return type(self).__name__

    @property
    def removes(self) -> bool:
        """Whether it takes somebody's access away: then the guard counts it."""
        return False

    @property
    def written(self) -> Attributes:
        """The attributes that it gives the target user."""
        return {}


@dataclass(frozen=True, slots=True, kw_only=True)
class Invite(Change):
    address: str
    display_name: str | None
    attributes: Attributes

    @property
    def written(self) -> Attributes:
        return self.attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Adopt(Change):
    target_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Update(Change):
    attributes: Attributes

    @property
    def written(self) -> Attributes:
        return self.attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Disable(Change):
    attributes: Attributes  # accountEnabled false, and whatever else differs

    @property
    def removes(self) -> bool:
        return True

    @property
    def written(self) -> Attributes:
        return self.attributes


@dataclass(frozen=True, slots=True, kw_only=True)
class Restore(Change):
    pass


@dataclass(frozen=True, slots=True, kw_only=True)
class SoftDelete(Change):
    why: str

    @property
    def removes(self) -> bool:
        return True


@dataclass(frozen=True, slots=True, kw_only=True)
class Forget(Change):
    """Drop the link: source and target are both gone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold(Change):
    """A deletion that the guard stopped; `meanwhile` is the part of it that takes nothing away."""

    held: Change
    used: int
    limit: int
    meanwhile: Update | None = None

    @property
    def written(self) -> Attributes:
        return {} if self.meanwhile is None else self.meanwhile.written


@dataclass(frozen=True, slots=True, kw_only=True)
class Skip(Change):
    reason: Reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Refuse(Change):
    reason: Reason
    detail: str = ""


# --- policy and configuration -----------------------------------------------------------------------------------


class Deprovision(StrEnum):
    SOFT_DELETE = "soft_delete"
    DISABLE = "disable"
    LEAVE = "leave"


class Adoption(StrEnum):
    NONE = "none"
    GUESTS = "guests"
    REVIEW = "review"


class DeletedInTarget(StrEnum):
    LEAVE = "leave"
    RESTORE = "restore"


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    adopt: Adoption = Adoption.NONE
    out_of_scope: Deprovision = Deprovision.SOFT_DELETE
    source_deleted: Deprovision = Deprovision.SOFT_DELETE
    deleted_in_target: DeletedInTarget = DeletedInTarget.LEAVE


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits:
    max_percent: float = 5
    min_count: int = 10
    window: timedelta = timedelta(hours=24)


class Apply(StrEnum):
    ALWAYS = "always"
    ON_CREATE = "on_create"


class WhenNull(StrEnum):
    CLEAR = "clear"
    KEEP = "keep"
    DEFAULT = "default"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One line of a mapping: `target` takes the value of `source`, of `expression`, or `constant` without either.

    `default` stands in for null: on create, as Entra does, or always with `when_null: default`. A rule of nothing but
    a target and a default is Entra's mapping type None.
    """

    target: str
    source: str | None = None
    constant: Json = None
    expression: str | None = None
    default: Json = None
    apply: Apply = Apply.ALWAYS
    when_null: WhenNull = WhenNull.CLEAR


class Operator(StrEnum):
    """What a clause of a scoping filter asks, in Entra's spelling; those after NOT_WITHIN are ours."""

    EQUALS = "EQUALS"
    NOT_EQUALS = "NOT EQUALS"
    IS_TRUE = "IS TRUE"
    IS_FALSE = "IS FALSE"
    IS_NULL = "IS NULL"
    IS_NOT_NULL = "IS NOT NULL"
    REGEX_MATCH = "REGEX MATCH"
    NOT_REGEX_MATCH = "NOT REGEX MATCH"
    GREATER_THAN = "Greater_Than"
    GREATER_THAN_OR_EQUALS = "Greater_Than_OR_EQUALS"
    INCLUDES = "Includes"
    ENDS_WITH = "ENDS_WITH"
    WITHIN = "&"
    NOT_WITHIN = "!&"
    LESS_THAN = "Less_Than"
    LESS_THAN_OR_EQUALS = "Less_Than_OR_EQUALS"
    IN = "IN"
    NOT_IN = "NOT IN"
    BEFORE = "BEFORE"
    AFTER = "AFTER"


class RegexMode(StrEnum):
    FULL = "full"
    SEARCH = "search"


class Several(StrEnum):
    """How many values of a multi-valued attribute a clause asks for."""

    ANY = "any"
    ALL = "all"


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    attribute: str
    operator: Operator
    value: str | tuple[str, ...] = ""  # a tuple for IN and NOT IN
    mode: RegexMode = RegexMode.FULL
    match: Several = Several.ALL

    @property
    def groups(self) -> frozenset[str]:
        """Those of a clause about memberships: object ids, lower case. No other clause has any."""
        if self.attribute != MEMBER_OF:
            return frozenset()
        return frozenset({self.value} if isinstance(self.value, str) else self.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A scoping filter: every clause must hold. https://learn.microsoft.com/graph/api/resources/synchronization-filter"""

    name: str
    clauses: Sequence[Clause]


@dataclass(frozen=True, slots=True, kw_only=True)
class Assigned:
    """Who is assigned to a sync: members of these groups, at any depth, and these users. Object ids, lower case."""

    groups: frozenset[str] = frozenset()
    members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    key: str  # the name in sync.yaml
    id: str
    cloud: str = "global"


@dataclass(frozen=True, slots=True, kw_only=True)
class Sync:
    """One direction: users of `source` kept as B2B users in `target`."""

    name: str
    source: Tenant
    target: Tenant
    mapping: Sequence[Rule]
    assigned: Assigned | None = None  # None: every internal user
    filters: Sequence[Filter] = ()  # any of them lets a user in; without one everybody is in
    policy: Policy = field(default_factory=Policy)
    guard: GuardLimits = field(default_factory=GuardLimits)
    owner_attribute: str | None = None  # the directory extension that bears the ownership marker

    def marker(self, source_id: str) -> Marker | None:
        """What this user's B2B user bears; None when no attribute is configured for it."""
        if self.owner_attribute is None:
            return None
        return Marker(attribute=self.owner_attribute, sync=self.name, tenant_id=self.source.id, source_id=source_id)

    @property
    def groups(self) -> frozenset[str]:
        """All groups that the scope asks for: those assigned, and those in filters."""
        assigned = self.assigned.groups if self.assigned is not None else frozenset()
        return assigned.union(*(clause.groups for each in self.filters for clause in each.clauses))

    @property
    def maps_manager(self) -> bool:
        return any(rule.target == MANAGER for rule in self.mapping)


# --- events -----------------------------------------------------------------------------------------------------


class Why(StrEnum):
    NOTIFICATION = "notification"
    FEED = "feed"
    ABSENT = "absent"  # known to us, and not listed any more
    MARKED = "marked"  # a target user bears the marker of somebody who has no link
    MANAGER = "manager"  # whom they report to was linked or came back, or is not there as the link says
    RETRY = "retry"
    OPERATOR = "operator"
    APPROVED = "approved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Nomination:
    """Look at this user again. The body of a `user-changes` message."""

    sync: str
    user: str
    why: Why
    at: datetime
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedRun:
    """Read on in this round of a feed. The body of a `feed-pages` message."""

    tenant: str
    feed: str
    round: str
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class LifecycleEvent:
    """What Graph said about a subscription. The body of a `subscription-events` message."""

    tenant: str
    event: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one reconciliation: the changes carried out, in order, and what stands at the end."""

    sync: str
    user: str
    changes: Sequence[Change]
    why: Why
    nominated_at: datetime
    done_at: datetime
    target_id: str | None = None
    refused: Sequence[str] = ()  # names of attributes that Graph refuses to write
    error: str = ""
    retry_after: float | None = None

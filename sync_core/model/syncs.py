"""One sync: two tenants, a mapping, a scope, a policy and the limits of its guard."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from enum import StrEnum

from .leaving import Deprovision, Leaves
from .rules import Assigned, Edited, Filter, Rule
from .users import Marker
from .values import MANAGER, fingerprint


class Mode(StrEnum):
    OBSERVE = "observe"  # read, decide and record; write nothing to the target
    RUN = "run"


class Control(StrEnum):
    """What a person said about a sync as a whole."""

    RUNNING = "running"
    DELETIONS_PAUSED = "deletions paused"
    PAUSED = "paused"

    def looser_than(self, other: Control) -> bool:
        """Whether it lets through what the other one puts off."""
        order = list(Control)
        return order.index(self) < order.index(other)


class Adoption(StrEnum):
    NONE = "none"
    GUESTS = "guests"
    REVIEW = "review"


class InviteBy(StrEnum):
    MAIL = "mail"  # else by the user principal name
    PRINCIPAL_NAME = "userPrincipalName"


ANY_DOMAIN = "*"


class DeletedInTarget(StrEnum):
    LEAVE = "leave"
    RESTORE = "restore"


class Blocked(StrEnum):
    """What becomes of a user whom somebody blocked in the target."""

    RESPECT = "respect"
    ENFORCE = "enforce"


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What becomes of a target user that is not as we left it. At most `repairs` users are repaired within a day."""

    attributes: Edited = Edited.REPORT
    blocked_in_target: Blocked = Blocked.RESPECT
    repairs: int = 100


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    adopt: Adoption = Adoption.NONE
    out_of_scope: Leaves = Deprovision.SOFT_DELETE
    source_deleted: Leaves = Deprovision.SOFT_DELETE
    deleted_in_target: DeletedInTarget = DeletedInTarget.LEAVE
    drift: Drift = field(default=Drift(), repr=False)


MONTH = timedelta(days=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """How many people a guard lets pass within `window`: a percentage of the links, but at least `min_count`."""

    max_percent: float = 5
    min_count: int = 10
    window: timedelta = timedelta(hours=24)


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardLimits(Limit):
    """The limit of a window, and that of any thirty days. Without `month`, it is twice the window's."""

    month: Limit | None = None

    @property
    def windows(self) -> tuple[Limit, Limit]:
        month = self.month or Limit(
            max_percent=min(100, 2 * self.max_percent), min_count=2 * self.min_count, window=MONTH
        )
        return Limit(max_percent=self.max_percent, min_count=self.min_count, window=self.window), month


# How many newcomers are invited within a window before the others wait for a person.
CREATIONS = Limit(max_percent=20, min_count=500, window=timedelta(hours=24))


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
    mode: Mode = Mode.RUN
    policy: Policy = field(default_factory=Policy)
    guard: GuardLimits = field(default_factory=GuardLimits)
    target_guard: GuardLimits | None = None  # for all syncs into the target tenant together; None: as this sync's
    creation_guard: Limit | None = CREATIONS  # None: newcomers never wait
    owner_attribute: str | None = None  # the directory extension that bears the ownership marker
    invite: InviteBy = InviteBy.MAIL
    domains: frozenset[str] = frozenset()  # whose addresses are invited besides the source's own; ANY_DOMAIN: all
    subscribe_target: bool = False  # Graph is asked to tell of changes in the target, which else come by poll
    record_values: frozenset[str] = frozenset()  # attributes whose written values the record keeps, not names alone

    @property
    def guard_of_target(self) -> GuardLimits:
        """The limits for all syncs into the target tenant together."""
        return self.target_guard or self.guard

    def shares_tenants(self, other: Sync) -> bool:
        """Whether another sync of the same source leads into the same target."""
        same = (self.source.id, self.target.id) == (other.source.id, other.target.id)
        return same and self.name != other.name

    def marker(self, source_id: str) -> Marker | None:
        """The marker that this user's B2B user bears; None when no attribute is configured for it."""
        if self.owner_attribute is None:
            return None
        return Marker(attribute=self.owner_attribute, sync=self.name, tenant_id=self.source.id, source_id=source_id)

    @property
    def tenants(self) -> tuple[str, str]:
        """The ids of source and target. Names of tenants may change, and ids may not."""
        return self.source.id, self.target.id

    @property
    def fingerprint(self) -> str:
        """A digest of all that decides about people: tenants, scope, mapping, matching, policies and mode.

        The limits of both guards are left out: what they stopped is looked at again by other means. So is what the
        record keeps, and who tells of changes in the target: these decide about nobody.
        """
        assigned = self.assigned or Assigned()
        scope = [self.assigned is None, sorted(assigned.groups), sorted(assigned.members), *map(repr, self.filters)]
        matching = [str(self.owner_attribute), self.invite.value, *sorted(self.domains)]
        tenants = [*self.tenants, self.source.cloud, self.target.cloud]
        return fingerprint(
            [
                self.name,
                *tenants,
                str(scope),
                *map(repr, self.mapping),
                repr(self.policy),
                str(matching),
                self.mode.value,
                *self._drift,
            ]
        )

    @property
    def _drift(self) -> Sequence[str]:
        """Nothing where all is by default: a version before, which knows no drift, has the same fingerprint."""
        own = [f"{rule.target} {rule.drift}" for rule in self.mapping if rule.drift is not None]
        return own if self.policy.drift == Drift() else [repr(self.policy.drift), *own]

    @property
    def groups(self) -> frozenset[str]:
        """All groups that the scope asks for: those assigned, and those in filters."""
        assigned = self.assigned.groups if self.assigned is not None else frozenset()
        return assigned.union(*(clause.groups for each in self.filters for clause in each.clauses))

    @property
    def maps_manager(self) -> bool:
        return any(rule.target == MANAGER for rule in self.mapping)

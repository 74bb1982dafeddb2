"""Quotas as token buckets: a pair for each app and tenant, and wide ones for each tenant and for each app.

The figures are those of https://learn.microsoft.com/graph/throttling-limits, "Identity and access".

- An app in a tenant: 3,000 writes in 150 s.
- An app in a tenant: 3,500 resource units in 10 s below 50 users, 5,000 up to 500, 8,000 above.
- Wide, a tenant from all apps: 18,000 writes in 300 s.
- Wide, an app in all tenants: 35,000 writes in 300 s, 150,000 units in 20 s.

One app within its own quota in one tenant never reaches the wide ones.

A bucket holds the quota of its window and is refilled evenly: `writes=300, window_s=15` gains 20 a second.
"""

from dataclasses import dataclass, field, replace
from datetime import datetime
from math import ceil
from random import Random
from typing import Final

from entra_graph_emulator.wire.errors import GraphError, throttled
from entra_graph_emulator.wire.tokens import Caller

_SHOW_ABOVE: Final = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """`resource_units` None: by the size of the tenant. `wide` None: wide quotas apply unless a limit was raised."""

    enabled: bool = True
    writes: float = 3000.0
    window_s: float = 150.0
    resource_units: float | None = None
    ru_window_s: float = 10.0
    tenant_writes: float = 18_000.0
    app_writes: float = 35_000.0
    app_units: float = 150_000.0
    wide: bool | None = None

    @property
    def is_wide(self) -> bool:
        if self.wide is not None:
            return self.wide
        return self.writes <= 3000 and (self.resource_units or 0) <= 8000


@dataclass(frozen=True, slots=True, kw_only=True)
class Cost:
    units: int
    writes: int


@dataclass(slots=True, kw_only=True)
class _Bucket:
    capacity: float
    per_second: float
    level: float
    at: datetime

    def refill(self, now: datetime) -> None:
        self.level = min(self.capacity, self.level + (now - self.at).total_seconds() * self.per_second)
        self.at = now

    def lacks(self, amount: float) -> float:
        """Seconds until `amount` is there; 0 when it is."""
        return max(0.0, amount - self.level) / self.per_second

    @property
    def used(self) -> float:
        return 1 - self.level / self.capacity


@dataclass(slots=True, kw_only=True)
class _Meter:
    quota: Quota
    units: _Bucket
    writes: _Bucket


@dataclass(slots=True, kw_only=True)
class Throttle:
    rng: Random
    default: Quota = Quota()
    of_tenant: dict[str, Quota] = field(default_factory=dict)
    _meters: dict[tuple[str, str], _Meter] = field(default_factory=dict)
    _wide: dict[tuple[str, str, str], _Bucket] = field(default_factory=dict)

    def set(self, quota: Quota, tenant: str | None = None) -> None:
        """Set the quota of a tenant, or the default one. The buckets concerned start full.

        A default that is switched off lifts the quotas of all tenants, so that nothing is throttled any more.
        """
        self._wide.clear()
        if tenant is None:
            self.default = quota
            if not quota.enabled:
                self.of_tenant.clear()
            self._meters.clear()
        else:
            self.of_tenant[tenant] = quota
            self._meters = {key: meter for key, meter in self._meters.items() if key[1] != tenant}

    def quota(self, tenant: str | None) -> Quota:
        return self.default if tenant is None else self.of_tenant.get(tenant, self.default)

    def spend(self, caller: Caller, cost: Cost, *, users: int, now: datetime) -> dict[str, str]:
        """Headers for the answer. Raises 429 and takes nothing when a bucket is empty.

        `x-ms-throttle-limit-percentage` is the used fraction of the more used bucket (1 - level / capacity) above 0.8.
        `Retry-After` is the time until the call would pass, and 1 to 3 s more, in whole seconds.
        """
        meter = self._meter(caller, users, now)
        if meter is None:
            return {"x-ms-resource-unit": str(cost.units)}
        meter.units.refill(now)
        meter.writes.refill(now)
        if meter.writes.lacks(cost.writes) > 0:
            raise self._refusal(caller, meter.writes.lacks(cost.writes), "WriteLimitExceeded", "Write")
        if meter.units.lacks(cost.units) > 0:
            raise self._refusal(caller, meter.units.lacks(cost.units), "ResourceUnitLimitExceeded", "ReadWrite")
        wide = self._wide_buckets(caller, cost, meter.quota, now) if meter.quota.is_wide else ()
        for scope, information, bucket, amount in wide:
            bucket.refill(now)
            if bucket.lacks(amount) > 0:
                raise self._refusal(caller, bucket.lacks(amount), information, "Write", scope)
        for _, _, bucket, amount in wide:
            bucket.level -= amount
        meter.units.level -= cost.units
        meter.writes.level -= cost.writes
        headers = {"x-ms-resource-unit": str(cost.units)}
        used = max(meter.units.used, meter.writes.used if cost.writes else 0.0)
        if used > _SHOW_ABOVE:
            headers["x-ms-throttle-limit-percentage"] = f"{used:.3f}"
        return headers

    def _meter(self, caller: Caller, users: int, now: datetime) -> _Meter | None:
        quota = self.quota(caller.tenant)
        if not quota.enabled:
            return None
        key = (caller.app, caller.tenant)
        meter = self._meters.get(key)
        if meter is None:
            meter = self._meters[key] = _Meter(
                quota=quota,
                units=_full(units_for(users, quota), quota.ru_window_s, now),
                writes=_full(quota.writes, quota.window_s, now),
            )
        elif quota.resource_units is None and (units := units_for(users, quota)) != meter.units.capacity:
            # The tenant now has another size, which has another quota.
            meter.units = _full(units, quota.ru_window_s, now)
        return meter

    def _wide_buckets(
        self, caller: Caller, cost: Cost, quota: Quota, now: datetime
    ) -> list[tuple[str, str, _Bucket, float]]:
        """Scope, reason, bucket and amount of each wide quota that the call touches."""
        wanted = [("Application", "ResourceUnitLimitExceeded", caller.app, quota.app_units, 20.0, cost.units)]
        if cost.writes:
            wanted += [
                ("Tenant", "WriteLimitExceeded", caller.tenant, quota.tenant_writes, 300.0, cost.writes),
                ("Application", "WriteLimitExceeded", caller.app, quota.app_writes, 300.0, cost.writes),
            ]
        found: list[tuple[str, str, _Bucket, float]] = []
        for scope, information, name, capacity, window_s, amount in wanted:
            key = (scope, information, name)
            if key not in self._wide:
                self._wide[key] = _full(capacity, window_s, now)
            found.append((scope, information, self._wide[key], amount))
        return found

    def _refusal(
        self, caller: Caller, wait: float, information: str, kind: str, scope: str = "Tenant_Application"
    ) -> GraphError:
        after = wait + self.rng.uniform(1, 3)
        return throttled(
            headers={
                "Retry-After": str(ceil(after)),  # whole seconds: microsoft-graph-docs, pull request 17443
                "x-ms-throttle-scope": f"{scope}/{kind}/{caller.app}/{caller.tenant}",
                "x-ms-throttle-information": information,
                "x-ms-throttle-limit-percentage": "1.000",
            }
        )


def units_for(users: int, quota: Quota) -> float:
    if quota.resource_units is not None:
        return quota.resource_units
    return 3500.0 if users < 50 else 5000.0 if users <= 500 else 8000.0


def changed_quota(old: Quota, values: dict[str, object]) -> Quota:
    """The quota with the values of a JSON object. Raises ValueError. Naming a limit switches throttling on again."""
    numbers = {name: value for name, value in values.items() if name not in {"enabled", "wide"}}
    if not numbers.keys() <= _NUMBERS:
        raise ValueError(f"a quota has enabled, wide, {', '.join(sorted(_NUMBERS))}")
    wide = values.get("wide", old.wide)
    if wide not in (True, False, None):
        raise ValueError("wide must be true, false or null")
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or value <= 0:
            raise ValueError(f"{name} must be a number above 0")
    enabled = values.get("enabled", True)
    if enabled not in {True, False}:
        raise ValueError("enabled must be true or false")
    given = {name: float(value) for name, value in numbers.items() if isinstance(value, int | float)}
    return replace(old, enabled=bool(enabled), wide=None if wide is None else bool(wide), **given)


_NUMBERS: Final = frozenset(
    {"writes", "window_s", "resource_units", "ru_window_s", "tenant_writes", "app_writes", "app_units"}
)


def _full(capacity: float, window_s: float, now: datetime) -> _Bucket:
    return _Bucket(capacity=capacity, per_second=capacity / window_s, level=capacity, at=now)

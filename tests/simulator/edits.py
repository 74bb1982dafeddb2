"""sync.yaml is edited while people change. Each edit is a rolling upgrade: for a while two files run side by side."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random

from .asked import IN_GROUPS, Asked
from .host import Host
from .instance import Stage
from .people import CITIES
from .plan import TAILSPIN, Plan

_BACK = 0.6  # of the edits that may stay
_KINDS = ("scope", "scope", "policy", "policy", "taken-out", "slip", "observe")
_PASSING = frozenset({"taken-out", "slip", "observe"})  # nobody is kept in step while these are in force
_NOWHERE = "Nowhere"
_NAMES = tuple("defghijklmnopqrstuvwxyz")  # of workers that come later


class Edits:
    """Some histories have a few edits. `plan` is what the newest file says, `plans` what each file does."""

    def __init__(self, stage: Stage, plan: Plan) -> None:
        self._stage = stage
        self._rng = stage.chance.stream("edits")
        self._names = iter(_NAMES)
        self._length_s = plan.events * plan.gap_s
        self.plan = plan
        self.plans = {plan.sync_yaml: plan}

    async def play(self, host: Host) -> None:
        if not self._stage.weather.has("edits"):
            return
        for _ in range(self._rng.choice((1, 1, 2))):
            kind = self._kind()
            before = self.plan
            await self._roll_out(host, _edited(self._rng, before, kind), kind)
            if kind in _PASSING or self._rng.random() < _BACK:
                await self._roll_out(host, before, f"{kind}-taken-back")

    def raise_ceiling(self, host: Host, by: int) -> int:
        """All instances have another ceiling of newcomers, which is returned. Of histories without other edits."""
        ceiling = (self.plan.ceiling or 0) + by
        self.plan = replace(self.plan, ceiling=ceiling)
        self.plans[self.plan.sync_yaml] = self.plan
        host.deploy(self.plan.sync_yaml)
        return ceiling

    def narrow(self, host: Host) -> None:
        """All instances have a scope that lets nobody in."""
        self.plan = replace(self.plan, asked=Asked(cities=(_NOWHERE,)))
        self.plans[self.plan.sync_yaml] = self.plan
        host.deploy(self.plan.sync_yaml)

    def _kind(self) -> str:
        """A slip that comes with the loss of all tables is known by nothing: no record says which tenants are right."""
        kinds = _KINDS if self.plan.loses_tables is None else [each for each in _KINDS if each != "slip"]
        return self._rng.choice(kinds)

    async def _roll_out(self, host: Host, plan: Plan, name: str) -> None:
        """Each worker is replaced by a new one, which starts some time before the old one stops."""
        await asyncio.sleep(self._rng.choice((10, 0.1 * self._length_s, 0.4 * self._length_s)))
        self._stage.history.note("world", f"--- sync.yaml: {name} ---")
        self._stage.weather.saw(f"edit-{name}")
        overlap_s = self._rng.choice((0.5, 10, 200, 1500))
        self.plan = self.plans[plan.sync_yaml] = plan
        for old in host.workers:
            host.add(next(self._names), plan.sync_yaml)
            await asyncio.sleep(self._rng.uniform(0, overlap_s))
            host.retire(old)


def _edited(rng: Random, plan: Plan, kind: str) -> Plan:
    match kind:
        case "scope" if plan.asked.wanted or plan.asked.barred:
            others = [each for each in IN_GROUPS if each != replace(plan.asked, cities=())]
            return replace(plan, asked=replace(rng.choice(others), cities=plan.asked.cities))
        case "scope":
            return replace(plan, asked=Asked(cities=tuple(rng.sample(CITIES, rng.choice((1, 2))))))
        case "policy":
            policies = ("soft_delete", "disable", "leave")
            return replace(plan, out_of_scope=rng.choice(policies), source_deleted=rng.choice(policies), stages=None)
        case "taken-out":
            return replace(plan, taken_out=True)
        case "slip":
            return replace(plan, source_id=TAILSPIN)
        case _:
            return replace(plan, observes=True)

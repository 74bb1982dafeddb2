"""People of the target tenant: they edit, block, enable and convert users of ours; and an operator looks."""

from __future__ import annotations

import asyncio

from sync_core.assembly import Runtime
from sync_core.model import Nomination, Why

from .host import Host
from .instance import Stage
from .others import Others
from .plan import Plan

_DEEDS = ("target-block", "target-enable", "target-enable", "target-convert", "target-edit", "target-restore")
_LOOKED_AT = 0.5  # of the users who were enabled by hand
# Replicas know by then, so that the operator's look sees what was done.
_KNOWN_AFTER_S = 60


class Hands:
    def __init__(self, stage: Stage, others: Others, host: Host, plan: Plan) -> None:
        self._stage = stage
        self._others = others
        self._host = host
        self._plan = plan
        self._rng = stage.chance.stream("hands")

    async def play(self) -> None:
        if not (self._stage.weather.has("hands") or self._stage.weather.has("drift")):
            return
        for _ in range(self._rng.randint(2, 8)):
            await asyncio.sleep(self._rng.expovariate(1 / self._plan.gap_s))
            ids = [user_id for _, user_id in self._others.target.ever(0)]
            if not ids:
                continue
            target_id, deed = self._rng.choice(ids), self._rng.choice(_DEEDS)
            if deed == "target-enable":
                disabled = [each.id for each in self._others.target.users() if each.get("accountEnabled") is False]
                target_id = self._rng.choice(disabled or ids)
            self._others.act_in_target(target_id, deed)
            if deed == "target-enable" and self._rng.random() < _LOOKED_AT:
                await asyncio.sleep(_KNOWN_AFTER_S)
                await self._look()

    async def _look(self) -> None:
        """An operator looks at everybody, as far as this instance lives."""
        life = self._host.any_alive()
        if life is None:
            return
        began, done = self._stage.clock.now(), list[bool]()

        async def look(runtime: Runtime) -> None:
            await runtime.storage.queues.nominate(
                [
                    Nomination(sync=sync, user=user, why=Why.OPERATOR, at=self._stage.clock.now())
                    for sync in runtime.config.syncs
                    for user in self._others.kinds
                ]
            )
            done.append(True)

        await asyncio.wait([self._host.on(life, "looks at everybody", look)])
        if done and life.runtime.config.syncs.keys() >= self._plan.syncs.keys():
            self._others.deeds.looked.append(began)

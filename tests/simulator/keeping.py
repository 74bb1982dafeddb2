"""An operator keeps some people for a while, and ends that for some of them."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import datetime, timedelta

from sync_core.assembly import Runtime
from sync_core.ops.leaving import end_keeps, keep_users

from .history import Kept
from .host import Host
from .instance import Stage
from .others import Others
from .plan import Plan

_BY = "admin@fabrikam.com"
_HOURS = (1, 5, 24)
_ENDED = 0.3
_LEAVES = 0.6  # of those who are kept, in the next minutes


class Keeping:
    def __init__(self, stage: Stage, others: Others, host: Host, plan: Plan) -> None:
        self._stage = stage
        self._others = others
        self._host = host
        self._gap_s = plan.gap_s
        self._rng = stage.chance.stream("keeping")
        self.kept: list[Kept] = []

    async def play(self) -> None:
        if not self._stage.weather.has("stages"):
            return
        for _ in range(self._rng.randint(0, 4)):
            await asyncio.sleep(self._rng.expovariate(1 / (2 * self._gap_s)))
            if not self._others.kinds:
                continue
            user = self._rng.choice([*self._others.kinds])
            await self.keep(user, self._rng.choice(_HOURS))
            if self._rng.random() < _LEAVES:
                await asyncio.sleep(self._rng.expovariate(1 / self._gap_s))
                self._others.act(user, "delete")
            if self._rng.random() < _ENDED:
                await asyncio.sleep(self._rng.expovariate(1 / self._gap_s))
                await self.end(user)

    async def keep(self, user: str, hours: int) -> None:
        """An earlier word about the same person ends when the command begins: it may have been done and not said."""
        until = self._stage.clock.now() + timedelta(hours=hours)
        self._over(user)

        async def say(runtime: Runtime) -> None:
            users = [(sync, user) for sync in runtime.config.syncs.values()]
            await keep_users(runtime, users, until, by=_BY, reason="drawn")
            done.append(frozenset(runtime.config.syncs))

        done: list[frozenset[str]] = []
        if (life := self._host.any_alive()) is None:
            return
        await asyncio.wait([self._host.on(life, f"keeps {user[:8]}", say)])
        if done:
            self._stage.weather.saw("kept")
            self.kept.append(Kept(user=user, syncs=done[0], since=self._stage.clock.now(), until=until))

    async def end(self, user: str) -> None:
        self._over(user)

        async def say(runtime: Runtime) -> None:
            await end_keeps(runtime, [(sync, user) for sync in runtime.config.syncs.values()], by=_BY)

        if (life := self._host.any_alive()) is not None:
            await asyncio.wait([self._host.on(life, f"ends keeping {user[:8]}", say)])

    def _over(self, user: str) -> None:
        now: datetime = self._stage.clock.now()
        self.kept = [replace(each, until=min(each.until, now)) if each.user == user else each for each in self.kept]

"""Where two syncs share people, some of those move from one scope to the other, to both or to neither."""

from __future__ import annotations

import asyncio

from .instance import Stage
from .others import Others
from .people import CITIES
from .plan import Plan


class Movers:
    def __init__(self, stage: Stage, others: Others, plan: Plan) -> None:
        self._others = others
        self._plan = plan
        self._rng = stage.chance.stream("movers")

    async def play(self) -> None:
        if self._plan.second is None:
            return
        for _ in range(self._rng.randint(3, 9)):
            await asyncio.sleep(self._rng.expovariate(1 / self._plan.gap_s))
            user = self._others.source.find(self._rng.choice([*self._others.kinds, ""]))
            if user is None:
                continue
            if self._others.memberships is not None:
                self._others.act(user.id, self._rng.choice(("join", "leave")))
            else:
                self._others.move(user, self._rng.choice((*CITIES, None)))

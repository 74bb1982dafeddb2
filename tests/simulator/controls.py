"""People pause a sync or its deletions, and let it go on."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from sync_core.assembly import Runtime
from sync_core.model import Control
from sync_core.ops import controls

from .history import Said
from .host import Host
from .instance import Stage
from .plan import SYNC, Plan

_LONGEST_S = 30_000  # so that messages which a pause keeps are not sent anew for days
_AGAIN_S = 20  # after an instance died under a command


# Words that are said one after the other, before the sync runs again.
_COURSES = (
    (Control.PAUSED,),
    (Control.PAUSED,),
    (Control.DELETIONS_PAUSED,),
    (Control.PAUSED, Control.DELETIONS_PAUSED),
    (Control.DELETIONS_PAUSED, Control.PAUSED),
)


class Operator:
    """Gives commands from outside, again and again until one is done."""

    def __init__(self, stage: Stage, host: Host) -> None:
        self._stage = stage
        self._host = host
        self._now = Said(sync=SYNC, control=Control.RUNNING, since=stage.clock.now(), until=stage.clock.now())
        self.said: list[Said] = []

    async def say(self, control: Control) -> None:
        self._ended()
        while not await self._done(control):  # noqa: ASYNC110 - an instance died, and nobody says so
            await asyncio.sleep(_AGAIN_S)
        now = self._stage.clock.now()
        self._now = Said(sync=SYNC, control=control, since=now, until=now)
        self._stage.history.note("operator", f"said {control}")
        if control is not Control.RUNNING:
            self._stage.weather.saw("paused" if control is Control.PAUSED else "deletions-paused")

    def _ended(self) -> None:
        if self._now.control is not Control.RUNNING:
            self.said.append(replace(self._now, until=self._stage.clock.now()))

    async def _done(self, control: Control) -> bool:
        life = self._host.any_alive()
        if life is None or SYNC not in life.runtime.config.syncs:
            return False
        done: list[bool] = []
        task = self._host.on(life, f"says {control}", lambda runtime: _say(runtime, control, done))
        await asyncio.wait([task])
        return bool(done)


class Controls:
    """Some histories have a few pauses, each of which ends."""

    def __init__(self, stage: Stage, operator: Operator, plan: Plan) -> None:
        self._stage = stage
        self._rng = stage.chance.stream("controls")
        self._operator = operator
        self._length_s = min(plan.events * plan.gap_s, _LONGEST_S)

    async def play(self) -> None:
        if not self._stage.weather.has("controls"):
            return
        for _ in range(self._rng.choice((1, 1, 2))):
            for control in (*self._rng.choice(_COURSES), Control.RUNNING):
                await asyncio.sleep(self._rng.choice((1, 10, 0.2 * self._length_s, 0.5 * self._length_s)))
                await self._operator.say(control)


async def _say(runtime: Runtime, control: Control, done: list[bool]) -> None:
    await controls.control(runtime, [runtime.config.syncs[SYNC]], control, by="admin@fabrikam.com", reason="drawn")
    done.append(True)

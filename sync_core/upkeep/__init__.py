"""The poll's work besides reading feeds.

What fell aside, newcomers who waited, leavers whose next stage is due, the deletion of old activity, and figures for
the alerts.
"""

from __future__ import annotations

from dataclasses import dataclass

from .in_hand import Takeover
from .leavers import Leavers
from .measure import Measure
from .newcomers import Newcomers
from .notices import Noticing
from .plans import PlanUpkeep
from .poison import PoisonDrain
from .retention import Retention
from .weekly import Weekly


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    takeover: Takeover
    newcomers: Newcomers
    leavers: Leavers
    poison: PoisonDrain
    retention: Retention
    plans: PlanUpkeep
    measure: Measure
    noticing: Noticing
    weekly: Weekly

    async def run(self) -> None:
        """Figures come last: they show what the rest left. A fault of one step stops no other, and is raised then."""
        faults: list[Exception] = []
        steps = (self.takeover, self.newcomers, self.leavers, self.poison, self.retention, self.plans)
        for step in (*(each.run for each in steps), self._tell):
            try:
                await step()
            except Exception as error:  # noqa: BLE001 - without figures no alert would tell of it
                faults.append(error)
        if faults:
            raise faults[0]

    async def _tell(self) -> None:
        findings = await self.measure.run()
        await self.noticing.tell(findings)
        await self.weekly.tell(findings)

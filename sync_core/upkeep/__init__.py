"""The poll's work besides reading feeds: what fell aside, the deletion of old activity, figures for the alerts."""

from __future__ import annotations

from dataclasses import dataclass

from .in_hand import Takeover
from .measure import Measure
from .poison import PoisonDrain
from .retention import Retention


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    takeover: Takeover
    poison: PoisonDrain
    retention: Retention
    measure: Measure

    async def run(self) -> None:
        """Figures come last: they show what the rest left."""
        await self.takeover.run()
        await self.poison.run()
        await self.retention.run()
        await self.measure.run()

"""The target refuses attributes without naming them, and a contact there has somebody's address; mostly for a while."""

from __future__ import annotations

import asyncio

from entra_graph_emulator import Tenant

from .instance import Stage
from .others import Others
from .plan import Plan

_HEALS = 0.75
_ATTRIBUTES = ("department", "jobTitle", "city", "officeLocation", "businessPhones", "surname")


class Refusals:
    def __init__(self, stage: Stage, others: Others, plan: Plan) -> None:
        self._stage = stage
        self._others = others
        self._rng = stage.chance.stream("refusals")
        self._length_s = plan.events * plan.gap_s

    @property
    def _target(self) -> Tenant:
        return self._others.target

    async def play(self) -> None:
        if not self._stage.weather.has("refusals"):
            return
        kinds = self._rng.choice((("unnamed",), ("contact",), ("unnamed", "contact")))
        await asyncio.sleep(self._rng.uniform(0, 0.6 * self._length_s))
        if "unnamed" in kinds:
            self._refuse()
        if "contact" in kinds:
            self._be_in_the_way()
        await asyncio.sleep(self._rng.choice((30, 0.3 * self._length_s, self._length_s, 5000)))
        if self._rng.random() < _HEALS:
            self._heal()

    def _refuse(self) -> None:
        names = self._rng.sample(_ATTRIBUTES, self._rng.choice((1, 1, 2)))
        self._target.settings.unnamed_refusals = names
        self._stage.history.note("world", f"{', '.join(names)}: refused without a name")

    def _be_in_the_way(self) -> None:
        """A mail contact with the address of somebody whose target user does not have it: Entra lets none be made."""
        addresses = [str(user.get("mail")) for user in self._others.source.users() if user.get("mail")]
        free = [each for each in addresses if not self._target.known_by(each)]
        if free:
            self._target.settings.contact_addresses = [self._rng.choice(free)]
            self._stage.weather.saw("contact-in-the-way")
            self._stage.history.note("world", f"a contact has {self._target.settings.contact_addresses}")

    def _heal(self) -> None:
        self._target.settings.unnamed_refusals = []
        self._target.settings.contact_addresses = []
        self._stage.history.note("world", "nothing is refused any more")

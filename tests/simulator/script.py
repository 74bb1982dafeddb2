"""The course of one history: single events and bursts on one user, of both tenants' people and of the operator."""

from __future__ import annotations

import asyncio

from sync_core.assembly import Runtime
from sync_core.model import Nomination, Why

from .edits import Edits
from .host import Host
from .instance import Stage
from .memberships import DEEDS
from .others import Others
from .plan import SYNC

_EVENTS = {
    "hire": 14,
    "rename": 12,
    "move": 10,
    "clear": 5,
    "readdress": 3,
    "flip": 4,
    "disable": 6,
    "enable": 6,
    "delete": 14,
    "restore": 10,
    "purge": 4,
    "mass-delete": 3,
    "mass-disable": 2,
    "target-delete": 4,
    "target-restore": 3,
    "target-purge": 2,
    "target-edit": 3,
    "invite-by-hand": 3,
    "decide-holds": 6,
    "resync": 3,
    "nominate": 2,
}
# Besides, where the scope names groups.
_IN_GROUPS = {"join": 20, "leave": 20, **DEEDS}
# What one user goes through within seconds.
_BURSTS = (
    ("flip", "flip", "flip"),
    ("rename", "rename", "rename", "rename"),
    ("delete", "restore"),
    ("delete", "restore", "delete", "restore"),
    ("disable", "enable"),
    ("disable", "delete", "restore", "enable"),
    ("delete", "purge"),
    ("rename", "delete", "restore", "move"),
    ("delete", "restore", "rename", "delete"),
    ("readdress", "delete", "restore"),
)

_REDRAWN = 0.5
_LET_IN, _RAISED = 0.3, 0.1


_BURSTS_IN_GROUPS = (
    *_BURSTS,
    ("leave", "join"),
    ("leave", "join", "leave", "join"),
    ("disable", "leave"),
    ("leave", "rename", "join"),
    ("join", "delete", "restore"),
)


class Script:
    def __init__(self, stage: Stage, others: Others, host: Host, edits: Edits) -> None:
        self._stage = stage
        self._others = others
        self._host = host
        self._edits = edits
        self._plan = edits.plan
        self._rng = stage.chance.stream("script")
        self._lines = stage.chance.stream("redrawn lines")
        self._newcomers = stage.chance.stream("newcomers")

    async def play(self) -> None:
        rng = self._rng
        for number in range(self._plan.events):
            await asyncio.sleep(rng.expovariate(1 / self._plan.gap_s))
            self._lose_tables(number)
            self._draw_lines()
            self._attend_to_newcomers()
            if rng.random() < self._plan.bursts:
                await self._burst()
            else:
                events = _EVENTS if self._others.memberships is None else _EVENTS | _IN_GROUPS
                self._event(rng.choices([*events], [*events.values()])[0])

    def _lose_tables(self, number: int) -> None:
        """Once, and not while the target hides somebody new: then nothing would be left to find them by."""
        lost, due = self._others.deeds.tables_lost, self._plan.loses_tables
        if lost or due is None or number < due or self._others.hides_somebody():
            return
        self._host.lose_tables()
        lost.append(self._stage.clock.now())

    def _draw_lines(self) -> None:
        """Beside everything else, people get new managers."""
        while self._others.managers and self._others.kinds and self._lines.random() < _REDRAWN:
            self._others.draw_line()

    def _attend_to_newcomers(self) -> None:
        """Beside everything else, a person lets in who waits, or raises the ceiling."""
        if self._plan.ceiling is None:
            return
        drawn, life = self._newcomers.random(), self._host.any_alive()
        if drawn < _LET_IN and life is not None:
            self._host.on(life, "let-in", self._others.let_in)
        elif drawn > 1 - _RAISED and not self._stage.weather.has("edits"):
            ceiling = self._edits.raise_ceiling(self._host, self._newcomers.randrange(2))
            self._others.deeds.ceilings.append((self._stage.clock.now(), ceiling))

    async def _burst(self) -> None:
        user = self._anybody()
        if user is None:
            return
        pace = self._rng.choice((0.1, 1.0, 5.0))
        for deed in self._rng.choice(_BURSTS if self._others.memberships is None else _BURSTS_IN_GROUPS):
            self._others.act(user, deed)
            await asyncio.sleep(self._rng.expovariate(1 / pace))

    def _event(self, name: str) -> None:
        match name:
            case "hire":
                self._others.hire()
            case _ if name in DEEDS:
                self._others.act_on_group(name)
            case "mass-delete":
                self._others.mass("delete", self._rng.choice((0.4, 0.7, 1.0)))
            case "mass-disable":
                self._others.mass("disable", self._rng.choice((0.4, 0.7)))
            case "invite-by-hand":
                self._invite_by_hand()
            case "decide-holds" | "resync" | "nominate":
                self._operate(name)
            case _ if name.startswith("target-"):
                ids = [user_id for _, user_id in self._others.target.ever(0)]
                if ids:
                    self._others.act_in_target(self._rng.choice(ids), name)
            case _:
                user = self._anybody()
                if user is not None:
                    self._others.act(user, name)

    def _anybody(self) -> str | None:
        return self._rng.choice([*self._others.kinds]) if self._others.kinds else None

    def _invite_by_hand(self) -> None:
        user = self._others.source.find(self._anybody() or "")
        if user is not None:
            self._others.invite_by_hand(user.get("mail") or user.get("userPrincipalName"))

    def _operate(self, name: str) -> None:
        """The operator's commands run on an instance, and share its fate."""
        life = self._host.any_alive()
        user = self._anybody()
        if life is None or user is None:
            return
        approve = self._rng.random() < 0.7
        now = self._stage.clock.now()

        async def decide_holds(runtime: Runtime) -> None:
            for held in [each for sync in self._plan.syncs for each in await runtime.storage.guards.holds(sync)]:
                if approve:  # noted first: the answer may be lost, and then it stands all the same
                    self._others.deeds.approved.append((self._stage.clock.now(), held.source_id))
                await runtime.guard.decide([held], approve=approve, by="admin@fabrikam.com")
                self._stage.history.changes["Approved" if approve else "Rejected"] += 1
                await runtime.storage.queues.nominate(
                    [Nomination(sync=held.sync, user=held.source_id, why=Why.APPROVED, at=self._stage.clock.now())]
                )

        async def resync(runtime: Runtime) -> None:
            if SYNC in runtime.config.syncs:
                await runtime.feeds.start_round("contoso", full=True)

        async def nominate(runtime: Runtime) -> None:
            await runtime.storage.queues.nominate([Nomination(sync=SYNC, user=user, why=Why.OPERATOR, at=now)])

        commands = {"decide-holds": decide_holds, "resync": resync, "nominate": nominate}
        self._host.on(life, name, commands[name])

"""Courses of events that are told instead of drawn, since hardly any seed has them."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from sync_core.model import Control

from .asked import CLUB, OUTER, TEAM, Asked
from .chance import Chance, Weather
from .controls import Operator
from .edits import Edits
from .host import Host
from .keeping import Keeping
from .memberships import DEEDS
from .others import Others
from .plan import Plan, Stages, Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """What befalls one user, who is hired first. `fault` strikes once, at the n-th chance to, by so much."""

    deeds: Sequence[tuple[float, str] | tuple[float, str, str]]  # seconds to wait, then this, in this group
    fault: str = ""
    amount: float = 0
    nth: int = 1
    asked: Asked | None = None  # None: everybody
    ceiling: int | None = None
    loses_tables: bool = False
    second: Asked | None = None
    stages: Steps | None = None
    seed: int = 2  # the first user of this one is an ordinary one, and in no group

    @property
    def groups(self) -> bool:
        return self.asked is not None

    def plan(self, drawn: Plan) -> Plan:
        """Two instances, and policies under which nothing is held and nobody is adopted."""
        plan = replace(
            drawn,
            instances=2,
            first_users=1,
            poll=timedelta(minutes=5),
            adopt="none",
            source_deleted="soft_delete",
            max_percent=50,
            min_count=50,
            writes=3000,
            loses_tables=len(self.deeds) if self.loses_tables else None,
            managers=False,
            asked=self.asked or Asked(),
            ceiling=self.ceiling,
            second=self.second,
            out_of_scope="soft_delete",
        )
        return plan if self.stages is None else plan.in_stages(Stages(out=self.stages, deleted=self.stages))

    async def play(self, others: Others, host: Host, operator: Operator, keeping: Keeping, edits: Edits) -> None:
        (user,) = others.kinds
        for wait_s, deed, *group in self.deeds:
            await asyncio.sleep(wait_s)
            if deed == "hire":
                others.hire()
            elif deed == "lose-tables":
                host.lose_tables()
                others.deeds.tables_lost.append(others.stage.clock.now())
            elif deed == "let-in":
                host.on(host.alive()[0], deed, others.let_in)
            elif deed == "narrow":
                edits.narrow(host)
            elif deed == "keep":
                await keeping.keep(user, *map(int, group))
            elif deed in [*Control]:
                await operator.say(Control(deed))
            elif deed in DEEDS:
                others.act_on_group(deed, *group)
            else:
                others.act(user, deed, *group)


class ToldWeather(Weather):
    """The one fault of a story, at the n-th chance that it has."""

    def __init__(self, chance: Chance, story: Story) -> None:
        super().__init__(chance)
        self.rates = {}
        self._courses = set()
        self._story = story
        self._chances = story.nth

    def strikes(self, name: str) -> bool:
        self._chances -= name == self._story.fault
        if name != self._story.fault or self._chances != 0:
            return False
        self.saw(name)
        return True

    def amount(self, name: str, low: float, high: float) -> float:
        return self._story.amount


STORIES: Mapping[str, Story] = {
    # A write arrives late, after that of another worker with newer values.
    "trust-after-lost-cas": Story(fault="late-write", amount=30, deeds=[(300, "move"), (10, "move")]),
    # A worker is suspended before its invitation. Another one makes the pair, with a guest who has a newer address.
    "late-invitation-kept": Story(fault="suspended", amount=2500, deeds=[(300, "readdress"), (5000, "move")]),
    # The same, and the address is the old one: Graph answers the late invitation with the guest of the pair.
    "linked-taken-back": Story(fault="suspended", amount=2500, deeds=[(5000, "move")]),
    # With the tables went the link of somebody who leaves at that moment: only the target's marker tells of them.
    "marked-not-listed": Story(deeds=[(900, "lose-tables"), (0.1, "delete")], loses_tables=True),
    # Three more come, and one alone may be let in.
    "ceiling-not-counted": Story(deeds=[(300, "hire"), (5, "hire"), (5, "hire"), (900, "move")], ceiling=1),
    # The first user is let in by a person, and nobody who comes later.
    "approval-outlives-its-list": Story(
        deeds=[(900, "let-in"), (900, "hire"), (5, "hire"), (5, "hire"), (1500, "move")], ceiling=0
    ),
    # Staff are out, and Team is in Staff. Nobody can list Team any more once it is deleted.
    "kept-out-forgotten": Story(deeds=[(300, "join", TEAM), (5000, "delete-group", TEAM)], asked=Asked(barred=OUTER)),
    # Somebody moves while the sync is paused: no notification and no page of the feed tells of it again.
    "resume-without-round": Story(deeds=[(300, "paused"), (60, "move"), (900, "running")]),
    # The first round lists somebody, and the queue takes no message at that moment.
    "delta-link-first": Story(fault="queue-refused", deeds=[]),
    # Another file lets nobody in.
    "edit-without-round": Story(deeds=[(900, "narrow")]),
    # Somebody is in by a group that is deleted.
    "missing-group-is-empty": Story(
        deeds=[(300, "join", TEAM), (900, "delete-group", TEAM)], asked=Asked(wanted=(TEAM,), assigned=True)
    ),
    # Somebody moves during a pause.
    "paused-writes": Story(deeds=[(300, "paused"), (60, "move"), (900, "running")]),
    # Somebody leaves, and may stay disabled for some hours.
    "stage-skipped": Story(deeds=[(300, "delete")], stages=((0, "disable"), (6, "soft_delete"))),
    # Somebody returns after four hours, and leaves once more.
    "stage-clock-from-old-leaving": Story(
        deeds=[(300, "delete"), (4 * 3600, "restore"), (900, "delete"), (4 * 3600, "move")],
        stages=((0, "disable"), (6, "soft_delete")),
    ),
    # Somebody is kept for a day, and leaves.
    "kept-is-deleted": Story(deeds=[(300, "keep", "24"), (300, "delete"), (7200, "move")]),
    # Two syncs have somebody, who leaves the first.
    "not-handed-over": Story(
        deeds=[(10, "join", TEAM), (600, "leave", CLUB)],
        asked=Asked(wanted=(TEAM,), assigned=True),
        second=Asked(wanted=(CLUB,), assigned=True),
    ),
}

"""What one seed draws before anything happens: policies, guard limits, sizes, paces, and how the emulator behaves."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import timedelta
from random import Random

from entra_graph_emulator import Emulator, Tenant
from entra_graph_emulator.wire.throttle import Quota

from .asked import IN_GROUPS, Asked
from .chance import Chance, Weather
from .expected import COPIED
from .people import CITIES

CONTOSO = "11111111-1111-1111-1111-111111111111"
FABRIKAM = "22222222-2222-2222-2222-222222222222"
TAILSPIN = "33333333-3333-3333-3333-333333333333"  # a tenant that only a slip names
SYNC = "contoso-to-fabrikam"
SECOND = "contoso-to-fabrikam-too"
_STANDBY = "fabrikam-to-tailspin"  # a file without any sync is no file
NOBODY = "99999999-9999-9999-9999-999999999999"
OWNER_ATTRIBUTE = "extension_0123456789abcdef0123456789abcdef_xtsyncOwner"
_WITH_MANAGERS = 0.5
_WITH_A_CEILING = 0.3


_STANDBY_SYNC = f"""
  - name: {_STANDBY}
    source: fabrikam
    target: tailspin
    scope: {{ users: assigned, members: [{NOBODY}] }}
"""


# Hours after the stage before, and what follows then.
type Steps = tuple[tuple[int, str], ...]


def _drawn_steps(rng: Random) -> Steps:
    first, then = rng.choice((2, 6)), rng.choice((2, 6, 20))
    return rng.choice(
        (
            ((0, "disable"), (then, "soft_delete")),
            ((0, "disable"), (then, "soft_delete")),
            ((then, "soft_delete"),),
            ((first, "disable"), (then, "soft_delete")),
            ((0, "leave"), (then, "disable")),
        )
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Stages:
    """How people leave who are out of scope, and those who are deleted in the source."""

    out: Steps
    deleted: Steps


@dataclass(frozen=True, slots=True, kw_only=True)
class Drift:
    """What becomes of what people of the target change."""

    attributes: str = "report"
    blocked: str = "respect"
    repairs: int = 100
    subscribe: bool = False

    def __str__(self) -> str:
        """As sync.yaml has it."""
        subscribe = str(self.subscribe).lower()
        policies = f"attributes: {self.attributes}, blocked_in_target: {self.blocked}"
        return f"{{ {policies}, repairs: {self.repairs}, subscribe: {subscribe} }}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    instances: int
    first_users: int
    events: int
    gap_s: float  # mean time between events
    bursts: float  # probability that an event is a burst on one user
    poll: timedelta
    keep: timedelta
    adopt: str
    source_deleted: str
    deleted_in_target: str
    max_percent: int
    min_count: int
    window: timedelta
    month_times: int  # so many times the limit of the window is that of thirty days
    writes: int
    seconds: int
    loses_tables: int | None  # before which event
    managers: bool  # mapped, and given in the source
    asked: Asked
    out_of_scope: str
    ceiling: int | None  # of invitations in a window; None: one that no history reaches
    drift: Drift = field(default=Drift())
    stages: Stages | None = None  # the last of which are the two policies
    second: Asked | None = None  # the scope of another sync between the same tenants
    source_id: str = CONTOSO
    observes: bool = False
    taken_out: bool = False  # the first sync

    @classmethod
    def draw(cls, chance: Chance, *, groups: bool = False) -> Plan:
        rng = chance.stream("plan")
        gap_s, poll = rng.choice(
            (
                (3.0, timedelta(minutes=1)),
                (20.0, timedelta(minutes=5)),
                (20.0, timedelta(minutes=5)),
                (900.0, timedelta(minutes=20)),
                (90_000.0, timedelta(hours=8)),
            )
        )
        loss, ceilings = chance.stream("tables-lost"), chance.stream("ceiling")
        return cls(
            loses_tables=loss.randrange(16) if loss.random() < 0.15 else None,
            instances=rng.choice((1, 2, 2, 3)),
            first_users=rng.randint(0, 6),
            events=rng.randint(2, 16),
            gap_s=gap_s,
            bursts=rng.choice((0.0, 0.3, 0.7)),
            poll=poll,
            keep=timedelta(hours=rng.choice((1, 6, 20))) if gap_s < 1000 else timedelta(hours=20),
            adopt=rng.choice(("none", "none", "guests")),
            source_deleted=rng.choice(("soft_delete", "soft_delete", "soft_delete", "soft_delete", "disable", "leave")),
            deleted_in_target=rng.choice(("leave", "restore")),
            max_percent=rng.choice((0, 5, 50)),
            min_count=rng.choice((0, 1, 1, 2, 3, 10, 50, 50, 50)),
            window=timedelta(hours=rng.choice((1, 24))),
            month_times=chance.stream("plan/month").choice((1, 2)),
            writes=rng.choice((3000, 3000, 3000, 30)),
            seconds=rng.choice((150, 60)),
            managers=chance.stream("plan/reference").random() < _WITH_MANAGERS,
            asked=chance.stream("asked").choice(IN_GROUPS) if groups else Asked(),
            ceiling=ceilings.choice((0, 1, 2, 3)) if ceilings.random() < _WITH_A_CEILING else None,
            out_of_scope=chance.stream("scope").choice(
                ("soft_delete", "soft_delete", "soft_delete", "disable", "leave")
            ),
        )

    def with_second_sync(self, chance: Chance) -> Plan:
        """Another sync has some of the same people, and some whom the first one does not have.

        A reference to a manager stays within one sync, so nobody has managers there. A ceiling is of one sync.
        """
        rng = chance.stream("second sync")
        if self.asked == Asked():
            shared, first, second = rng.sample(CITIES, 3)
            asked, other = Asked(cities=(shared, first)), Asked(cities=(shared, second))
        else:
            asked, other = self.asked, rng.choice([each for each in IN_GROUPS if each != self.asked])
        return replace(self, asked=asked, second=other, managers=False, ceiling=None)

    def in_stages(self, stages: Stages) -> Plan:
        return replace(self, stages=stages, out_of_scope=stages.out[-1][1], source_deleted=stages.deleted[-1][1])

    def with_stages(self, chance: Chance) -> Plan:
        rng = chance.stream("stages")
        return self.in_stages(Stages(out=_drawn_steps(rng), deleted=_drawn_steps(rng)))

    def with_drift(self, chance: Chance) -> Plan:
        rng = chance.stream("drift")
        drift = Drift(
            attributes=rng.choice(("enforce", "enforce", "report", "leave")),
            blocked=rng.choice(("enforce", "respect")),
            repairs=rng.choice((100, 100, 1)),
            subscribe=rng.random() < 0.5,
        )
        return replace(self, drift=drift)

    @property
    def syncs(self) -> dict[str, Asked]:
        """What this file asks for, by name of sync."""
        first = {} if self.taken_out else {SYNC: self.asked}
        return first if self.second is None else {**first, SECOND: self.second}

    @property
    def writes_nothing(self) -> bool:
        """Whether no process with this file may write into the target."""
        return self.observes or not self.syncs or self.source_id != CONTOSO

    @property
    def sync_yaml(self) -> str:
        syncs = [self._sync(name, asked.scope) for name, asked in self.syncs.items()]
        return f"""
tenants:
  contoso: {{ id: {self.source_id} }}
  fabrikam: {{ id: {FABRIKAM} }}
  tailspin: {{ id: {CONTOSO if self.source_id == TAILSPIN else TAILSPIN} }}
syncs:
{"".join(syncs) or _STANDBY_SYNC}"""

    def _sync(self, name: str, scope: str) -> str:
        return f"""
  - name: {name}
    source: contoso
    target: fabrikam
    mode: {"observe" if self.observes else "run"}
    scope: {scope}
    matching: {{ adopt: {self.adopt}{self._owner_attribute} }}
    deprovision:
      out_of_scope: {self.out_of_scope if self.stages is None else _list(self.stages.out)}
      source_deleted: {self.source_deleted if self.stages is None else _list(self.stages.deleted)}
      deleted_in_target: {self.deleted_in_target}
    drift: {self.drift}
    deletion_guard:
      max_percent: {self.max_percent}
      min_count: {self.min_count}
      window: {self.window // timedelta(hours=1)}h
      month: {{ max_percent: {self._month_percent}, min_count: {self.month_times * self.min_count} }}
    creation_guard: {self._creation_guard}
    mapping:
{self._mapping}
"""

    @property
    def _creation_guard(self) -> str:
        window = f"window: {self.window // timedelta(hours=1)}h"
        return "{}" if self.ceiling is None else f"{{ max_percent: 0, min_count: {self.ceiling}, {window} }}"

    @property
    def _month_percent(self) -> int:
        return min(100, self.month_times * self.max_percent)

    @property
    def _owner_attribute(self) -> str:
        """Only where it is needed; who needs it least must do without."""
        return "" if self.loses_tables is None else f", owner_attribute: {OWNER_ATTRIBUTE}"

    @property
    def _mapping(self) -> str:
        """Microsoft's default one, with or without the manager."""
        copied = [*COPIED, *(["manager"] if self.managers else [])]
        rules = [f"{{ target: {name}, source: {name} }}" for name in copied]
        rules += ["{ target: showInAddressList, constant: true }"]
        rules += ["{ target: userType, constant: Member, apply: on_create }"]
        return "\n".join(f"      - {rule}" for rule in rules)

    def app_settings(self) -> dict[str, str]:
        return {
            "XTSYNC_CREDENTIAL": "emulator",
            "XTSYNC_GRAPH_URL": "http://localhost",
            "XTSYNC_PUBLIC_URL": "https://xtsync.example",
            "XTSYNC_WRITE_BUDGET": f"{self.writes}/{self.seconds}",
            "AzureWebJobsStorage": "memory",
        }


def _list(steps: Steps) -> str:
    stages = [f"{{ after: {hours}h, then: {word} }}" if hours else word for hours, word in steps]
    return f"[{', '.join(stages)}]"


def set_weather(
    plan: Plan, chance: Chance, weather: Weather, emulator: Emulator, source: Tenant, target: Tenant
) -> None:
    """Hand the emulator those faults that are its own, at this seed's rates."""
    rng = chance.stream("emulator-faults")
    quota = Quota(writes=plan.writes, window_s=plan.seconds)
    emulator.throttle.set(quota, target.id)
    target.settings.blocked_domains = ["blocked.example"]
    target.settings.visibility_s = rng.uniform(1, 40) if weather.rate("target-not-visible") else 0.0
    target.settings.phantom_invitations = weather.rate("invitation-without-user")
    source.settings.replication_lag_s = rng.uniform(1, 60) if weather.rate("delta-lag") else 0.0
    source.settings.visibility_s = 0.0
    source.settings.read_lag_s = weather.amount("source-reads-old", 0.5, 6) if weather.rate("source-reads-old") else 0.0
    target.settings.read_lag_s = weather.amount("target-reads-old", 0.5, 6) if weather.rate("target-reads-old") else 0.0
    target.settings.deletion_drops_references = chance.stream("references").random() < 0.5
    source.settings.delta_seed = rng.getrandbits(32)
    source.settings.delta_page_size = rng.choice((1, 2, 3, 200))
    source.settings.delta_replay = rng.randint(1, 10) if weather.rate("delta-replayed") else 0
    source.settings.delta_shuffle = bool(weather.rate("delta-shuffled"))
    source.settings.delta_duplicate = weather.rate("delta-doubled")
    source.settings.delta_empty_pages = weather.rate("delta-empty-page")
    delivery = emulator.delivery.settings
    delivery.drop = weather.rate("notifications-lost")
    delivery.enabled = delivery.drop < 0.5  # a high rate means that none arrives at all
    delivery.duplicate = weather.rate("notifications-doubled")
    delivery.delay_s = rng.uniform(1, 300) if weather.rate("notifications-delayed") else 0.2
    delivery.shuffle = bool(weather.rate("notifications-shuffled"))
    delivery.burst = rng.choice((1, 2, 3))
    delivery.batch = rng.choice((1, 50))

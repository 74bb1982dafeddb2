"""One seed, from its first die to the verdict of the model."""

from __future__ import annotations

import asyncio
import gc
import logging
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from datetime import timedelta
from functools import cache, lru_cache

import httpx

from entra_graph_emulator import Emulator
from sync_core.assembly import Runtime
from sync_core.config.settings import load_settings
from sync_core.guard.deletions import Standing, standing
from sync_core.model import Nomination, Why
from sync_core.ports import HoldRecord, HoldState
from sync_core.storage.repositories import memory_storage
from tests.support.virtual_time import LoopClock, VirtualLoop, run

from .chance import Chance, Weather
from .controls import Controls, Operator
from .delivery import Pump
from .edits import Edits
from .evidence import Birth, Broken, Evidence
from .hands import Hands
from .history import History
from .host import Host, Life
from .instance import Instance, Stage
from .keeping import Keeping
from .memberships import Memberships
from .model import check
from .movers import Movers
from .mutations import MUTATIONS
from .others import Others
from .people import OTHER_DOMAIN, SOURCE_DOMAIN, TARGET_DOMAIN
from .plan import CONTOSO, FABRIKAM, OWNER_ATTRIBUTE, TAILSPIN, Plan, set_weather
from .refusals import Refusals
from .script import Script
from .stories import Story, ToldWeather
from .wire import Wire


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    seed: int
    broken: Sequence[Broken]
    digest: str
    struck: Counter[str]
    changes: Counter[str]
    lines: Sequence[str]
    requests: int

    @property
    def failed(self) -> bool:
        return bool(self.broken)


def simulate(
    seed: int,
    *,
    mutation: str = "",
    extra: frozenset[str] = frozenset(),
    groups: bool = False,
    story: Story | None = None,
) -> Verdict:
    """Live through one history and judge it. `mutation` breaks one rule on purpose; `extra` faults are always there.

    With `groups` the scope names some, and people come and go in them, too: another history of the same seed.
    A `story` is told instead of drawn, but for whatever it leaves open: see `tell`.
    """
    damage: AbstractContextManager[None] = MUTATIONS[mutation]() if mutation else nullcontext()
    collecting = gc.isenabled()
    _remember_urls()
    gc.disable()  # a collection may run finalizers, and when it comes depends on all that ran before
    logs = _Logs()
    logging.getLogger("xtsync").addHandler(logs)
    loop = VirtualLoop()
    try:
        with damage:
            return run(loop, _Run(seed, loop, extra, logs, groups=groups, story=story).live())
    finally:
        logging.getLogger("xtsync").removeHandler(logs)
        if collecting:
            gc.enable()


def tell(story: Story, *, mutation: str = "") -> Verdict:
    """Live through one story and judge it."""
    return simulate(story.seed, mutation=mutation, groups=story.groups, story=story)


@cache
def _remember_urls() -> None:
    """httpx parses each URL some eight times, character by character: a seventh of all time. A memo changes nothing."""
    parse = lru_cache(10_000)(httpx._urlparse.urlparse)
    for module in (httpx._urlparse, httpx._urls):
        setattr(module, "urlparse", parse)  # noqa: B010 - private, hence not typed


class _Logs(logging.Handler):
    """Invariant 11: no address in any log line of ours."""

    def __init__(self) -> None:
        super().__init__(logging.INFO)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


class _Run:
    def __init__(
        self, seed: int, loop: VirtualLoop, extra: frozenset[str], logs: _Logs, *, groups: bool, story: Story | None
    ) -> None:
        self.seed = seed
        self.story = story
        self.chance = Chance(seed)
        self.weather = Weather(self.chance, extra=extra) if story is None else ToldWeather(self.chance, story)
        drawn = Plan.draw(self.chance, groups=groups)
        if story is not None:
            drawn = story.plan(drawn)
        drawn = drawn.with_stages(self.chance) if self.weather.has("stages") else drawn
        drawn = drawn.with_drift(self.chance) if self.weather.has("drift") else drawn
        self.plan = drawn.with_second_sync(self.chance) if self.weather.has("second-sync") else drawn
        self.clock = LoopClock(loop)
        self.history = History(self.clock)
        self.stage = Stage(chance=self.chance, weather=self.weather, clock=self.clock, history=self.history)
        self.logs = logs
        self.emulator = Emulator(clock=self.clock, rng=self.chance.stream("emulator"))
        self.source = self.emulator.create_tenant(CONTOSO, display_name="Contoso", domain=SOURCE_DOMAIN)
        self.target = self.emulator.create_tenant(FABRIKAM, display_name="Fabrikam", domain=TARGET_DOMAIN)
        self.target.apps.declare_extension(OWNER_ATTRIBUTE)
        self.emulator.create_tenant(TAILSPIN, display_name="Tailspin", domain=OTHER_DOMAIN)
        set_weather(self.plan, self.chance, self.weather, self.emulator, self.source, self.target)
        self.pump = Pump(self.stage, self.emulator)
        memberships = Memberships(self.chance.stream("groups"), self.source) if groups else None
        self.others = Others(
            self.stage,
            self.emulator,
            source=self.source,
            target=self.target,
            managers=self.plan.managers,
            memberships=memberships,
            changed=self.pump.kick,
        )
        self.edits = Edits(self.stage, self.plan)
        self.poll_every, self.keep_every = self.plan.poll, self.plan.keep

    async def live(self) -> Verdict:
        self.history.note("plan", f"{self.plan}")
        self.history.note("plan", f"{ {name: round(rate, 4) for name, rate in self.weather.rates.items()} }")
        rng = self.chance.stream("queues") if self.weather.rate("message-reordered") else None
        if rng is not None:
            self.weather.saw("message-reordered")
        storage = memory_storage(self.clock, rng)
        host = Host(
            self.stage,
            names=["a", "b", "c"][: self.plan.instances],
            sync_yaml=self.plan.sync_yaml,
            settings=load_settings(self.plan.app_settings()),
            storage=storage,
            connect=self._connect,
        )
        self.emulator.poster = host.post
        loop = asyncio.get_running_loop()
        background = [
            loop.create_task(self.pump.run()),
            loop.create_task(host.every(lambda: self.keep_every, "keep_subscriptions", _keep)),
            loop.create_task(host.every(lambda: self.poll_every, "poll_feeds", _poll)),
        ]
        for _ in range(self.plan.first_users):
            self.others.hire()
        operator, keeping = Operator(self.stage, host), Keeping(self.stage, self.others, host, self.plan)
        if self.story is None:
            await self._play(host, operator, keeping)
        else:
            await self.story.play(self.others, host, operator, keeping, self.edits)
        self._calm_down()
        await self._settle(host)
        for task in background:
            task.cancel()
        evidence = Evidence(
            plan=self.edits.plan,
            source=self.source,
            target=self.target,
            exchanges=self.history.exchanges,
            deeds=self.others.deeds,
            kinds=self.others.kinds,
            bugs=host.bugs,
            logs=self.logs.lines,
            births={name: Birth(at=at, plan=self.edits.plans[text]) for name, (at, text) in host.births.items()},
            said=operator.said,
            kept=keeping.kept,
            rates=self.weather.rates,
        )
        broken = check(evidence)
        for each in broken:
            self.history.note("model", str(each))
        return Verdict(
            seed=self.seed,
            broken=broken,
            digest=self.history.digest(),
            struck=self.weather.struck,
            changes=self.history.changes,
            lines=self.history.lines,
            requests=len(self.history.exchanges),
        )

    async def _play(self, host: Host, operator: Operator, keeping: Keeping) -> None:
        """People, and beside them all that only some histories have."""
        await asyncio.gather(
            Script(self.stage, self.others, host, self.edits).play(),
            self.edits.play(host),
            Controls(self.stage, operator, self.plan).play(),
            Refusals(self.stage, self.others, self.plan).play(),
            Movers(self.stage, self.others, self.plan).play(),
            Hands(self.stage, self.others, host, self.plan).play(),
            keeping.play(),
        )
        if self.plan.second is not None:
            self.weather.saw("two-syncs")

    def _connect(self, instance: Instance) -> Wire:
        return Wire(instance, self.emulator, source=CONTOSO, target=FABRIKAM, meddle=self.others.meddle)

    def _calm_down(self) -> None:
        """Faults off. What they left behind (lost leases, parked users, half a round) is for the engine to mend."""
        self.history.note("world", "--- calm ---")
        if self.emulator.delivery.counts["lost"]:
            self.weather.saw("notifications-lost")
        self.weather.calm()
        self.target.settings.phantom_invitations = 0.0
        self.source.settings.read_lag_s = self.target.settings.read_lag_s = 0.0
        self.emulator.delivery.settings.enabled = False  # the feed alone must bring both tenants together
        self.poll_every, self.keep_every = timedelta(minutes=5), timedelta(hours=20)

    async def _settle(self, host: Host) -> None:
        """Several polls; then a day and more, for parked users and the daily listing of the groups.

        Whatever is held is approved, so that none may hide. Two stages, and what keeps somebody, end within three days.
        """
        await asyncio.sleep(max(self.plan.poll.total_seconds(), 40 * 60))
        self.poll_every = timedelta(hours=5)
        for days in range(3):
            held = await self.approve_all(host) | await self._wait(host)
            await asyncio.sleep(27 * 3600)
            if self.plan.stages is not None and days < 2:
                continue
            if not held and not await self._held(host) and not await self._wait(host):
                return

    async def _held(self, host: Host) -> bool:
        life = host.any_alive()
        return life is not None and any(each.state is not HoldState.APPROVED for each in await self._holds(life))

    async def _holds(self, life: Life) -> list[HoldRecord]:
        return [each for sync in self.plan.syncs for each in await life.runtime.storage.guards.holds(sync)]

    async def _wait(self, host: Host) -> bool:
        """Whether newcomers wait; a person lets them in."""
        life = host.any_alive()
        if life is None or self.plan.ceiling is None:
            return False
        before = len(self.others.deeds.let_in)
        await self.others.let_in(life.runtime)
        return len(self.others.deeds.let_in) > before

    async def approve_all(self, host: Host) -> bool:
        life = host.any_alive()
        if life is None:
            return False
        now = self.clock.now()
        waiting = [each for each in await self._holds(life) if standing(each, now) is not Standing.APPROVED]
        self.history.note("world", f"approves all {len(waiting)} holds")
        self.history.changes["Approved"] += len(waiting)
        self.others.deeds.approved += [(now, each.source_id) for each in waiting]
        await life.runtime.guard.decide(waiting, approve=True, by="admin@fabrikam.com")
        await life.runtime.storage.queues.nominate(
            [Nomination(sync=each.sync, user=each.source_id, why=Why.APPROVED, at=now) for each in waiting]
        )
        return bool(waiting)


async def _poll(runtime: Runtime) -> None:
    await runtime.poll()


async def _keep(runtime: Runtime) -> None:
    await runtime.keep()

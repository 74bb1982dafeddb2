"""Some hours of the real program on a virtual clock, and the telemetry of them: a calm day, or one with a fault.

The program is the real one down to the wire: the core, the adapter of Graph, and the emulator behind it. The simulator
lends its host, which stands in for Azure's, without its chance: nothing fails here but what a story breaks.
"""

from __future__ import annotations

import asyncio
import logging
import uuid
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

from entra_graph_emulator import Emulator, User
from local.functions_host.telemetry import Row, Telemetry, running
from sync_core.assembly import Runtime
from sync_core.config.settings import load_settings
from sync_core.model import Nomination, Why
from sync_core.nominate.webhook import Answer
from sync_core.ops.creations import approve, list_creations
from sync_core.ops.documents import PoisonFate
from sync_core.ops.poison import list_poison, settle
from sync_core.storage.queue import Message
from sync_core.storage.repositories import memory_storage
from tests.simulator.asked import STAFF
from tests.simulator.chance import Chance, Weather
from tests.simulator.delivery import Pump
from tests.simulator.history import History
from tests.simulator.host import Host, Life
from tests.simulator.instance import Instance, Stage
from tests.simulator.plan import CONTOSO, FABRIKAM, SYNC
from tests.simulator.wire import Wire
from tests.support.clock import START
from tests.support.virtual_time import LoopClock, VirtualLoop, run
from tools.infra import ROOT

PEOPLE = 24
POLL = timedelta(minutes=5)
KEEP = timedelta(hours=1)
_EVERY_HAND = 1000  # more messages at once than a host takes
_SETTINGS = {
    "XTSYNC_CREDENTIAL": "emulator",
    "XTSYNC_GRAPH_URL": "http://localhost",
    "XTSYNC_PUBLIC_URL": "https://xtsync.example",
    "AzureWebJobsStorage": "memory",
}

type Story = Callable[[Day], Awaitable[None]]


def tell(story: Story, *, config: str | None = None) -> list[tuple[str, Row]]:
    """Live through it, and give what Application Insights would have got. `config` is another sync.yaml."""
    loop = VirtualLoop()
    clock = LoopClock(loop)
    rows: list[tuple[str, Row]] = []
    telemetry = Telemetry(lambda table, row: rows.append((table, row)), now=clock.now)
    log = logging.getLogger("xtsync")
    level = log.level
    log.addHandler(telemetry)
    log.setLevel(logging.INFO)

    async def live() -> None:
        await Day(clock, telemetry, config or (ROOT / "sync.yaml").read_text(encoding="utf-8")).live(story)

    try:
        run(loop, live())
    finally:
        log.setLevel(level)
        log.removeHandler(telemetry)
    return rows


def at(minutes: float) -> datetime:
    """So long after the beginning."""
    return START + timedelta(minutes=minutes)


class WatchedHost(Host):
    """Reports each invocation under its function's name, as Azure's host does."""

    def __init__(self, telemetry: Telemetry, **parts: Any) -> None:
        self._telemetry = telemetry
        super().__init__(**parts)

    @contextmanager
    def _reported(self, function: str) -> Iterator[None]:
        began = self._telemetry.now()
        try:
            with running(function, str(uuid.uuid4())):
                yield
        except Exception:
            self._telemetry.request(function, began=began, status=None, failed=True)
            raise
        else:
            self._telemetry.request(function, began=began, status=None, failed=False)

    async def _call(self, life: Life, queue: str, message: Message) -> None:
        with self._reported(queue.replace("-", "_")):
            await super()._call(life, queue, message)

    def on(self, life: Life, name: str, call: Callable[[Runtime], Awaitable[None]]) -> asyncio.Task[None]:
        async def reported(runtime: Runtime) -> None:
            with self._reported(name):
                await call(runtime)

        return super().on(life, name, reported)

    async def _receive(self, life: Life, url: str, headers: dict[str, str], body: bytes) -> Answer:
        began, function = self._telemetry.now(), f"graph_{url.partition('?')[0].rpartition('/')[2]}"
        answer = await super()._receive(life, url, headers, body)
        self._telemetry.request(function, began=began, status=answer.status, failed=False)
        return answer


class Day:
    """The two tenants, and what a story can do to them. Minutes are those since the beginning."""

    def __init__(self, clock: LoopClock, telemetry: Telemetry, config: str) -> None:
        chance = Chance(0)
        weather = Weather(chance)
        weather.calm()
        self.clock = clock
        self.stage = Stage(chance=chance, weather=weather, clock=clock, history=History(clock))
        self.emulator = Emulator(clock=clock, rng=chance.stream("emulator"))
        self.source = self.emulator.create_tenant(CONTOSO, display_name="Contoso", domain="contoso.example")
        self.target = self.emulator.create_tenant(FABRIKAM, display_name="Fabrikam", domain="fabrikam.example")
        self.pump = Pump(self.stage, self.emulator)
        self.host = WatchedHost(
            telemetry,
            stage=self.stage,
            names=["a"],
            sync_yaml=config,
            settings=load_settings(_SETTINGS),
            storage=memory_storage(clock),
            connect=self._connect,
        )
        self.emulator.poster = self.host.post

    def _connect(self, instance: Instance) -> Wire:
        return Wire(instance, self.emulator, source=CONTOSO, target=FABRIKAM, meddle=lambda _: None)

    async def live(self, story: Story) -> None:
        """Deployed into an emulator with people in it; the timers run as their schedules say."""
        self.emulator.add_people(self.source, PEOPLE)
        self.source.groups.create(
            {
                "id": STAFF,
                "displayName": "Staff",
                "mailNickname": "staff",
                "securityEnabled": True,
                "mailEnabled": False,
            }
        )
        for person in self.people():
            self.source.groups.add(self.source.groups.get(STAFF), "members", person)
        loop = asyncio.get_running_loop()
        background = [
            loop.create_task(self.pump.run()),
            loop.create_task(self.host.every(lambda: KEEP, "keep_subscriptions", _keep)),
            loop.create_task(self.host.every(lambda: POLL, "poll_feeds", _poll)),
            loop.create_task(self._work_goes_on()),
        ]
        await story(self)
        for task in background:
            task.cancel()
        assert self.host.bugs == []

    async def until(self, minutes: float) -> None:
        await asyncio.sleep((at(minutes) - self.clock.now()).total_seconds())

    # --- what people do ---

    def people(self) -> list[User]:
        return [user for user in self.source.users() if not user.is_guest]

    def change(self, *people: User) -> None:
        for person in people:
            self.source.update(person, {"jobTitle": f"since {self.clock.now():%H:%M:%S}"})
        self.pump.kick()

    def leave(self, *people: User) -> None:
        for person in people:
            self.source.delete(person)
        self.pump.kick()

    def hire(self, name: str) -> User:
        address = f"{name}@contoso.example"
        person = {"accountEnabled": True, "displayName": name, "mail": address, "userPrincipalName": address}
        user = self.source.create({**person, "mailNickname": name})
        self.pump.kick()
        return user

    async def _work_goes_on(self) -> None:
        """One change every five minutes, each time of somebody else, and never of the last fifteen."""
        turn = 0
        while True:
            await asyncio.sleep(300)
            people = self.people()[:-15]
            turn += 1
            self.change(people[turn % len(people)])

    # --- what goes wrong ---

    def graph_fails(self, path: str, status: int, **fault: object) -> None:
        self.emulator.faults.add({"path": path, "status": status, **fault})

    def graph_is_well(self) -> None:
        self.emulator.faults.clear()

    def turn_off(self, queue: str) -> None:
        """The function of this queue gets no messages any more."""
        self.host.lives["a"].busy[queue] += _EVERY_HAND

    def turn_on(self, queue: str) -> None:
        self.host.lives["a"].busy[queue] -= _EVERY_HAND
        self.host.ring(queue, 0)

    async def send(self, queue: str, body: str) -> None:
        await self.host.lives["a"].queue(queue).send(body)

    async def remove_poison(self) -> None:
        """As `xtsync poison remove` does, with every id of `xtsync poison`."""
        runtime = self.host.lives["a"].runtime
        found = await list_poison(runtime)
        await settle(runtime, [each.id for each in found.messages], PoisonFate.REMOVED, by="operator")

    async def let_in(self) -> None:
        """As `xtsync creations approve` does."""
        runtime = self.host.lives["a"].runtime
        syncs = [*runtime.config.syncs.values()]
        (listed,) = (await list_creations(runtime, syncs)).syncs
        await approve(runtime, syncs, listed.code or "", by="somebody")

    async def approve(self) -> None:
        """As `xtsync holds approve` does."""
        runtime = self.host.lives["a"].runtime
        holds = await runtime.storage.guards.holds(SYNC)
        await runtime.guard.decide(holds, approve=True, by="somebody")
        approved = [Nomination(sync=SYNC, user=hold.source_id, why=Why.APPROVED, at=self.clock.now()) for hold in holds]
        await runtime.storage.queues.nominate(approved)


async def _poll(runtime: Runtime) -> None:
    """As function_app.py does."""
    await runtime.poll()


async def _keep(runtime: Runtime) -> None:
    await runtime.keep()

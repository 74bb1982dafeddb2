"""A small Functions host for several instances: queue and timer triggers, the webhook, crashes and restarts.

It does what function_app.py and the real host do together: lease a message, work, delete it. After a failure the
message comes again a while later; after the fifth failure a copy goes to the poison queue.
"""

from __future__ import annotations

import asyncio
import json
import math
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, Unpack
from urllib.parse import parse_qs, urlsplit

from entra_graph_emulator import PostOutcome
from sync_core.assembly import Runtime
from sync_core.config.file import parse_config
from sync_core.config.settings import Settings
from sync_core.deployment import build
from sync_core.model import messages
from sync_core.model.errors import ConflictError, SyncError
from sync_core.nominate import webhook
from sync_core.storage.memory import MemoryQueue, MemoryTable
from sync_core.storage.queue import Message, Queue
from sync_core.storage.repositories import Storage, memory_storage
from sync_core.storage.table import Query, Row, Table

from .history import Taken, working_on
from .instance import Instance, SlowQueue, SlowTable, Stage

LEASE_S = 600
AGAIN_AFTER_S = 30
MAX_DEQUEUE_COUNT = 5
_AT_ONCE = 4  # messages of one queue in one instance

type Connect = Callable[[Instance], Any]


# Neither slow nor failing: no history asks for a plan, and the unit tests have deaths in the middle of one.
_PLANS = {"plans", messages.PLAN_JOBS, messages.poison_queue(messages.PLAN_JOBS)}


class _Table(SlowTable):
    """How many messages of plans were kept is told at once, too."""

    def query(self, pk: str | None, **options: Unpack[Query]) -> AsyncIterator[Row]:
        of_plans = (options.get("where") or {}).get("queue") == messages.PLAN_JOBS
        return self._table.query(pk, **options) if of_plans else super().query(pk, **options)


@dataclass(slots=True, kw_only=True)
class Life:
    """One instance and what it keeps in memory."""

    instance: Instance
    runtime: Runtime
    bells: dict[str, asyncio.Event] = field(default_factory=dict)  # by queue: there may be something to receive
    busy: dict[str, int] = field(default_factory=dict)

    def queue(self, name: str) -> Queue:
        return self.runtime.storage.queues_by_name[name]


_config = lru_cache(8)(parse_config)


class Host:
    def __init__(
        self, stage: Stage, *, names: list[str], sync_yaml: str, settings: Settings, storage: Storage, connect: Connect
    ) -> None:
        self.stage = stage
        self.lives: dict[str, Life] = {}
        self.births: dict[str, tuple[datetime, str]] = {}  # by name of instance: when, and with which sync.yaml
        self.bugs: list[str] = []  # exceptions that only a wrong program raises
        self._files: dict[str, str] = {}  # by name of worker: the sync.yaml of its package
        self._settings = settings
        self._storage = storage
        self._connect = connect
        self._generation: Counter[str] = Counter()
        self._picks = stage.chance.stream("host")
        self._secrets = stage.chance.stream("client-state")
        self._nonces = stage.chance.stream("nonces")
        for name in names:
            self.add(name, sync_yaml)

    # Instances

    def deploy(self, sync_yaml: str) -> None:
        """Another sync.yaml: every instance is stopped as it stands, and comes back with that."""
        self.stage.history.note("world", "another sync.yaml")
        self._files = dict.fromkeys(self._files, sync_yaml)
        for life in self.alive():
            life.instance.crash()

    @property
    def workers(self) -> list[str]:
        return [*self._files]

    def add(self, name: str, sync_yaml: str) -> None:
        """A worker with a package of its own, beside all others."""
        self._files[name] = sync_yaml
        self._boot(name)

    def retire(self, name: str) -> None:
        """This worker does not come back. Its end is as abrupt as a crash."""
        del self._files[name]
        self.lives.pop(name).instance.crash()

    def lose_tables(self) -> None:
        """All at once, and under the hands of those who are at work; the queues stay."""
        self.stage.history.note("world", "every table is lost")
        self.stage.history.changes["TablesLost"] += 1
        for table in self._storage.tables_by_name.values():
            assert isinstance(table, MemoryTable)
            table.clear()

    def alive(self) -> list[Life]:
        return [life for life in self.lives.values() if life.instance.alive]

    def any_alive(self) -> Life | None:
        alive = self.alive()
        return self._picks.choice(alive) if alive else None

    def _boot(self, name: str) -> None:
        if name not in self._files:
            return
        self._generation[name] += 1
        instance = Instance(self.stage, f"{name}.{self._generation[name]}", on_crash=lambda: self._schedule_boot(name))
        storage = memory_storage(
            self.stage.clock,
            wrap_table=lambda name, _: self._table(instance, name),
            wrap_queue=lambda name, _: self._queue(instance, name),
        )
        self.births[instance.name] = (self.stage.clock.now(), self._files[name])
        runtime = build(
            self._settings,
            _config(self._files[name]),
            clock=instance.clock,
            storage=storage,
            transport=self._connect(instance),
            new_client_state=lambda: f"{self._secrets.getrandbits(128):032x}",
            new_nonce=lambda: f"{self._nonces.getrandbits(64):016x}",
            started=instance.clock.now(),
        )
        life = Life(instance=instance, runtime=runtime)
        self.lives[name] = life
        for queue in messages.WORK_QUEUES:
            life.bells[queue] = asyncio.Event()
            life.busy[queue] = 0
            instance.start(self._receive_for_ever(life, queue), f"{instance.name} {queue}")

    def _table(self, instance: Instance, name: str) -> Table:
        stored = self._storage.tables_by_name[name]
        return stored if name in _PLANS else _Table(instance, name, stored)

    def _queue(self, instance: Instance, name: str) -> Queue:
        stored = self._storage.queues_by_name[name]
        return stored if name in _PLANS else SlowQueue(instance, name, stored, self.ring)

    def _schedule_boot(self, name: str) -> None:
        asyncio.get_running_loop().call_later(self._picks.uniform(2, 200), self._boot, name)

    # Queues

    def ring(self, queue: str, delay: float) -> None:
        """A message will be visible then: let the pollers look."""
        asyncio.get_running_loop().call_later(math.ceil(delay) + 0.001, self._ring, queue)

    def _ring(self, queue: str) -> None:
        alive = self.alive()
        for life in alive:
            if queue in life.bells:  # nobody listens to a poison queue
                life.bells[queue].set()
        if not alive:
            self.ring(queue, 1)

    async def _receive_for_ever(self, life: Life, queue: str) -> None:
        bell = life.bells[queue]
        while True:
            await bell.wait()
            bell.clear()
            while life.busy[queue] < _AT_ONCE:
                await asyncio.sleep(self._picks.expovariate(20))
                lost = self.stage.weather.strikes("message-lease-lost")
                lease = round(self.stage.weather.amount("message-lease-lost", 1, 8)) if lost else LEASE_S
                received = await life.queue(queue).receive(max_messages=1, visibility=lease)
                if not received:
                    break
                self.ring(queue, lease)
                life.busy[queue] += 1
                life.instance.start(self._work(life, queue, received[0]), f"{life.instance.name} {received[0].id}")

    async def _work(self, life: Life, queue: str, message: Message) -> None:
        try:
            await self._deliver(life, queue, message)
        finally:
            life.busy[queue] -= 1
            life.bells[queue].set()

    async def _deliver(self, life: Life, queue: str, message: Message) -> None:
        note, work = self.stage.history.note, life.queue(queue)
        if not message.readable:  # the host decodes before it calls a function
            await self._poison(life, queue, message)
            await work.delete(message)
            return
        body = json.loads(message.body)
        user, sync = str(body.get("user", "")), str(body.get("sync", ""))
        working_on.set(Taken(at=self.stage.clock.now(), instance=life.instance.name, user=user, sync=sync))
        note(life.instance.name, f"takes {queue} {message.id} #{message.dequeue_count} {message.body}")
        try:
            if message.dequeue_count <= MAX_DEQUEUE_COUNT:
                await self._call(life, queue, message)
            else:
                await self._poison(life, queue, message)
        except Exception as error:  # noqa: BLE001 - as the host does
            note(life.instance.name, f"fails {queue} {message.id} {type(error).__name__}: {error}")
            if not isinstance(error, SyncError):
                self.bugs.append(f"{type(error).__name__} in {queue}: {error}")
            try:
                if message.dequeue_count >= MAX_DEQUEUE_COUNT:
                    await self._poison(life, queue, message)
                    await work.delete(message)
                else:
                    await work.update(message, visibility=AGAIN_AFTER_S)
            except SyncError:
                note(life.instance.name, f"leaves {queue} {message.id}")
            return
        try:
            await work.delete(message)
        except ConflictError:
            note(life.instance.name, f"lost the lease of {queue} {message.id}")
        except SyncError:
            note(life.instance.name, f"cannot delete {queue} {message.id}")

    async def _poison(self, life: Life, queue: str, message: Message) -> None:
        self.stage.history.note(life.instance.name, f"poisons {queue} {message.id}")
        self.stage.weather.saw("poisoned")
        if message.readable:
            await life.queue(messages.poison_queue(queue)).send(message.body)
        else:
            self.put(messages.poison_queue(queue), message.body)

    def put(self, queue: str, stored: str) -> None:
        """A text that is not base64, as it is."""
        there = self._storage.queues_by_name[queue]
        assert isinstance(there, MemoryQueue)
        there.put(stored)
        self.ring(queue, 0)

    async def _call(self, life: Life, queue: str, message: Message) -> None:
        """function_app.py, without Azure."""
        runtime, body = life.runtime, message.body
        match queue:
            case messages.USER_CHANGES:
                outcome = await runtime.worker.handle(
                    messages.decode_nomination(body), redelivered=message.dequeue_count > 1
                )
                if outcome is not None:
                    names = [change.name for change in outcome.changes]
                    self.stage.history.changes.update(names)
                    if outcome.error and outcome.retry_after:
                        self.stage.history.changes["Parked" if outcome.retry_after >= 300 else "Retried"] += 1
                    self.stage.history.note(
                        life.instance.name, f"outcome {outcome.user[:8]} {names} {outcome.error} {outcome.retry_after}"
                    )
            case messages.FEED_PAGES:
                await runtime.feeds.run(messages.decode_feed_run(body))
            case messages.PLAN_JOBS:
                raise AssertionError(body)
            case _:
                await runtime.keeper.lifecycle(messages.decode_lifecycle_event(body))

    # Timers

    async def every(
        self, interval: Callable[[], timedelta], name: str, call: Callable[[Runtime], Awaitable[None]]
    ) -> None:
        """A timer trigger: one instance at a time, and a missed run is not made up for."""
        while True:
            life = self.any_alive()
            if life is not None:
                self.on(life, name, call)
            await asyncio.sleep(interval().total_seconds())

    def on(self, life: Life, name: str, call: Callable[[Runtime], Awaitable[None]]) -> asyncio.Task[None]:
        """Run something on one instance, with everything that may happen to it there."""

        async def run() -> None:
            working_on.set(Taken(at=self.stage.clock.now(), instance=life.instance.name, user=""))
            self.stage.history.note(life.instance.name, name)
            try:
                await call(life.runtime)
            except SyncError as error:
                self.stage.history.note(life.instance.name, f"{name} fails: {type(error).__name__}")
            except Exception as error:  # noqa: BLE001 - kept for the model
                self.bugs.append(f"{type(error).__name__} in {name}: {error}")

        return life.instance.start(run(), f"{life.instance.name} {name}")

    # HTTP

    async def post(self, url: str, *, headers: dict[str, str], body: bytes, timeout_s: float) -> PostOutcome:
        """The emulator's way to us. A function whose caller gave up goes on all the same."""
        life = self.any_alive()
        began = self.stage.clock.now()
        if life is None:
            await asyncio.sleep(timeout_s)
            return PostOutcome(status=None, elapsed_s=timeout_s)
        task = life.instance.start(self._receive(life, url, headers, body), f"{life.instance.name} http")
        done, _ = await asyncio.wait([task], timeout=timeout_s)
        elapsed = (self.stage.clock.now() - began).total_seconds()
        if not done or task.cancelled():
            return PostOutcome(status=None, elapsed_s=elapsed)
        answer: webhook.Answer = task.result()
        return PostOutcome(
            status=answer.status, elapsed_s=elapsed, content_type="text/plain; charset=utf-8", body=answer.text
        )

    async def _receive(self, life: Life, url: str, headers: dict[str, str], body: bytes) -> webhook.Answer:
        parts = urlsplit(url)
        token = parse_qs(parts.query).get("validationToken", [None])[0]
        post = webhook.Post(validation_token=token, content_type=headers.get("Content-Type", ""), body=body)
        notifications = parts.path.endswith("/notifications")
        receive = webhook.receive_notifications if notifications else webhook.receive_lifecycle
        queue = messages.USER_CHANGES if notifications else messages.SUBSCRIPTION_EVENTS
        try:
            table = life.runtime.storage.tables_by_name["subscriptions"]
            rows = [{"PartitionKey": row.pk, "RowKey": row.rk, **row.values} async for row in table.query(None)]
            config = life.runtime.config
            known = webhook.known_subscriptions(
                json.dumps(rows), config.syncs_by_source, config.subscribed_targets, config.fingerprint
            )
            answer = receive(post, known, life.instance.clock.now())
            if answer.messages:
                await life.queue(queue).send_many(answer.messages)
            if answer.rounds:
                await life.queue(messages.FEED_PAGES).send_many(answer.rounds)
        except SyncError as error:
            answer = webhook.Answer(status=500, text=type(error).__name__)
        what = "validation" if token else f"{parts.path} {answer.status} {len(answer.messages)} {dict(answer.refused)}"
        self.stage.history.note(life.instance.name, f"http {what}")
        return answer

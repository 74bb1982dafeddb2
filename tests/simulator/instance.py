"""One worker instance, and the ports through which it reaches storage: slow, failing, and shut once it is dead."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from random import Random
from typing import Any, Unpack

from sync_core.model.errors import UnavailableError
from sync_core.storage.queue import Message, Queue
from sync_core.storage.table import Query, Row, Table
from tests.support.virtual_time import LoopClock

from .chance import Chance, Weather
from .history import History


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """What every part of one run shares."""

    chance: Chance
    weather: Weather
    clock: LoopClock
    history: History


class Instance:
    """One life of a worker: it begins with nothing in memory and ends, at any await, for good."""

    def __init__(self, stage: Stage, name: str, *, on_crash: Callable[[], None]) -> None:
        self.stage = stage
        self.name = name
        self.alive = True
        self.running: dict[asyncio.Task[Any], None] = {}  # in order of their start
        self._on_crash = on_crash
        self._latency: Random = stage.chance.stream(f"latency/{name}")
        self._scale = stage.chance.stream("latency").choice((0.3, 1.0, 1.0, 4.0))
        skew = stage.weather.amount("clock-skew", -3, 3) if stage.weather.rate("clock-skew") else 0.0
        self.clock = stage.clock.ahead(timedelta(seconds=skew))
        if skew:
            stage.weather.saw("clock-skew")

    async def step(self, mean: float) -> None:
        """Time passes on the way to an effect or back; the instance may not live to see its end."""
        self.check()
        seconds = self._latency.expovariate(1 / (mean * self._scale))
        if self._latency.random() < 0.03:
            seconds *= 25
        if self.stage.weather.strikes("slow"):
            seconds += self.stage.weather.amount("slow", 20, 700)
        await asyncio.sleep(seconds)
        self.check()
        if self.stage.weather.strikes("crash"):
            self.crash()
            raise asyncio.CancelledError

    def check(self) -> None:
        """A dead instance does nothing more, not even in a `finally`."""
        if not self.alive:
            raise asyncio.CancelledError

    def start(self, work: Any, name: str) -> asyncio.Task[Any]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        self.running[task] = None
        task.add_done_callback(lambda done: self.running.pop(done, None))
        return task

    def crash(self) -> None:
        if not self.alive:
            return
        self.alive = False
        self.stage.history.note(self.name, "CRASH")
        for task in list(self.running):
            task.cancel()
        self._on_crash()


_TABLE_S = 0.008
_QUEUE_S = 0.008


class SlowTable:
    """A table as one instance reaches it. An answer that is lost leaves the caller not knowing whether it was done."""

    def __init__(self, instance: Instance, name: str, table: Table) -> None:
        self._instance = instance
        self._name = name
        self._table = table

    async def get(self, pk: str, rk: str) -> Row | None:
        await self._before()
        row = await self._table.get(pk, rk)
        await self._after()
        weather = self._instance.stage.weather
        if self._name == "links" and weather.strikes("suspended"):  # before a write that rests on this row
            await asyncio.sleep(weather.amount("suspended", 60, 2500))
        return row

    async def insert(self, row: Row) -> str:
        await self._before()
        etag = await self._table.insert(row)
        await self._wrote("insert", row)
        return etag

    async def replace(self, row: Row, etag: str) -> str:
        await self._before()
        new = await self._table.replace(row, etag)
        await self._wrote("replace", row)
        return new

    async def upsert(self, row: Row) -> str:
        await self._before()
        etag = await self._table.upsert(row)
        await self._after()
        return etag

    async def delete(self, pk: str, rk: str, etag: str | None = None) -> None:
        await self._before()
        await self._table.delete(pk, rk, etag)
        self._instance.stage.history.note(self._instance.name, f"table {self._name} delete {pk} {rk}")
        await self._after()

    async def query(self, pk: str | None, **options: Unpack[Query]) -> AsyncIterator[Row]:
        await self._before()
        rows = self._table.query(pk, **options)
        async for row in rows:
            self._instance.check()
            yield row
        await self._after()

    async def _before(self) -> None:
        await self._instance.step(_TABLE_S)
        if self._instance.stage.weather.strikes("table-refused"):
            raise UnavailableError("table")

    async def _wrote(self, what: str, row: Row) -> None:
        if self._name in {"links", "feeds", "guards"}:
            shown = " ".join(f"{name}={row.values[name]}" for name in _SHOWN if row.values.get(name))
            self._instance.stage.history.note(
                self._instance.name, f"table {self._name} {what} {row.pk} {row.rk} {shown}"
            )
        await self._after()

    async def _after(self) -> None:
        await self._instance.step(_TABLE_S)
        if self._instance.stage.weather.strikes("table-answer-lost"):
            raise UnavailableError("table: the answer was lost")


_SHOWN = (
    "state",
    "target_id",
    "dirty",
    "permit",
    "reason",
    "phase",
    "round",
    "full",
    "slices",
    "owner",
    "parked_until",
)


class SlowQueue:
    """A queue as one instance reaches it. `sent` tells the pollers when a message will be visible."""

    def __init__(self, instance: Instance, name: str, queue: Queue, sent: Callable[[str, float], None]) -> None:
        self._instance = instance
        self._name = name
        self._queue = queue
        self._sent = sent

    async def send(self, body: str, *, delay: float = 0) -> None:
        await self.send_many([body], delay=delay)

    async def send_many(self, bodies: Sequence[str], *, delay: float = 0) -> None:
        weather = self._instance.stage.weather
        await self._instance.step(_QUEUE_S)
        if weather.strikes("queue-refused"):
            raise UnavailableError("queue")
        for body in bodies:
            await self._queue.send(body, delay=delay)
            self._instance.stage.history.note(self._instance.name, f"queue {self._name} +{delay:g}s {body}")
            self._sent(self._name, delay)
            if len(bodies) > 1 and weather.strikes("queue-half-sent"):
                raise UnavailableError("queue: not all were sent")
        await self._instance.step(_QUEUE_S)
        if weather.strikes("queue-answer-lost"):
            raise UnavailableError("queue: the answer was lost")

    async def receive(self, *, max_messages: int = 32, visibility: float = 600) -> list[Message]:
        self._instance.check()
        return await self._queue.receive(max_messages=max_messages, visibility=visibility)

    async def update(self, message: Message, *, visibility: float, body: str | None = None) -> Message:
        await self._instance.step(_QUEUE_S)
        updated = await self._queue.update(message, visibility=visibility, body=body)
        self._sent(self._name, visibility)
        return updated

    async def delete(self, message: Message) -> None:
        await self._instance.step(_QUEUE_S)
        if self._instance.stage.weather.strikes("queue-refused"):
            raise UnavailableError("queue")
        await self._queue.delete(message)

    async def peek(self) -> list[Message]:
        return await self._queue.peek()

    async def depth(self) -> int:
        return await self._queue.depth()

"""Failing on purpose: one counter through which every call that leaves the program goes, in order."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Unpack

from sync_core.storage.memory import MemoryQueue
from sync_core.storage.queue import MAX_BATCH, Message, Queue
from sync_core.storage.table import Query, Row, Table


class Crash(BaseException):
    """The worker dies at this await: what handles errors does not see it."""


class Faults:
    """Records the name of each call, and raises at the n-th: before it is done, or after (done, but never heard of)."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.rows: Counter[str] = Counter()  # that queries gave, by the name of the call
        self._armed: dict[int, tuple[BaseException, bool]] = {}
        self._named: dict[str, list[BaseException]] = {}
        self._meanwhile: dict[int, Callable[[], Awaitable[object]]] = {}
        self._afterwards: dict[str, list[Callable[[], Awaitable[object]]]] = {}

    def fail_at(self, n: int, error: BaseException, *, after: bool = False) -> None:
        """The n-th call from now on (0 is the next)."""
        self._armed[len(self.calls) + n] = error, after

    def fail_next(self, name: str, *errors: BaseException, after: bool = False) -> None:
        """The next calls of this name, one error each: before they are done, or after."""
        if not after:
            self._named.setdefault(name, []).extend(errors)
            return
        for error in errors:
            self.after_next(name, _raising(error))

    def after_next(self, name: str, work: Callable[[], Awaitable[object]]) -> None:
        """Once the next call of this name is done, and before anybody hears of it, this happens."""
        self._afterwards.setdefault(name, []).append(work)

    def meanwhile_at(self, n: int, work: Callable[[], Awaitable[object]]) -> None:
        """While the n-th call from now on is about to be made, somebody else does this."""
        self._meanwhile[len(self.calls) + n] = work

    def calm(self) -> None:
        """Nothing that was planned and did not happen yet happens any more."""
        self._armed.clear()
        self._named.clear()
        self._afterwards.clear()

    def start(self, name: str) -> int:
        """Note a call; raises if it is to fail before it is done."""
        index = len(self.calls)
        self.calls.append(name)
        if named := self._named.get(name):
            raise named.pop(0)
        if index in self._armed and not self._armed[index][1]:
            raise self._armed.pop(index)[0]
        return index

    async def meanwhile(self) -> None:
        """What somebody else does while the next call is about to be made."""
        if (work := self._meanwhile.pop(len(self.calls), None)) is not None:
            await work()

    async def call[T](self, name: str, work: Awaitable[T]) -> T:
        await self.meanwhile()
        try:
            index = self.start(name)
        except BaseException:
            close = getattr(work, "close", None)  # it will never be awaited
            if close is not None:
                close()
            raise
        result = await work
        if afterwards := self._afterwards.get(name):
            await afterwards.pop(0)()
        self.end(index)
        return result

    def end(self, index: int) -> None:
        """The call is done; raises if nobody is to hear of it."""
        if index in self._armed:
            raise self._armed.pop(index)[0]

    def count(self, prefix: str) -> int:
        return sum(name.startswith(prefix) for name in self.calls)


def _raising(error: BaseException) -> Callable[[], Awaitable[object]]:
    async def unheard() -> None:
        raise error

    return unheard


class FaultyTable:
    """A table whose every request goes through the counter."""

    def __init__(self, name: str, table: Table, faults: Faults) -> None:
        self._name, self._table, self._faults = name, table, faults

    async def get(self, pk: str, rk: str) -> Row | None:
        return await self._faults.call(f"table.{self._name}.get", self._table.get(pk, rk))

    async def insert(self, row: Row) -> str:
        return await self._faults.call(f"table.{self._name}.insert", self._table.insert(row))

    async def replace(self, row: Row, etag: str) -> str:
        return await self._faults.call(f"table.{self._name}.replace", self._table.replace(row, etag))

    async def upsert(self, row: Row) -> str:
        return await self._faults.call(f"table.{self._name}.upsert", self._table.upsert(row))

    async def delete(self, pk: str, rk: str, etag: str | None = None) -> None:
        await self._faults.call(f"table.{self._name}.delete", self._table.delete(pk, rk, etag))

    async def query(self, pk: str | None, **options: Unpack[Query]) -> AsyncIterator[Row]:
        name = f"table.{self._name}.query"
        await self._faults.meanwhile()
        index = self._faults.start(name)
        rows = self._table.query(pk, **options)
        async for row in rows:
            self._faults.rows[name] += 1
            yield row
        self._faults.end(index)


class FaultyQueue:
    """A queue whose sends go through the counter; receiving is the host's work, and the host does not fail here."""

    def __init__(self, name: str, queue: Queue, faults: Faults) -> None:
        self._name, self._queue, self._faults = name, queue, faults

    async def send(self, body: str, *, delay: float = 0) -> None:
        await self._faults.call(f"queue.{self._name}.send", self._queue.send(body, delay=delay))

    async def send_many(self, bodies: Sequence[str], *, delay: float = 0) -> None:
        await self._faults.call(f"queue.{self._name}.send", self._queue.send_many(bodies, delay=delay))

    def put(self, stored: str) -> None:
        """A text that is not base64, as it is."""
        assert isinstance(self._queue, MemoryQueue)
        self._queue.put(stored)

    async def receive(self, *, max_messages: int = MAX_BATCH, visibility: float = 600) -> list[Message]:
        return await self._queue.receive(max_messages=max_messages, visibility=visibility)

    async def update(self, message: Message, *, visibility: float, body: str | None = None) -> Message:
        return await self._queue.update(message, visibility=visibility, body=body)

    async def delete(self, message: Message) -> None:
        await self._queue.delete(message)

    async def peek(self) -> list[Message]:
        return await self._queue.peek()

    async def depth(self) -> int:
        return await self._queue.depth()

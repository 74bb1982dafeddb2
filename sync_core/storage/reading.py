"""Tables and queues that can be read and not written: whatever stands on them keeps its promise, also by a fault."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from typing import NoReturn, Unpack

from ..model.errors import ReadOnlyError
from .queue import Message, Queue
from .table import Query, Row, Table


class ReadingTable:
    """table.Table. Every write raises ReadOnlyError."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, pk: str, rk: str) -> Row | None:
        return await self._table.get(pk, rk)

    def query(self, pk: str | None, **options: Unpack[Query]) -> AsyncIterator[Row]:
        return self._table.query(pk, **options)

    async def insert(self, row: Row) -> str:
        _refuse(row)

    async def replace(self, row: Row, etag: str) -> str:
        _refuse(row, etag)

    async def upsert(self, row: Row) -> str:
        _refuse(row)

    async def delete(self, pk: str, rk: str, etag: str | None = None) -> None:
        _refuse(pk, rk, etag)


class ReadingQueue:
    """queue.Queue. Whatever sends, hides or deletes a message raises ReadOnlyError."""

    def __init__(self, queue: Queue) -> None:
        self._queue = queue

    async def peek(self) -> list[Message]:
        return await self._queue.peek()

    async def depth(self) -> int:
        return await self._queue.depth()

    async def send(self, body: str, *, delay: float = 0) -> None:
        _refuse(body, delay)

    async def send_many(self, bodies: Sequence[str], *, delay: float = 0) -> None:
        _refuse(bodies, delay)

    async def receive(self, *, max_messages: int = 0, visibility: float = 0) -> list[Message]:
        _refuse(max_messages, visibility)

    async def update(self, message: Message, *, visibility: float, body: str | None = None) -> Message:
        _refuse(message, visibility, body)

    async def delete(self, message: Message) -> None:
        _refuse(message)


def _refuse(*_what: object) -> NoReturn:
    raise ReadOnlyError("storage is open for reading alone")

"""A table and a queue in memory, which are deterministic and promise no more than the real ones.

They have the service's limits, list rows page by page from live data, and end leases by an injected clock.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from itertools import count
from random import Random
from typing import Unpack

from ..model.errors import ConflictError
from ..ports import Clock
from .queue import MAX_BATCH, Message, check_body, from_wire, to_wire, whole_seconds
from .table import PAGE_ROWS, Query, Row, Wanted, check_keys, check_row


class MemoryTable:
    """table.Table."""

    def __init__(self, *, page_rows: int = PAGE_ROWS) -> None:
        self._page_rows = page_rows
        self._rows: dict[tuple[str, str], Row] = {}
        self._order: list[tuple[str, str]] = []
        self._versions = count(1)

    async def get(self, pk: str, rk: str) -> Row | None:
        check_keys(pk, rk)
        return self._rows.get((pk, rk))

    async def insert(self, row: Row) -> str:
        check_row(row)
        if (row.pk, row.rk) in self._rows:
            raise ConflictError("the row exists")
        return self._put(row)

    async def replace(self, row: Row, etag: str) -> str:
        check_row(row)
        self._match(row.pk, row.rk, etag)
        return self._put(row)

    async def upsert(self, row: Row) -> str:
        check_row(row)
        return self._put(row)

    async def delete(self, pk: str, rk: str, etag: str | None = None) -> None:
        check_keys(pk, rk)
        if etag is not None:
            self._match(pk, rk, etag)
        if self._rows.pop((pk, rk), None) is not None:
            del self._order[bisect_left(self._order, (pk, rk))]

    def clear(self) -> None:
        """Lose every row at once, as the simulator does to a whole storage account."""
        self._rows.clear()
        self._order.clear()

    async def query(self, pk: str | None, **options: Unpack[Query]) -> AsyncIterator[Row]:
        rk_from, rk_to, limit = options.get("rk_from", ""), options.get("rk_to", ""), options.get("limit")
        where, select = options.get("where"), options.get("select", ())
        given = 0
        last: tuple[str, str] | None = None
        while page := self._page(pk, rk_from, last):
            last = page[-1].pk, page[-1].rk
            for row in page:
                if rk_to and row.rk >= rk_to:
                    if pk is not None:
                        return
                    continue
                if row.rk < rk_from or not _matches(row, where):
                    continue
                if given == limit:
                    return
                given += 1
                yield _only(row, select)

    def _page(self, pk: str | None, rk_from: str, last: tuple[str, str] | None) -> list[Row]:
        """The next rows as they are now. A change between two pages shows, as in the real table."""
        if last is not None:
            start = bisect_right(self._order, last)
        else:
            start = 0 if pk is None else bisect_left(self._order, (pk, rk_from))
        keys = self._order[start : start + self._page_rows]
        return [self._rows[each] for each in keys if pk is None or each[0] == pk]

    def _put(self, row: Row) -> str:
        at = (row.pk, row.rk)
        if at not in self._rows:
            insort(self._order, at)
        etag = f'W/"{next(self._versions)}"'
        self._rows[at] = replace(row, values=dict(row.values), etag=etag)
        return etag

    def _match(self, pk: str, rk: str, etag: str) -> None:
        row = self._rows.get((pk, rk))
        if row is None or row.etag != etag:
            raise ConflictError("the row was changed" if row else "the row is gone")


def _matches(row: Row, where: Mapping[str, Wanted] | None) -> bool:
    return all(row.values.get(name) == value for name, value in (where or {}).items())


def _only(row: Row, select: Sequence[str]) -> Row:
    if not select:
        return row
    return replace(row, values={name: value for name, value in row.values.items() if name in select})


@dataclass(slots=True, kw_only=True)
class _Stored:
    """A message in the queue. `serial` changes with each receipt; a heap entry with an older serial is ignored."""

    id: str
    wire: str
    receipt: str = ""
    dequeue_count: int = 0
    serial: int = 0


class MemoryQueue:
    """queue.Queue. With a random source messages come in any order, as the service may give them; else oldest first."""

    def __init__(self, clock: Clock, *, rng: Random | None = None) -> None:
        self._clock = clock
        self._rng = rng
        self._serials = count(1)
        self._messages: dict[str, _Stored] = {}
        self._hidden: list[tuple[datetime, int, str]] = []  # a heap: visible from, serial, message id
        self._visible: list[tuple[int, str]] = []  # a heap: serial, message id

    async def send(self, body: str, *, delay: float = 0) -> None:
        check_body(body)
        self.put(to_wire(body), delay=delay)

    def put(self, wire: str, *, delay: float = 0) -> None:
        """Store a text as it is, as anybody may who has a role on the account."""
        stored = _Stored(id=f"m{next(self._serials)}", wire=wire)
        self._messages[stored.id] = stored
        self._hide(stored, self._clock.now(), whole_seconds(delay))

    async def send_many(self, bodies: Sequence[str], *, delay: float = 0) -> None:
        for body in bodies:
            await self.send(body, delay=delay)

    async def receive(self, *, max_messages: int = MAX_BATCH, visibility: float = 600) -> list[Message]:
        now = self._clock.now()
        seconds = whole_seconds(visibility, least=1)
        self._surface(now)
        received: list[Message] = []
        while self._visible and len(received) < min(max_messages, MAX_BATCH):
            serial, message_id = self._take()
            stored = self._messages.get(message_id)
            if stored is None or stored.serial != serial:
                continue  # the message was deleted or hidden again meanwhile
            stored.dequeue_count += 1
            self._hide(stored, now, seconds)
            received.append(_message(stored))
        return received

    async def update(self, message: Message, *, visibility: float, body: str | None = None) -> Message:
        if body is not None:
            check_body(body)
        seconds = whole_seconds(visibility)
        stored = self._received(message)
        stored.wire = stored.wire if body is None else to_wire(body)
        self._hide(stored, self._clock.now(), seconds)
        return _message(stored)

    async def delete(self, message: Message) -> None:
        del self._messages[self._received(message).id]

    async def peek(self) -> list[Message]:
        self._surface(self._clock.now())
        there = {(stored.serial, stored.id): stored for stored in self._messages.values()}
        visible = [there[each] for each in sorted(self._visible) if each in there]
        return [replace(_message(stored), receipt="") for stored in visible[:MAX_BATCH]]

    async def depth(self) -> int:
        return len(self._messages)

    def _received(self, message: Message) -> _Stored:
        stored = self._messages.get(message.id)
        if stored is None or stored.receipt != message.receipt:
            raise ConflictError("the receipt is stale" if stored else "the message is gone")
        return stored

    def _hide(self, stored: _Stored, now: datetime, seconds: int) -> None:
        stored.serial = next(self._serials)
        stored.receipt = f"{stored.id}.{stored.serial}"
        heapq.heappush(self._hidden, (now + timedelta(seconds=seconds), stored.serial, stored.id))

    def _surface(self, now: datetime) -> None:
        while self._hidden and self._hidden[0][0] <= now:
            _, serial, message_id = heapq.heappop(self._hidden)
            heapq.heappush(self._visible, (serial, message_id))

    def _take(self) -> tuple[int, str]:
        if self._rng is None:
            return heapq.heappop(self._visible)
        # The last entry takes the place of the picked one. With a random source, the heap's order does not matter.
        picked = self._rng.randrange(len(self._visible))
        self._visible[picked], self._visible[-1] = self._visible[-1], self._visible[picked]
        return self._visible.pop()


def _message(stored: _Stored) -> Message:
    return from_wire(
        id=stored.id,
        stored=stored.wire,
        receipt=stored.receipt,
        dequeue_count=stored.dequeue_count,
    )

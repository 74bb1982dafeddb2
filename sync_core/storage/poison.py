"""The poison queues: the host's last resort for a message that failed five times, or that it could not decode."""

from __future__ import annotations

from collections.abc import Awaitable, Mapping, Sequence

from ..model.errors import ConflictError
from ..model.messages import poison_queue
from ..ports import Done, Poisoned
from .queue import Message, Queue

# Messages stay hidden from others this long while they are sifted; after a crash they come back by themselves.
_HIDDEN_S = 60
_MOST_BATCHES = 32  # of 32 messages


class PoisonQueues:
    """ports.Poison."""

    def __init__(self, queues: Mapping[str, Queue]) -> None:
        self._queues = queues  # by name

    async def depth(self, queue: str) -> int:
        return await self._queues[poison_queue(queue)].depth()

    async def peek(self, queue: str) -> Sequence[Poisoned]:
        return [_poisoned(queue, message) for message in await self._queues[poison_queue(queue)].peek()]

    async def sift(self, queue: str, done: Done) -> None:
        source = self._queues[poison_queue(queue)]
        if not await source.depth():
            return  # so most often one request is all
        left: list[Message] = []
        try:
            for _ in range(_MOST_BATCHES):
                batch = await source.receive(visibility=_HIDDEN_S)
                if not batch:
                    return
                left += batch
                for message in batch:
                    if await done(_poisoned(queue, message)):
                        left.remove(message)
                        await _unless_stale(source.delete(message))
        finally:
            for message in left:
                await _unless_stale(source.update(message, visibility=0))

    async def put_back(self, message: Poisoned) -> None:
        await self._queues[message.queue].send(message.body)


async def _unless_stale(work: Awaitable[object]) -> None:
    """Somebody else has the message by now, or deleted it: it is theirs."""
    try:
        await work
    except ConflictError:
        return


def _poisoned(queue: str, message: Message) -> Poisoned:
    return Poisoned(queue=queue, id=message.id, body=message.body, readable=message.readable)

"""The messages that our own code sends, and the depth of each queue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model import FeedRun, Nomination
from ..model.messages import FEED_PAGES, USER_CHANGES, WORK_QUEUES, encode, poison_queue
from .concurrency import for_each
from .queue import MAX_DELAY_S, Queue

ALL_QUEUES = (*WORK_QUEUES, *map(poison_queue, WORK_QUEUES))


class WorkQueues:
    """ports.Queues. A delay above the service's limit of 7 days becomes 7 days."""

    def __init__(self, queues: Mapping[str, Queue]) -> None:
        self._queues = queues  # by name; one for each of ALL_QUEUES

    async def nominate(self, nominations: Sequence[Nomination], *, delay: float = 0) -> None:
        if nominations:
            bodies = [encode(each) for each in nominations]
            await self._queues[USER_CHANGES].send_many(bodies, delay=min(delay, MAX_DELAY_S))

    async def continue_feed(self, run: FeedRun, *, delay: float = 0) -> None:
        await self._queues[FEED_PAGES].send(encode(run), delay=min(delay, MAX_DELAY_S))

    async def depths(self) -> Mapping[str, int]:
        depths = dict.fromkeys(self._queues, 0)

        async def measure(name: str) -> None:
            depths[name] = await self._queues[name].depth()

        await for_each(tuple(self._queues), measure)
        return depths

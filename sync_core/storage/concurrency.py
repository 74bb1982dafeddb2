"""Many small actions at once, with a bound. Errors are raised singly, not as exception groups."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

_AT_ONCE = 16


async def for_each[T](items: Sequence[T], action: Callable[[T], Awaitable[None]]) -> None:
    """Await `action` on every item, at most 16 at a time.

    The first error cancels the rest. It is raised unchanged, after every action of this call has ended.
    """
    if len(items) == 1:
        await action(items[0])
        return
    shared = iter(items)
    tasks = [asyncio.create_task(_work(shared, action)) for _ in range(min(_AT_ONCE, len(items)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _work[T](shared: Iterator[T], action: Callable[[T], Awaitable[None]]) -> None:
    for item in shared:
        await action(item)

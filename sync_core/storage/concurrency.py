"""Doing many small things at once, with a bound. Plain errors come out, not groups of them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence

LIMIT = 16


async def for_each[T](items: Sequence[T], action: Callable[[T], Awaitable[None]], *, limit: int = LIMIT) -> None:
    """Await `action` on every item, at most `limit` at a time.

    The first error stops the rest and is raised as it is, once nothing of this call is running any more.
    """
    if len(items) == 1:
        await action(items[0])
        return
    shared = iter(items)
    tasks = [asyncio.create_task(_work(shared, action)) for _ in range(min(limit, len(items)))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _work[T](shared: Iterator[T], action: Callable[[T], Awaitable[None]]) -> None:
    for item in shared:
        await action(item)

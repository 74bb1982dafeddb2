"""For which syncs a step of the poll works: those of the configuration that leads, save those that are stopped."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from logging import Logger

from ..guard.configurations import Configurations
from ..model import Sync
from ..model.errors import SyncError


async def each_sync(
    configurations: Configurations, work: Callable[[Sync], Awaitable[None]], log: Logger, failed: str
) -> None:
    """A fault of one stops no other: it is logged as the event `failed`. Both questions are asked anew for each."""
    for name, sync in sorted(configurations.syncs.items()):
        try:
            if await configurations.leads() and not await configurations.stopped(name):
                await work(sync)
        except SyncError as error:
            log.warning("%s sync=%s error=%s", failed, name, error.code)

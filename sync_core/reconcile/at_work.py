"""A look that lasts is told from one whose worker died: the row of what is in hand is written anew while it lasts."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from ..model import Nomination
from ..model.errors import SyncError
from ..ports import Clock, InHand

log = logging.getLogger("xtsync.in_hand")

# One write may wait a minute for its permit, and a look may have several.
RENEWED_EVERY_S = 20.0


@asynccontextmanager
async def at_work(in_hand: InHand, nomination: Nomination, clock: Clock) -> AsyncIterator[None]:
    """The row stays only if this process dies. After an exception the queue delivers the message again by itself."""
    await in_hand.take(nomination, clock.now())
    try:
        async with _renewed(in_hand, nomination, clock):
            yield
    except Exception:
        with suppress(SyncError):
            await in_hand.finish(nomination.sync, nomination.user)
        raise
    await in_hand.finish(nomination.sync, nomination.user)


@asynccontextmanager
async def _renewed(in_hand: InHand, nomination: Nomination, clock: Clock) -> AsyncIterator[None]:
    over = asyncio.Event()
    renewing = asyncio.create_task(_renew(in_hand, nomination, clock, over))
    try:
        yield
    finally:
        over.set()
        await renewing  # a request that is under way would otherwise write the row after it was dropped


async def _renew(in_hand: InHand, nomination: Nomination, clock: Clock, over: asyncio.Event) -> None:
    while True:
        with suppress(TimeoutError):
            await asyncio.wait_for(over.wait(), RENEWED_EVERY_S)
            return
        try:
            await in_hand.take(nomination, clock.now())
        except Exception as error:  # noqa: BLE001 - it ends no look: the next one may succeed, or there are two looks
            log.warning("in_hand.not_renewed sync=%s error=%s", nomination.sync, type(error).__name__)

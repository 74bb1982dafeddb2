"""The local stack with two tenants, and the actions and checks that scenarios share."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

from local.agreement import compare
from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated, User
from local.stack import BY_HAND, ROOT, Stack
from sync_core.assembly import Runtime
from sync_core.config.file import load_config
from sync_core.config.settings import load_settings
from sync_core.deployment import build
from sync_core.model import Sync
from sync_core.model.messages import FEED_PAGES, USER_CHANGES
from sync_core.ports import FeedPhase
from sync_core.reconcile.coalescing import COALESCE_WITHIN

from .requests import Log
from .run import Advance, Run, StalledError

STORAGE, TELEMETRY = "storage.log", "telemetry.jsonl"  # in the folder that `two_tenants` is given
_LONGEST_S = 900.0


@dataclass(frozen=True, slots=True, kw_only=True)
class TwoTenants:
    """Contoso and Fabrikam on the local stack. `people` are Contoso's users."""

    run: Run
    stack: Stack
    emulated: Emulated
    runtime: Runtime  # the product in this process, on the stack's storage, to read state and to start rounds
    people: list[User]

    @property
    def sync(self) -> Sync:
        [sync] = self.runtime.config.syncs.values()
        return sync

    @property
    def log(self) -> Log:
        return Log(self.emulated)

    async def enable(self) -> None:
        """Enable every source user, so that each of them gets a B2B user."""
        for person in self.people:
            if not person["accountEnabled"]:
                await self.change(person, {"accountEnabled": True})

    async def change(self, person: User, values: User) -> None:
        await self.emulated.graph(CONTOSO, "PATCH", f"/users/{person['id']}", values)

    async def by_hand(self, function: str) -> None:
        await self.stack.start_by_hand(function)

    async def initial_sync(self) -> None:
        """Run the product's initial sync to the end."""
        await self.by_hand("poll_feeds")
        with self.run.step(f"initial sync of {len(self.people):,}", len(self.people)) as advance:
            await self.synced(advance)

    async def settle(self) -> None:
        """Subscribe, run the initial sync, and wait until a further notification is merged with none of it."""
        await self.subscribed()
        await self.initial_sync()
        await asyncio.sleep(COALESCE_WITHIN / timedelta(seconds=1))

    async def full_round(self) -> None:
        """Start a full round as `xtsync resync` does, and wait until the queues are empty."""
        tenant = self.sync.source.key
        await self.runtime.feeds.start_round(tenant, full=True)

        async def done() -> bool:
            state = await self.runtime.storage.feeds.get(tenant)
            return state.phase is FeedPhase.IDLE and await self.idle()

        await self.until(done, "the full round did not end")

    async def synced(self, advance: Advance, *, at_least: int | None = None) -> None:
        """Wait for `at_least` B2B users. Without that number, wait for all of them and for empty queues."""

        async def done() -> bool:
            there = await self.guests()
            advance(there)
            if at_least is not None:
                return there >= at_least
            return there >= len(self.people) and await self.idle()

        await self.until(done, "the initial sync did not end")

    async def guests(self) -> int:
        return await self.emulated.count(FABRIKAM, "users")

    async def subscribed(self) -> None:
        """Have the product subscribe, so that Graph's notifications reach the Functions host."""
        await self.by_hand("keep_subscriptions")

        async def done() -> bool:
            record = await self.runtime.storage.subscriptions.get(self.sync.source.key)
            return record is not None and bool(record.subscription_id)

        await self.until(done, "no subscription was made")

    async def waiting(self, queue: str = USER_CHANGES) -> int:
        """The number of messages in a queue, hidden ones included."""
        return (await self.runtime.storage.queues.depths())[queue]

    async def idle(self) -> bool:
        """Whether both queues are empty. A message that a worker has received counts until it is deleted."""
        depths = await self.runtime.storage.queues.depths()
        return depths[USER_CHANGES] == depths[FEED_PAGES] == 0

    async def disagreements(self) -> int:
        return len((await compare(self.emulated, CONTOSO, FABRIKAM)).faults)

    async def until(
        self,
        condition: Callable[[], Awaitable[bool]],
        otherwise: str,
        *,
        every_s: float = 0.5,
        most_s: float = _LONGEST_S,
    ) -> None:
        """Wait until the condition is true. After `most_s` seconds, raises StalledError with the text `otherwise`."""
        end = time.monotonic() + most_s
        while not await condition():
            if time.monotonic() > end:
                raise StalledError(f"{otherwise} within {most_s:g} s")
            await asyncio.sleep(every_s)


@asynccontextmanager
async def two_tenants(
    run: Run,
    people: int,
    *,
    settings: Mapping[str, str] | None = None,
    hosts: int = 1,
    split: bool | None = None,
    config: Path = ROOT / "bench" / "sync.yaml",
    kept: Path | None = None,
) -> AsyncIterator[TwoTenants]:
    """A running stack in which Contoso has so many enabled users, and Fabrikam has none.

    It is three processes as `split` says, or without it as XTSYNC_STACK_SPLIT says. In the folder `kept` it writes down
    each request to storage, and what Application Insights would get.
    """
    stack = Stack(settings={**BY_HAND, **(settings or {})}, hosts=hosts, config=config)
    if kept is not None:
        stack.storage_requests, stack.telemetry = kept / STORAGE, kept / TELEMETRY
    if split is not None:
        stack.split = split
    async with stack, Emulated(stack.graph_url) as emulated:
        await emulated.two_tenants(CONTOSO, FABRIKAM, people=people)
        found = await emulated.users(CONTOSO, ["id", "mail", "accountEnabled"])
        runtime = build(load_settings(stack.environment), load_config(stack.config))
        try:
            made = TwoTenants(run=run, stack=stack, emulated=emulated, runtime=runtime, people=found)
            await made.enable()
            yield made
        finally:
            await runtime.close()

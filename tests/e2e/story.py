"""A running stack whose sync.yaml is edited, deployed and polled by."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated, until
from local.stack import BY_HAND, Stack
from sync_core.ports import FeedPhase, HoldState
from sync_core.storage.connect import connect
from sync_core.storage.repositories import Storage
from tests.support.stack import SYNC


@asynccontextmanager
async def running(folder: Path, config: str, *, people: int) -> AsyncIterator[Story]:
    """A stack with this file in `folder`, and so many people in the source tenant."""
    file = folder / "sync.yaml"
    file.write_text(config)
    async with Stack(config=file, settings=BY_HAND) as stack, Emulated(stack.graph_url) as emulated:
        storage = connect(stack.azurite.connection_string)
        await emulated.two_tenants(CONTOSO, FABRIKAM, people=people, seed=7)
        yield Story(stack, emulated, storage)
        await storage.close()


class Story:
    """A running stack, and the file that its host reads when it starts."""

    def __init__(self, stack: Stack, emulated: Emulated, storage: Storage) -> None:
        self.stack, self.emulated, self.storage = stack, emulated, storage

    async def run_with(self, config: str) -> None:
        """A deployment: the hosts end, and others begin with this file."""
        self.stack.config.write_text(config)
        for host in [*self.stack.host_processes]:
            await self.stack.kill_host(host)
        await self.stack.start_hosts(1)

    async def round(self) -> None:
        """One poll, and all that it leads to."""
        before = (await self.storage.feeds.get("contoso")).completed_at
        await self.stack.start_by_hand("poll_feeds")

        async def over() -> bool:
            state = await self.storage.feeds.get("contoso")
            completed = state.phase is FeedPhase.IDLE and state.completed_at != before
            return completed and await self.idle()

        assert await until(over, timeout_s=60)

    async def idle(self) -> bool:
        return not any((await self.storage.queues.depths()).values())

    async def guests(self) -> int:
        return len(await self.ids(FABRIKAM))

    async def held(self) -> list[HoldState]:
        return [hold.state for hold in await self.storage.guards.holds(SYNC)]

    async def ids(self, tenant: str) -> set[str]:
        """Everybody in a target tenant."""
        return {user["id"] for user in await self.emulated.users(tenant, ["id"])}

    async def delete_somebody(self) -> str:
        """A member of the source tenant whom the target has: their id."""
        addresses = {user["mail"] for user in await self.emulated.users(FABRIKAM, ["mail"])}
        users = await self.emulated.users(CONTOSO, ["id", "mail"])
        leaver = next(str(user["id"]) for user in users if user["mail"] in addresses)
        await self.emulated.graph(CONTOSO, "DELETE", f"/users/{leaver}")
        return leaver

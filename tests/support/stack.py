"""A running local stack, as end-to-end tests use it."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from datetime import UTC, datetime

import pytest

from local.agreement import compare
from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated, User, until
from local.stack import Stack
from sync_core.model import MANAGER, Link, fingerprint
from sync_core.model.link_parts import LATE
from sync_core.ports import HoldRecord
from sync_core.storage.repositories import Storage

from .make import NAME

SYNC = NAME  # of sync.yaml
CORE_TOOLS = os.environ.get("XTSYNC_STACK_HOST") == "func"
built_in_host = pytest.mark.skipif(CORE_TOOLS, reason="it looks into the built-in host")


@dataclass(frozen=True, slots=True, kw_only=True)
class SyncedStack:
    """A running stack in which everybody is synchronized, and webhooks are subscribed."""

    stack: Stack
    emulated: Emulated
    storage: Storage
    never: set[str]  # generated as disabled, so never provisioned
    at_first: list[User]  # the requests until everybody was synchronized; other tests may have sent more since

    async def agree(self, timeout_s: float = 20) -> list[str]:
        """Wait until both tenants agree; what still differs when the time is up."""

        async def same() -> bool:
            return bool(await compare(self.emulated, CONTOSO, FABRIKAM, never_provisioned=self.never))

        if await until(same, timeout_s=timeout_s):
            return []
        return list((await compare(self.emulated, CONTOSO, FABRIKAM, never_provisioned=self.never)).faults)

    async def people(self) -> list[User]:
        users = await self.emulated.users(CONTOSO, ["id", "mail", "displayName", "accountEnabled"])
        return [user for user in users if user["id"] not in self.never]

    async def patch(self, person: User, values: User) -> None:
        await self.emulated.graph(CONTOSO, "PATCH", f"/users/{person['id']}", values)

    async def a_while_later(self) -> None:
        """For a quarter of an hour after the pair was made, a source user who is not there is not taken for gone."""
        assert await until(self.idle, timeout_s=20)
        await a_while_later(self.storage)

    async def idle(self) -> bool:
        return not any((await self.storage.queues.depths()).values())

    async def requests(self, since: int = 0) -> list[User]:
        return list((await self.emulated.control("GET", f"/requests?since={since}"))["items"])

    async def last_request(self) -> int:
        return int((await self.emulated.control("GET", "/requests?items=false"))["last"])


async def a_while_later(storage: Storage) -> None:
    """Every pair was made a quarter of an hour earlier."""
    pairs = [link async for link in storage.links.pairs(SYNC)]
    then = {link.source_id: _earlier(link) for link in pairs}
    for link in then.values():
        manager = then.get(link.manager or "")
        # A reference is to one life of the manager's target user, which begins earlier now.
        applied = {**link.applied, MANAGER: fingerprint(manager.reference)} if manager else link.applied
        await storage.links.save(replace(link, applied=applied))


def _earlier(link: Link) -> Link:
    linked_at, invited_at = link.linked_at and link.linked_at - LATE, link.invited_at and link.invited_at - LATE
    return replace(link, linked_at=linked_at, invited_at=invited_at)


async def hold(world: SyncedStack, user: str) -> HoldRecord:
    return await world.storage.guards.save_hold(
        HoldRecord(
            sync=SYNC, source_id=user, target_id="guest", change="SoftDelete", reason="", held_at=datetime.now(UTC)
        )
    )

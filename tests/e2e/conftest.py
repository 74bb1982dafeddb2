"""The whole local stack once for all end-to-end tests: Azurite, the emulator, and the app in Microsoft's worker."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
import pytest_asyncio

from local.demo import CONTOSO, FABRIKAM
from local.emulated import Emulated
from local.stack import Stack
from sync_core.storage.connect import connect
from tests.support.collector import Collector
from tests.support.stack import SyncedStack

PEOPLE = 24


@pytest.fixture(scope="package")
def collector() -> Iterator[Collector]:
    """It gets the traces and metrics of the stack, all of them, at once."""
    collector = Collector()
    yield collector
    collector.close()


@pytest_asyncio.fixture(loop_scope="session", scope="package")
async def world(collector: Collector) -> AsyncIterator[SyncedStack]:
    settings = {
        # As if App Service authentication were in front: tests write the header that it would write.
        "XTSYNC_OPERATOR_ENDPOINTS": "entra",
        "XTSYNC_TELEMETRY": "otlp",
        "XTSYNC_TELEMETRY_RATIO": "1",
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.endpoint,
        "OTEL_BSP_SCHEDULE_DELAY": "200",
        "OTEL_METRIC_EXPORT_INTERVAL": "1000",
    }
    async with Stack(settings=settings) as stack, Emulated(stack.graph_url) as emulated:
        storage = connect(stack.azurite.connection_string)
        await emulated.two_tenants(CONTOSO, FABRIKAM, people=PEOPLE, seed=3)
        users = await emulated.users(CONTOSO, ["id", "accountEnabled"])
        never = {user["id"] for user in users if not user["accountEnabled"]}
        world = SyncedStack(stack=stack, emulated=emulated, storage=storage, never=never, at_first=[])
        await stack.start_by_hand("keep_subscriptions")
        await stack.start_by_hand("poll_feeds")
        assert await world.agree(60) == []
        yield replace(world, at_first=await world.requests())
        await storage.close()

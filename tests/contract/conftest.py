"""What stands behind the ports: storage in memory and on Azurite, two tenants as twins and in the Graph emulator.

One Azurite serves the whole session.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from entra_graph_emulator.testing import CONTOSO, Graph, World
from local.azurite import Azurite
from sync_core.deployment import SystemClock
from sync_core.ports import Clock
from sync_core.storage.connect import connect
from sync_core.storage.queue import Queue
from sync_core.storage.repositories import Storage, memory_storage
from sync_core.storage.table import Table
from tests.support.clock import ManualClock
from tests.support.graph_clients import CLIENTS, Client
from tests.support.tenants import EmulatedTenants, MemoryTenants, Tenants


@pytest.fixture(params=["http", "sdk"])
def client(request: pytest.FixtureRequest, world: World) -> Client:
    """An ordinary client of the emulator's first tenant, over plain HTTP and by Microsoft's SDK."""
    return CLIENTS[request.param](world, CONTOSO)


@pytest_asyncio.fixture(scope="package", loop_scope="session")
async def azurite() -> AsyncIterator[Azurite]:
    async with Azurite() as server:
        yield server


@pytest.fixture(params=["memory", "azurite"])
def backend(request: pytest.FixtureRequest) -> str:
    if request.param == "azurite":
        request.getfixturevalue("azurite")  # only started when a test needs it
    return str(request.param)


@pytest.fixture
def clock(backend: str) -> Clock:
    return ManualClock() if backend == "memory" else SystemClock()


@pytest.fixture
def connection_string(backend: str, request: pytest.FixtureRequest) -> str:
    """Empty for the twins."""
    return "" if backend == "memory" else str(request.getfixturevalue("azurite").connection_string)


@pytest_asyncio.fixture
async def account(clock: Clock, connection_string: str) -> AsyncIterator[Storage]:
    """Storage without tables and queues: on Azurite each test makes its own."""
    prefix = f"t{uuid.uuid4().hex[:12]}"
    account = connect(connection_string, prefix=prefix) if connection_string else memory_storage(clock)
    yield account
    await account.close()


@pytest_asyncio.fixture
async def storage(account: Storage) -> Storage:
    """Empty storage, complete."""
    await account.create_all()
    return account


@pytest_asyncio.fixture
async def table(account: Storage) -> Table:
    """One empty table."""
    await account.create("feeds")
    return account.tables_by_name["feeds"]


@pytest_asyncio.fixture
async def queue(account: Storage) -> Queue:
    """One empty queue."""
    await account.create("user-changes")
    return account.queues_by_name["user-changes"]


@pytest.fixture
async def world() -> AsyncIterator[World]:
    """An emulator with two tenants, in this process; each test has its own."""
    async with World() as made:
        yield made


@pytest.fixture
def graph(world: World) -> Graph:
    return world.contoso


@pytest.fixture
async def emulated(world: World) -> AsyncIterator[EmulatedTenants]:
    """The real adapters on the emulator."""
    tenants = EmulatedTenants(world)
    yield tenants
    await tenants.close()


@pytest.fixture(params=["memory", "emulator"])
def tenants(request: pytest.FixtureRequest) -> Tenants:
    """Two tenants without people, as twins and as the real adapters on the emulator."""
    if request.param == "memory":
        return MemoryTenants()
    made: EmulatedTenants = request.getfixturevalue("emulated")
    return made

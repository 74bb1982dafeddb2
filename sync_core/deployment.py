"""Graph clients and storage from settings: the only file that knows every adapter."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import httpx

from .assembly import Directories, Runtime, assemble
from .config.file import Config
from .config.settings import CredentialKind, Settings
from .decision.drift import compared
from .decision.look import Look
from .graph import credentials
from .graph.auth import TokenSource
from .graph.budget import WriteBudget
from .graph.client import GraphClient
from .graph.credentials import CLOUDS
from .graph.groups import GraphGroups
from .graph.inspection import GraphInspection
from .graph.inventory import GraphInventory
from .graph.source import GraphSource
from .graph.subscriptions import GraphSubscriptions
from .graph.target import GraphTarget
from .mapping import source_attributes
from .model import Tenant
from .notify.messenger import HttpMessenger
from .ports import AppOnTenant, Clock, RecordBlobs, Side
from .scope.verdict import scope_attributes
from .storage.append_blobs import AppendBlobs
from .storage.connect import connect, connect_with_credential
from .storage.repositories import Storage

if TYPE_CHECKING:
    from .identities import Identities

EMULATED_APP = "xtsync"  # the emulator takes anybody


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


def build(
    settings: Settings,
    config: Config,
    *,
    clock: Clock | None = None,
    storage: Storage | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    new_client_state: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    new_nonce: Callable[[], str] = lambda: secrets.token_hex(8),
    read_only: bool = False,
    on_look: Callable[[Look], None] = lambda _: None,
    started: datetime | None = None,
) -> Runtime:
    """A runtime from settings and configuration; what is passed in stands in for Azure and the network.

    `started` is when the process of the function app did; a command of an operator has none (Configurations).
    """
    clock = clock or SystemClock()
    closers: list[Callable[[], Awaitable[None]]] = []
    if storage is None:
        storage = _storage(settings, closers)
    return assemble(
        config,
        _graph(settings, config, storage, clock, closers, transport=transport, read_only=read_only),
        storage,
        clock,
        keep_activity=timedelta(days=settings.activity_days),
        new_client_state=new_client_state,
        new_nonce=new_nonce,
        messenger=messenger(settings),
        on_look=on_look,
        started=started,
        closers=closers,
    )


def messenger(settings: Settings) -> HttpMessenger:
    """The sender of notices. Their links lead to the operators' page of this app."""
    addresses = {name: value.get_secret_value() for name, value in settings.notify.items()}
    return HttpMessenger(addresses, f"{settings.public_url}/api/ops/")


def _graph(
    settings: Settings,
    config: Config,
    storage: Storage,
    clock: Clock,
    closers: list[Callable[[], Awaitable[None]]],
    *,
    transport: httpx.AsyncBaseTransport | None,
    read_only: bool,
) -> Directories:
    """Microsoft Graph: one client for each app on each tenant."""

    def client(tenant: Tenant, app_id: str, budget: WriteBudget | None = None) -> GraphClient:
        return _client(
            settings, tenant, app_id, clock, closers, budget=budget, transport=transport, read_only=read_only
        )

    writes, seconds = settings.write_budget
    reading = {key: client(tenant, settings.source_client_id) for key, tenant in config.source_tenants.items()}
    writing = {
        key: client(
            tenant,
            settings.target_client_id,
            WriteBudget(tenant_id=tenant.id, budgets=storage.budgets, clock=clock, writes=writes, window_s=seconds),
        )
        for key, tenant in config.target_tenants.items()
    }
    attributes: dict[str, set[str]] = {key: set() for key in reading}
    told: dict[str, set[str]] = {key: set() for key in writing}
    for sync in config.syncs.values():
        attributes[sync.source.key] |= source_attributes(sync.mapping) | scope_attributes(sync)
        told[sync.target.key] |= {*compared(sync)}
    return Directories(
        sources={key: GraphSource(reading[key], clock, attributes[key]) for key in reading},
        groups={key: GraphGroups(reading[key]) for key in reading},
        targets={key: GraphTarget(writing[key], told[key]) for key in writing},
        subscriptions={
            key: GraphSubscriptions(app, public_url=settings.public_url) for key, app in {**writing, **reading}.items()
        },
        apps=(
            *(_app(settings, config.source_tenants[key], Side.SOURCE, reading[key], clock) for key in reading),
            *(_app(settings, config.target_tenants[key], Side.TARGET, writing[key], clock) for key in writing),
        ),
    )


def _storage(settings: Settings, closers: list[Callable[[], Awaitable[None]]]) -> Storage:

    connection_string = settings.storage.get_secret_value()
    if connection_string:
        storage = connect(connection_string)
    else:
        credential = _identities(settings).of_storage()
        storage = connect_with_credential(
            table_uri=settings.table_endpoint, queue_uri=settings.queue_endpoint, credential=credential
        )
        closers.append(credential.close)
    closers.append(storage.close)
    return storage


@asynccontextmanager
async def record_blobs(settings: Settings) -> AsyncGenerator[RecordBlobs]:
    """The container for the copy of the record, in the account that has the tables."""
    async with AsyncExitStack() as stack:
        if text := settings.storage.get_secret_value():
            blobs = AppendBlobs.from_connection_string(text, settings.record_container)
        else:
            credential = _identities(settings).of_storage()
            stack.push_async_callback(credential.close)
            blobs = AppendBlobs(f"{settings.blob_endpoint}/{settings.record_container}", credential=credential)
        stack.push_async_callback(blobs.close)
        yield blobs


def _identities(settings: Settings) -> Identities:
    """Their libraries take longer to load than all others; the local stack does without."""
    from .identities import Identities  # noqa: PLC0415 - as it says

    return Identities(settings)


def _client(
    settings: Settings,
    tenant: Tenant,
    app_id: str,
    clock: Clock,
    closers: list[Callable[[], Awaitable[None]]],
    *,
    budget: WriteBudget | None,
    transport: httpx.AsyncBaseTransport | None,
    read_only: bool,
) -> GraphClient:

    cloud = CLOUDS[tenant.cloud]
    credential = _credential(settings, tenant, app_id, clock, transport)
    client = GraphClient(
        tenant_id=tenant.id,
        credential=credential,
        clock=clock,
        graph_url=settings.graph_url or cloud.graph_url,
        scope=None if settings.graph_url else cloud.scope,
        read_only=read_only,
        budget=budget,
        transport=transport,
    )
    closers.append(client.close)
    return client


def _app(settings: Settings, tenant: Tenant, side: Side, client: GraphClient, clock: Clock) -> AppOnTenant:

    cloud = CLOUDS[tenant.cloud]
    app_id = settings.source_client_id if side is Side.SOURCE else settings.target_client_id
    return AppOnTenant(
        tenant=tenant,
        side=side,
        app_id=app_id or EMULATED_APP,
        authority=cloud.authority,
        graph_url=settings.graph_url or cloud.graph_url,
        inspection=GraphInspection(client),
        inventory=GraphInventory(client, clock),
        silent_roles=settings.credential is CredentialKind.EMULATOR,
    )


def _credential(
    settings: Settings, tenant: Tenant, app_id: str, clock: Clock, transport: httpx.AsyncBaseTransport | None
) -> TokenSource:

    if settings.credential is not CredentialKind.EMULATOR:
        return _identities(settings).on_tenant(tenant, app_id)
    return credentials.EmulatorCredential(
        base_url=settings.graph_url or "",
        tenant_id=tenant.id,
        app_id=app_id or EMULATED_APP,
        clock=clock,
        transport=transport,
    )

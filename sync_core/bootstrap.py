"""Puts the parts together: the only file that knows every concrete class.

The webhook's path goes through `syncs_by_source` alone; Graph, identity and storage libraries are imported by the
first call that needs them, so that a cold instance answers Graph in time.
"""

from __future__ import annotations

import asyncio
import os
import secrets
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

if TYPE_CHECKING:
    import httpx
    from azure.identity.aio import AzureCliCredential, ManagedIdentityCredential

    from .checkup.finding import AppOnTenant, Side
    from .config import Config
    from .engine import Engine
    from .feeds import FeedReader
    from .graph.auth import TokenSource
    from .graph.budget import WriteBudget
    from .graph.client import GraphClient
    from .holds import DeletionGuard
    from .look import Look
    from .measure import Measure
    from .model import Tenant
    from .ports import Clock, GroupDirectory, SourceDirectory, SubscriptionApi, TargetDirectory
    from .rehearsal import Rehearsal
    from .retention import Retention
    from .settings import Settings
    from .storage.connect import Storage
    from .subscriptions import SubscriptionKeeper
    from .worker import Worker


EMULATED_APP = "xtsync"  # the emulator takes anybody


class SystemClock:
    def now(self) -> datetime:
        return datetime.now(UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class Directories:
    """What the core sees of Graph, by tenant key; and each app on each tenant, for the doctor."""

    sources: Mapping[str, SourceDirectory]
    groups: Mapping[str, GroupDirectory]
    targets: Mapping[str, TargetDirectory]
    subscriptions: Mapping[str, SubscriptionApi]
    apps: Sequence[AppOnTenant] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Runtime:
    """Everything that a trigger or a command calls, bound to one event loop."""

    config: Config
    storage: Storage
    clock: Clock
    engine: Engine
    worker: Worker
    feeds: FeedReader
    keeper: SubscriptionKeeper
    measure: Measure
    retention: Retention
    guard: DeletionGuard
    apps: Sequence[AppOnTenant]  # for `xtsync doctor`
    closers: tuple[Callable[[], Awaitable[None]], ...]

    @property
    def rehearsal(self) -> Rehearsal:
        """Of a runtime in read-only mode."""
        from .rehearsal import Rehearsal  # noqa: PLC0415

        return Rehearsal(
            syncs=self.config.syncs,
            feeds=self.feeds,
            engine=self.engine,
            guard=self.guard,
            links=self.storage.links,
            clock=self.clock,
        )

    async def close(self) -> None:
        for close in self.closers:
            await close()


@cache
def settings() -> Settings:
    """This process's app settings. Raises ConfigError with every fault."""
    from .settings import load_settings  # noqa: PLC0415

    return load_settings(os.environ)


@cache
def config() -> Config:
    """This process's sync.yaml. Raises ConfigError with every fault."""
    from .config import load_config  # noqa: PLC0415

    return load_config(settings().config)


def syncs_by_source() -> Mapping[str, list[str]]:
    """The names of the syncs that each source tenant feeds: all that the webhook needs of the configuration."""
    return config().syncs_by_source


_lifetimes: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, AsyncGenerator[Runtime]]] = WeakKeyDictionary()
_runtimes: WeakKeyDictionary[asyncio.AbstractEventLoop, dict[bool, Runtime]] = WeakKeyDictionary()


async def runtime(*, read_only: bool = False) -> Runtime:
    """The running loop's own runtime, or its twin that cannot write: clients belong to one event loop."""
    loop = asyncio.get_running_loop()
    runtimes = _runtimes.setdefault(loop, {})
    if read_only not in runtimes:
        runtimes[read_only] = build(settings(), config(), read_only=read_only)
        lifetime = _lifetime(runtimes[read_only])
        _lifetimes.setdefault(loop, {})[read_only] = lifetime
        await anext(lifetime)
    return runtimes[read_only]


async def _lifetime(runtime: Runtime) -> AsyncGenerator[Runtime]:
    """Functions has no hook for the end of a worker; a loop that shuts down does close its generators."""
    try:
        yield runtime
    finally:
        await runtime.close()


def build(
    settings: Settings,
    config: Config,
    *,
    clock: Clock | None = None,
    storage: Storage | None = None,
    transport: httpx.AsyncBaseTransport | None = None,
    new_client_state: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    read_only: bool = False,
    on_look: Callable[[Look], None] = lambda _: None,
) -> Runtime:
    """A runtime from settings and configuration; what is passed in stands in for Azure and the network."""
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
        on_look=on_look,
        closers=closers,
    )


def assemble(
    config: Config,
    graph: Directories,
    storage: Storage,
    clock: Clock,
    *,
    keep_activity: timedelta = timedelta(days=365),
    new_client_state: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    on_look: Callable[[Look], None] = lambda _: None,
    closers: Sequence[Callable[[], Awaitable[None]]] = (),
) -> Runtime:
    """The core on whatever stands behind its ports."""
    from .apply import Applier  # noqa: PLC0415
    from .engine import Engine  # noqa: PLC0415
    from .feeds import GROUPS, USERS, FeedReader  # noqa: PLC0415
    from .groups_feed import GroupsFeed  # noqa: PLC0415
    from .holds import DeletionGuard  # noqa: PLC0415
    from .measure import Measure  # noqa: PLC0415
    from .retention import Retention  # noqa: PLC0415
    from .subscriptions import SubscriptionKeeper  # noqa: PLC0415
    from .users_feed import UsersFeed  # noqa: PLC0415
    from .worker import Worker  # noqa: PLC0415

    syncs, links, queues, activity = config.syncs, storage.links, storage.queues, storage.activity
    sources, targets = graph.sources, graph.targets
    guard = DeletionGuard(guards=storage.guards, links=links, clock=clock)
    applier = Applier(sources=sources, targets=targets, links=links, guard=guard, queues=queues, clock=clock)
    engine = Engine(
        sources=sources, targets=targets, links=links, guard=guard, applier=applier, clock=clock, on_look=on_look
    )
    users_feed = UsersFeed(syncs=syncs, sources=sources, targets=targets, links=links, clock=clock)
    groups_feed = GroupsFeed(syncs=syncs, directories=graph.groups, links=links, clock=clock)
    feeds = FeedReader(kinds={USERS: users_feed, GROUPS: groups_feed}, feeds=storage.feeds, queues=queues, clock=clock)
    return Runtime(
        config=config,
        storage=storage,
        clock=clock,
        engine=engine,
        worker=Worker(
            syncs=syncs, engine=engine, links=links, guard=guard, queues=queues, activity=activity, clock=clock
        ),
        feeds=feeds,
        keeper=SubscriptionKeeper(
            tenants=config.source_tenants,
            apis=graph.subscriptions,
            records=storage.subscriptions,
            feeds=feeds,
            clock=clock,
            new_client_state=new_client_state,
        ),
        measure=Measure(syncs=syncs, feeds=feeds, links=links, guards=storage.guards, clock=clock),
        retention=Retention(syncs=syncs, activity=activity, clock=clock, keep=keep_activity),
        guard=guard,
        apps=graph.apps,
        closers=tuple(closers),
    )


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
    from .checkup.finding import Side  # noqa: PLC0415
    from .graph.budget import WriteBudget  # noqa: PLC0415
    from .graph.groups import GraphGroups  # noqa: PLC0415
    from .graph.source import GraphSource  # noqa: PLC0415
    from .graph.subscriptions import GraphSubscriptions  # noqa: PLC0415
    from .graph.target import GraphTarget  # noqa: PLC0415
    from .mapping import source_attributes  # noqa: PLC0415
    from .scope import scope_attributes  # noqa: PLC0415

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
    for sync in config.syncs.values():
        attributes[sync.source.key] |= source_attributes(sync.mapping) | scope_attributes(sync)
    return Directories(
        sources={key: GraphSource(reading[key], clock, attributes[key]) for key in reading},
        groups={key: GraphGroups(reading[key]) for key in reading},
        targets={key: GraphTarget(writing[key]) for key in writing},
        subscriptions={key: GraphSubscriptions(reading[key], public_url=settings.public_url) for key in reading},
        apps=(
            *(_app(settings, config.source_tenants[key], Side.SOURCE, reading[key]) for key in reading),
            *(_app(settings, config.target_tenants[key], Side.TARGET, writing[key]) for key in writing),
        ),
    )


def _storage(settings: Settings, closers: list[Callable[[], Awaitable[None]]]) -> Storage:
    from .storage.connect import connect, connect_with_credential  # noqa: PLC0415

    connection_string = settings.storage.get_secret_value()
    if connection_string:
        storage = connect(connection_string)
    else:
        credential = storage_credential(settings)
        storage = connect_with_credential(
            table_uri=settings.table_endpoint, queue_uri=settings.queue_endpoint, credential=credential
        )
        closers.append(credential.close)
    closers.append(storage.close)
    return storage


def storage_credential(settings: Settings) -> AzureCliCredential | ManagedIdentityCredential:
    """The app's own identity where there is one; at a laptop, whoever signed in with `az login`."""
    from azure.identity.aio import AzureCliCredential, ManagedIdentityCredential  # noqa: PLC0415

    if settings.has_identity:
        return ManagedIdentityCredential(client_id=settings.storage_client_id or None)
    return AzureCliCredential()


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
    from .graph.client import GraphClient  # noqa: PLC0415
    from .graph.credentials import CLOUDS  # noqa: PLC0415

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


def _app(settings: Settings, tenant: Tenant, side: Side, client: GraphClient) -> AppOnTenant:
    from .checkup.finding import AppOnTenant, Side  # noqa: PLC0415
    from .graph.credentials import CLOUDS  # noqa: PLC0415
    from .graph.inspection import GraphInspection  # noqa: PLC0415
    from .settings import CredentialKind  # noqa: PLC0415

    cloud = CLOUDS[tenant.cloud]
    app_id = settings.source_client_id if side is Side.SOURCE else settings.target_client_id
    return AppOnTenant(
        tenant=tenant,
        side=side,
        app_id=app_id or EMULATED_APP,
        authority=cloud.authority,
        graph_url=settings.graph_url or cloud.graph_url,
        inspection=GraphInspection(client),
        silent_roles=settings.credential is CredentialKind.EMULATOR,
    )


def _credential(
    settings: Settings, tenant: Tenant, app_id: str, clock: Clock, transport: httpx.AsyncBaseTransport | None
) -> TokenSource:
    from .graph import credentials  # noqa: PLC0415
    from .settings import CredentialKind  # noqa: PLC0415

    cloud = credentials.CLOUDS[tenant.cloud]
    match settings.credential:
        case CredentialKind.MANAGED_IDENTITY:
            return credentials.federated_identity(
                tenant_id=tenant.id, app_id=app_id, identity_client_id=settings.identity_client_id, cloud=cloud
            )
        case CredentialKind.CERTIFICATE:
            return credentials.client_certificate(
                tenant_id=tenant.id, app_id=app_id, path=str(settings.certificate_path), cloud=cloud
            )
        case CredentialKind.SECRET:
            return credentials.client_secret(
                tenant_id=tenant.id, app_id=app_id, secret=settings.client_secret.get_secret_value(), cloud=cloud
            )
        case CredentialKind.EMULATOR:
            return credentials.EmulatorCredential(
                base_url=settings.graph_url or "",
                tenant_id=tenant.id,
                app_id=app_id or EMULATED_APP,
                clock=clock,
                transport=transport,
            )

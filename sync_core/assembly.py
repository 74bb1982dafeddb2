"""The core, assembled on whatever stands behind its ports: Azure and Graph, the simulator, or twins in memory."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from .config.file import Config
from .decision.look import Look
from .guard.deletions import DeletionGuard
from .guard.ledger import Ledger
from .nominate.groups import GroupsFeed
from .nominate.rounds import GROUPS, USERS, Feed, FeedReader
from .nominate.subscriptions import SubscriptionKeeper
from .nominate.users import UsersFeed
from .ports import AppOnTenant, Clock, GroupDirectory, SourceDirectory, SubscriptionApi, TargetDirectory
from .reconcile.apply import Applier
from .reconcile.engine import Engine
from .reconcile.heirs import Heirs
from .reconcile.worker import Worker
from .storage.repositories import Storage
from .upkeep import Upkeep
from .upkeep.in_hand import Takeover
from .upkeep.measure import Measure
from .upkeep.poison import PoisonDrain
from .upkeep.retention import Retention


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
    upkeep: Upkeep
    guard: DeletionGuard
    apps: Sequence[AppOnTenant]  # for `xtsync doctor`
    closers: tuple[Callable[[], Awaitable[None]], ...]

    async def poll(self) -> None:
        """All that the poll's timer does."""
        await self.feeds.poll()
        await self.upkeep.run()

    async def keep(self) -> None:
        """All that the timer of the subscriptions does."""
        await self.keeper.keep_all()
        await self.upkeep.measure.subscriptions_kept()

    async def close(self) -> None:
        for close in self.closers:
            await close()


def assemble(
    config: Config,
    graph: Directories,
    storage: Storage,
    clock: Clock,
    *,
    keep_activity: timedelta = timedelta(days=365),
    new_client_state: Callable[[], str] = lambda: secrets.token_urlsafe(32),
    new_nonce: Callable[[], str] = lambda: secrets.token_hex(8),
    on_look: Callable[[Look], None] = lambda _: None,
    closers: Sequence[Callable[[], Awaitable[None]]] = (),
) -> Runtime:
    """The core on whatever stands behind its ports."""
    guard, feeds = _guard(config, storage, clock), _feeds(config, graph, storage, clock)
    applier = _applier(config, graph, storage, guard, clock, new_nonce)
    engine = Engine(
        sources=graph.sources,
        targets=graph.targets,
        links=storage.links,
        guard=guard,
        applier=applier,
        clock=clock,
        on_look=on_look,
    )
    worker = _worker(config, storage, engine, guard, clock)
    return Runtime(
        config=config,
        storage=storage,
        clock=clock,
        engine=engine,
        worker=worker,
        feeds=feeds,
        keeper=SubscriptionKeeper(
            tenants=config.source_tenants,
            apis=graph.subscriptions,
            records=storage.subscriptions,
            feeds=feeds,
            clock=clock,
            new_client_state=new_client_state,
        ),
        upkeep=_upkeep(config, storage, worker, feeds, clock, keep_activity),
        guard=guard,
        apps=graph.apps,
        closers=tuple(closers),
    )


def _applier(
    config: Config,
    graph: Directories,
    storage: Storage,
    guard: DeletionGuard,
    clock: Clock,
    new_nonce: Callable[[], str],
) -> Applier:
    links, queues = storage.links, storage.queues
    return Applier(
        sources=graph.sources,
        targets=graph.targets,
        links=links,
        guard=guard,
        heirs=Heirs(syncs=config.syncs, sources=graph.sources, links=links, queues=queues, clock=clock),
        queues=queues,
        clock=clock,
        new_nonce=new_nonce,
    )


def _guard(config: Config, storage: Storage, clock: Clock) -> DeletionGuard:
    ledger = Ledger(guards=storage.guards, links=storage.links, clock=clock, syncs=config.syncs)
    return DeletionGuard(guards=storage.guards, history=storage.guards, ledger=ledger, clock=clock)


def _feeds(config: Config, graph: Directories, storage: Storage, clock: Clock) -> FeedReader:
    syncs, links, guards = config.syncs, storage.links, storage.guards
    users = UsersFeed(syncs=syncs, sources=graph.sources, targets=graph.targets, links=links, clock=clock)
    groups = GroupsFeed(syncs=syncs, directories=graph.groups, links=links, clock=clock)
    kinds: Mapping[str, Feed] = {USERS: users, GROUPS: groups}
    return FeedReader(kinds=kinds, feeds=storage.feeds, guards=guards, queues=storage.queues, clock=clock)


def _upkeep(
    config: Config, storage: Storage, worker: Worker, feeds: FeedReader, clock: Clock, keep_activity: timedelta
) -> Upkeep:
    syncs, activity, poison = config.syncs, storage.activity, storage.poison
    return Upkeep(
        takeover=Takeover(
            syncs=syncs, in_hand=storage.in_hand, links=storage.links, queues=storage.queues, feeds=feeds, clock=clock
        ),
        poison=PoisonDrain(poison=poison, worker=worker),
        retention=Retention(syncs=syncs, activity=activity, history=storage.guards, clock=clock, keep=keep_activity),
        measure=Measure(
            syncs=syncs,
            feeds=feeds,
            subscriptions=storage.subscriptions,
            links=storage.links,
            guards=storage.guards,
            poison=poison,
            fronts=storage.fronts,
            activity=activity,
            clock=clock,
        ),
    )


def _worker(config: Config, storage: Storage, engine: Engine, guard: DeletionGuard, clock: Clock) -> Worker:
    return Worker(
        syncs=config.syncs,
        engine=engine,
        links=storage.links,
        guard=guard,
        queues=storage.queues,
        activity=storage.activity,
        in_hand=storage.in_hand,
        clock=clock,
    )

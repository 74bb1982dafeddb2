"""The core, assembled on whatever stands behind its ports: Azure and Graph, the simulator, or twins in memory."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from .config.file import Config
from .decision.look import Look
from .guard.configurations import Configurations
from .guard.creations import CreationGuard
from .guard.deletions import DeletionGuard
from .guard.keeps import KeptPeople
from .guard.ledger import Ledger
from .guard.pauses import Pauses
from .model import Event, Kind
from .model.messages import GROUPS, TARGET, USERS
from .nominate.groups import GroupsFeed
from .nominate.rounds import FeedReader
from .nominate.subscriptions import SubscriptionKeeper
from .nominate.target import TargetFeed
from .nominate.users import UsersFeed
from .ports import AppOnTenant, Clock, GroupDirectory, Messenger, SourceDirectory, SubscriptionApi, TargetDirectory
from .reconcile.apply import Applier
from .reconcile.drift import DriftKeeper
from .reconcile.engine import Engine
from .reconcile.heirs import Heirs
from .reconcile.reports import Reports
from .reconcile.target_side import TargetSide
from .reconcile.worker import Worker
from .storage.repositories import Storage
from .telemetry.port import Kind as SpanKind, span
from .upkeep import Upkeep
from .upkeep.delivery import Delivery, Nobody
from .upkeep.in_hand import Takeover
from .upkeep.leavers import Leavers
from .upkeep.measure import Measure
from .upkeep.newcomers import Newcomers
from .upkeep.notices import Noticing
from .upkeep.plans import PlanUpkeep
from .upkeep.poison import PoisonDrain
from .upkeep.retention import Retention
from .upkeep.weekly import Weekly


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
    configurations: Configurations
    apps: Sequence[AppOnTenant]  # for `xtsync doctor`
    closers: tuple[Callable[[], Awaitable[None]], ...]

    @property
    def guard(self) -> DeletionGuard:
        return self.engine.guard

    @property
    def creations(self) -> CreationGuard:
        return self.engine.creations

    @property
    def kept(self) -> KeptPeople:
        return self.engine.applier.kept

    @property
    def pauses(self) -> Pauses:
        return self.engine.pauses

    async def poll(self) -> None:
        """All that the poll's timer does."""
        with span("poll", SpanKind.WORKED):
            await self.feeds.poll()
            await self.upkeep.run()

    async def keep(self) -> None:
        """All that the timer of the subscriptions does."""
        with span("keep subscriptions", SpanKind.WORKED):
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
    messenger: Messenger | None = None,
    on_look: Callable[[Look], None] = lambda _: None,
    started: datetime | None = None,
    closers: Sequence[Callable[[], Awaitable[None]]] = (),
) -> Runtime:
    """The core on whatever stands behind its ports. `started`: see Configurations."""
    configurations = _configurations(config, storage, clock, started)
    storage = replace(storage, queues=configurations.stamped())
    guard = _guard(config, storage, clock)
    creations = CreationGuard(records=storage.creations, links=storage.links, ledger=guard.ledger, clock=clock)
    pauses = Pauses(records=storage.controls, clock=clock)
    applier = _applier(configurations, pauses, graph, storage, guard, creations, clock, new_nonce)
    engine = _engine(graph, storage, applier, on_look)
    worker = _worker(configurations, engine, storage, clock)
    feeds = _feeds(graph, storage, configurations, pauses, clock)
    noticing, weekly = _told(config, storage, messenger or Nobody(), clock)
    return Runtime(
        config=config,
        storage=storage,
        clock=clock,
        engine=engine,
        worker=worker,
        feeds=feeds,
        keeper=_keeper(graph, storage, feeds, clock, new_client_state),
        upkeep=_upkeep(configurations, storage, worker, feeds, noticing, weekly, keep_activity),
        configurations=configurations,
        apps=graph.apps,
        closers=tuple(closers),
    )


def _applier(
    configurations: Configurations,
    pauses: Pauses,
    graph: Directories,
    storage: Storage,
    guard: DeletionGuard,
    creations: CreationGuard,
    clock: Clock,
    new_nonce: Callable[[], str],
) -> Applier:
    links, queues, kept = storage.links, storage.queues, KeptPeople(records=storage.keeps, clock=clock)
    return Applier(
        targets=graph.targets,
        links=links,
        drifts=storage.drifts,
        guard=guard,
        creations=creations,
        pauses=pauses,
        kept=kept,
        heirs=Heirs(
            configurations=configurations,
            sources=graph.sources,
            targets=graph.targets,
            links=links,
            kept=kept,
            queues=queues,
            clock=clock,
        ),
        reports=Reports(sources=graph.sources, links=links, queues=queues, clock=clock),
        queues=queues,
        clock=clock,
        new_nonce=new_nonce,
    )


def _engine(graph: Directories, storage: Storage, applier: Applier, on_look: Callable[[Look], None]) -> Engine:
    drift = DriftKeeper(
        targets=graph.targets, records=storage.drifts, guards=storage.guards, pauses=applier.pauses, clock=applier.clock
    )
    return Engine(
        sources=graph.sources,
        targets=graph.targets,
        links=applier.links,
        guard=applier.guard,
        creations=applier.creations,
        pauses=applier.pauses,
        applier=applier,
        target_side=TargetSide(targets=graph.targets, drift=drift, clock=applier.clock),
        clock=applier.clock,
        on_look=on_look,
    )


def _guard(config: Config, storage: Storage, clock: Clock) -> DeletionGuard:
    ledger = Ledger(guards=storage.guards, links=storage.links, clock=clock, syncs=config.syncs)
    return DeletionGuard(guards=storage.guards, history=storage.guards, ledger=ledger, clock=clock)


def _upkeep(
    configurations: Configurations,
    storage: Storage,
    worker: Worker,
    feeds: FeedReader,
    noticing: Noticing,
    weekly: Weekly,
    keep_activity: timedelta,
) -> Upkeep:
    syncs, activity, poison, clock = configurations.syncs, storage.activity, storage.poison, noticing.clock
    creations = worker.engine.creations
    return Upkeep(
        takeover=Takeover(
            configurations=configurations,
            in_hand=storage.in_hand,
            links=storage.links,
            queues=storage.queues,
            feeds=feeds,
            clock=clock,
        ),
        newcomers=Newcomers(
            configurations=configurations, pauses=feeds.pauses, creations=creations, queues=storage.queues, clock=clock
        ),
        leavers=_leavers(configurations, storage, feeds.pauses, clock),
        poison=PoisonDrain(poison=poison, worker=worker, plans=storage.plans),
        plans=PlanUpkeep(plans=storage.plans, clock=clock),
        retention=Retention(syncs=syncs, activity=activity, history=storage.guards, clock=clock, keep=keep_activity),
        measure=Measure(
            syncs=syncs,
            feeds=feeds,
            pauses=feeds.pauses,
            subscriptions=storage.subscriptions,
            links=storage.links,
            guards=storage.guards,
            creations=creations,
            poison=poison,
            fronts=storage.fronts,
            activity=activity,
            clock=clock,
        ),
        noticing=noticing,
        weekly=weekly,
    )


def _leavers(configurations: Configurations, storage: Storage, pauses: Pauses, clock: Clock) -> Leavers:
    return Leavers(
        configurations=configurations,
        pauses=pauses,
        due=storage.due,
        keeps=storage.keeps,
        links=storage.links,
        queues=storage.queues,
        clock=clock,
    )


def _told(config: Config, storage: Storage, messenger: Messenger, clock: Clock) -> tuple[Noticing, Weekly]:
    receivers, delivery = config.receivers, Delivery(messenger=messenger, clock=clock)

    def new_id() -> str:
        return secrets.token_hex(12)

    weekly = Weekly(
        receivers=receivers,
        records=storage.weekly,
        activity=storage.activity,
        syncs=config.syncs,
        delivery=delivery,
        clock=clock,
        new_id=new_id,
    )
    noticing = Noticing(receivers=receivers, records=storage.notices, delivery=delivery, clock=clock, new_id=new_id)
    return noticing, weekly


def _configurations(config: Config, storage: Storage, clock: Clock, started: datetime | None) -> Configurations:
    async def record() -> None:
        now, text = clock.now(), f"sync.yaml {config.fingerprint}"
        events = [Event(at=now, sync=name, kind=Kind.CONFIGURED, reason=text) for name in config.syncs]
        await storage.activity.record(events)

    return Configurations(
        syncs=config.syncs,
        config=config.fingerprint,
        records=storage.syncs,
        links=storage.links,
        subscriptions=storage.subscriptions,
        queues=storage.queues,
        clock=clock,
        started=started,
        took_lead=record,
    )


def _feeds(
    graph: Directories, storage: Storage, configurations: Configurations, pauses: Pauses, clock: Clock
) -> FeedReader:
    syncs, links = configurations.syncs, storage.links
    users = UsersFeed(
        syncs=syncs, sources=graph.sources, targets=graph.targets, links=links, judged=configurations.sync, clock=clock
    )
    groups = GroupsFeed(syncs=syncs, directories=graph.groups, links=links, clock=clock)
    target = TargetFeed(syncs=syncs, targets=graph.targets, links=links, drifts=storage.drifts, clock=clock)
    return FeedReader(
        kinds={USERS: users, GROUPS: groups, TARGET: target},
        configurations=configurations,
        pauses=pauses,
        feeds=storage.feeds,
        guards=storage.guards,
        queues=storage.queues,
        clock=clock,
    )


def _keeper(
    graph: Directories,
    storage: Storage,
    feeds: FeedReader,
    clock: Clock,
    new_client_state: Callable[[], str],
) -> SubscriptionKeeper:
    return SubscriptionKeeper(
        apis=graph.subscriptions,
        records=storage.subscriptions,
        feeds=feeds,
        clock=clock,
        new_client_state=new_client_state,
    )


def _worker(configurations: Configurations, engine: Engine, storage: Storage, clock: Clock) -> Worker:
    return Worker(
        configurations=configurations,
        pauses=engine.pauses,
        engine=engine,
        links=storage.links,
        guard=engine.guard,
        queues=storage.queues,
        activity=storage.activity,
        in_hand=storage.in_hand,
        due=storage.due,
        clock=clock,
    )

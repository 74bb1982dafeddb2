"""Reads the feeds from the beginning and decides about everybody, and stores nothing.

Feeds, engine and guard are the real ones. Their writes stay in memory, so that the guard counts as it would
count. Graph is read by a runtime in read-only mode.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..assembly import Runtime
from ..decision.look import Look
from ..guard.deletions import DeletionGuard
from ..model import FeedRun, Nomination, Sync
from ..model.errors import ConflictError, SyncError, UnavailableError
from ..nominate.rounds import FeedReader
from ..ports import (
    Clock,
    ConfigurationRecord,
    CountedPerson,
    CreationRecord,
    Creations,
    FeedState,
    Guards,
    GuardWindow,
    HoldRecord,
    SyncRecord,
    SyncRecords,
)
from ..reconcile.engine import Engine

_AT_ONCE = 8
# A feed that Graph refuses to read for now is tried again; after that many times the rehearsal gives up.
_TRIES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The look at one user, or the error that stood in the way."""

    sync: str
    user: str
    look: Look | SyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    syncs: Mapping[str, Sync]
    feeds: FeedReader
    engine: Engine
    guard: DeletionGuard
    clock: Clock

    @classmethod
    def of(cls, runtime: Runtime, syncs: Mapping[str, Sync]) -> Rehearsal:
        """`runtime` is in read-only mode. `syncs` are those to look at, as they are judged now."""
        return cls(
            syncs=syncs,
            feeds=runtime.feeds,
            engine=runtime.engine,
            guard=runtime.guard,
            clock=runtime.clock,
        )

    async def nominees(self, tenant: str, on_step: Callable[[int], None] = lambda _: None) -> list[Nomination]:
        """The nominations that a full round of a source tenant's feeds would make. `on_step` takes their number so far.

        Raises what reading raises, and UnavailableError when a feed cannot be read.
        """
        queues = _Kept()
        configurations = self.feeds.configurations.rehearsed(_ScratchRecords(self.feeds.configurations.records))
        reader = replace(self.feeds, configurations=configurations, feeds=_ScratchFeeds(), queues=queues)
        await reader.start_round(tenant, full=True)
        while queues.runs:
            run, delay = queues.runs.popleft()
            if run.attempt >= _TRIES:
                raise UnavailableError(f"the feed of {tenant} cannot be read")
            await self.clock.sleep(delay)
            await reader.run(run)
            state = await reader.feeds.get(tenant, run.feed)
            if state.error and not queues.runs:
                raise UnavailableError(f"the feed of {tenant} cannot be read: {state.error}")
            on_step(len(queues.nominations))
        return list(queues.nominations.values())

    async def decide(self, nominations: Sequence[Nomination]) -> AsyncIterator[Planned]:
        """Look at each of them, several at a time, as the worker would; in the order in which they are done."""
        overlay = _Overlay(self.guard.guards)
        ledger = replace(self.guard.ledger, guards=overlay)
        guard = replace(self.guard, guards=overlay, ledger=ledger)
        creations = self.engine.creations.rehearsed(_ScratchCreations(self.engine.creations.records), ledger)
        engine = replace(self.engine, guard=guard, creations=creations, rehearses=True)
        waiting = deque(nominations)
        done: asyncio.Queue[Planned] = asyncio.Queue()

        async def work() -> None:
            while waiting:
                done.put_nowait(await self._look(engine, waiting.popleft()))

        async with asyncio.TaskGroup() as group:
            for _ in range(min(_AT_ONCE, len(waiting))):
                group.create_task(work())
            for _ in nominations:
                yield await done.get()

    async def _look(self, engine: Engine, nomination: Nomination) -> Planned:
        sync, user = self.syncs[nomination.sync], nomination.user
        try:
            # Not as a dry run: each deletion or invitation that would pass is counted in the overlay.
            return Planned(sync=sync.name, user=user, look=await engine.preview(sync, user, dry_run=False))
        except SyncError as error:
            return Planned(sync=sync.name, user=user, look=error)


@dataclass(slots=True)
class _Kept:
    """ports.Queues: nothing leaves. One nomination for each user and sync is enough."""

    nominations: dict[tuple[str, str], Nomination] = field(default_factory=dict)
    runs: deque[tuple[FeedRun, float]] = field(default_factory=deque)

    async def nominate(self, nominations: Sequence[Nomination], *, delay: float = 0) -> None:  # noqa: ARG002
        self.nominations |= {(each.sync, each.user): each for each in nominations}

    async def continue_feed(self, run: FeedRun, *, delay: float = 0) -> None:
        self.runs.append((run, delay))

    async def depths(self) -> Mapping[str, int]:
        return {}


@dataclass(slots=True)
class _ScratchFeeds:
    """ports.Feeds: every feed is to be read from its beginning."""

    states: dict[tuple[str, str], FeedState] = field(default_factory=dict)

    async def get(self, tenant: str, feed: str = "users") -> FeedState:
        return self.states.get((tenant, feed)) or FeedState(tenant=tenant, feed=feed)

    async def save(self, state: FeedState) -> FeedState:
        self.states[state.tenant, state.feed] = state
        return state


@dataclass(slots=True)
class _ScratchRecords:
    """ports.SyncRecords: no other configuration leads."""

    stored: SyncRecords
    configuration: ConfigurationRecord = field(default_factory=ConfigurationRecord)
    syncs: dict[str, SyncRecord] = field(default_factory=dict)

    async def all(self) -> tuple[ConfigurationRecord, Mapping[str, SyncRecord]]:
        _, syncs = await self.stored.all()
        return self.configuration, {**syncs, **self.syncs}

    async def save(self, record: SyncRecord) -> SyncRecord:
        self.syncs[record.name] = replace(record, etag="rehearsed")
        return self.syncs[record.name]

    async def drop(self, record: SyncRecord) -> None:
        self.syncs.pop(record.name, None)

    async def lead(self, record: ConfigurationRecord) -> ConfigurationRecord:
        self.configuration = replace(record, etag="rehearsed")
        return self.configuration


@dataclass(slots=True)
class _ScratchCreations:
    """ports.Creations: the invitations of the rehearsal lie over the stored ones."""

    stored: Creations
    records: dict[str, CreationRecord] = field(default_factory=dict)

    async def get(self, sync: str) -> CreationRecord:
        if sync not in self.records:
            self.records.setdefault(sync, await self.stored.get(sync))
        return self.records[sync]

    async def save(self, record: CreationRecord) -> CreationRecord:
        if record.etag != self.records[record.sync].etag:
            raise ConflictError
        self.records[record.sync] = replace(record, etag=f"{record.etag}+")
        return self.records[record.sync]


@dataclass(slots=True)
class _Overlay:
    """ports.Guards: the counts and holds of the rehearsal lie over the stored ones."""

    stored: Guards
    windows: dict[tuple[str, bool], GuardWindow] = field(default_factory=dict)
    people: dict[tuple[str, str], CountedPerson] = field(default_factory=dict)
    held: dict[tuple[str, str], HoldRecord | None] = field(default_factory=dict)

    async def window(self, of: str, *, month: bool = False) -> GuardWindow:
        if (of, month) not in self.windows:
            self.windows.setdefault((of, month), await self.stored.window(of, month=month))
        return self.windows[of, month]

    async def save_window(self, window: GuardWindow) -> GuardWindow:
        if window.etag != self.windows[window.of, window.month].etag:
            raise ConflictError
        saved = replace(window, etag=f"{window.etag}+")
        self.windows[window.of, window.month] = saved
        return saved

    async def counted(self, target_tenant: str, source_id: str) -> CountedPerson:
        return self.people.get((target_tenant, source_id)) or await self.stored.counted(target_tenant, source_id)

    async def save_counted(self, person: CountedPerson) -> CountedPerson:
        self.people[person.target_tenant, person.source_id] = person
        return person

    async def hold(self, sync: str, source_id: str) -> HoldRecord | None:
        if (sync, source_id) in self.held:
            return self.held[sync, source_id]
        return await self.stored.hold(sync, source_id)

    async def save_hold(self, hold: HoldRecord) -> HoldRecord:
        self.held[hold.sync, hold.source_id] = hold
        return hold

    async def drop_hold(self, hold: HoldRecord) -> None:
        self.held[hold.sync, hold.source_id] = None

    async def holds(self, sync: str) -> list[HoldRecord]:
        stored = {(each.sync, each.source_id): each for each in await self.stored.holds(sync)}
        return [each for each in (stored | self.held).values() if each is not None and each.sync == sync]

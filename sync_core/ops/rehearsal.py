"""Reads the feeds from the beginning and decides about everybody, and stores nothing.

Feeds, engine and guard are the real ones. Their writes stay in memory (scratch.py), so that the guard counts as it
would count. Graph is read by a runtime in read-only mode.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..assembly import Runtime
from ..decision.look import Look
from ..guard.deletions import DeletionGuard
from ..model import FeedRun, LinkState, Nomination, Sync, Why
from ..model.errors import SyncError, UnavailableError
from ..nominate.rounds import FeedReader
from ..ports import Clock, Feeds, Queues
from ..reconcile.engine import Engine
from .references import Compared, compared
from .scratch import KeptQueues, Scratch, ScratchRecords

_AT_ONCE = 8
# A feed that Graph refuses to read for now is tried again; after that many times the rehearsal gives up.
_TRIES = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The look at one user, or the error that stood in the way. `linked`: the record has a target user of theirs."""

    sync: str
    user: str
    linked: bool
    look: Look | SyncError


@dataclass(frozen=True, slots=True, kw_only=True)
class Rehearsal:
    syncs: Mapping[str, Sync]
    feeds: FeedReader
    engine: Engine
    guard: DeletionGuard
    clock: Clock
    scratch: Scratch = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "scratch", Scratch(self.guard.guards, self.engine.creations.records))

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

    def reader(self, feeds: Feeds, queues: Queues, since: datetime) -> FeedReader:
        """A reader whose rounds and nominations go there. One that goes on with its rounds names the same `since`."""
        records = ScratchRecords(self.feeds.configurations.records, self.syncs, since)
        configurations = self.feeds.configurations.rehearsed(records)
        return replace(self.feeds, configurations=configurations, feeds=feeds, queues=queues)

    async def nominees(self, tenant: str, on_step: Callable[[int], None] = lambda _: None) -> list[Nomination]:
        """The nominations that a full round of a source tenant's feeds would make. `on_step` takes their number so far.

        Raises what reading raises, and UnavailableError when a feed cannot be read.
        """
        nominations: dict[tuple[str, str], Nomination] = {}

        async def take(more: Sequence[Nomination]) -> None:
            nominations.update({(each.sync, each.user): each for each in more})

        queues = KeptQueues(take)
        reader = self.reader(self.scratch.feeds, queues, self.clock.now())
        await reader.start_round(tenant, full=True)
        while queues.runs:
            run, delay = queues.runs.pop(0)
            await self.clock.sleep(delay)
            await read_on(reader, run, queues)
            on_step(len(nominations))
        return list(nominations.values())

    async def compared(self, cursor: str, tenant: str | None = None) -> tuple[Compared, list[Nomination]] | None:
        """Some more linked users, and nominations of those with another manager; None at the end (references.py).

        With `tenant`, those of the syncs of this source tenant.
        """
        syncs = [each for each in self.syncs.values() if tenant in (None, each.source.key)]
        some = await compared(self.engine.links, syncs, cursor)
        if some is None:
            return None
        now = self.clock.now()
        differ = [Nomination(sync=some.sync, user=user, why=Why.MANAGER, at=now) for user in some.differ]
        return some, differ

    async def decide(self, nominations: Sequence[Nomination]) -> AsyncIterator[Planned]:
        """Look at each of them, several at a time, as the worker would; in the order in which they are done."""
        engine = self._rehearsing()
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

    def _rehearsing(self) -> Engine:
        ledger = replace(self.guard.ledger, guards=self.scratch.guards)
        guard = replace(self.guard, guards=self.scratch.guards, ledger=ledger)
        creations = self.engine.creations.rehearsed(self.scratch.creations, ledger)
        return replace(self.engine, guard=guard, creations=creations, rehearses=True)

    async def _look(self, engine: Engine, nomination: Nomination) -> Planned:
        sync, user = self.syncs[nomination.sync], nomination.user
        linked = False
        try:
            link = await engine.link(sync.name, user)
            linked = link.state is LinkState.LINKED
            # Not as a dry run: each deletion or invitation that would pass is counted in the overlay.
            look: Look | SyncError = await engine.preview(sync, user, link=link, dry_run=False)
        except SyncError as error:
            look = error
        return Planned(sync=sync.name, user=user, linked=linked, look=look)


async def read_on(reader: FeedReader, run: FeedRun, queues: KeptQueues) -> None:
    """Work on one message of a feed; those that follow it are in `queues`.

    Raises UnavailableError if the feed cannot be read: a plan of half the tenant would be worse than none."""
    if run.attempt >= _TRIES:
        raise UnavailableError(f"the feed of {run.tenant} cannot be read")
    await reader.run(run)
    state = await reader.feeds.get(run.tenant, run.feed)
    if state.error and not queues.runs:
        raise UnavailableError(f"the feed of {run.tenant} cannot be read: {state.error}")

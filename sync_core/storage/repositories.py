"""All stored state: the repositories over real tables and queues, or over those in memory.

storage = memory_storage(clock)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random

from ..model.messages import PLAN_JOBS
from ..ports import (
    Budgets,
    Clock,
    Controls,
    Creations,
    Drifts,
    DueNotes,
    Feeds,
    GuardTable,
    Keeps,
    Links,
    Notices,
    Plans,
    Queues,
    Subscriptions,
    SyncRecords,
)
from .activity import TableActivity
from .budgets import TableBudgets
from .concurrency import for_each
from .controls import TableControls
from .creations import TableCreations
from .drift import TableDrifts
from .feeds import TableFeeds
from .fronts import TableFronts
from .guards import TableGuards
from .in_hand import TableInHand
from .leaving import TableDueNotes, TableKeeps
from .links import TableLinks
from .memory import MemoryQueue, MemoryTable
from .notices import LATER, NOTICES, WEEKLY, TableNotices
from .plans import TablePlans
from .poison import PoisonQueues
from .queue import Queue
from .queues import ALL_QUEUES, WorkQueues
from .reading import ReadingQueue, ReadingTable
from .subscriptions import TableSubscriptions
from .syncs import TableSyncRecords
from .table import Table

TABLES = ("links", "feeds", "subscriptions", "guards", "activity", "controls", "plans")

type WrapTable = Callable[[str, Table], Table]
type WrapQueue = Callable[[str, Queue], Queue]
type Action = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The repositories, and the tables and queues below them by name, for tools and the simulator."""

    links: Links
    feeds: Feeds
    syncs: SyncRecords
    controls: Controls
    creations: Creations
    due: DueNotes
    keeps: Keeps
    drifts: Drifts
    subscriptions: Subscriptions
    guards: GuardTable
    activity: TableActivity
    budgets: Budgets
    notices: Notices
    weekly: Notices
    in_hand: TableInHand
    fronts: TableFronts
    queues: Queues
    poison: PoisonQueues
    plans: Plans
    tables_by_name: Mapping[str, Table]
    queues_by_name: Mapping[str, Queue]  # work and poison queues
    creators: Mapping[str, Action] = field(default_factory=dict)  # by name of table or queue; none in memory
    closers: Sequence[Action] = ()

    async def create(self, name: str) -> None:
        """Make one table or queue, if it is missing."""
        if name in self.creators:
            await self.creators[name]()

    async def create_all(self) -> None:
        """Make every table, queue and poison queue that is missing."""
        await for_each(list(self.creators), self.create)

    def for_reading(self) -> Storage:
        """The same state behind tables and queues that refuse every write."""
        return assemble_storage(
            {name: ReadingTable(table) for name, table in self.tables_by_name.items()},
            {name: ReadingQueue(queue) for name, queue in self.queues_by_name.items()},
        )

    async def close(self) -> None:
        for close in self.closers:
            await close()


def memory_storage(
    clock: Clock,
    rng: Random | None = None,
    *,
    wrap_table: WrapTable | None = None,
    wrap_queue: WrapQueue | None = None,
) -> Storage:
    """Storage in this process. With a random source, messages come out of the queues in any order.

    The repositories see what `wrap_table` and `wrap_queue` return, for example a table that fails on purpose.
    """
    tables: dict[str, Table] = {name: MemoryTable() for name in TABLES}
    queues: dict[str, Queue] = {name: MemoryQueue(clock, rng=rng) for name in ALL_QUEUES}
    return assemble_storage(
        {name: wrap_table(name, table) if wrap_table else table for name, table in tables.items()},
        {name: wrap_queue(name, queue) if wrap_queue else queue for name, queue in queues.items()},
    )


def assemble_storage(
    tables: Mapping[str, Table],
    queues: Mapping[str, Queue],
    *,
    creators: Mapping[str, Action] | None = None,
    closers: Sequence[Action] = (),
) -> Storage:
    """The repositories over tables (by the names in TABLES) and queues (by the names in ALL_QUEUES)."""
    return Storage(
        links=TableLinks(tables["links"]),
        feeds=TableFeeds(tables["feeds"]),
        controls=TableControls(tables["controls"]),
        creations=TableCreations(tables["guards"]),
        due=TableDueNotes(tables["guards"]),
        keeps=TableKeeps(tables["guards"]),
        drifts=TableDrifts(tables["guards"]),
        syncs=TableSyncRecords(tables["guards"]),
        subscriptions=TableSubscriptions(tables["subscriptions"]),
        guards=TableGuards(tables["guards"]),
        activity=TableActivity(tables["activity"]),
        budgets=TableBudgets(tables["guards"]),
        notices=TableNotices(tables["guards"], NOTICES, LATER),
        weekly=TableNotices(tables["guards"], WEEKLY),
        in_hand=TableInHand(tables["guards"]),
        fronts=TableFronts(tables["guards"], queues),
        queues=WorkQueues(queues),
        poison=PoisonQueues(queues),
        plans=TablePlans(tables["plans"], queues[PLAN_JOBS]),
        tables_by_name=tables,
        queues_by_name=queues,
        creators=creators or {},
        closers=closers,
    )

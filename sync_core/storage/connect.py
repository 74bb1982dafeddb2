"""All stored state, from a storage account or from nothing but memory. Azure's SDK is imported only when asked for.

storage = connect("UseDevelopmentStorage=true")
storage = connect_with_credential(table_uri=..., queue_uri=..., credential=...)
storage = memory_storage(clock)
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import TYPE_CHECKING

from ..ports import Budgets, Clock, Feeds, Guards, Links, Queues, Subscriptions
from .activity import TableActivity
from .budgets import TableBudgets
from .concurrency import for_each
from .feeds import TableFeeds
from .guards import TableGuards
from .links import TableLinks
from .memory import MemoryQueue, MemoryTable
from .queue import Queue
from .queues import ALL_QUEUES, WorkQueues
from .subscriptions import TableSubscriptions
from .table import Table

if TYPE_CHECKING:
    from azure.core.credentials_async import AsyncTokenCredential

    from .azure_account import AzureAccount

TABLES = ("links", "feeds", "subscriptions", "guards", "activity")

type WrapTable = Callable[[str, Table], Table]
type WrapQueue = Callable[[str, Queue], Queue]
type Action = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Storage:
    """The repositories, and below them the tables and queues by name, for tools and the simulator."""

    links: Links
    feeds: Feeds
    subscriptions: Subscriptions
    guards: Guards
    activity: TableActivity
    budgets: Budgets
    queues: Queues
    tables_by_name: Mapping[str, Table]
    queues_by_name: Mapping[str, Queue]  # work and poison queues
    creators: Mapping[str, Action] = field(default_factory=dict)  # by name of table or queue; nothing to do in memory
    closers: Sequence[Action] = ()

    async def create(self, name: str) -> None:
        """Make one table or queue if it is missing."""
        if name in self.creators:
            await self.creators[name]()

    async def create_all(self) -> None:
        """Make every table, queue and poison queue that is missing."""
        await for_each(list(self.creators), self.create)

    async def close(self) -> None:
        for close in self.closers:
            await close()


def connect(
    connection_string: str,
    *,
    prefix: str = "",
    wrap_table: WrapTable | None = None,
    wrap_queue: WrapQueue | None = None,
) -> Storage:
    """With an account key or a shared access signature; also `UseDevelopmentStorage=true`.

    `prefix` (lower-case letters and digits) goes before every name, so that several may share one account.
    """
    from .azure_account import AzureAccount  # noqa: PLC0415 - the simulator and the unit tests need no SDK

    return _azure(AzureAccount.from_connection_string(connection_string), prefix, wrap_table, wrap_queue)


def connect_with_credential(
    *,
    table_uri: str,
    queue_uri: str,
    credential: AsyncTokenCredential,
    prefix: str = "",
    wrap_table: WrapTable | None = None,
    wrap_queue: WrapQueue | None = None,
) -> Storage:
    """With Entra tokens: `https://<account>.table.core.windows.net` and the like. The caller closes the credential."""
    from .azure_account import AzureAccount  # noqa: PLC0415 - likewise

    account = AzureAccount.from_credential(table_uri, queue_uri, credential)
    return _azure(account, prefix, wrap_table, wrap_queue)


def memory_storage(
    clock: Clock,
    rng: Random | None = None,
    *,
    wrap_table: WrapTable | None = None,
    wrap_queue: WrapQueue | None = None,
) -> Storage:
    """With a random source, messages come out of the queues in any order."""
    return _assemble(
        {name: MemoryTable() for name in TABLES},
        {name: MemoryQueue(clock, rng=rng) for name in ALL_QUEUES},
        wrap_table=wrap_table,
        wrap_queue=wrap_queue,
    )


def _azure(account: AzureAccount, prefix: str, wrap_table: WrapTable | None, wrap_queue: WrapQueue | None) -> Storage:
    tables = {name: account.table(prefix + name) for name in TABLES}
    queues = {name: account.queue(prefix + name) for name in ALL_QUEUES}
    return _assemble(
        tables,
        queues,
        wrap_table=wrap_table,
        wrap_queue=wrap_queue,
        creators={
            **{name: table.create for name, table in tables.items()},
            **{name: queue.create for name, queue in queues.items()},
        },
        closers=(account.close,),
    )


def _assemble(
    raw_tables: Mapping[str, Table],
    raw_queues: Mapping[str, Queue],
    *,
    wrap_table: WrapTable | None,
    wrap_queue: WrapQueue | None,
    creators: Mapping[str, Action] | None = None,
    closers: Sequence[Action] = (),
) -> Storage:
    tables = {name: wrap_table(name, table) if wrap_table else table for name, table in raw_tables.items()}
    queues = {name: wrap_queue(name, queue) if wrap_queue else queue for name, queue in raw_queues.items()}
    return Storage(
        links=TableLinks(tables["links"]),
        feeds=TableFeeds(tables["feeds"]),
        subscriptions=TableSubscriptions(tables["subscriptions"]),
        guards=TableGuards(tables["guards"]),
        activity=TableActivity(tables["activity"]),
        budgets=TableBudgets(tables["guards"]),
        queues=WorkQueues(queues),
        tables_by_name=tables,
        queues_by_name=queues,
        creators=creators or {},
        closers=closers,
    )

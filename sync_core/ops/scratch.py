"""What a rehearsal writes: it lies over the stored state and goes nowhere.

Feeds, windows and invitations are kept by the repositories themselves, in tables in memory. So they can be put into a
checkpoint as rows, and a rehearsal that goes on elsewhere counts on from there. People and holds are not part of it:
all looks at one user are taken in one go.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..model import FeedRun, Nomination, Sync
from ..ports import (
    ConfigurationRecord,
    CountedPerson,
    CreationRecord,
    Creations,
    Guards,
    GuardWindow,
    HoldRecord,
    SyncRecord,
    SyncRecords,
)
from ..storage.creations import TableCreations
from ..storage.feeds import TableFeeds
from ..storage.guards import TableGuards
from ..storage.memory import MemoryTable
from ..storage.table import Row

type SavedRow = tuple[str, str, str, Mapping[str, str | int | float | bool]]  # table, keys, values


class Scratch:
    """All that one rehearsal has written so far."""

    def __init__(self, guards: Guards, creations: Creations) -> None:
        self._tables = {"feeds": MemoryTable(), "guards": MemoryTable()}
        self.feeds = TableFeeds(self._tables["feeds"])
        self.guards = _Overlay(stored=guards, scratch=TableGuards(self._tables["guards"]))
        self.creations = _Invitations(stored=creations, scratch=TableCreations(self._tables["guards"]))

    async def saved(self) -> list[SavedRow]:
        return [
            (name, row.pk, row.rk, row.values)
            for name, table in self._tables.items()
            async for row in table.query(None)
        ]

    async def restore(self, rows: Sequence[SavedRow]) -> None:
        for name, pk, rk, values in rows:
            await self._tables[name].upsert(Row(pk=pk, rk=rk, values=values))


@dataclass(slots=True)
class KeptQueues:
    """ports.Queues: nothing leaves. `runs` are the messages of the feeds, each with its delay in seconds."""

    take: Callable[[Sequence[Nomination]], Awaitable[None]]
    runs: list[tuple[FeedRun, float]] = field(default_factory=list)

    async def nominate(self, nominations: Sequence[Nomination], *, delay: float = 0) -> None:  # noqa: ARG002
        await self.take(nominations)

    async def continue_feed(self, run: FeedRun, *, delay: float = 0) -> None:
        self.runs.append((run, delay))

    async def depths(self) -> Mapping[str, int]:
        return {}


@dataclass(slots=True)
class ScratchRecords:
    """ports.SyncRecords: no other configuration leads, and since `since` each of these syncs is judged as it is now.

    A round that goes on elsewhere asks the same question only if that time is the same.
    """

    stored: SyncRecords
    judged: Mapping[str, Sync]
    since: datetime
    configuration: ConfigurationRecord = field(default_factory=ConfigurationRecord)
    syncs: dict[str, SyncRecord] = field(default_factory=dict)

    async def all(self) -> tuple[ConfigurationRecord, Mapping[str, SyncRecord]]:
        _, stored = await self.stored.all()
        judged = {
            name: replace(
                stored.get(name) or SyncRecord(name=name, tenants=sync.tenants, etag="rehearsed"),
                config=sync.fingerprint,
                since=self.since,
            )
            for name, sync in self.judged.items()
        }
        return self.configuration, {**stored, **judged, **self.syncs}

    async def save(self, record: SyncRecord) -> SyncRecord:
        self.syncs[record.name] = replace(record, etag="rehearsed")
        return self.syncs[record.name]

    async def drop(self, record: SyncRecord) -> None:
        self.syncs.pop(record.name, None)

    async def lead(self, record: ConfigurationRecord) -> ConfigurationRecord:
        self.configuration = replace(record, etag="rehearsed")
        return self.configuration


@dataclass(frozen=True, slots=True, kw_only=True)
class _Invitations:
    """ports.Creations: the invitations of the rehearsal lie over the stored ones."""

    stored: Creations
    scratch: Creations

    async def get(self, sync: str) -> CreationRecord:
        mine = await self.scratch.get(sync)
        return mine if mine.etag is not None else replace(await self.stored.get(sync), etag=None)

    async def save(self, record: CreationRecord) -> CreationRecord:
        return await self.scratch.save(record)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Overlay:
    """ports.Guards: the counts and holds of the rehearsal lie over the stored ones."""

    stored: Guards
    scratch: Guards
    people: dict[tuple[str, str], CountedPerson] = field(default_factory=dict)
    held: dict[tuple[str, str], HoldRecord | None] = field(default_factory=dict)

    async def window(self, of: str, *, month: bool = False) -> GuardWindow:
        mine = await self.scratch.window(of, month=month)
        return mine if mine.etag is not None else replace(await self.stored.window(of, month=month), etag=None)

    async def save_window(self, window: GuardWindow) -> GuardWindow:
        return await self.scratch.save_window(window)

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

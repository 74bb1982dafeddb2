"""`plan`: how long a plan as a job takes of a tenant of newcomers, and how much memory, by the number of users.

Source and target answer at once from a formula, and the table of plans is a file. So the time is that of this program
alone, and the memory is what it holds. In Azure a user costs a few requests to Graph and storage more, eight at a time.
"""

from __future__ import annotations

import json
import resource
import sqlite3
import time
import tracemalloc
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from contextlib import closing
from dataclasses import replace
from typing import Any, Unpack

from sync_core.assembly import Directories, assemble
from sync_core.config.file import parse_config
from sync_core.deployment import SystemClock
from sync_core.model import Attributes, PlanRun, SourceState, SourceUser, TargetUser
from sync_core.model.errors import ConflictError
from sync_core.ops.planner import Planner
from sync_core.ports import DeltaPage, PlanJob
from sync_core.storage.memory import MemoryQueue
from sync_core.storage.plans import TablePlans
from sync_core.storage.repositories import memory_storage
from sync_core.storage.table import Query, Row

from .figures import Figure
from .run import Run, StalledError

_PEOPLE = 100_000
_PAGE = 200  # users of a delta page
_RUNS = 1000  # of the function, at most
_FILE = """\
tenants:
  contoso: { id: 11111111-1111-1111-1111-111111111111 }
  fabrikam: { id: 22222222-2222-2222-2222-222222222222 }
syncs:
  - { name: contoso-to-fabrikam, source: contoso, target: fabrikam }
"""
_NAMES = "accountEnabled,creationType,displayName,externalUserState,id,mail,userPrincipalName,userType"


class _Source:
    """ports.SourceDirectory, as far as a plan reads it."""

    select = _NAMES

    def __init__(self, people: int, clock: SystemClock) -> None:
        self._people, self._clock = people, clock

    async def read_user(self, user_id: str, groups: Collection[str] = ()) -> SourceUser:  # noqa: ARG002
        return self._user(int(user_id[:8], 16))

    async def delta_page(self, link: str | None) -> DeltaPage:
        first = int(link or 0)
        behind = min(first + _PAGE, self._people)
        users = [self._user(n) for n in range(first, behind)]
        if behind == self._people:
            return DeltaPage(users=users, delta_link="end")
        return DeltaPage(users=users, next_link=str(behind))

    async def existing(self, user_ids: Sequence[str]) -> set[str]:
        return set(user_ids)

    async def verified_domains(self) -> frozenset[str]:
        return frozenset({"contoso.example"})

    async def reports(self, user_id: str) -> list[str] | None:  # noqa: ARG002
        return []

    async def missing_groups(self, groups: Collection[str]) -> set[str]:  # noqa: ARG002
        return set()

    def _user(self, n: int) -> SourceUser:
        address = f"person{n}@contoso.example"
        attributes: Attributes = {
            **dict.fromkeys(_NAMES.split(",")),
            "accountEnabled": True,
            "displayName": f"Person {n}",
            "mail": address,
            "userPrincipalName": address,
            "userType": "Member",
        }
        user_id = f"{n:08x}-0000-4000-8000-000000000001"
        return SourceUser(id=user_id, state=SourceState.LIVE, attributes=attributes, read_at=self._clock.now())


class _Target:
    """ports.TargetDirectory without anybody in it. A plan asks for candidates, and writes nothing."""

    async def candidates(self, address: str | None, **_: object) -> list[TargetUser]:  # noqa: ARG002
        return []


class _File:
    """storage.table.Table in a temporary file of SQLite, which it removes by itself."""

    def __init__(self) -> None:
        self._rows = sqlite3.connect("", isolation_level=None)
        self._rows.execute("create table r (pk text, rk text, said text, etag integer, primary key (pk, rk))")
        self._etag = 0

    async def get(self, pk: str, rk: str) -> Row | None:
        found = self._rows.execute("select pk, rk, said, etag from r where pk = ? and rk = ?", (pk, rk)).fetchone()
        return None if found is None else _row(*found)

    async def insert(self, row: Row) -> str:
        if await self.get(row.pk, row.rk) is not None:
            raise ConflictError
        return await self.upsert(row)

    async def replace(self, row: Row, etag: str) -> str:
        there = await self.get(row.pk, row.rk)
        if there is None or there.etag != etag:
            raise ConflictError
        return await self.upsert(row)

    async def upsert(self, row: Row) -> str:
        self._etag += 1
        values = (row.pk, row.rk, json.dumps(dict(row.values)), self._etag)
        self._rows.execute("insert or replace into r values (?, ?, ?, ?)", values)
        return str(self._etag)

    async def delete(self, pk: str, rk: str, etag: str | None = None) -> None:  # noqa: ARG002
        self._rows.execute("delete from r where pk = ? and rk = ?", (pk, rk))

    async def query(self, pk: str | None, **options: Unpack[Query]) -> AsyncIterator[Row]:
        where, limit = options.get("where") or {}, options.get("limit")
        asked = (pk, options.get("rk_from", ""), options.get("rk_to", "") or "~~~", -1 if limit is None else limit)
        sql = "select pk, rk, said, etag from r where pk = ? and rk >= ? and rk < ? order by rk limit ?"
        with closing(self._rows.execute(sql, asked)) as found:
            for each in found:
                row = _row(*each)
                if where.items() <= row.values.items():
                    yield row


def _row(pk: str, rk: str, said: str, etag: int) -> Row:
    return Row(pk=pk, rk=rk, values=json.loads(said), etag=str(etag))


async def measure(run: Run) -> list[Figure]:
    people = run.size(_PEOPLE)
    with run.step(f"a plan of {people:,} newcomers", people):
        seconds, rss, job = await _planned(people)
    with run.step("the same, its memory traced, of a tenth and of half as many", people):
        small, large = await _traced(people // 10), await _traced(people // 2)
    beside = f"{people:,} newcomers, {sum(job.counts['contoso-to-fabrikam'].values()):,} changes"
    return [
        Figure(name="a plan", value=round(seconds, 1), unit="s", beside=beside),
        Figure(name="for each user", value=round(seconds / people * 1000, 2), unit="ms", beside="this program alone"),
        Figure(name="largest size of the process", value=round(rss, 1), unit="MiB", beside="all of it, with imports"),
        Figure(name="peak above the start", value=large, unit="MiB", beside=f"{small} MiB with a fifth of the users"),
    ]


async def _planned(people: int) -> tuple[float, float, PlanJob]:
    began = time.perf_counter()
    job = await _plan(people)
    return time.perf_counter() - began, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024, job


async def _traced(people: int) -> float:
    """The largest size of all objects while the plan is made, above that at the beginning."""
    tracemalloc.start()
    try:
        before, _ = tracemalloc.get_traced_memory()
        await _plan(people)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    return round((peak - before) / 2**20, 1)


async def _plan(people: int) -> PlanJob:
    """Raises StalledError unless everybody is planned."""
    clock = SystemClock()
    storage = memory_storage(clock)
    plans = TablePlans(_File(), MemoryQueue(clock))  # the loop below delivers in its place
    graph: Mapping[str, Any] = {"contoso": _Source(people, clock)}

    def build(config: Any) -> Any:
        target: Any = _Target()
        there = Directories(sources=graph, groups={}, targets={"fabrikam": target}, subscriptions={})
        return assemble(config, there, storage.for_reading(), clock)

    job = PlanJob(id="0" * 24, asked_at=clock.now(), asked_by="bench", candidate=False)
    await plans.add(job, _FILE)
    planner = Planner(plans=plans, clock=clock, deployed=parse_config(_FILE), build=build)
    for _ in range(_RUNS):
        await planner.run(PlanRun(job=job.id))
        done = await plans.get(job.id)
        if done is not None and done.over:
            if done.error or done.decided != people:
                raise StalledError(f"the plan ended with {done.decided} users: {done.error}")
            return replace(done, checkpoint="")
    raise StalledError("the plan did not end")

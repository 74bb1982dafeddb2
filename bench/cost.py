"""`cost`: what each kind of work takes: counts, which do not depend on the machine, and CPU time, which hardly does.

Waiting hosts ask their queues; the CPU time of that is measured first, and taken off.

Requests to Graph are on the emulator's log, operations of storage on Azurite's, executions and log lines on what the
host would send to Application Insights. One process has all functions. docs/performance.md shows the figures.
"""

from __future__ import annotations

import json
import tempfile
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from pathlib import Path

from local.demo import CONTOSO, FABRIKAM
from local.emulated import User
from local.groups import split
from local.stack import ROOT
from sync_core.reconcile.coalescing import COALESCE_WITHIN

from .figures import Figure
from .linked import link_everybody
from .processes import cpu_seconds, peak_memory
from .requests import Request
from .run import Run
from .storage_log import QUEUE, TABLE, StorageLog
from .tenants import STORAGE, TELEMETRY, TwoTenants, two_tenants

_PEOPLE = 400  # linked before; unchanged in the full round
_NEWCOMERS, _CHANGES, _LEAVERS, _POLLS = 30, 20, 8, 3  # a tenth in a quick run
_QUIET_S = COALESCE_WITHIN / timedelta(seconds=1) + 1  # no message is hidden for longer
NEWCOMER, CHANGE, LEAVER, POLL, ROUND = "a new user", "a change", "a leaver", "a poll", "a full round"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Mark:
    request: int
    storage: int  # a place in each of the two files
    telemetry: int
    cpu_s: float
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class _Measured:
    here: TwoTenants
    storage: StorageLog
    telemetry: Path
    idle: float = 0  # CPU seconds in a second without work

    async def of(
        self, what: str, count: float, work: Callable[[], Awaitable[object]], *, per: str = ""
    ) -> list[Figure]:
        """Do the work, wait until all is quiet, and give the counts of one of `count`."""
        mark = await self._mark()
        with self.here.run.step(f"{what}, {count:g} times", 1):
            await work()
            await self.quiet()
        cpu_s, seconds = self._cpu_s() - mark.cpu_s, time.monotonic() - mark.at
        beside = per or f"mean of {count:g}"
        requests = await self.here.log.since(mark.request)
        storage, told = self.storage.since(mark.storage), self._told(mark.telemetry)
        values: Mapping[str, tuple[float, str]] = {
            **_graph(requests),
            "table operations": (storage[TABLE], ""),
            "queue operations, polls left out": (storage[QUEUE], ""),
            **_executions([row for name, row in told if name == "AppRequests"]),
            "rows of log": (len(told), ""),
            "bytes of log": (sum(len(json.dumps(row)) for _, row in told), "B"),
            "CPU": (1000 * (cpu_s - self.idle * seconds), "ms"),
        }
        return [
            Figure(name=f"{what}: {name}", value=round(value / count, 3), unit=unit, beside=beside)
            for name, (value, unit) in values.items()
        ]

    async def _mark(self) -> _Mark:
        return _Mark(
            request=await self.here.log.last(),
            storage=self.storage.end(),
            telemetry=self.telemetry.stat().st_size,
            cpu_s=self._cpu_s(),
            at=time.monotonic(),
        )

    async def waiting(self) -> float:
        """The CPU seconds of a second without work."""
        mark = await self._mark()
        await self.quiet()
        return (self._cpu_s() - mark.cpu_s) / (time.monotonic() - mark.at)

    def _cpu_s(self) -> float:
        return cpu_seconds(self.here.stack.host_processes)

    async def quiet(self) -> None:
        """Asks nothing of storage, whose requests are counted."""
        seen, since_when = (0, 0, 0), time.monotonic()

        async def done() -> bool:
            nonlocal seen, since_when
            storage = self.storage.since(0)
            if seen != (now := (await self.here.log.last(), storage[TABLE], storage[QUEUE])):
                seen, since_when = now, time.monotonic()
            return time.monotonic() - since_when > _QUIET_S

        await self.here.until(done, "it was never quiet")

    def _told(self, place: int) -> list[tuple[str, User]]:
        with self.telemetry.open("rb") as file:
            file.seek(place)
            return [(table, row) for table, row in map(json.loads, file.read().decode().splitlines())]


async def measure(run: Run) -> list[Figure]:
    with tempfile.TemporaryDirectory() as folder:
        kept = Path(folder)
        async with two_tenants(run, run.size(_PEOPLE), kept=kept) as here:
            (kept / TELEMETRY).touch()
            await link_everybody(here)
            await here.settle()
            measured = _Measured(here=here, storage=StorageLog(kept / STORAGE), telemetry=kept / TELEMETRY)
            await measured.of("getting quiet", 1, partial(here.by_hand, "poll_feeds"))
            figures = await _all(replace(measured, idle=await measured.waiting()))
            expected = len(here.people) - run.size(_LEAVERS) + run.size(_NEWCOMERS)
            wrong = abs(await here.guests() - expected)
            return [
                *figures,
                *peak_memory(here.stack.host_processes[0], limit=200),
                Figure(name="B2B users too many or too few", value=wrong, unit="", limit=0),
            ]


async def _all(measured: _Measured) -> list[Figure]:
    here, size = measured.here, measured.here.run.size
    thousands = len(here.people) / 1000
    polls, changes, newcomers, leavers = size(_POLLS), size(_CHANGES), size(_NEWCOMERS), size(_LEAVERS)

    async def polled() -> None:
        for _ in range(polls):  # one that meets another would be a part of it
            await here.by_hand("poll_feeds")
            await measured.quiet()

    async def changed() -> None:
        for n, person in enumerate(here.people[:changes]):
            start = await here.log.last()
            await here.change(person, {"jobTitle": f"Moved {n}"})
            await here.until(partial(_written, here, start), "a change did not reach the target", every_s=0.02)

    async def left() -> None:
        for person in here.people[-leavers:]:
            await here.emulated.graph(CONTOSO, "DELETE", f"/users/{person['id']}")

    figures = [
        *await measured.of(POLL, polls, polled),
        *await measured.of(CHANGE, changes, changed),
        *await measured.of(LEAVER, leavers, left),
    ]
    round_of = partial(here.runtime.feeds.start_round, here.sync.source.key, full=True)
    per = f"of {len(here.people):,} people: a thousandth of the whole for each"
    figures += await measured.of(f"{ROUND}, for 1,000 people", thousands, round_of, per=per)
    await here.emulated.control("PUT", "/delivery", {"enabled": False})
    await _hire(here, newcomers)
    return [*figures, *await measured.of(NEWCOMER, newcomers, partial(here.by_hand, "poll_feeds"))]


async def _written(here: TwoTenants, start: int) -> bool:
    return any(request.writes for request in await here.log.since(start, tenant=FABRIKAM))


async def _hire(here: TwoTenants, count: int) -> None:
    """Users of the source of whom no notification tells, without a manager: the poll finds them together."""
    for n in range(count):
        address = f"newcomer{n}@contoso.example"
        hire: User = {
            "accountEnabled": True,
            "displayName": f"Newcomer {n}",
            "mailNickname": f"newcomer{n}",
            "userPrincipalName": address,
            "mail": address,
            "passwordProfile": {"password": "not-a-secret-1"},
        }
        await here.emulated.graph(CONTOSO, "POST", "/users", hire)


def _graph(requests: list[Request]) -> Mapping[str, tuple[float, str]]:
    """The source is read; what is written there is done by this benchmark."""
    target = [request for request in requests if request.tenant == FABRIKAM]
    source = [request for request in requests if request.tenant == CONTOSO and not request.writes]
    return {
        "requests to the source tenant": (len(source), ""),
        "reads of the target tenant": (sum(not request.writes for request in target), ""),
        "writes to the target tenant": (sum(request.writes for request in target), ""),
    }


def _executions(rows: list[User]) -> Mapping[str, tuple[float, str]]:
    """The always-ready instance has the HTTP functions."""
    names = Counter(str(row["Name"]) for row in rows)
    http = sum(count for name, count in names.items() if name in split(ROOT)[0])
    return {"executions of HTTP functions": (http, ""), "other executions": (names.total() - http, "")}

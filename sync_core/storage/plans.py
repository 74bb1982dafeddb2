"""Plans that run as jobs. Table `plans`: PK job:, RK <id> is the job; PK <id> has its file and its users.

Of a user the row has object id, sync, kind of change and the change as JSON: attribute names and reasons, no values.
Nominees are inserted and never overwritten, so that a reader who comes late takes no decision away.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace

from ..model import PlanRun
from ..model.errors import ConflictError
from ..model.messages import encode
from ..ports import Nominee, PlanEntry, PlanExtent, PlanJob, PlanState
from .columns import check_version, columns, flag, number, time, time_or_none
from .concurrency import for_each
from .errors import StorageRefusedError
from .queue import Queue
from .table import Row, Table, Value, after_prefix, key, unkey

_JOBS = "job:"
_TEXT = "text"
_USER = "user:"
_NO_TABLE = "TableNotFound"
_PART = 16_000  # characters of one column, of at most four bytes each
_SHORT = (
    *("v", "state", "asked_at", "asked_by", "candidate", "sync", "started_at", "progress_at", "finished_at"),
    *("busy_until", "read", "nominated", "decided", "cursor", "error", "hint"),
)


class TablePlans:
    """ports.Plans."""

    def __init__(self, table: Table, queue: Queue) -> None:
        self._table, self._queue = table, queue

    async def add(self, job: PlanJob, text: str) -> PlanJob:
        await self._table.upsert(Row(pk=job.id, rk=_TEXT, values=columns(_parts("text", text))))
        return await self.save(job)

    async def get(self, job: str) -> PlanJob | None:
        row = await _unless_missing(lambda: self._table.get(_JOBS, key(job)))
        return None if row is None else _job(row)

    async def text(self, job: str) -> str:
        row = await self._table.get(job, _TEXT)
        return "" if row is None else _whole(row, "text")

    async def save(self, job: PlanJob) -> PlanJob:
        row = Row(pk=_JOBS, rk=key(job.id), values=_values(job))
        etag = await (self._table.insert(row) if job.etag is None else self._table.replace(row, job.etag))
        return replace(job, etag=etag)

    async def jobs(self) -> Sequence[PlanJob]:
        async def read() -> list[PlanJob]:
            return [_job(row) async for row in self._table.query(_JOBS, select=_SHORT)]

        return await _unless_missing(read) or []

    async def nominate(self, job: str, pairs: Sequence[tuple[str, str]]) -> None:
        async def insert(pair: tuple[str, str]) -> None:
            with suppress(ConflictError):
                await self._table.insert(Row(pk=job, rk=_place(*pair), values=columns({})))

        await for_each(pairs, insert)

    async def nominees(self, job: str, after: str, limit: int) -> Sequence[Nominee]:
        return [_nominee(row.rk) async for row in self._users(job, after, select=("v",), limit=limit)]

    async def count(self, job: str) -> int:
        return sum([1 async for _ in self._users(job, "", select=("v",))])

    async def keep(self, job: str, entries: Sequence[PlanEntry]) -> None:
        async def keep(entry: PlanEntry) -> None:
            place = entry.nominee.place
            if not entry.kind:
                await self._table.delete(job, place)
                return
            values = columns(
                {"known": True, "sync": entry.nominee.sync, "kind": entry.kind, **_parts("said", entry.said)}
            )
            await self._table.upsert(Row(pk=job, rk=place, values=values))

        await for_each(entries, keep)

    async def entries(
        self, job: PlanJob, after: str, limit: int, *, sync: str = "", kind: str = ""
    ) -> Sequence[PlanEntry]:
        if not job.cursor:
            return []
        where: dict[str, str | bool] = {"known": True}
        where |= {name: text for name, text in (("sync", sync), ("kind", kind)) if text}
        rows = self._users(job.id, after, to=f"{job.cursor} ", where=where, limit=limit)
        return [PlanEntry(nominee=_nominee(r.rk), kind=r.text("kind"), said=_whole(r, "said")) async for r in rows]

    async def drop(self, job: str, limit: int) -> int:
        rows = [row.rk async for row in self._table.query(job, select=("v",), limit=limit)]
        await for_each(rows, lambda rk: self._table.delete(job, rk))
        if len(rows) < limit:
            await self._table.delete(_JOBS, key(job))
        return len(rows)

    async def work_on(self, run: PlanRun, *, delay: float = 0) -> None:
        await self._queue.send(encode(run), delay=delay)

    def _users(
        self,
        job: str,
        after: str,
        *,
        to: str = "",
        where: Mapping[str, str | bool] | None = None,
        select: Sequence[str] = (),
        limit: int | None = None,
    ) -> AsyncIterator[Row]:
        """The rows behind a place: no key stands between one and the same with a space."""
        return self._table.query(
            job,
            rk_from=f"{after} " if after else _USER,
            rk_to=to or after_prefix(_USER),
            where=where,
            select=select,
            limit=limit,
        )


async def _unless_missing[T](read: Callable[[], Awaitable[T]]) -> T | None:
    try:
        return await read()
    except StorageRefusedError as error:
        if error.storage_code != _NO_TABLE:
            raise
        return None


def _values(job: PlanJob) -> Mapping[str, Value]:
    return columns(
        {
            "state": job.state.value,
            "asked_at": job.asked_at,
            "asked_by": job.asked_by,
            "candidate": job.candidate,
            "sync": job.sync,
            "started_at": job.started_at,
            "progress_at": job.progress_at,
            "finished_at": job.finished_at,
            "busy_until": job.busy_until,
            "read": job.read,
            "nominated": job.nominated,
            "decided": job.decided,
            "cursor": job.cursor,
            "error": job.error,
            "hint": job.hint,
            **_parts("counts", json.dumps({name: dict(of) for name, of in job.counts.items()})),
            **_parts("extents", json.dumps({name: asdict(of) for name, of in job.extents.items()})),
            **_parts("checkpoint", job.checkpoint),
        }
    )


def _job(row: Row) -> PlanJob:
    check_version(row, "plan")
    return PlanJob(
        id=unkey(row.rk),
        asked_at=time(row, "asked_at"),
        asked_by=row.text("asked_by"),
        candidate=flag(row, "candidate"),
        sync=row.text("sync"),
        state=PlanState(row.text("state")),
        started_at=time_or_none(row, "started_at"),
        progress_at=time_or_none(row, "progress_at"),
        finished_at=time_or_none(row, "finished_at"),
        busy_until=time_or_none(row, "busy_until"),
        read=number(row, "read"),
        nominated=number(row, "nominated") if "nominated" in row.values else None,
        decided=number(row, "decided"),
        counts=json.loads(_whole(row, "counts") or "{}"),
        extents={name: PlanExtent(**of) for name, of in json.loads(_whole(row, "extents") or "{}").items()},
        cursor=row.text("cursor"),
        checkpoint=_whole(row, "checkpoint"),
        error=row.text("error"),
        hint=row.text("hint"),
        etag=row.etag,
    )


def _parts(name: str, text: str) -> dict[str, str]:
    """A long text as several columns."""
    return {f"{name}{n}": text[at : at + _PART] for n, at in enumerate(range(0, len(text), _PART))}


def _whole(row: Row, name: str) -> str:
    parts: list[str] = []
    while (part := f"{name}{len(parts)}") in row.values:
        parts.append(row.text(part))
    return "".join(parts)


def _place(user: str, sync: str) -> str:
    return f"{_USER}{key(user)}:{key(sync)}"


def _nominee(place: str) -> Nominee:
    _, user, sync = place.split(":")
    return Nominee(place=place, user=unkey(user), sync=unkey(sync))

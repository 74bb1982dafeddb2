"""The record of what happened, for people: newest first, by sync, by person and by kind. Table `activity`.

    listing   PK <sync>               RK <inverted time>.<kind>~<user>
    timeline  PK <sync>:<user>        RK <inverted time>.<kind>
    by kind   PK <sync>:kind:<kind>   RK as in the listing
    vouched   PK <sync>:kind:         RK since
    poison    PK poison:              RK <queue>:<message id>
    to copy   PK export:, export:note (export_notes.py)

Table Storage has no second index, so each event is one row in each of the three. An event of a sync as a whole has no
timeline. The listing is written first. If the process dies then, the event is missing in the other two, and retention,
which goes by the listing, forgets none. The row key of version 0.1 has no kind; it takes any text before the tilde for
the key in the timeline, and so it prunes rows of today. It writes no row by kind: `vouch` says since when there are
all, and before that a question by kind is answered by the listing.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from ..model import Event, Kind, Why
from ..model.errors import ConflictError
from ..ports import Asked, Page, Poisoned, Tally
from .activity_rows import columns_of, events_of, kinds_of
from .columns import check_version, columns, flag, moment_of, newest_first, time, time_or_none
from .concurrency import for_each
from .export_notes import ExportNotes, Note
from .table import Row, Table, after_prefix, key

MAX_BODY_BYTES = 32 * 1024  # of UTF-8; as UTF-16 at most 64 KiB, the limit of a column

_POISON = "poison:"  # no sync's partition: `key` never yields a colon
_SINCE = "since"
_PLACE = re.compile(r"[0-9]{17}[ -~]{0,1000}\n[ -~]{1,256}")  # a row key, and the name of its sync
# An event may be written so much later than it happened, by another machine's clock.
_LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Range:
    """Rows of one partition, in the order of their keys. With `kinds`, the partition has events of others, too."""

    sync: str
    pk: str
    rk_from: str
    rk_to: str
    kinds: frozenset[Kind] = frozenset()


class TableActivity:
    """ports.Activity."""

    def __init__(self, table: Table) -> None:
        self._table = table
        self.notes = ExportNotes(table)

    async def record(self, events: Sequence[Event]) -> None:
        await for_each(events, self._record)

    async def _record(self, event: Event) -> None:
        sync, user = key(event.sync), key(event.user)
        values = columns_of(event)
        moment = f"{newest_first(event.at)}.{event.kind}"
        listed = Row(pk=sync, rk=f"{moment}~{user}", values=values)
        rows = [replace(listed, pk=_by_kind(sync, event.kind))]
        if event.user:
            rows.append(Row(pk=f"{sync}:{user}", rk=moment, values=values))
        if await self.notes.wanted(event.at):
            await self.notes.add(listed)
        await self._upsert(listed)
        await for_each(rows, self._upsert)

    async def noted(self, notes: Sequence[Note]) -> Mapping[Note, Event]:
        """The events of these notes, without those that are not there."""
        found: dict[Note, Event] = {}

        async def read(note: Note) -> None:
            row = await self._table.get(note.pk, note.rk)
            if row is not None:
                (found[note],) = events_of(row)

        await for_each(notes, read)
        return found

    def noted_at(self, note: Note) -> datetime:
        """The time of the event, as its key has it."""
        return moment_of(note.rk)

    async def page(self, asked: Asked) -> Page:
        after, wanted = _read_token(asked.after), asked.limit + 1
        rows: list[tuple[str, Row]] = []
        indexed, rest = await self._ranges(asked)
        await for_each(indexed, partial(self._read, rows, after, wanted))
        rows.sort(key=_place)
        # Of the time before the rows by kind, only what may still be among the newest.
        older = [each for each in rest if len(rows) < wanted or each.rk_from < rows[wanted - 1][1].rk]
        await for_each(older, partial(self._read, rows, after, wanted))
        rows.sort(key=_place)
        given = rows[: asked.limit]
        events = [event for sync, row in given for event in events_of(row) if event.kind in (asked.kinds or Kind)]
        return Page(events=events, more=_token(given[-1]) if len(rows) > len(given) else "")

    async def _ranges(self, asked: Asked) -> tuple[list[_Range], list[_Range]]:
        """What has to be read; and for a question by kind the listing of the time before every event had such a row."""
        indexed: list[_Range] = []
        rest: list[_Range] = []
        rk_from = "" if asked.until is None else after_prefix(newest_first(asked.until))
        rk_to = "" if asked.since is None else after_prefix(newest_first(asked.since))
        for sync, user in asked.of:
            pk = key(sync)
            whole = _Range(sync=sync, pk=pk, rk_from=rk_from, rk_to=rk_to, kinds=asked.kinds)
            if user or not asked.kinds:
                indexed.append(replace(whole, pk=f"{pk}:{key(user)}") if user else whole)
                continue
            vouched = await self._table.get(_by_kind(pk), _SINCE)
            border = "" if vouched is None else after_prefix(newest_first(time(vouched, "at")))
            if border:
                of_kind = replace(whole, rk_to=min(filter(None, (rk_to, border))), kinds=frozenset())
                indexed += [replace(of_kind, pk=_by_kind(pk, kind)) for kind in sorted(asked.kinds)]
            rest.append(replace(whole, rk_from=max(rk_from, border)))
        return indexed, rest

    async def _read(self, into: list[tuple[str, Row]], after: tuple[str, str], limit: int, of: _Range) -> None:
        """Add at most `limit` rows that come after that place."""
        rk_from = max(of.rk_from, after[0])
        if of.rk_to and rk_from >= of.rk_to:
            return
        # The first row may be the place itself. Of a partition with other kinds, more is read than is given.
        query = self._table.query(of.pk, rk_from=rk_from, rk_to=of.rk_to, limit=None if of.kinds else limit + 1)
        found = 0
        async for row in query:
            if (row.rk, of.sync) > after and _is_any(row, of.kinds):
                into.append((of.sync, row))
                found += 1
                if found == limit:
                    return

    async def prune(self, sync: str, before: datetime, limit: int) -> int:
        pk, oldest = key(sync), after_prefix(newest_first(before))

        async def keys(partition: str) -> list[str]:
            rows = self._table.query(partition, rk_from=oldest, select=("v",), limit=limit)
            return [row.rk async for row in rows]

        async def drop(rk: str) -> None:
            # The listing's row goes last: by it the next run finds all.
            moment, _, user = rk.partition("~")
            if user:
                await self._table.delete(f"{pk}:{user}", moment)
            await self._table.delete(pk, rk)

        async def drop_of_kind(kind: Kind) -> None:
            partition = _by_kind(pk, kind)
            for rk in await keys(partition):
                await self._table.delete(partition, rk)

        old = await keys(pk)
        if old:
            # By their own age: version 0.1 knows nothing of them when it drops the rows of the listing.
            await for_each(list(Kind), drop_of_kind)
            await for_each(old, drop)
        return len(old)

    async def vouch(self, sync: str, now: datetime) -> None:
        """If version 0.1 has written since the last call, the rows by kind are complete from now on only."""
        pk = key(sync)
        vouched = await self._table.get(_by_kind(pk), _SINCE)
        since = now
        if vouched is not None:
            until = after_prefix(newest_first(time(vouched, "seen") - _LATE))
            rows = self._table.query(pk, rk_to=until, select=("kind",))
            if all(["kind" in row.values async for row in rows]):
                since = time(vouched, "at")
        await self._upsert(Row(pk=_by_kind(pk), rk=_SINCE, values=columns({"at": since, "seen": now})))

    async def forget_notes(self, now: datetime) -> None:
        await self.notes.ended(now)

    async def tally(self, sync: str, since: datetime, limit: int) -> Tally:
        pk, until = key(sync), after_prefix(newest_first(since))
        rows = self._table.query(
            pk, rk_to=until, select=("changes", "error", "again", "why", "latency_ms"), limit=limit
        )
        changed = parked = 0
        late: list[int] = []
        async for row in rows:
            parked += bool(row.text("error")) and not flag(row, "again")
            if row.text("changes"):
                changed += 1
                if row.text("why") == Why.NOTIFICATION:
                    late.append(int(row.values.get("latency_ms", 0)))
        ranked = sorted(late)
        nearest = ranked[-(len(ranked) // 20) - 1] if ranked else 0
        return Tally(changed=changed, parked=parked, notified=len(ranked), late_ms=nearest)

    async def poisoned(self, queue: str, message_id: str, body: str, at: datetime) -> None:
        kept = body.encode("utf-8", "replace")[:MAX_BODY_BYTES].decode("utf-8", "ignore")
        values = columns({"queue": queue, "message_id": message_id, "body": kept, "at": at})
        try:
            await self._table.insert(Row(pk=_POISON, rk=f"{key(queue)}:{key(message_id)}", values=values))
        except ConflictError:
            return  # an earlier delivery of the message recorded it, and its acknowledgement was lost

    async def poison_count(self, queue: str = "") -> int:
        where = {"queue": queue} if queue else None
        return sum([1 async for _ in self._table.query(_POISON, where=where, select=("v",))])

    async def kept(self) -> list[Poisoned]:
        return [_kept(row) async for row in self._table.query(_POISON)]

    async def drop_kept(self, message: Poisoned) -> None:
        await self._table.delete(_POISON, f"{key(message.queue)}:{key(message.id)}")

    async def _upsert(self, row: Row) -> None:
        await self._table.upsert(row)


def _by_kind(sync: str, kind: Kind | None = None) -> str:
    return f"{sync}:kind:{kind or ''}"


def _place(found: tuple[str, Row]) -> tuple[str, str]:
    sync, row = found
    return row.rk, sync


def _is_any(row: Row, kinds: Collection[Kind]) -> bool:
    return not kinds or any(kind in kinds for kind in kinds_of(row))


def _token(last: tuple[str, Row]) -> str:
    return base64.urlsafe_b64encode("\n".join(_place(last)).encode()).decode()


def _read_token(token: str) -> tuple[str, str]:
    """The place after which a page begins. Raises ValueError for any other text."""
    if not token:
        return "", ""
    try:
        place = base64.b64decode(token, altchars=b"-_", validate=True).decode()
    except ValueError as error:
        raise ValueError("not a continuation token") from error
    if not _PLACE.fullmatch(place):
        raise ValueError("not a continuation token")
    rk, _, sync = place.partition("\n")
    return rk, sync


def _kept(row: Row) -> Poisoned:
    check_version(row, "activity")
    return Poisoned(
        queue=row.text("queue"), id=row.text("message_id"), body=row.text("body"), at=time_or_none(row, "at")
    )

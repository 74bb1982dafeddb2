"""The record of what was done, for people: newest first, by sync and by user. Table `activity`.

    listing   PK <sync>            RK <inverted time>~<user>
    timeline  PK <sync>:<user>     RK <inverted time>
    poison    PK poison:           RK <queue>:<message id>

Table Storage has no second index, so each outcome is one row of the listing and one of the timeline. Rows contain names
of attributes, and never an attribute value, an address or a display name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta

from ..model import Change, Hold, Outcome, Refuse, Skip, SoftDelete, Why
from ..model.errors import ConflictError
from ..ports import Poisoned, Tally
from .columns import check_version, columns, flag, newest_first, time_or_none
from .concurrency import for_each
from .table import Row, Table, after_prefix, key

MAX_BODY_BYTES = 32 * 1024  # of UTF-8; as UTF-16 at most 64 KiB, the limit of a column

_POISON = "poison:"  # no sync's partition: `key` never yields a colon
_MAX_REASON = 256


class TableActivity:
    """ports.Activity."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def record(self, outcome: Outcome) -> None:
        """Safe to repeat: the same outcome is written to the same two rows."""
        sync, user, newest = key(outcome.sync), key(outcome.user), newest_first(outcome.done_at)
        values = _columns(outcome)
        await for_each(
            (
                Row(pk=sync, rk=f"{newest}~{user}", values=values),
                Row(pk=f"{sync}:{user}", rk=newest, values=values),
            ),
            self._upsert,
        )

    async def poisoned(self, queue: str, message_id: str, body: str, at: datetime) -> None:
        kept = body.encode("utf-8", "replace")[:MAX_BODY_BYTES].decode("utf-8", "ignore")
        values = columns({"queue": queue, "message_id": message_id, "body": kept, "at": at})
        try:
            await self._table.insert(Row(pk=_POISON, rk=f"{key(queue)}:{key(message_id)}", values=values))
        except ConflictError:
            return  # an earlier delivery of the message recorded it, and its acknowledgement was lost

    async def prune(self, sync: str, before: datetime, limit: int) -> int:
        pk = key(sync)
        rows = self._table.query(pk, rk_from=after_prefix(newest_first(before)), select=("v",), limit=limit)
        old = [row.rk async for row in rows]

        async def drop(rk: str) -> None:
            newest, _, user = rk.partition("~")
            # The listing's row goes last: by it the next run finds both rows.
            await self._table.delete(f"{pk}:{user}", newest)
            await self._table.delete(pk, rk)

        await for_each(old, drop)
        return len(old)

    async def recent(self, sync: str, limit: int) -> list[Mapping[str, object]]:
        return [_entry(row) async for row in self._table.query(key(sync), limit=limit)]

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

    async def poison_count(self, queue: str = "") -> int:
        where = {"queue": queue} if queue else None
        return sum([1 async for _ in self._table.query(_POISON, where=where, select=("v",))])

    async def kept(self) -> list[Poisoned]:
        return [_kept(row) async for row in self._table.query(_POISON)]

    async def drop_kept(self, message: Poisoned) -> None:
        await self._table.delete(_POISON, f"{key(message.queue)}:{key(message.id)}")

    async def _upsert(self, row: Row) -> None:
        await self._table.upsert(row)


def _columns(outcome: Outcome) -> dict[str, str | int | float | bool]:
    return columns(
        {
            "sync": outcome.sync,
            "user": outcome.user,
            "target_id": outcome.target_id,
            "changes": ",".join(change.name for change in outcome.changes),
            "attributes": ",".join(sorted({name for change in outcome.changes for name in change.written})),
            "reason": "; ".join(dict.fromkeys(_reasons(outcome.changes)))[:_MAX_REASON],
            "why": outcome.why.value,
            "refused": ",".join(outcome.refused),
            "error": outcome.error[:_MAX_REASON],
            "again": True if outcome.error and outcome.parked_before else None,
            "retry_after": None if outcome.retry_after is None else float(outcome.retry_after),
            "nominated_at": outcome.nominated_at,
            "done_at": outcome.done_at,
            "latency_ms": max(0, (outcome.done_at - outcome.nominated_at) // timedelta(milliseconds=1)),
        }
    )


def _reasons(changes: Sequence[Change]) -> Iterator[str]:
    """The reasons, in our own words. A refusal's `detail` is left out, since it may quote the directory."""
    for change in changes:
        match change:
            case Skip(reason=reason) | Refuse(reason=reason):
                yield reason.value
            case SoftDelete(why=why) | Hold(held=SoftDelete(why=why)):
                yield why
            case _:
                continue


def _kept(row: Row) -> Poisoned:
    check_version(row, "activity")
    return Poisoned(
        queue=row.text("queue"), id=row.text("message_id"), body=row.text("body"), at=time_or_none(row, "at")
    )


def _entry(row: Row) -> Mapping[str, object]:
    check_version(row, "activity")
    return {name: value for name, value in row.values.items() if name != "v"}

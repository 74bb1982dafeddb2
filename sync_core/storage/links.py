"""Links, and the claims by which each target user belongs to at most one link. Table `links`.

    link   PK <sync>              RK <source id>
    claim  PK target:<target id>  RK <target tenant id>     owner = "<sync>/<source id>"

A claim is unique because it is inserted. Its partition is the target id: a link does not know its target tenant, and
finds its claim by that id.
"""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from ..model import MANAGER, Deprovision, Guarded, Leaving, Link, LinkDigest, LinkState, Parked, Retry
from ..model.errors import ConflictError, UnavailableError
from ..model.link_parts import is_asked
from ..model.messages import format_time, parse_time
from .columns import NEWEST, check_version, columns, flag, is_newer, mapping_text, number, pair_or_none, time_or_none
from .concurrency import for_each
from .table import PAGE_ROWS, Row, Table, Wanted, after_prefix, key, unkey

# What a worker that died, or a lost answer, may leave of a user who is not linked. Rows of version 0.1 have these, too.
_UNFINISHED: tuple[Mapping[str, Wanted], ...] = (
    {"state": LinkState.INVITING.value},
    {"state": LinkState.DELETED.value, "dirty": True},
    {"state": LinkState.LOST.value, "dirty": True},
)

# Ids that are read one by one, at most: a page of a listing costs about as much as this many reads.
FEW = 40

_DIGEST_COLUMNS = ("v", "digest", "state", "manager", "reference", "kept_out", "member_of", "refused")
_CLAIM_ATTEMPTS = 5
_MS = timedelta(milliseconds=1)


class TableLinks:
    """ports.Links."""

    def __init__(self, table: Table, *, page_rows: int = PAGE_ROWS) -> None:
        self._table = table
        self._page_rows = page_rows

    async def get(self, sync: str, source_id: str) -> Link | None:
        row = await self._table.get(key(sync), key(source_id))
        return None if row is None else _link(row)

    async def save(self, link: Link) -> Link:
        row = _row(link)
        etag = await (self._table.insert(row) if link.etag is None else self._table.replace(row, link.etag))
        return link.stored(etag)

    async def forget(self, link: Link) -> None:
        # The link is deleted first. If it was changed meanwhile, that fails and the claim stays. After a crash in
        # between, a claim on a target user who is gone for good is left, which does no harm.
        await self._table.delete(key(link.sync), key(link.source_id), link.etag)
        if link.target_id is not None:
            await self.release(link.target_id, link.owner)

    async def digests(self, sync: str, source_ids: Sequence[str]) -> Mapping[str, LinkDigest]:
        names = {key(source_id): source_id for source_id in source_ids}
        found: dict[str, LinkDigest] = {}

        async def read(rk: str) -> None:
            row = await self._table.get(key(sync), rk)
            if row is not None:
                found[names[rk]] = _digest(row)

        unread = sorted(names)
        if len(unread) > FEW:
            unread = await self._list_digests(sync, unread, names, found)
        await for_each(unread, read)
        return found

    def ids(self, sync: str, after: str = "") -> AsyncIterator[str]:
        return self._ids(sync, after, "present")

    async def targets(self, sync: str, first: str, last: str) -> Mapping[str, str]:
        rows = self._table.query(
            key(sync),
            rk_from=key(first),
            rk_to=after_prefix(key(last)),
            where={"present": True},
            select=("present", "target_id"),
        )
        return {unkey(row.rk): row.text("target_id") async for row in rows}

    def grouped(self, sync: str, after: str = "") -> AsyncIterator[str]:
        return self._ids(sync, after, "grouped")

    async def _ids(self, sync: str, after: str, column: str) -> AsyncIterator[str]:
        start = key(after)
        async for row in self._table.query(key(sync), rk_from=start, where={column: True}, select=(column,)):
            if row.rk != start:
                yield unkey(row.rk)

    def pairs(self, sync: str, after: str = "") -> AsyncIterator[Link]:
        return self._behind(sync, after, {"present": True})

    async def ours(self, sync: str, after: str = "") -> AsyncIterator[Link]:
        async for link in self._behind(sync, after, {}):
            if link.ours:
                yield link

    async def _behind(self, sync: str, after: str, where: Mapping[str, Wanted]) -> AsyncIterator[Link]:
        start = key(after)
        async for row in self._table.query(key(sync), rk_from=start, where=where):
            if row.rk != start and not is_newer(row):
                yield _link(row)

    async def unfinished(self, sync: str, *, deleted_before: datetime) -> AsyncIterator[str]:
        for where in _UNFINISHED:
            async for row in self._table.query(key(sync), where=where, select=("deleted_at",)):
                deleted_at = time_or_none(row, "deleted_at")
                if deleted_at is None or deleted_at < deleted_before:
                    yield unkey(row.rk)

    async def one(self, sync: str) -> Link | None:
        rows = self._table.query(key(sync), where={"present": True}, limit=PAGE_ROWS)
        return next((_link(row) for row in [row async for row in rows] if not is_newer(row)), None)

    async def count(self, sync: str) -> int:
        rows = self._table.query(key(sync), where={"present": True}, select=("present", "disabled"))
        return sum([1 async for row in rows if not row.values.get("disabled")])

    async def every(self, sync: str) -> AsyncIterator[Link]:
        async for row in self._table.query(key(sync)):
            yield _link(row)

    async def parked(self, sync: str) -> list[Link]:
        rows = self._table.query(key(sync), where={"parked": True})
        return [_link(row) async for row in rows if not is_newer(row)]

    async def refusing(self, sync: str) -> list[Link]:
        rows = self._table.query(key(sync), where={"refusing": True})
        return [_link(row) async for row in rows if not is_newer(row)]

    async def waiting(self, sync: str) -> AsyncIterator[tuple[datetime, str]]:
        rows = self._table.query(key(sync), where={"waiting": True}, select=("v", "waiting", "waiting_since"))
        async for row in rows:
            since = None if is_newer(row) else time_or_none(row, "waiting_since")
            if since is not None:
                yield since, unkey(row.rk)

    async def claim(self, target_tenant: str, target_id: str, owner: str) -> str:
        row = Row(pk=_claims(target_id), rk=key(target_tenant), values=columns({"owner": owner}))
        for _ in range(_CLAIM_ATTEMPTS):
            try:
                await self._table.insert(row)
            except ConflictError:
                present = await self.owner(target_tenant, target_id)
                if present is not None:
                    return present  # this may be `owner`: a retried insert finds the row of its first attempt
            else:
                return owner
        raise UnavailableError("other workers keep inserting and deleting this claim")

    async def move_claim(self, target_tenant: str, target_id: str, owner: str, to: str) -> None:
        row = await self._table.get(_claims(target_id), key(target_tenant))
        if row is None or row.text("owner") not in {owner, to}:
            raise ConflictError("the target user belongs to another link by now")
        check_version(row, "claim")
        if row.text("owner") == owner:
            await self._table.replace(Row(pk=row.pk, rk=row.rk, values=columns({"owner": to})), row.etag)

    async def owner(self, target_tenant: str, target_id: str) -> str | None:
        row = await self._table.get(_claims(target_id), key(target_tenant))
        if row is None:
            return None
        check_version(row, "claim")
        return row.text("owner")

    async def claimed_in(self, target_id: str, owner: str) -> list[str]:
        return [unkey(row.rk) async for row in self._table.query(_claims(target_id), where={"owner": owner})]

    async def release(self, target_id: str, owner: str) -> None:
        async for row in self._table.query(_claims(target_id), where={"owner": owner}):
            await self._table.delete(row.pk, row.rk, row.etag)

    async def _list_digests(
        self, sync: str, wanted: list[str], names: Mapping[str, str], found: dict[str, LinkDigest]
    ) -> list[str]:
        """Read the partition page by page; returns the row keys that are cheaper to read one by one.

        A full round asks for all links in portions. With 100,000 links and portions of 200, listing everything for each
        portion would read 50 million rows. So the listing stops at a page with few wanted ids.
        """
        end = after_prefix(wanted[-1])
        while wanted:
            rows = self._table.query(
                key(sync), rk_from=wanted[0], rk_to=end, select=_DIGEST_COLUMNS, limit=self._page_rows
            )
            last, seen = "", 0
            async for row in rows:
                last, seen = row.rk, seen + 1
                if row.rk in names:
                    found[names[row.rk]] = _digest(row)
            if seen < self._page_rows:
                return []
            covered = bisect_right(wanted, last)
            wanted = wanted[covered:]
            if covered < FEW:
                break
        return wanted


def _claims(target_id: str) -> str:
    return f"target:{key(target_id)}"


def _digest(row: Row) -> LinkDigest:
    """A row of a newer release looks like one that cannot be trusted: its user is nominated, and the feed goes on."""
    if is_newer(row):
        return LinkDigest(digest="", state=LinkState.LINKED)
    return LinkDigest(
        digest=row.text("digest"),
        state=LinkState(row.text("state")),
        manager=row.text("manager") or None,
        reference=row.text("reference"),
        member_of=_member_of(row),
        refused=bool(row.text("refused")),
    )


def _member_of(row: Row) -> frozenset[str] | None:
    """Rows of version 0.1 may have `kept_out` instead of `member_of`: that user was in none of the groups."""
    if "member_of" in row.values:
        return frozenset(row.text("member_of").split())
    return frozenset() if flag(row, "kept_out") else None


def _parked(row: Row) -> Parked | None:
    until = time_or_none(row, "parked_until")
    return None if until is None else Parked(until=until, tries=number(row, "park_count"), reason=row.text("reason"))


def _since(row: Row) -> dict[str, datetime]:
    return {name: parse_time(text) for name, text in json.loads(row.text("refused_since") or "{}").items()}


def _retry(row: Row) -> Retry | None:
    due = time_or_none(row, "retry_due")
    return None if due is None else Retry(due=due, tries=number(row, "retry_count"))


def _leaving(row: Row) -> Leaving | None:
    """An earlier version leaves the column out when it saves a link: then the first stage begins anew, so later."""
    words = row.text("leaving").split()
    if not words:
        return None
    stage, since, *rest = words
    leaving = Leaving(stage=Deprovision(stage), since=parse_time(since))
    return replace(leaving, until=parse_time(rest[0]), then=Deprovision(rest[1])) if rest else leaving


def _leaving_text(at: Leaving | None) -> str | None:
    if at is None:
        return None
    reached = f"{at.stage} {format_time(at.since)}"
    return reached if at.until is None else f"{reached} {format_time(at.until)} {at.then}"


def _times_text(times: Mapping[str, datetime]) -> str | None:
    return mapping_text({name: format_time(at) for name, at in times.items()}) if times else None


def _row(link: Link) -> Row:
    values = columns(
        {
            "tenants": None if link.tenants is None else " ".join(link.tenants),
            "state": link.state.value,
            "target_id": link.target_id,
            "applied": mapping_text(link.applied),
            "refused": mapping_text(link.refused) if link.refused else None,
            "refused_since": _times_text(link.refused_since),
            "retry_due": link.retry.due if link.retry else None,
            "retry_count": link.retry.tries if link.retry else None,
            "manager": link.manager,
            "member_of": None if link.member_of is None else " ".join(sorted(link.member_of)),
            "dirty": link.dirty,
            "created": link.on_create_written,
            "permit": link.guarded.value if link.guarded else None,
            "adopt": link.approved_target,
            "read_at": link.read_at,
            "noticed_at": link.noticed_at,
            "settle_ms": None if link.settle is None else link.settle // _MS,
            "invited_at": link.invited_at,
            "nonce": link.invitation_nonce,
            "linked_at": link.linked_at,
            "deleted_at": link.deleted_at,
            "parked_until": link.parked.until if link.parked else None,
            "park_count": link.parked.tries if link.parked else 0,
            "reason": link.parked.reason if link.parked else "",
            "v": NEWEST if is_asked(link.heir) else None,
            "heir": link.heir,
            "redeem": True if link.redeem else None,
            "waiting_since": link.waiting_since,
            "away": True if link.away else None,
            "leaving": _leaving_text(link.leaving),
            # Columns for listings, which filter by them or return them. They are not read back into a link.
            "digest": link.digest,
            "reference": link.applied.get(MANAGER) if link.digest else None,
            "grouped": bool(link.member_of),
            "present": link.state is LinkState.LINKED,
            "disabled": True if link.disabled else None,
            "parked": link.parked is not None,
            "refusing": True if link.refused and link.state is LinkState.LINKED else None,
            "waiting": True if link.waits else None,
        }
    )
    return Row(pk=key(link.sync), rk=key(link.source_id), values=values)


def _link(row: Row) -> Link:
    check_version(row, "link")
    return Link(
        sync=unkey(row.pk),
        source_id=unkey(row.rk),
        tenants=pair_or_none(row, "tenants"),
        state=LinkState(row.text("state")),
        target_id=row.text("target_id") or None,
        applied=json.loads(row.text("applied")),
        refused=json.loads(row.text("refused") or "{}"),
        refused_since=_since(row),
        retry=_retry(row),
        manager=row.text("manager") or None,
        member_of=_member_of(row),
        dirty=flag(row, "dirty"),
        on_create_written=flag(row, "created"),
        guarded=Guarded(row.text("permit")) if row.text("permit") else None,
        approved_target=row.text("adopt") or None,
        heir=row.text("heir") or None,
        redeem=flag(row, "redeem"),
        waiting_since=time_or_none(row, "waiting_since"),
        away=flag(row, "away"),
        leaving=_leaving(row),
        read_at=time_or_none(row, "read_at"),
        noticed_at=time_or_none(row, "noticed_at"),
        settle=_MS * number(row, "settle_ms") or None,
        invited_at=time_or_none(row, "invited_at"),
        invitation_nonce=row.text("nonce") or None,
        linked_at=time_or_none(row, "linked_at"),
        deleted_at=time_or_none(row, "deleted_at"),
        parked=_parked(row),
        etag=row.etag,
    )

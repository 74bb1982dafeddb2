"""The state of each feed: how far it has been read. Table `feeds`: PK <tenant>, RK <feed>.

With a token, a delta link gives access to the tenant's changes. It is stored here and never logged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..ports import FeedPhase, FeedState
from .columns import check_version, columns, flag, number, time_or_none
from .table import Row, Table, key


class TableFeeds:
    """ports.Feeds."""

    def __init__(self, table: Table) -> None:
        self._table = table

    async def get(self, tenant: str, feed: str = "users") -> FeedState:
        row = await self._table.get(key(tenant), key(feed))
        return FeedState(tenant=tenant, feed=feed) if row is None else _state(row, tenant, feed)

    async def save(self, state: FeedState) -> FeedState:
        row = _row(state)
        etag = await (self._table.insert(row) if state.etag is None else self._table.replace(row, state.etag))
        return replace(state, etag=etag)


def _row(state: FeedState) -> Row:
    values = columns(
        {
            "tenant_id": state.tenant_id or None,
            "phase": state.phase.value,
            "round": state.round,
            "full": state.full,
            "link": state.link,
            "delta_link": state.delta_link,
            "cursor": state.cursor,
            "unlisted": " ".join(state.unlisted),
            "peopled": " ".join(state.peopled) or None,
            "unseen": _text(state.unseen),
            "emptied": _text(state.emptied),
            "fingerprint": state.fingerprint,
            "closure": state.closure,
            "started_at": state.started_at,
            "progress_at": state.progress_at,
            "completed_at": state.completed_at,
            "full_at": state.full_at,
            "swept_at": state.swept_at,
            "pages": state.pages,
            "entries": state.entries,
            "nominated": state.nominated,
            "error": state.error,
        }
    )
    return Row(pk=key(state.tenant), rk=key(state.feed), values=values)


def _state(row: Row, tenant: str, feed: str) -> FeedState:
    check_version(row, "feed")
    return FeedState(
        tenant=tenant,
        feed=feed,
        tenant_id=row.text("tenant_id"),
        phase=FeedPhase(row.text("phase")),
        round=row.text("round"),
        full=flag(row, "full"),
        link=row.text("link") or None,
        delta_link=row.text("delta_link") or None,
        cursor=row.text("cursor"),
        unlisted=tuple(row.text("unlisted").split()),
        peopled=tuple(row.text("peopled").split()),
        unseen=_names(row, "unseen"),
        emptied=_names(row, "emptied"),
        fingerprint=row.text("fingerprint"),
        closure=row.text("closure"),
        started_at=time_or_none(row, "started_at"),
        progress_at=time_or_none(row, "progress_at"),
        completed_at=time_or_none(row, "completed_at"),
        full_at=time_or_none(row, "full_at"),
        swept_at=time_or_none(row, "swept_at"),
        pages=number(row, "pages"),
        entries=number(row, "entries"),
        nominated=number(row, "nominated"),
        error=row.text("error"),
        etag=row.etag,
    )


def _text(names: Sequence[str] | None) -> str | None:
    return None if names is None else " ".join(names)


def _names(row: Row, column: str) -> Sequence[str] | None:
    return tuple(row.text(column).split()) if column in row.values else None

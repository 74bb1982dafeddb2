"""`users/delta`: rounds, pages and tokens. https://learn.microsoft.com/graph/delta-query-overview

A token holds the whole state of a round, so nothing is kept between requests. A round covers the changes of the log
in `[start, end)`; an initial round (start -1) walks the users themselves. Entries carry the state at the time of the
request, as Graph's do: their order and their number promise nothing.
"""

import base64
import binascii
import json
import zlib
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final

from local.graph_emulator.changes import What
from local.graph_emulator.directory import Tenant
from local.graph_emulator.errors import GraphError, bad_request, unsupported_query
from local.graph_emulator.schema import DEFAULT_SELECT
from local.graph_emulator.shelf import User
from local.graph_emulator.views import changed

INITIAL: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """Where a reader stands. `issued` is in seconds since 1970; `blank` says that the empty page was already given."""

    tenant: str
    generation: int
    issued: int
    start: int = INITIAL
    end: int = 0
    offset: int = 0
    more: bool = False
    blank: bool = False
    select: tuple[str, ...] | None = None
    ids: tuple[str, ...] | None = None

    def encode(self) -> str:
        text = json.dumps(list(asdict(self).values()), separators=(",", ":")).encode()
        # Compressed for its checksum: a damaged token must not be read as another one.
        return base64.urlsafe_b64encode(zlib.compress(text, 1)).decode().rstrip("=")

    @classmethod
    def decode(cls, token: str) -> "Cursor":
        """Raises 400 for anything that `encode` did not make."""
        try:
            packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            text = zlib.decompress(packed)
            tenant, generation, issued, start, end, offset, more, blank, select, ids = json.loads(text)
        except (ValueError, TypeError, binascii.Error, zlib.error) as fault:
            raise bad_request("Badly formed token.") from fault
        return cls(
            tenant=tenant,
            generation=generation,
            issued=issued,
            start=start,
            end=end,
            offset=offset,
            more=more,
            blank=blank,
            select=None if select is None else tuple(select),
            ids=None if ids is None else tuple(ids),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaPage:
    """The entries, and the cursor of the nextLink (`cursor.more`) or of the deltaLink."""

    items: list[dict[str, Any]]
    cursor: Cursor


@dataclass(slots=True, kw_only=True)
class _Touched:
    """What happened to one user within a round."""

    properties: set[str] = field(default_factory=set)
    reappeared: bool = False  # created or restored: comes as a new object
    relevant: bool = False
    old_managers: dict[str, None] = field(default_factory=dict)


def begin(tenant: Tenant, now: datetime, *, select: tuple[str, ...] | None, ids: tuple[str, ...] | None) -> Cursor:
    """The cursor of an initial round."""
    fresh = Cursor(
        tenant=tenant.id, generation=tenant.delta_generation, issued=int(now.timestamp()), select=select, ids=ids
    )
    return replace(fresh, end=_horizon(tenant, now))


def latest(cursor: Cursor, tenant: Tenant) -> DeltaPage:
    """`$deltatoken=latest`: no entries, and every change from now on."""
    return DeltaPage(items=[], cursor=replace(cursor, start=len(tenant.log), end=len(tenant.log)))


def resume(tenant: Tenant, token: str, now: datetime, *, more: bool, location: str) -> Cursor:
    """The cursor of a link. A deltaLink starts a new round, up to what is replicated by now.

    Raises the errors of expired, reset and foreign tokens; `location` is the URL of a full resync.
    """
    cursor = Cursor.decode(token)
    if cursor.tenant != tenant.id or cursor.more is not more:
        raise bad_request("The token is not valid for this request.")
    if cursor.generation != tenant.delta_generation:
        raise gone(tenant.delta_reset_form, location)
    age = now.timestamp() - cursor.issued
    if more:
        if age > tenant.settings.page_token_minutes * 60:
            raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
        return cursor
    if age > timedelta(days=tenant.settings.delta_token_days).total_seconds():
        raise gone(tenant.settings.delta_expired_form, location)
    # Replays: changes before the token's position may come once more.
    start = max(0, cursor.end - tenant.settings.delta_replay)
    return replace(cursor, start=start, end=max(cursor.end, _horizon(tenant, now)), offset=0, blank=False)


FORMS: Final = ("gone", "syncStateNotFound", "resyncRequired", "tooOld")


def gone(form: str, location: str) -> GraphError:
    """The ways in which Graph says that a round must start over."""
    if form == "syncStateNotFound":
        text = "The sync state generation is not found. The delta token is expired and data must be synchronized again."
        return GraphError(400, "syncStateNotFound", text)
    if form == "resyncRequired":
        return GraphError(410, "resyncRequired", "Resync required. Replace any local items with the server's version.")
    if form == "tooOld":
        return unsupported_query("DeltaLink older than 30 days is not supported.")
    text = "The delta token is no longer valid, and the app must reset the sync state."
    return GraphError(410, "syncStateNotFound", text, headers={"Location": location})


def page(tenant: Tenant, cursor: Cursor, now: datetime, *, minimal: bool, size: int | None = None) -> DeltaPage:
    """The page at a cursor and the cursor that follows it. `size` is a wish for smaller pages."""
    settings = tenant.settings
    size = min(settings.delta_page_size, size or settings.delta_page_size)
    chance = Random(f"{settings.delta_seed}:{cursor.start}:{cursor.end}:{cursor.offset}")
    issued = int(now.timestamp())
    if not cursor.blank and chance.random() < settings.delta_empty_pages:
        return DeltaPage(items=[], cursor=replace(cursor, more=True, blank=True, issued=issued))
    if cursor.start == INITIAL:
        items, offset, finished = _initial_page(tenant, cursor, size)
    else:
        items, offset, finished = _changes_page(tenant, cursor, size, minimal=minimal)
    items += [item for item in items if chance.random() < settings.delta_duplicate]
    if settings.delta_shuffle:
        chance.shuffle(items)
    following = replace(cursor, offset=offset, more=not finished, blank=False, issued=issued)
    return DeltaPage(items=items, cursor=following)


def _horizon(tenant: Tenant, now: datetime) -> int:
    return tenant.log.visible_until(now - timedelta(seconds=tenant.settings.replication_lag_s))


def _initial_page(tenant: Tenant, cursor: Cursor, size: int) -> tuple[list[dict[str, Any]], int, bool]:
    wanted = None if cursor.ids is None else frozenset(cursor.ids)
    items: list[dict[str, Any]] = []
    for ordinal, user_id in tenant.ever(cursor.offset):
        if len(items) == size:
            return items, ordinal, False
        user = tenant.find(user_id)
        removed = None if user is not None else tenant.find_deleted(user_id)
        newest = user or removed
        if newest is None or (wanted is not None and user_id not in wanted):
            continue
        if newest.created_at_position >= cursor.end:
            break
        if user is not None:
            items.append(_entry(user, cursor.select, _Touched(reappeared=True), minimal=False))
        elif tenant.settings.delta_initial_removed:
            items.append(_removed(user_id, "changed"))
    return items, 0, True


def _changes_page(
    tenant: Tenant, cursor: Cursor, size: int, *, minimal: bool
) -> tuple[list[dict[str, Any]], int, bool]:
    touched = list(_touched(tenant, cursor).items())
    if tenant.settings.delta_shuffle:
        Random(f"{tenant.settings.delta_seed}:{cursor.start}:{cursor.end}").shuffle(touched)
    until = cursor.offset + size
    items = [_state(tenant, user_id, what, cursor, minimal=minimal) for user_id, what in touched[cursor.offset : until]]
    return items, until, until >= len(touched)


def _touched(tenant: Tenant, cursor: Cursor) -> dict[str, _Touched]:
    tracked = frozenset(cursor.select if cursor.select is not None else DEFAULT_SELECT)
    wanted = None if cursor.ids is None else frozenset(cursor.ids)
    found: dict[str, _Touched] = {}
    for change in tenant.log.between(cursor.start, cursor.end):
        if wanted is not None and change.user not in wanted:
            continue
        entry = found.setdefault(change.user, _Touched())
        entry.properties |= change.properties
        entry.reappeared |= change.what in {What.CREATED, What.RESTORED}
        entry.relevant |= change.what is not What.UPDATED or not tracked.isdisjoint(change.properties)
        if change.old_manager is not None:
            entry.old_managers[change.old_manager] = None
    return {user_id: entry for user_id, entry in found.items() if entry.relevant}


def _state(tenant: Tenant, user_id: str, what: _Touched, cursor: Cursor, *, minimal: bool) -> dict[str, Any]:
    user = tenant.find(user_id)
    if user is not None:
        return _entry(user, cursor.select, what, minimal=minimal)
    return _removed(user_id, "deleted" if tenant.find_deleted(user_id) is None else "changed")


def _removed(user_id: str, reason: str) -> dict[str, Any]:
    return {"id": user_id, "@removed": {"reason": reason}}


def _entry(user: User, select: Sequence[str] | None, what: _Touched, *, minimal: bool) -> dict[str, Any]:
    names = DEFAULT_SELECT if select is None else select
    since = frozenset(what.properties)
    body = changed(user, names, since=since, only=since if minimal and not what.reappeared else None)
    if "manager" in names and (what.reappeared or "manager" in since):
        links = [
            _manager(old) | {"@removed": {"reason": "deleted"}} for old in what.old_managers if old != user.manager
        ]
        links += [_manager(user.manager)] if user.manager is not None else []
        if links:
            body["manager@delta"] = links
    return body


def _manager(user_id: str) -> dict[str, Any]:
    return {"@odata.type": "#microsoft.graph.user", "id": user_id}

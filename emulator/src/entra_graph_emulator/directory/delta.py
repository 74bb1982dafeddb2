"""Delta: rounds, pages and tokens. https://learn.microsoft.com/graph/delta-query-overview

A token holds the whole state of a round, so nothing is kept between requests. A round covers the changes of the log
in `[start, end)`; an initial round (start -1) walks the objects themselves. Entries carry the state at the time of the
request, as Graph's do, so neither their order nor their number can be relied on. A round of `directoryObjects` has the
users first and then the groups.
"""

import base64
import binascii
import json
import zlib
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, TypeAlias

from entra_graph_emulator.directory.delta_feeds import Feed, GroupFeed, Touched, UserFeed, removed, touched
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.wire.errors import GraphError, bad_request, unsupported_query

INITIAL: Final = -1


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """The position of a reader in a round. `issued` is in seconds since 1970.

    `start` and `end` are positions in the log of users, `group_start` and `group_end` in the log of groups. `phase`
    is the index of the type being read. `part` is how many entries of the object at `offset` were given. `blank`
    is set after an empty page was given here. `circled` is how often a nextLink led back to its own page.
    """

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
    types: tuple[str, ...] = ("user",)
    path: str = "users"
    group_start: int = INITIAL
    group_end: int = 0
    phase: int = 0
    part: int = 0
    circled: int = 0

    @property
    def type(self) -> str:
        return self.types[min(self.phase, len(self.types) - 1)]

    @property
    def span(self) -> tuple[int, int]:
        return (self.start, self.end) if self.type == "user" else (self.group_start, self.group_end)

    def names(self, feed: Feed) -> tuple[str, ...]:
        """The selected names that this type has, with or without its prefix."""
        if self.select is None:
            return feed.default_select
        prefix = f"{feed.of.full_name}/"
        plain = (name.removeprefix(prefix) for name in self.select)
        return tuple(name for name in plain if "/" not in name and (feed.of.has(name) or name in feed.of.relations))

    def encode(self) -> str:
        text = json.dumps([getattr(self, name) for name in _FIELDS], separators=(",", ":")).encode()
        # zlib adds a checksum: a damaged token must not be read as another one.
        return base64.urlsafe_b64encode(zlib.compress(text, 1)).decode().rstrip("=")

    @classmethod
    def decode(cls, token: str) -> "Cursor":
        """Raises 400 for a token that `encode` did not make."""
        try:
            packed = base64.b64decode(token + "=" * (-len(token) % 4), altchars=b"-_", validate=True)
            text = zlib.decompress(packed)
            held = json.loads(text)
            names = _FIELDS[: max(len(held), len(_FIELDS) - 1)]  # a token of an earlier version has one field less
            values = dict(zip(names, held, strict=True))
            for name in ("select", "ids", "types"):
                values[name] = None if values[name] is None else tuple(values[name])
            return cls(**values)
        except (ValueError, TypeError, binascii.Error, zlib.error) as fault:
            raise bad_request("Badly formed token.") from fault


_FIELDS: Final = tuple(each.name for each in fields(Cursor))


@dataclass(frozen=True, slots=True, kw_only=True)
class DeltaPage:
    """The entries, and the cursor of the nextLink (`cursor.more`) or of the deltaLink."""

    items: list[dict[str, Any]]
    cursor: Cursor


def begin(
    tenant: Tenant,
    now: datetime,
    *,
    select: tuple[str, ...] | None,
    ids: tuple[str, ...] | None,
    types: tuple[str, ...] = ("user",),
    path: str = "users",
) -> Cursor:
    """The cursor of an initial round. `path` is the collection that was asked."""
    users, groups = _horizon(tenant, "user", now), _horizon(tenant, "group", now)
    return Cursor(
        tenant=tenant.id,
        generation=tenant.delta_generation,
        issued=int(now.timestamp()),
        select=select,
        ids=ids,
        types=types,
        path=path,
        end=users,
        group_end=groups,
    )


def latest(cursor: Cursor, tenant: Tenant) -> DeltaPage:
    """`$deltatoken=latest`: no entries, and every change from now on."""
    users, groups = len(tenant.log), len(tenant.groups.log)
    following = replace(cursor, start=users, end=users, group_start=groups, group_end=groups)
    return DeltaPage(items=[], cursor=following)


def resume(tenant: Tenant, token: str, now: datetime, *, more: bool, location: str, path: str = "users") -> Cursor:
    """The cursor of a link. A deltaLink starts a new round, up to the changes replicated by now.

    Raises 400 or 410 for expired, reset and foreign tokens; `location` is the URL of a full resync.
    """
    cursor = Cursor.decode(token)
    if cursor.tenant != tenant.id or cursor.more is not more or cursor.path != path:
        raise bad_request("The token is not valid for this request.")
    # A tenant restored from a snapshot lacks the changes that a later token counts.
    ahead = cursor.end > len(tenant.log) or cursor.group_end > len(tenant.groups.log)
    if cursor.generation != tenant.delta_generation or ahead:
        raise gone(tenant.delta_reset_form, location)
    age = now.timestamp() - cursor.issued
    if more:
        if age > tenant.settings.page_token_minutes * 60:
            raise GraphError(400, "Directory_ExpiredPageToken", "The specified page token value has expired.")
        return cursor
    if age > timedelta(days=tenant.settings.delta_token_days).total_seconds():
        raise gone(tenant.settings.delta_expired_form, location)
    # A replay repeats some changes before the token's position.
    replay = tenant.settings.delta_replay
    return replace(
        cursor,
        start=max(0, cursor.end - replay),
        end=max(cursor.end, _horizon(tenant, "user", now)),
        group_start=max(0, cursor.group_end - replay),
        group_end=max(cursor.group_end, _horizon(tenant, "group", now)),
        offset=0,
        phase=0,
        part=0,
        blank=False,
    )


FORMS: Final = ("gone", "syncStateNotFound", "resyncRequired", "tooOld")


def gone(form: str, location: str) -> GraphError:
    """The error that tells a reader to start over, in one of the forms seen of Graph."""
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
    """The page at a cursor, and the cursor after it. `size` can only make pages smaller than the tenant's setting."""
    settings = tenant.settings
    size = max(1, min(settings.delta_page_size, size or settings.delta_page_size))
    start, end = cursor.span
    chance = Random(f"{settings.delta_seed}:{start}:{end}:{cursor.offset}")
    issued = int(now.timestamp())
    if not cursor.blank and chance.random() < settings.delta_empty_pages:
        return DeltaPage(items=[], cursor=replace(cursor, more=True, blank=True, issued=issued))
    if start == INITIAL:
        items, place = _initial_page(tenant, cursor, size)
    else:
        items, place = _changes_page(tenant, cursor, size, minimal=minimal)
    items += [item for item in items if chance.random() < settings.delta_duplicate]
    if settings.delta_shuffle:
        chance.shuffle(items)
    if cursor.path == "directoryObjects":
        items = [{"@odata.type": f"#microsoft.graph.{cursor.type}", **item} for item in items]
    following = replace(cursor, blank=False, issued=issued)
    if place is not None and cursor.circled < settings.delta_circle:
        return DeltaPage(items=items, cursor=replace(following, more=True, circled=cursor.circled + 1))
    if place is not None:
        return DeltaPage(items=items, cursor=replace(following, more=True, offset=place[0], part=place[1]))
    last = cursor.phase + 1 >= len(cursor.types)
    following = replace(following, more=not last, phase=cursor.phase + 1, offset=0, part=0)
    return DeltaPage(items=items, cursor=following)


Place: TypeAlias = tuple[int, int]


def _feed(tenant: Tenant, kind: str) -> Feed:
    return UserFeed(tenant) if kind == "user" else GroupFeed(tenant)


def _horizon(tenant: Tenant, kind: str, now: datetime) -> int:
    log = _feed(tenant, kind).log
    return log.visible_until(now - timedelta(seconds=tenant.settings.replication_lag_s))


def _initial_page(tenant: Tenant, cursor: Cursor, size: int) -> tuple[list[dict[str, Any]], Place | None]:
    feed, wanted = _feed(tenant, cursor.type), None if cursor.ids is None else frozenset(cursor.ids)
    names, skip, (_, end) = cursor.names(feed), cursor.part, cursor.span
    items: list[dict[str, Any]] = []
    for ordinal, object_id in feed.ever(cursor.offset):
        item = feed.find(object_id)
        gone = None if item is not None else feed.find_deleted(object_id)
        newest = item or gone
        if newest is None or (wanted is not None and object_id not in wanted):
            continue
        if newest.created_at_position >= end:
            break
        if len(items) == size:
            return items, (ordinal, 0)
        if item is not None:
            entries = feed.entries(item, names, Touched(reappeared=True), minimal=False)[skip:]
            room = size - len(items)
            items += entries[:room]
            if len(entries) > room:
                return items, (ordinal, skip + room)
        elif tenant.settings.delta_initial_removed:
            items.append(removed(object_id, "changed"))
        skip = 0
    return items, None


def _changes_page(
    tenant: Tenant, cursor: Cursor, size: int, *, minimal: bool
) -> tuple[list[dict[str, Any]], Place | None]:
    feed, wanted = _feed(tenant, cursor.type), None if cursor.ids is None else frozenset(cursor.ids)
    names, span = cursor.names(feed), cursor.span
    found = _touched(tenant, feed, frozenset(names), wanted, span)
    if tenant.settings.delta_shuffle:
        found = found[:]
        Random(f"{tenant.settings.delta_seed}:{span[0]}:{span[1]}").shuffle(found)
    until = cursor.offset + size
    items: list[dict[str, Any]] = []
    for object_id, what in found[cursor.offset : until]:
        item = feed.find(object_id)
        if item is not None:
            items += feed.entries(item, names, what, minimal=minimal)
        elif (gone := feed.find_deleted(object_id) is None) or not tenant.settings.delta_silent_deletions:
            items.append(removed(object_id, "deleted" if gone else "changed"))
    return items, None if until >= len(found) else (until, 0)


_LONG: Final = 2000


def _touched(
    tenant: Tenant, feed: Feed, names: frozenset[str], wanted: frozenset[str] | None, span: tuple[int, int]
) -> list[tuple[str, Touched]]:
    """The objects that changed in a span of the log.

    The log only grows, so a span never changes: the result of a long one is kept for the next page.
    """
    key = (feed.of.name, names, wanted, span)
    if (known := tenant.rounds.get(key)) is not None:
        return known
    found = list(touched(feed.log.between(*span), names, wanted).items())
    if span[1] - span[0] > _LONG:
        tenant.rounds.clear()
        tenant.rounds[key] = found
    return found

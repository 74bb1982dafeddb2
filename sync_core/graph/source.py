"""The source tenant, read only: one user afresh, pages of the delta query, and who of many is there.

https://learn.microsoft.com/graph/api/user-get, user-delta and directoryobject-getbyids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from itertools import batched
from urllib.parse import quote

from ..model import MANAGER, Json, SourceState, SourceUser
from ..model.errors import GraphRefusedError, NotVisibleYetError, ResyncRequiredError, UnavailableError
from ..ports import Clock, DeltaPage
from .client import GraphClient, JsonObject, items
from .failures import not_found

# What every decision needs, whatever the mapping asks for: who it is and how to reach them, and whether external.
_IDENTITY = ("id", "accountEnabled", "displayName", "mail", "userPrincipalName")
_ORIGIN = ("userType", "creationType", "externalUserState")
_USER = "/users/{id}?$select="
_EXPAND = f"&$expand={MANAGER}($select=id)"
_REPORTS = "/users/{id}/directReports?$select=id&$top=999"
_USER_ID = "/users/{id}?$select=id"
_DELETED_USER = "/directory/deletedItems/{id}/microsoft.graph.user?$select="
_DELTA = "/users/delta?$select="
_BY_IDS = "/directoryObjects/getByIds?$select=id"
_MOST_IDS = 1000
_CHECK_MEMBER_GROUPS = "/users/{id}/checkMemberGroups"
_MOST_GROUPS = 20
_GROUP_ID = "/groups/{id}?$select=id"


class GraphSource:
    """ports.SourceDirectory. `attributes` are what mapping and scope read; the ones every decision needs are added."""

    def __init__(self, client: GraphClient, clock: Clock, attributes: Iterable[str] = ()) -> None:
        self._client = client
        self._clock = clock
        # Encoded, because a brace would be read as part of the URL template.
        names = {*_IDENTITY, *_ORIGIN, *attributes}
        self._select = _list(names)  # of the feed, where a relation is selected like an attribute
        # A relation is expanded when one user is read; one in deletedItems has none to expand.
        self._read_select = _list(names - {MANAGER})
        self._expand = _EXPAND if MANAGER in names else ""

    @property
    def select(self) -> str:
        return self._select

    async def read_user(self, user_id: str, groups: Collection[str] = ()) -> SourceUser:
        read_at = self._clock.now()  # before asking: the answer is at least as new
        user = await self._look_up(_USER + self._read_select + self._expand, user_id)
        if user is not None:
            attributes = _attributes(user) | ({MANAGER: _id(user.get(MANAGER))} if self._expand else {})
            return SourceUser(
                id=user_id,
                state=_live_state(user),
                attributes=attributes,
                member_of=await self._member_of(user_id, groups),
                read_at=read_at,
            )
        deleted = await self._look_up(_DELETED_USER + self._read_select, user_id)
        if deleted is not None:
            attributes = _attributes(deleted)
            return SourceUser(id=user_id, state=SourceState.SOFT_DELETED, attributes=attributes, read_at=read_at)
        return SourceUser(id=user_id, state=SourceState.GONE, read_at=read_at)

    async def _look_up(self, template: str, user_id: str) -> JsonObject | None:
        """One user, or None when Graph itself says that there is none."""
        try:
            user = await self._client.get(template, {"id": user_id})
        except GraphRefusedError as error:
            if not_found(error):
                return None
            raise
        if str(user.get("id")).lower() != user_id.lower():
            raise UnavailableError("the answer is about another user")
        return user

    async def _member_of(self, user_id: str, groups: Collection[str]) -> frozenset[str]:
        """Through every level. https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups"""
        found: set[str] = set()
        for chunk in batched(sorted(groups), _MOST_GROUPS, strict=False):
            try:
                answer = await self._client.post(_CHECK_MEMBER_GROUPS, {"id": user_id}, body={"groupIds": list(chunk)})
            except GraphRefusedError as error:
                if not_found(error):  # somebody who was there a moment ago: new, or just deleted
                    raise NotVisibleYetError from error
                raise
            value = answer.get("value") if answer is not None else None
            if not isinstance(value, list):
                raise UnavailableError("an answer to checkMemberGroups without a list")
            known = {str(each).lower() for each in value}
            found.update(group for group in chunk if group.lower() in known)
        return frozenset(found)

    async def missing_groups(self, groups: Collection[str]) -> set[str]:
        missing = set()
        for group in sorted(groups):
            try:
                await self._client.get(_GROUP_ID, {"id": group})
            except GraphRefusedError as error:
                if not not_found(error):
                    raise
                missing.add(group)
        return missing

    async def find(self, name: str) -> str | None:
        """The object id of the user who has this user principal name (or id) now; for people, who know no ids."""
        try:
            user_id = (await self._client.get(_USER_ID, {"id": name})).get("id")
        except GraphRefusedError as error:
            if not_found(error):
                return None
            raise
        if not isinstance(user_id, str) or not user_id:
            raise UnavailableError("a user without an id")
        return user_id

    async def delta_page(self, link: str | None) -> DeltaPage:
        read_at = self._clock.now()
        if link is None:
            page = await self._client.get(_DELTA + self._select, delta=True)
        else:
            page = await delta_follow(self._client, link)
        next_link, delta_link = delta_links(self._client, page)
        users = [_entry(item, read_at) for item in items(page)]
        return DeltaPage(users=users, next_link=next_link, delta_link=delta_link)

    async def reports(self, user_id: str) -> list[str]:
        try:
            found = [_id(item) async for item in self._client.pages(_REPORTS, {"id": user_id})]
        except GraphRefusedError as error:
            if not_found(error):
                return []
            raise
        return [report for report in found if report is not None]

    async def existing(self, user_ids: Sequence[str]) -> set[str]:
        found: set[str] = set()
        for chunk in batched(user_ids, _MOST_IDS, strict=False):
            page = await self._client.post(_BY_IDS, body={"ids": list(chunk), "types": ["user"]})
            if page is None or page.get("@odata.nextLink") is not None:
                raise UnavailableError("an incomplete answer to getByIds")
            known = {str(item.get("id")).lower() for item in items(page)}
            found.update(user_id for user_id in chunk if user_id.lower() in known)
        return found


async def delta_follow(client: GraphClient, link: str) -> JsonObject:
    """The page behind a stored link."""
    if not client.ours(link):  # the Graph host was changed, or somebody changed the record; either way it is of no use
        raise ResyncRequiredError("the stored link leads to another host")
    return await client.follow(link, delta=True)


def delta_links(client: GraphClient, page: JsonObject) -> tuple[str | None, str | None]:
    """The link to the next page, or to the next round: exactly one of them."""
    links = [page.get(name) for name in ("@odata.nextLink", "@odata.deltaLink")]
    given = [link for link in links if link is not None]
    if len(given) != 1:
        raise UnavailableError("a delta page without exactly one link")
    if not isinstance(given[0], str) or not client.ours(given[0]):
        raise UnavailableError("a delta page with a link to elsewhere")
    return (given[0], None) if links[0] is not None else (None, given[0])


def _live_state(user: JsonObject) -> SourceState:
    """Never assumed: reading a missing `accountEnabled` as either value would disable or enable somebody."""
    enabled = user.get("accountEnabled")
    if not isinstance(enabled, bool):
        raise UnavailableError("a user without accountEnabled")
    return SourceState.LIVE if enabled else SourceState.DISABLED


def _list(names: Iterable[str]) -> str:
    return quote(",".join(sorted(names)), safe=",")


def _id(item: Json) -> str | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) else None


def _attributes(user: JsonObject) -> dict[str, Json]:
    return {name: value for name, value in user.items() if "@" not in name and name != MANAGER}


def _entry(item: JsonObject, read_at: datetime) -> SourceUser:
    """One entry of a delta page; it only nominates, so an attribute that Graph left out stays left out."""
    user_id = item.get("id")
    if not isinstance(user_id, str) or not user_id:
        raise UnavailableError("a delta entry without an id")
    removed = item.get("@removed")
    if removed is not None:
        return SourceUser(id=user_id, state=_removed_state(removed), read_at=read_at)
    state = SourceState.DISABLED if item.get("accountEnabled") is False else SourceState.LIVE
    attributes = _attributes(item)
    links = item.get(f"{MANAGER}@delta")
    if isinstance(links, list):  # only where it was touched: the old one marked as removed, and the new one, if any
        current = [_id(link) for link in links if isinstance(link, dict) and "@removed" not in link]
        attributes[MANAGER] = current[-1] if current else None
    return SourceUser(id=user_id, state=state, attributes=attributes, read_at=read_at)


def _removed_state(removed: Json) -> SourceState:
    """`changed` is soft-deleted, `deleted` is gone. https://learn.microsoft.com/graph/delta-query-overview"""
    gone = isinstance(removed, dict) and removed.get("reason") == "deleted"
    return SourceState.GONE if gone else SourceState.SOFT_DELETED

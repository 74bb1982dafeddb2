"""The source tenant, read only: one user read afresh, pages of the delta query, and a check which of many users exist.

https://learn.microsoft.com/graph/api/user-get, user-delta and directoryobject-getbyids.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import batched

from ..model import MANAGER, READ_ROLES, Attributes, Json, SourceState, SourceUser
from ..model.errors import (
    DomainsUnknownError,
    GraphRefusedError,
    NotVisibleYetError,
    UnavailableError,
)
from ..ports import Clock, DeltaPage
from .client import GraphClient, JsonObject, items, quoted
from .delta import delta_follow, delta_links, selection
from .existing import existing_users
from .failures import not_found

# Attributes that every decision needs, whatever the mapping reads: identity, address, and whether the user is external.
ALWAYS = frozenset(
    {
        *("id", "accountEnabled", "displayName", "mail", "userPrincipalName"),
        *("userType", "creationType", "externalUserState"),
    }
)
_USER = "/users/{id}?$select="
_EXPAND = f"&$expand={MANAGER}($select=id)"
_REPORTS = "/users/{id}/directReports?$select=id&$top=999"
_USER_ID = "/users/{id}?$select=id"
_MAIL = "/users?$filter={filter}&$select=id"
_DELETED_MAIL = "/directory/deletedItems/microsoft.graph.user?$filter={filter}&$select=id"
_DELETED_USER = "/directory/deletedItems/{id}/microsoft.graph.user?$select="
_DELTA = "/users/delta?$select="
_CHECK_MEMBER_GROUPS = "/users/{id}/checkMemberGroups"
_MOST_GROUPS = 20  # in one checkMemberGroups
VERIFIED_DOMAINS = "/organization?$select=verifiedDomains"
_DOMAINS_LAST = timedelta(hours=1)
_GROUP_ID = "/groups/{id}?$select=id"


class GraphSource:
    """ports.SourceDirectory. `attributes` are those that mapping and scope read; those of every decision are added."""

    def __init__(self, client: GraphClient, clock: Clock, attributes: Iterable[str] = ()) -> None:
        self._client = client
        self._clock = clock
        names = ALWAYS.union(attributes)
        # Graph leaves out a directory extension that is empty, and names everything else that was selected.
        self._answered = {name for name in names - {MANAGER} if not name.startswith("extension_")}
        self._select = selection(names)  # for the feed, where the manager is selected like an attribute
        # A read of one user expands the manager instead. A user in deletedItems has none to expand.
        self._read_select = selection(names - {MANAGER})
        self._expand = _EXPAND if MANAGER in names else ""
        self._names = names
        self._domains: frozenset[str] | None = None
        self._domains_read_at = clock.now()

    @property
    def select(self) -> str:
        return self._select

    async def read_user(self, user_id: str, groups: Collection[str] = ()) -> SourceUser:
        read_at = self._clock.now()  # before the request, so that the answer is at least as new
        user = await self._look_up(_USER + self._read_select + self._expand, user_id)
        if user is not None:
            attributes = _attributes(user) | ({MANAGER: _id(user.get(MANAGER))} if self._expand else {})
            return SourceUser(
                id=user_id,
                state=_live_state(user),
                attributes=attributes,
                member_of=await self._member_of(user_id, groups),
                unreadable=_nulls(attributes, await hidden(self._client, self._names)),
                read_at=read_at,
            )
        deleted = await self._look_up(_DELETED_USER + self._read_select, user_id)
        if deleted is not None:
            attributes = _attributes(deleted)
            return SourceUser(id=user_id, state=SourceState.SOFT_DELETED, attributes=attributes, read_at=read_at)
        return SourceUser(id=user_id, state=SourceState.GONE, read_at=read_at)

    async def _look_up(self, template: str, user_id: str) -> JsonObject | None:
        """One user, or None if Graph itself says that there is none."""
        try:
            user = await self._client.get(template, {"id": user_id})
        except GraphRefusedError as error:
            if not_found(error):
                return None
            raise
        if str(user.get("id")).lower() != user_id.lower():
            raise UnavailableError("the answer is about another user")
        if missing := self._answered - user.keys():
            raise UnavailableError(f"an answer without {', '.join(sorted(missing))}, which was asked for")
        return user

    async def _member_of(self, user_id: str, groups: Collection[str]) -> frozenset[str]:
        """Those of `groups` that contain the user, directly or through nested groups.

        https://learn.microsoft.com/graph/api/directoryobject-checkmembergroups
        """
        found: set[str] = set()
        for chunk in batched(sorted(groups), _MOST_GROUPS, strict=False):
            try:
                answer = await self._client.post(_CHECK_MEMBER_GROUPS, {"id": user_id}, body={"groupIds": list(chunk)})
            except GraphRefusedError as error:
                if not_found(error):  # the user was read a moment ago: it is new, or was just deleted
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
        """The object id of the user with this user principal name or id, or else with this mail address.

        A deleted user is found by the mail address, if nobody else has it: Entra changes the user principal name.
        None if there is none, or if several have the address: Entra does not keep it unique.
        """
        try:
            user_id = (await self._client.get(_USER_ID, {"id": name})).get("id")
        except GraphRefusedError as error:
            if not_found(error):
                found = await self._with_mail(_MAIL, name) or await self._with_mail(_DELETED_MAIL, name)
                return found[0] if len(found) == 1 else None
            raise
        if not isinstance(user_id, str) or not user_id:
            raise UnavailableError("a user without an id")
        return user_id

    async def _with_mail(self, template: str, address: str) -> list[str]:
        """https://learn.microsoft.com/graph/api/directory-deleteditems-list takes users' filters."""
        named = {"filter": f"mail eq {quoted(address)}"}
        return [str(user["id"]) async for user in self._client.pages(template, named)]

    async def delta_page(self, link: str | None) -> DeltaPage:
        read_at = self._clock.now()
        if link is None:
            page = await self._client.get(_DELTA + self._select, delta=True)
        else:
            page = await delta_follow(self._client, link)
        next_link, delta_link = delta_links(self._client, page)
        unreadable = await hidden(self._client, self._names)
        users = [listed(item, read_at, unreadable) for item in items(page)]
        return DeltaPage(users=users, next_link=next_link, delta_link=delta_link)

    async def reports(self, user_id: str) -> list[str] | None:
        try:
            found = [_id(item) async for item in self._client.pages(_REPORTS, {"id": user_id})]
        except GraphRefusedError as error:
            if not_found(error):
                return None
            raise
        return [report for report in found if report is not None]

    async def verified_domains(self) -> frozenset[str]:
        """https://learn.microsoft.com/graph/api/organization-list"""
        now = self._clock.now()
        if self._domains is None or now - self._domains_read_at >= _DOMAINS_LAST:
            self._domains = await self._read_domains()
            self._domains_read_at = now
        return self._domains

    async def _read_domains(self) -> frozenset[str]:
        try:
            page = await self._client.get(VERIFIED_DOMAINS)
        except GraphRefusedError as error:
            if error.status == 403:
                raise DomainsUnknownError from error
            raise
        domains = [each.get("name") for item in items(page) for each in _list(item.get("verifiedDomains"))]
        if not domains:
            raise UnavailableError("a tenant without verified domains")
        return frozenset(str(name).lower() for name in domains)

    async def existing(self, user_ids: Sequence[str]) -> set[str]:
        return await existing_users(self._client, user_ids)


async def hidden(client: GraphClient, names: Collection[str]) -> frozenset[str]:
    """Those of the attributes that this app has no role to read. The emulator's tokens may name no roles."""
    guarded = {name: role for name, role in READ_ROLES.items() if name in names}
    roles = (await client.claims()).get("roles") if guarded else None
    if not isinstance(roles, list):
        return frozenset()
    return frozenset(
        name for name, role in guarded.items() if not {role, role.replace(".Read.", ".ReadWrite.")} & {*roles}
    )


def listed(item: JsonObject, read_at: datetime, unreadable: frozenset[str]) -> SourceUser:
    """A user as a listing shows them, of whose attributes the app may not read `unreadable`."""
    user = _entry(item, read_at)
    return replace(user, unreadable=_nulls(user.attributes, unreadable)) if unreadable else user


def _live_state(user: JsonObject) -> SourceState:
    """Raises UnavailableError without `accountEnabled`: a guess would disable or enable somebody."""
    enabled = user.get("accountEnabled")
    if not isinstance(enabled, bool):
        raise UnavailableError("a user without accountEnabled")
    return SourceState.LIVE if enabled else SourceState.DISABLED


def _id(item: Json) -> str | None:
    found = item.get("id") if isinstance(item, dict) else None
    return found if isinstance(found, str) else None


def _list(value: Json) -> list[JsonObject]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _nulls(attributes: Attributes, unreadable: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in unreadable if attributes.get(name) is None)


def _attributes(user: JsonObject) -> dict[str, Json]:
    return {name: value for name, value in user.items() if "@" not in name and name != MANAGER}


def _entry(item: JsonObject, read_at: datetime) -> SourceUser:
    """One entry of a delta page. An attribute that Graph left out is missing here too: an entry only nominates."""
    user_id = item.get("id")
    if not isinstance(user_id, str) or not user_id:
        raise UnavailableError("a delta entry without an id")
    removed = item.get("@removed")
    if removed is not None:
        return SourceUser(id=user_id, state=_removed_state(removed), read_at=read_at)
    state = SourceState.DISABLED if item.get("accountEnabled") is False else SourceState.LIVE
    attributes = _attributes(item)
    managers = item.get(f"{MANAGER}@delta")
    if isinstance(managers, list):  # after a change only: the old manager with `@removed`, and the new one, if any
        current = [_id(each) for each in managers if isinstance(each, dict) and "@removed" not in each]
        attributes[MANAGER] = current[-1] if current else None
    return SourceUser(id=user_id, state=state, attributes=attributes, read_at=read_at)


def _removed_state(removed: Json) -> SourceState:
    """The reason `changed` is soft-deleted, `deleted` is gone. https://learn.microsoft.com/graph/delta-query-overview"""
    gone = isinstance(removed, dict) and removed.get("reason") == "deleted"
    return SourceState.GONE if gone else SourceState.SOFT_DELETED

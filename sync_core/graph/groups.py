"""The groups of a source tenant, read only: the groups nested in them, their members, and changes of membership.

https://learn.microsoft.com/graph/api/group-list-transitivemembers and group-delta.
"""

from __future__ import annotations

from collections.abc import Collection
from urllib.parse import quote

from ..model import Json
from ..model.errors import GraphRefusedError, UnavailableError
from ..ports import GroupChanges
from .client import GraphClient, JsonObject, items
from .delta import delta_follow, delta_links
from .failures import not_found

_NESTED_GROUPS = "/groups/{id}/transitiveMembers/microsoft.graph.group?$select=id&$count=true&$top=999"
_ALL_USERS = "/groups/{id}/transitiveMembers/microsoft.graph.user?$select=id&$count=true&$top=999"
_LATEST = "/groups/delta?$select=members&$deltatoken=latest"
_GROUP, _USER = "#microsoft.graph.group", "#microsoft.graph.user"
_MOST_FILTERED = 50  # ids in the filter of a delta query, at most


class GraphGroups:
    """ports.GroupDirectory."""

    def __init__(self, client: GraphClient) -> None:
        self._client = client

    async def closure(self, groups: Collection[str]) -> set[str]:
        found: set[str] = set()
        for group in sorted(groups):
            nested = await self._listed(_NESTED_GROUPS, group)
            if nested is not None:
                found |= {group, *nested}
        return found

    async def members(self, group: str) -> set[str] | None:
        return await self._listed(_ALL_USERS, group)

    async def latest(self, groups: Collection[str]) -> str:
        chosen = ""
        if 0 < len(groups) <= _MOST_FILTERED:
            chosen = "&$filter=" + quote(" or ".join(f"id eq '{group}'" for group in sorted(groups)))
        _, link = delta_links(self._client, await self._client.get(_LATEST + chosen, delta=True))
        if link is None:
            raise UnavailableError("no delta link in answer to $deltatoken=latest")
        return link

    async def changes(self, link: str, groups: Collection[str]) -> GroupChanges:
        page = await delta_follow(self._client, link)
        next_link, delta_link = delta_links(self._client, page)
        joined: list[str] = []
        left: list[str] = []
        regrouped = False
        for entry in items(page):
            if _id(entry) not in groups:
                continue
            regrouped = regrouped or "@removed" in entry
            for member in _members(entry):
                kind = member.get("@odata.type", _USER)
                if kind == _GROUP:
                    # Graph may repeat an entry that agrees with the closure: that is no change.
                    regrouped = regrouped or ("@removed" in member) == (_id(member) in groups)
                elif kind == _USER:
                    (left if "@removed" in member else joined).append(_id(member))
        return GroupChanges(joined=joined, left=left, regrouped=regrouped, next_link=next_link, delta_link=delta_link)

    async def _listed(self, template: str, group: str) -> set[str] | None:
        try:
            return {_id(item) async for item in self._client.pages(template, {"id": group})}
        except GraphRefusedError as error:
            if not_found(error):
                return None
            raise


def _members(entry: JsonObject) -> list[JsonObject]:
    members = entry.get("members@delta", [])
    if isinstance(members, list):
        objects = [each for each in members if isinstance(each, dict)]
        if len(objects) == len(members):
            return objects
    raise UnavailableError("members@delta is not a list of objects")


def _id(item: JsonObject) -> str:
    value: Json = item.get("id")
    if not isinstance(value, str) or not value:
        raise UnavailableError("an object without an id")
    return value.lower()

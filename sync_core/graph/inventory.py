"""A whole tenant, listed 999 objects in each request: for people who look before the first write, and decides nothing.

https://learn.microsoft.com/graph/api/user-list, orgcontact-list and directory-deleteditems-list.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Collection

from ..model import ADDRESSES, MANAGER, PRINCIPAL_NAME, Json, SourceUser, addresses_of
from ..ports import Clock, Contact, Quota, Resident
from .client import GraphClient, JsonObject, items
from .delta import selection
from .groups import GraphGroups
from .source import ALWAYS, hidden, listed
from .target import PROPERTIES, target_user

_LIST = "?$top=999&$select="
_DELETED = "/directory/deletedItems/microsoft.graph.user"
_CONTACTS = f"/contacts{_LIST}id,mail,proxyAddresses"
# Documented for beta; v1.0 answers with it where it is selected.
# https://learn.microsoft.com/graph/api/resources/directorysizequota
_QUOTA = "/organization?$select=directorySizeQuota"


class GraphInventory:
    """ports.Inventory."""

    def __init__(self, client: GraphClient, clock: Clock) -> None:
        self._client, self._clock = client, clock

    async def people(self, attributes: Collection[str]) -> AsyncIterator[SourceUser]:
        names = ALWAYS.union(ADDRESSES, attributes) - {MANAGER}
        unreadable, read_at = await hidden(self._client, names), self._clock.now()
        async for user in self._client.pages(f"/users{_LIST}{selection(names)}"):
            yield listed(user, read_at, unreadable)

    async def residents(self, markers: Collection[str]) -> AsyncIterator[Resident]:
        async for user in self._client.pages(f"/users{_LIST}{_shown(markers)}"):
            yield _resident(user, markers)

    async def deleted(self) -> AsyncIterator[Resident]:
        async for user in self._client.pages(f"{_DELETED}{_LIST}{_shown()}"):
            # Entra puts the object id in front of the principal name of a deleted user, to free that name for others.
            name = str(user.get(PRINCIPAL_NAME) or "").removeprefix(str(user.get("id")).replace("-", ""))
            yield _resident({**user, PRINCIPAL_NAME: name})

    async def contacts(self) -> AsyncIterator[Contact]:
        async for contact in self._client.pages(_CONTACTS):
            yield Contact(id=str(contact.get("id")), addresses=addresses_of(contact))

    async def members(self, group: str) -> Collection[str] | None:
        return await GraphGroups(self._client).members(group)

    async def quota(self) -> Quota | None:
        found = [each.get("directorySizeQuota") for each in items(await self._client.get(_QUOTA))]
        return _quota(found[0]) if found else None


def _shown(markers: Collection[str] = ()) -> str:
    return selection({"id", *PROPERTIES, *ADDRESSES, *markers})


def _resident(user: JsonObject, markers: Collection[str] = ()) -> Resident:
    return Resident(
        user=target_user(user),
        addresses=addresses_of(user),
        pending=user.get("externalUserState") == "PendingAcceptance",
        markers={name: str(user[name]) for name in markers if user.get(name)},
    )


def _quota(value: Json) -> Quota | None:
    if not isinstance(value, dict):
        return None
    used, total = value.get("used"), value.get("total")
    return Quota(used=used, total=total) if isinstance(used, int) and isinstance(total, int) else None

"""The target tenant: the search for B2B users, and the writes that create, change and remove one.

https://learn.microsoft.com/graph/api/invitation-post, user-update, user-delete and directory-deleteditems-restore.
The client takes a permit of the write budget before each write.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import batched

from ..model import ENABLED, Attributes, Marker, TargetEntry, TargetUser, is_external, is_object_id
from ..model.errors import AddressTakenError, GraphRefusedError, MissingManagerError, UnavailableError
from ..ports import Confirm, MarkedPage, Presence, Standing, TargetPage
from .client import GraphClient, JsonObject, items, moment, quoted
from .delta import delta_follow, delta_links, selection
from .existing import existing_users
from .failures import not_found
from .refusals import divided, is_conflict

PROPERTIES = {"accountEnabled", "createdDateTime", "displayName", "externalUserState", "mail", "userPrincipalName"}
_SELECT = ",".join(["id", *sorted(PROPERTIES)])
_USER = "/users/{id}"
_READ_USER = f"/users/{{id}}?$select={_SELECT}"
_PRESENT = "/users/{id}?$select=id"
_ENABLED = "/users/{id}?$select=id,accountEnabled"
_DELETED = f"/directory/deletedItems/{{id}}/microsoft.graph.user?$select={_SELECT}"
_RESTORE = "/directory/deletedItems/{id}/restore"
_CANDIDATES = "/users?$filter={filter}&$select="
_MARKED = "/users?$top=999&$count=true&$filter={filter}&$select=id,"
_INVITATIONS = "/invitations"
_DELTA = "/users/delta?$select="
_TOLD = ("accountEnabled", "externalUserState", "userPrincipalName")
_MANAGER = "/users/{id}/manager/$ref"
_STANDING = f"/users?$filter={{filter}}&$select={_SELECT},showInAddressList"
_MOST_IN = 15  # values of one `in`. https://learn.microsoft.com/graph/filter-query-parameter
_MOST_REFUSALS = 10  # of one update: six find one refused attribute among 32, whatever else is accepted in between


class GraphTarget:
    """ports.TargetDirectory. A redeemed invitation leads to the target tenant's My Apps page.

    `attributes` are those of which the feed tells, besides who may sign in and who is external.
    """

    def __init__(self, client: GraphClient, attributes: Iterable[str] = ()) -> None:
        self._client = client
        self._select = selection({*_TOLD, *attributes})

    @property
    def select(self) -> str:
        return self._select

    async def delta_page(self, link: str | None) -> TargetPage:
        if link is None:
            page = await self._client.get(_DELTA + self._select, delta=True)
        else:
            page = await delta_follow(self._client, link)
        next_link, delta_link = delta_links(self._client, page)
        return TargetPage(users=[_entry(item) for item in items(page)], next_link=next_link, delta_link=delta_link)

    async def candidates(
        self, address: str | None, *, mark: str | None = None, marker: Marker | None = None
    ) -> list[TargetUser]:
        clauses = [_has_address(address)] if address else []
        if mark:
            clauses.append(f"startsWith(displayName,'{mark}')")
        select = _SELECT
        if marker:
            clauses.append(f"{marker.attribute} eq {quoted(marker.text)}")
            select += f",{marker.attribute}"  # Graph returns a directory extension only if it is selected
        found: dict[str, TargetUser] = {}
        async for user in self._client.pages(_CANDIDATES + select, {"filter": " or ".join(clauses)}):
            candidate = target_user(user, marker)
            found[candidate.id] = candidate
        return list(found.values())

    async def marked(self, marker: Marker, link: str | None = None) -> MarkedPage:
        if link is None:
            name, prefix = marker.attribute, quoted(marker.prefix)
            page = await self._client.get(_MARKED + name, {"filter": f"startsWith({name},{prefix})"})
        else:
            page = await self._client.follow(link)
        # Other programs can write the attribute too, so a text that does not end with an object id is ignored.
        source_ids = [str(user.get(marker.attribute)).removeprefix(marker.prefix) for user in items(page)]
        next_link = page.get("@odata.nextLink")
        return MarkedPage(
            source_ids=[source_id for source_id in source_ids if is_object_id(source_id)],
            next_link=None if next_link is None else str(next_link),
        )

    async def read_user(self, target_id: str) -> TargetUser | None:
        user = await self._get(_READ_USER, target_id)
        return None if user is None else target_user(user)

    async def deleted_user(self, target_id: str) -> TargetUser | None:
        user = await self._get(_DELETED, target_id)
        return None if user is None else target_user(user)

    async def read_values(self, target_id: str, names: Sequence[str]) -> Attributes | None:
        user = await self._get(f"{_USER}?$select={','.join(['id', *names])}", target_id)
        if user is None:
            return None
        # Graph leaves out a directory extension that is empty, and names everything else that was selected.
        if not user.keys() >= {name for name in names if not name.startswith("extension_")}:
            raise UnavailableError("a user without a property that was selected")
        return {name: user.get(name) for name in names}

    async def presence(self, target_id: str) -> Presence:
        if await self._get(_PRESENT, target_id) is not None:
            return Presence.PRESENT
        if await self._get(_DELETED, target_id) is not None:
            return Presence.SOFT_DELETED
        return Presence.GONE

    async def existing(self, target_ids: Sequence[str]) -> set[str]:
        return await existing_users(self._client, target_ids)

    async def standing(self, target_ids: Sequence[str]) -> Mapping[str, Standing]:
        found: dict[str, Standing] = {}
        for some in batched(target_ids, _MOST_IN, strict=False):
            ids = ",".join(map(quoted, some))
            async for user in self._client.pages(_STANDING, {"filter": f"id in ({ids})"}):
                found[str(user.get("id"))] = _standing(user)
        return found

    async def enabled(self, target_id: str) -> bool | None:
        user = await self._get(_ENABLED, target_id)
        return None if user is None else user.get("accountEnabled") is not False

    async def invite(self, address: str, display_name: str, *, confirm: Confirm) -> str:
        return await self._invite(address, {"invitedUserDisplayName": display_name}, confirm)

    async def reset_redemption(self, target_id: str, address: str, *, confirm: Confirm) -> bool:
        """https://learn.microsoft.com/entra/external-id/reset-redemption-status"""
        try:
            user_id = await self._invite(address, {"invitedUser": {"id": target_id}, "resetRedemption": True}, confirm)
        except GraphRefusedError as error:
            return _only_missing(error)
        if user_id.lower() != target_id.lower():
            raise UnavailableError("the answer is about another user")
        return True

    async def _invite(self, address: str, whom: JsonObject, confirm: Confirm) -> str:
        body: JsonObject = {
            "invitedUserEmailAddress": address,
            "inviteRedirectUrl": f"https://myapplications.microsoft.com/?tenantid={self._client.tenant_id}",
            "sendInvitationMessage": False,
            **whom,
        }
        invited = (await self._client.post(_INVITATIONS, body=body, confirm=confirm) or {}).get("invitedUser")
        user_id = invited.get("id") if isinstance(invited, dict) else None
        if not isinstance(user_id, str) or not user_id:
            raise UnavailableError("an invitation without its user")
        return user_id

    async def update(
        self, target_id: str, attributes: Attributes, *, confirm: Confirm | None = None
    ) -> Mapping[str, str] | None:
        refused: dict[str, str] = {}
        parts = _access_first(attributes)
        accepted, refusals = False, 0
        while parts:
            part, *parts = parts
            try:
                await self._client.patch(_USER, {"id": target_id}, body={**part}, confirm=confirm)
                accepted = True
            except GraphRefusedError as error:
                if not_found(error):
                    return None
                names, again = divided(error, part)
                refused |= dict.fromkeys(names, error.code)
                parts, refusals = [*again, *parts], refusals + 1
                if parts and refusals >= _MOST_REFUSALS:
                    if not accepted:
                        raise
                    return {**dict.fromkeys((name for each in parts for name in each), error.code), **refused}
        return refused

    async def set_manager(self, target_id: str, manager_id: str | None, *, confirm: Confirm | None = None) -> bool:
        user = {"id": target_id}
        try:
            if manager_id is None:
                await self._client.delete(_MANAGER, user, confirm=confirm)
            else:
                await self._client.put(_MANAGER, user, body=self._client.reference(manager_id), confirm=confirm)
        except GraphRefusedError as error:
            if not not_found(error):
                raise
            if manager_id is None:  # either the user has no manager, or there is no such user
                return await self._get(_PRESENT, target_id) is not None
            if manager_id.lower() in error.message.lower():
                raise MissingManagerError from error
            return False
        return True

    async def soft_delete(self, target_id: str, *, confirm: Confirm) -> bool:
        try:
            await self._client.delete(_USER, {"id": target_id}, confirm=confirm)
        except GraphRefusedError as error:
            return _only_missing(error)
        return True

    async def restore(self, target_id: str, *, confirm: Confirm | None = None) -> bool:
        try:
            await self._client.post(_RESTORE, {"id": target_id}, confirm=confirm)
        except GraphRefusedError as error:
            if is_conflict(error):
                raise AddressTakenError from error
            return _only_missing(error)
        return True

    async def _get(self, template: str, target_id: str) -> JsonObject | None:
        try:
            user = await self._client.get(template, {"id": target_id})
        except GraphRefusedError as error:
            if not_found(error):
                return None
            raise
        if str(user.get("id")).lower() != target_id.lower():
            raise UnavailableError("the answer is about another user")
        return user


def _access_first(attributes: Attributes) -> list[Attributes]:
    """Taking access away is a write of its own, so that no refusal of another attribute stops it."""
    if attributes.get(ENABLED) is not False or len(attributes) == 1:
        return [attributes] if attributes else []
    return [{ENABLED: False}, {name: value for name, value in attributes.items() if name != ENABLED}]


def _only_missing(error: GraphRefusedError) -> bool:
    """False if Graph says that there is no such user. Raises any other refusal."""
    if not_found(error):
        return False
    raise error


def _has_address(address: str) -> str:
    """The filter for users with this address in any property, as the documentation of invitations recommends."""
    same = quoted(address)
    return (
        f"userPrincipalName eq {same} or mail eq {same}"
        f" or proxyAddresses/any(x:x eq {quoted(f'SMTP:{address}')}) or otherMails/any(x:x eq {same})"
    )


def _standing(user: JsonObject) -> Standing:
    state, listed = user.get("externalUserState"), user.get("showInAddressList")
    read = target_user(user)
    return Standing(
        external=read.external,
        enabled=read.enabled,
        redeemed=state == "Accepted" if isinstance(state, str) else None,
        listed=listed if isinstance(listed, bool) else None,
    )


def _entry(item: JsonObject) -> TargetEntry:
    user_id = item.get("id")
    if not isinstance(user_id, str) or not user_id:
        raise UnavailableError("a delta entry without an id")
    if "@removed" in item:
        return TargetEntry(id=user_id, removed=True)
    enabled = item.get("accountEnabled")
    return TargetEntry(
        id=user_id,
        external=is_external(item) if "userPrincipalName" in item else None,
        enabled=enabled if isinstance(enabled, bool) else None,
        attributes={name: value for name, value in item.items() if "@" not in name},
    )


def target_user(user: JsonObject, marker: Marker | None = None) -> TargetUser:
    """Raises UnavailableError for an answer without a property that was selected: nobody is internal by such a one.

    `creationType` is not selected: a user who was converted to an internal one may keep it.
    https://learn.microsoft.com/entra/identity/users/convert-external-users-internal
    """
    user_id, created = user.get("id"), user.get("createdDateTime")
    if not isinstance(user_id, str) or not user_id:
        raise UnavailableError("a user without an id")
    if not user.keys() >= PROPERTIES:
        raise UnavailableError("a user without a property that was selected")
    created_at = moment(created) if isinstance(created, str) else None
    name = str(user.get("displayName") or "")
    text = user.get(marker.attribute) if marker else None
    return TargetUser(
        id=user_id,
        external=is_external(user),
        created_at=created_at,
        enabled=user.get("accountEnabled") is not False,
        display_name=name,
        mail=str(user.get("mail") or ""),
        marker=str(text) if text else None,
    )

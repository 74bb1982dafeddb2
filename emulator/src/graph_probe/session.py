"""One run in one tenant: it asks, and where it may, makes people and groups that go with it."""

from typing import Any, Final

from graph_probe.asking import Asking, Seen
from graph_probe.gate import ADDRESSES
from graph_probe.journal import Entry, Journal

_LISTED_S: Final = 2  # after a deletion, until it is among the deleted
_SETTLED_S: Final = (1, 2, 4, 8, 15, 30)  # a new object is not everywhere at once


class NotMadeError(Exception):
    """Graph refused to make what a probe needs."""


class Session:
    """`mark` begins the name of whatever is made; `domain` is of the tenant. Without a journal nothing is made."""

    def __init__(self, ask: Asking, *, mark: str = "", domain: str = "", journal: Journal | None = None) -> None:
        self.ask, self.mark, self.domain = ask, mark, domain
        self._journal = journal
        self._serial = 0 if journal is None else len(journal.left)

    async def user(self, **properties: Any) -> dict[str, Any]:
        """A member, blocked, whose password nobody knows."""
        name = self._name()
        body = {
            "displayName": name,
            "userPrincipalName": f"{name}@{self.domain}",
            "mailNickname": name,
            "accountEnabled": False,
            "passwordProfile": {"password": f"{name}-Q7!w", "forceChangePasswordNextSignIn": True},
            **properties,
        }
        return await self._made("users", name, await self._post("users", name, "/users", body))

    async def group(self, **properties: Any) -> dict[str, Any]:
        name = self._name()
        body = {
            "displayName": name,
            "mailNickname": name,
            "mailEnabled": False,
            "securityEnabled": True,
            **properties,
        }
        return await self._made("groups", name, await self._post("groups", name, "/groups", body))

    async def guest(self, address: str = "") -> dict[str, Any]:
        """The invited user, with the id alone."""
        name, seen = await self.invite(address)
        return await self._made("users", name, seen)

    async def invite(self, address: str = "") -> tuple[str, Seen]:
        """Whatever Graph says to an invitation without a mail. The name is journalled."""
        name = self._name()
        body = {
            "invitedUserEmailAddress": address or f"{name}{ADDRESSES}",
            "invitedUserDisplayName": name,
            "inviteRedirectUrl": "https://example.com",
            "sendInvitationMessage": False,
        }
        return name, await self._post("users", name, "/invitations", body)

    async def settled(self, path: str, status: int = 200) -> Seen:
        """The answer once it has this status; the last one if it never has."""
        for seconds in _SETTLED_S:
            seen = await self.ask.get(path)
            if seen.status == status:
                break
            await self.ask.sleep(seconds)
        return seen

    async def clean_up(self) -> list[Entry]:
        """Delete for good what the journal has; what is left is given back."""
        journal = self._written()
        for entry in journal.left:
            ids = [entry.id] if entry.id else await self._found(entry)
            if all([await self._delete(entry.kind, each) for each in ids]):
                journal.gone(entry.name)
        return journal.left

    async def _found(self, entry: Entry) -> list[str]:
        """Ids of what bears exactly a name of the journal: a crash came before Graph's answer."""
        seen = await self.ask.get(f"/{entry.kind}?$filter=displayName eq '{entry.name}'&$select=id,displayName")
        ids = [str(each["id"]) for each in seen.value if each.get("displayName") == entry.name]
        for each in ids:
            self._written().made(entry.name, each)
        return ids

    async def _delete(self, kind: str, object_id: str) -> bool:
        first = await self.ask.delete(f"/{kind}/{object_id}")
        if first.status == 204:
            await self.ask.sleep(_LISTED_S)
        then = await self.ask.delete(f"/directory/deletedItems/{object_id}")
        return first.status in {204, 404} and then.status in {204, 404}

    def _name(self) -> str:
        self._serial += 1
        return f"{self.mark}-{self._serial}"

    async def _post(self, kind: str, name: str, path: str, body: dict[str, Any]) -> Seen:
        """Whatever is made is journalled before it is asked for, and with its id as soon as Graph says it."""
        self._written().intend(kind, name)
        seen = await self.ask.post(path, body)
        if seen.status == 201:
            self._written().made(name, str(_new(seen)["id"]))
        return seen

    async def _made(self, kind: str, name: str, seen: Seen) -> dict[str, Any]:
        if seen.status != 201:
            raise NotMadeError(f"{kind} cannot be made here: {seen.status} {seen.code}")
        made = _new(seen)
        first = await self.ask.get(f"/{kind}/{made['id']}")
        if first.status != 200:
            await self.settled(f"/{kind}/{made['id']}")
        at_once = first.status == 200
        return {**made, "name": name, "location": seen.headers.get("Location", ""), "seen_at_once": at_once}

    def _written(self) -> Journal:
        if self._journal is None:
            raise NotMadeError("this run only reads")
        return self._journal


def _new(seen: Seen) -> dict[str, Any]:
    """What a 201 has made."""
    made: dict[str, Any] = seen.body.get("invitedUser", seen.body)
    return made

"""The twin of the target tenant: accounts in a dictionary, behind the port.

Every call goes through `Faults`, which counts it and may make it fail. The cases in tests/contract/test_directory_*
hold for this twin and for the real adapter alike.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sync_core.model import Attributes, Json, Marker, TargetEntry, TargetUser
from sync_core.model.errors import (
    AddressTakenError,
    ConflictError,
    GraphRefusedError,
    MissingManagerError,
    NotVisibleYetError,
    ResyncRequiredError,
)
from sync_core.ports import Clock, Confirm, MarkedPage, Presence, Standing, TargetPage
from sync_core.ports.writes import note_write

from .deleted import Retention
from .faults import Faults

_OBJECT_ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


@dataclass(slots=True, kw_only=True)
class Account:
    """One user of the target tenant. `address` is the one of the invitation."""

    address: str
    external: bool
    created_at: datetime
    attributes: dict[str, Json] = field(default_factory=dict)
    replicated_after: timedelta = timedelta()
    redeemed: bool = False

    @property
    def addresses(self) -> set[str]:
        """Every address by which a search finds this user, in lower case: an invitation fills both attributes."""
        others = self.attributes.get("otherMails", [self.address])
        every = [self.attributes.get("mail", self.address), *(others if isinstance(others, list) else [])]
        return {str(each).lower() for each in every if each}


class MemoryTarget:
    """ports.TargetDirectory: accounts by id. `writes` names every write that was asked for, and whom it was about."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock, self._faults = clock, faults
        self.users: dict[str, Account] = {}
        self.deleted: dict[str, Account] = {}
        self.replication = timedelta()  # until an account that is invited now is found, read and written
        self.invisible: set[str] = set()  # not replicated yet, whatever their age
        self.unsearchable: set[str] = set()  # readable by id; the search index does not have them yet
        self.missed_updates: set[str] = set()  # whose next PATCH goes to a server that does not know them yet
        self.missed_deletes: set[str] = set()
        self.missed_restores: set[str] = set()
        self.marked_pages: dict[str | None, MarkedPage] = {}  # instead of its own, by the link they stand under
        self.refuses: dict[str, str] = {}  # attribute and the code of its refusal
        self.before_update: Callable[[], Awaitable[None]] | None = None  # what overtakes the next PATCH
        self.delete_error: Exception | None = None  # the answer to the next DELETE, which then does nothing
        self.after_delete: Callable[[], None] = lambda: None  # the answer is on its way
        self.writes: list[tuple[str, str]] = []
        self.select = ""  # every attribute
        self.page_size = 100
        self.pages: list[TargetPage] = []  # the next ones, instead of its own
        self._delta: dict[str, dict[str, TargetEntry]] = {}  # by delta link: everybody as they were then
        self._retention = Retention(clock)

    # --- what people and administrators do ---

    def add(self, user_id: str, address: str, *, external: bool = True, **attributes: Json) -> Account:
        account = Account(address=address, external=external, created_at=self._clock.now(), attributes=attributes)
        self.users[user_id] = account
        return account

    def remove(self, user_id: str) -> None:
        """Somebody else deletes this user."""
        self.deleted[user_id] = self.users.pop(user_id)
        self._retention.expire(self.deleted)

    def of(self, address: str) -> list[tuple[str, Account]]:
        return [(user_id, user) for user_id, user in self.users.items() if user.address == address]

    # --- the port ---

    async def candidates(
        self, address: str | None, *, mark: str | None = None, marker: Marker | None = None
    ) -> list[TargetUser]:
        return await self._faults.call("target.candidates", self._candidates(address, mark, marker))

    async def marked(self, marker: Marker, link: str | None = None) -> MarkedPage:
        return await self._faults.call("target.marked", self._marked(marker, link))

    async def delta_page(self, link: str | None) -> TargetPage:
        return await self._faults.call("target.delta_page", self._delta_page(link))

    async def read_user(self, target_id: str) -> TargetUser | None:
        return await self._faults.call("target.read_user", self._read_user(target_id))

    async def deleted_user(self, target_id: str) -> TargetUser | None:
        return await self._faults.call("target.deleted_user", self._deleted_user(target_id))

    async def read_values(self, target_id: str, names: Sequence[str]) -> Attributes | None:
        return await self._faults.call("target.read_values", self._read_values(target_id, names))

    async def presence(self, target_id: str) -> Presence:
        return await self._faults.call("target.presence", self._presence(target_id))

    async def existing(self, target_ids: Sequence[str]) -> set[str]:
        return await self._faults.call("target.existing", self._existing(target_ids))

    async def standing(self, target_ids: Sequence[str]) -> Mapping[str, Standing]:
        return await self._faults.call("target.standing", self._standing(target_ids))

    async def enabled(self, target_id: str) -> bool | None:
        return await self._faults.call("target.enabled", self._enabled(target_id))

    async def invite(self, address: str, display_name: str, *, confirm: Confirm) -> str:
        return await self._faults.call("target.invite", self._invite(address, display_name, confirm))

    async def reset_redemption(self, target_id: str, address: str, *, confirm: Confirm) -> bool:
        return await self._faults.call("target.reset_redemption", self._reset_redemption(target_id, address, confirm))

    async def update(
        self, target_id: str, attributes: Attributes, *, confirm: Confirm | None = None
    ) -> Mapping[str, str] | None:
        return await self._faults.call("target.update", self._update(target_id, attributes, confirm))

    async def set_manager(self, target_id: str, manager_id: str | None, *, confirm: Confirm | None = None) -> bool:
        return await self._faults.call("target.set_manager", self._set_manager(target_id, manager_id, confirm))

    async def soft_delete(self, target_id: str, *, confirm: Confirm) -> bool:
        return await self._faults.call("target.soft_delete", self._soft_delete(target_id, confirm))

    async def restore(self, target_id: str, *, confirm: Confirm | None = None) -> bool:
        return await self._faults.call("target.restore", self._restore(target_id, confirm))

    # --- reading ---

    def _visible(self, target_id: str) -> bool:
        account = self.users.get(target_id)
        replicated = account is not None and self._clock.now() >= account.created_at + account.replicated_after
        return replicated and target_id not in self.invisible

    def _searchable(self) -> dict[str, Account]:
        return {
            each: user for each, user in self.users.items() if self._visible(each) and each not in self.unsearchable
        }

    def _shown(self, target_id: str, marker: Marker | None = None, *, deleted: bool = False) -> TargetUser:
        user = (self.deleted if deleted else self.users)[target_id]
        borne = user.attributes.get(marker.attribute) if marker else None
        return TargetUser(
            id=target_id,
            external=user.external,
            created_at=user.created_at,
            enabled=user.attributes.get("accountEnabled") is not False,
            mail=str(user.attributes.get("mail", user.address) or ""),
            display_name=str(user.attributes.get("displayName") or ""),
            marker=str(borne) if borne else None,
        )

    async def _candidates(self, address: str | None, mark: str | None, marker: Marker | None) -> list[TargetUser]:
        return [
            shown
            for each, user in self._searchable().items()
            if (shown := self._shown(each, marker))
            and (
                (address and address.lower() in user.addresses)
                or (mark and shown.display_name.lower().startswith(mark.lower()))
                or (marker and (shown.marker or "").lower() == marker.text.lower())
            )
        ]

    async def _marked(self, marker: Marker, link: str | None) -> MarkedPage:
        """One user a page, so that paging shows."""
        if link in self.marked_pages:
            return self.marked_pages[link]
        texts = [str(user.attributes.get(marker.attribute, "")) for user in self._searchable().values()]
        named = sorted(text.removeprefix(marker.prefix) for text in texts if text.startswith(marker.prefix))
        found = [source_id for source_id in named if _OBJECT_ID.fullmatch(source_id)]
        at = int(link or 0)
        return MarkedPage(source_ids=found[at : at + 1], next_link=str(at + 1) if at + 1 < len(found) else None)

    async def _delta_page(self, link: str | None) -> TargetPage:
        """The link is of the round before, and an offset."""
        if self.pages:
            return self.pages.pop(0)
        since, _, offset = (link or "").partition("@")
        if since and since not in self._delta:
            raise ResyncRequiredError("no such link")
        known, now = self._delta.get(since, {}), {each: self._entry(each) for each in self.users}
        gone = [TargetEntry(id=each, removed=True) for each in known if each not in now]
        changed = [*gone, *(entry for each, entry in now.items() if known.get(each) != entry)]
        first = int(offset or 0)
        users, last = changed[first : first + self.page_size], first + self.page_size
        if last < len(changed):
            return TargetPage(users=users, next_link=f"{since}@{last}")
        new = f"target-{len(self._delta) + 1}"
        self._delta[new] = now
        return TargetPage(users=users, delta_link=new)

    def _entry(self, target_id: str) -> TargetEntry:
        account = self.users[target_id]
        enabled = account.attributes.get("accountEnabled") is not False
        return TargetEntry(id=target_id, external=account.external, enabled=enabled, attributes={**account.attributes})

    async def _read_user(self, target_id: str) -> TargetUser | None:
        return self._shown(target_id) if self._visible(target_id) else None

    async def _deleted_user(self, target_id: str) -> TargetUser | None:
        self._retention.expire(self.deleted)
        return self._shown(target_id, deleted=True) if target_id in self.deleted else None

    async def _read_values(self, target_id: str, names: Sequence[str]) -> Attributes | None:
        if not self._visible(target_id):
            return None
        return {name: self.users[target_id].attributes.get(name) for name in names}

    async def _presence(self, target_id: str) -> Presence:
        self._retention.expire(self.deleted)
        if self._visible(target_id):
            return Presence.PRESENT
        return Presence.SOFT_DELETED if target_id in self.deleted else Presence.GONE

    async def _existing(self, target_ids: Sequence[str]) -> set[str]:
        return {target_id for target_id in target_ids if self._visible(target_id)}

    async def _standing(self, target_ids: Sequence[str]) -> Mapping[str, Standing]:
        """By a search, as in Graph."""
        found = {each: user for each, user in self._searchable().items() if each in target_ids}
        return {
            each: Standing(
                external=user.external,
                enabled=user.attributes.get("accountEnabled") is not False,
                redeemed=user.redeemed if user.external else None,
                listed=shown if isinstance(shown := user.attributes.get("showInAddressList"), bool) else None,
            )
            for each, user in found.items()
        }

    async def _enabled(self, target_id: str) -> bool | None:
        return self.users[target_id].attributes.get("accountEnabled") is not False if self._visible(target_id) else None

    # --- writing ---

    def _misses(self, target_id: str, missed: set[str]) -> bool:
        """Whether a write meets a 404. NotVisibleYetError for an account that is still being replicated."""
        if target_id in missed:
            missed.remove(target_id)
            return True
        if target_id in self.users and not self._visible(target_id):
            raise NotVisibleYetError("404 Directory_ObjectNotFound")
        return target_id not in self.users

    async def _invite(self, address: str, display_name: str, confirm: Confirm) -> str:
        if not await confirm():
            raise ConflictError
        self.writes.append(("invite", address))
        for user_id, user in self.users.items():
            if address.lower() in user.addresses:
                if not user.external:
                    raise GraphRefusedError(status=400, code="BadRequest", message="The invited user already exists.")
                return user_id
        user_id = f"guest-{len(self.users) + len(self.deleted) + 1}"
        self.add(user_id, address, displayName=display_name).replicated_after = self.replication
        return user_id

    async def _reset_redemption(self, target_id: str, address: str, confirm: Confirm) -> bool:
        if not await confirm():
            raise ConflictError("overtaken")
        self.writes.append(("reset_redemption", target_id))
        if self._misses(target_id, set()):
            return False
        if address.lower() not in self.users[target_id].addresses:
            raise GraphRefusedError(status=400, code="BadRequest")
        self.users[target_id].redeemed = False
        note_write(f"reset_redemption {len(self.writes)}")
        return True

    async def _set_manager(self, target_id: str, manager_id: str | None, confirm: Confirm | None) -> bool:
        if confirm is not None and not await confirm():
            raise ConflictError
        self.writes.append(("set_manager", target_id))
        if self._misses(target_id, set()):
            return False
        if manager_id is not None and manager_id not in self.users:
            raise MissingManagerError
        if "manager" in self.refuses:
            raise GraphRefusedError(status=403, code=self.refuses["manager"])
        self.users[target_id].attributes["manager"] = manager_id
        note_write(f"set_manager {len(self.writes)}")
        return True

    async def _update(
        self, target_id: str, attributes: Attributes, confirm: Confirm | None
    ) -> Mapping[str, str] | None:
        if overtaking := self.before_update:
            self.before_update = None
            await overtaking()
        if confirm is not None and not await confirm():
            raise ConflictError("overtaken")
        self.writes.append(("update", target_id))
        if self._misses(target_id, self.missed_updates):
            return None
        refused = {name: code for name, code in self.refuses.items() if name in attributes}
        account = self.users[target_id]
        accepted = {name: value for name, value in attributes.items() if name not in refused}
        account.attributes.update(accepted)
        if accepted:
            note_write(f"update {len(self.writes)}")
        return refused

    async def _soft_delete(self, target_id: str, confirm: Confirm) -> bool:
        if not await confirm():
            raise ConflictError("not to be deleted any more")
        self.writes.append(("soft_delete", target_id))
        if (error := self.delete_error) is not None:
            self.delete_error = None
            raise error
        if self._misses(target_id, self.missed_deletes):
            return False
        self.remove(target_id)
        # Whether a restore brings references back is not documented: here it does not.
        for account in self.users.values():
            if account.attributes.get("manager") == target_id:
                account.attributes["manager"] = None
        self.after_delete()
        return True

    async def _restore(self, target_id: str, confirm: Confirm | None) -> bool:
        if confirm is not None and not await confirm():
            raise ConflictError
        self.writes.append(("restore", target_id))
        self._retention.expire(self.deleted)
        if target_id in self.missed_restores:
            self.missed_restores.remove(target_id)
            return False
        if target_id not in self.deleted:
            return False
        taken = {address for user in self.users.values() for address in user.addresses}
        if not taken.isdisjoint(self.deleted[target_id].addresses):
            raise AddressTakenError
        self.users[target_id] = self.deleted.pop(target_id)
        return True

"""Small twins of the two directories and of the subscription API: dictionaries behind the ports, and nothing clever.

Every call goes through `Faults`, which counts it and may make it fail.
"""

from __future__ import annotations

import builtins
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from sync_core.model import Attributes, Json, Marker, SourceState, SourceUser, TargetUser
from sync_core.model.errors import ConflictError, GraphRefusedError, MissingManagerError
from sync_core.ports import Clock, Confirm, DeltaPage, GraphSubscription, GroupChanges, MarkedPage, Presence

from .faults import Faults


class MemorySource:
    """ports.SourceDirectory: users by id, deleted users by id, and delta pages by the link that leads to them."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock, self._faults = clock, faults
        self.select = "id,accountEnabled"
        self.users: dict[str, dict[str, Json]] = {}
        self.deleted: dict[str, dict[str, Json]] = {}
        self.groups: dict[str, set[str]] = {}  # direct members: users and groups alike
        self.pages: dict[str | None, DeltaPage | Exception] = {}
        self.on_read: Callable[[], None] = lambda: None  # what happens right after somebody was read
        self.on_page: Callable[[], None] = lambda: None  # likewise, a page

    def soft_delete(self, user_id: str) -> None:
        self.deleted[user_id] = self.users.pop(user_id)

    def restore(self, user_id: str) -> None:
        self.users[user_id] = self.deleted.pop(user_id)

    def purge(self, user_id: str) -> None:
        self.users.pop(user_id, None)
        self.deleted.pop(user_id, None)

    async def read_user(self, user_id: str, groups: Collection[str] = ()) -> SourceUser:
        return await self._faults.call("source.read_user", self._read_user(user_id, groups))

    async def missing_groups(self, groups: Collection[str]) -> set[str]:
        return await self._faults.call("source.missing_groups", self._missing_groups(groups))

    async def delta_page(self, link: str | None) -> DeltaPage:
        return await self._faults.call("source.delta_page", self._delta_page(link))

    async def reports(self, user_id: str) -> list[str]:
        return await self._faults.call("source.reports", self._reports(user_id))

    async def existing(self, user_ids: Sequence[str]) -> set[str]:
        return await self._faults.call("source.existing", self._existing(user_ids))

    def entry(self, user_id: str) -> SourceUser:
        """The user as a delta page shows it."""
        now = self._clock.now()
        if user_id in self.users:
            attributes = {"manager": None, **self.users[user_id]}
            if attributes["manager"] not in self.users:
                attributes["manager"] = None  # Graph does not show one who is deleted
            state = SourceState.DISABLED if attributes.get("accountEnabled") is False else SourceState.LIVE
            return SourceUser(id=user_id, state=state, attributes=attributes, read_at=now)
        if user_id in self.deleted:
            state = SourceState.SOFT_DELETED
            return SourceUser(id=user_id, state=state, attributes=dict(self.deleted[user_id]), read_at=now)
        return SourceUser(id=user_id, state=SourceState.GONE, read_at=now)

    def nested(self, group: str) -> set[str]:
        """Everything in a group, through every level."""
        found: set[str] = set()
        left = [group]
        while left:
            for each in self.groups.get(left.pop(), set()) - found:
                found.add(each)
                left.append(each)
        return found

    async def _read_user(self, user_id: str, groups: Collection[str]) -> SourceUser:
        read = self.entry(user_id)
        if not read.absent:
            read = replace(read, member_of=frozenset(each for each in groups if user_id in self.nested(each)))
        self.on_read()
        return read

    async def _missing_groups(self, groups: Collection[str]) -> set[str]:
        return {each for each in groups if each not in self.groups}

    async def _delta_page(self, link: str | None) -> DeltaPage:
        page = self.pages[link]
        self.on_page()
        if isinstance(page, Exception):
            raise page
        return page

    async def _reports(self, user_id: str) -> list[str]:
        return [each for each, user in self.users.items() if user.get("manager") == user_id and user_id in self.users]

    async def _existing(self, user_ids: Sequence[str]) -> set[str]:
        return {user_id for user_id in user_ids if user_id in self.users}


class MemoryGroups:
    """ports.GroupDirectory over a MemorySource's groups; delta pages by the link that leads to them."""

    def __init__(self, source: MemorySource, faults: Faults) -> None:
        self._source, self._faults = source, faults
        self.pages: dict[str, GroupChanges | Exception] = {}
        self._asked = 0

    async def closure(self, groups: Collection[str]) -> set[str]:
        return await self._faults.call("groups.closure", self._closure(groups))

    async def latest(self, groups: Collection[str]) -> str:
        return await self._faults.call("groups.latest", self._latest())

    async def changes(self, link: str, groups: Collection[str]) -> GroupChanges:
        return await self._faults.call("groups.changes", self._changes(link))

    async def members(self, group: str) -> set[str] | None:
        return await self._faults.call("groups.members", self._members(group))

    async def _closure(self, groups: Collection[str]) -> set[str]:
        known = self._source.groups
        return {
            each for group in groups if group in known for each in (group, *self._source.nested(group) & set(known))
        }

    async def _latest(self) -> str:
        self._asked += 1
        return f"latest:{self._asked}"

    async def _changes(self, link: str) -> GroupChanges:
        page = self.pages.get(link, GroupChanges(joined=(), left=(), regrouped=False, delta_link=f"{link}+"))
        if isinstance(page, Exception):
            raise page
        return page

    async def _members(self, group: str) -> set[str] | None:
        if group not in self._source.groups:
            return None
        return self._source.nested(group) & set(self._source.users)


@dataclass(slots=True, kw_only=True)
class Account:
    """One user of the target tenant."""

    address: str
    external: bool
    created_at: datetime
    attributes: dict[str, Json] = field(default_factory=dict)


class MemoryTarget:
    """ports.TargetDirectory: accounts by id. `writes` names every write that was asked for, and whom it was about."""

    def __init__(self, clock: Clock, faults: Faults) -> None:
        self._clock, self._faults = clock, faults
        self.users: dict[str, Account] = {}
        self.deleted: dict[str, Account] = {}
        self.invisible: set[str] = set()  # not replicated yet: neither found, read nor written
        self.unsearchable: set[str] = set()  # readable by id; the search index does not have them yet
        self.missed_updates: set[str] = set()  # whose next PATCH goes to a server that does not know them yet
        self.missed_deletes: set[str] = set()
        self.missed_restores: set[str] = set()
        self.refuses: dict[str, str] = {}  # attribute and the code of its refusal
        self.before_update: Callable[[], Awaitable[None]] | None = None  # what overtakes the next PATCH
        self.after_delete: Callable[[], None] = lambda: None  # the answer is on its way
        self.writes: list[tuple[str, str]] = []

    def add(self, user_id: str, address: str, *, external: bool = True, **attributes: Json) -> Account:
        account = Account(address=address, external=external, created_at=self._clock.now(), attributes=attributes)
        self.users[user_id] = account
        return account

    def of(self, address: str) -> list[tuple[str, Account]]:
        return [(user_id, user) for user_id, user in self.users.items() if user.address == address]

    async def candidates(
        self, address: str | None, *, mark: str | None = None, marker: Marker | None = None
    ) -> list[TargetUser]:
        return await self._faults.call("target.candidates", self._candidates(address, mark, marker))

    async def marked(self, marker: Marker, link: str | None = None) -> MarkedPage:
        return await self._faults.call("target.marked", self._marked(marker, link))

    async def read_user(self, target_id: str) -> TargetUser | None:
        return await self._faults.call("target.read_user", self._read_user(target_id))

    async def presence(self, target_id: str) -> Presence:
        return await self._faults.call("target.presence", self._presence(target_id))

    async def enabled(self, target_id: str) -> bool:
        return await self._faults.call("target.enabled", self._enabled(target_id))

    async def invite(self, address: str, display_name: str, *, confirm: Confirm) -> str:
        return await self._faults.call("target.invite", self._invite(address, display_name, confirm))

    async def update(
        self, target_id: str, attributes: Attributes, *, confirm: Confirm | None = None
    ) -> Mapping[str, str] | None:
        return await self._faults.call("target.update", self._update(target_id, attributes, confirm))

    async def set_manager(self, target_id: str, manager_id: str | None) -> bool:
        return await self._faults.call("target.set_manager", self._set_manager(target_id, manager_id))

    async def soft_delete(self, target_id: str, *, confirm: Confirm) -> bool:
        return await self._faults.call("target.soft_delete", self._soft_delete(target_id, confirm))

    async def restore(self, target_id: str) -> bool:
        return await self._faults.call("target.restore", self._restore(target_id))

    def _shown(self, target_id: str, marker: Marker | None = None) -> TargetUser:
        user = self.users[target_id]
        name = str(user.attributes.get("displayName", ""))
        borne = user.attributes.get(marker.attribute) if marker else None
        return TargetUser(
            id=target_id,
            external=user.external,
            created_at=user.created_at,
            display_name=name,
            marker=str(borne) if borne else None,
        )

    def _misses(self, target_id: str, missed: set[str]) -> bool:
        if target_id in missed:
            missed.remove(target_id)
            return True
        return target_id not in self.users or target_id in self.invisible

    async def _candidates(self, address: str | None, mark: str | None, marker: Marker | None) -> list[TargetUser]:
        shown = [self._shown(each, marker) for each in self.users if each not in self.invisible | self.unsearchable]
        return [
            each
            for each in shown
            if self.users[each.id].address == address
            or (mark and each.display_name.startswith(mark))
            or (marker and each.marker == marker.text)
        ]

    async def _marked(self, marker: Marker, link: str | None) -> MarkedPage:
        """One user a page, so that paging shows."""
        texts = [str(user.attributes.get(marker.attribute, "")) for user in self.users.values()]
        found = sorted(text.removeprefix(marker.prefix) for text in texts if text.startswith(marker.prefix))
        at = int(link or 0)
        return MarkedPage(source_ids=found[at : at + 1], next_link=str(at + 1) if at + 1 < len(found) else None)

    async def _read_user(self, target_id: str) -> TargetUser | None:
        return self._shown(target_id) if target_id in self.users and target_id not in self.invisible else None

    async def _presence(self, target_id: str) -> Presence:
        if target_id in self.users and target_id not in self.invisible:
            return Presence.PRESENT
        return Presence.SOFT_DELETED if target_id in self.deleted else Presence.GONE

    async def _enabled(self, target_id: str) -> bool:
        return target_id in self.users and self.users[target_id].attributes.get("accountEnabled") is not False

    async def _invite(self, address: str, display_name: str, confirm: Confirm) -> str:
        if not await confirm():
            raise ConflictError
        self.writes.append(("invite", address))
        for user_id, user in self.of(address):
            if not user.external:
                raise GraphRefusedError(status=400, code="BadRequest")
            return user_id
        user_id = f"guest-{len(self.users) + len(self.deleted) + 1}"
        name: dict[str, Json] = {"displayName": display_name}
        self.users[user_id] = Account(address=address, external=True, created_at=self._clock.now(), attributes=name)
        return user_id

    async def _set_manager(self, target_id: str, manager_id: str | None) -> bool:
        self.writes.append(("set_manager", target_id))
        if target_id not in self.users:
            return False
        if manager_id is not None and manager_id not in self.users:
            raise MissingManagerError
        if "manager" in self.refuses:
            raise GraphRefusedError(status=403, code=self.refuses["manager"])
        self.users[target_id].attributes["manager"] = manager_id
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
        account.attributes.update({name: value for name, value in attributes.items() if name not in refused})
        return refused

    async def _soft_delete(self, target_id: str, confirm: Confirm) -> bool:
        if not await confirm():
            raise ConflictError("not to be deleted any more")
        self.writes.append(("soft_delete", target_id))
        if self._misses(target_id, self.missed_deletes):
            return False
        self.deleted[target_id] = self.users.pop(target_id)
        for (
            account
        ) in self.users.values():  # whether a restore brings references back is not documented: here it does not
            if account.attributes.get("manager") == target_id:
                account.attributes["manager"] = None
        self.after_delete()
        return True

    async def _restore(self, target_id: str) -> bool:
        self.writes.append(("restore", target_id))
        if target_id in self.missed_restores:
            self.missed_restores.remove(target_id)
            return False
        if target_id not in self.deleted:
            return False
        self.users[target_id] = self.deleted.pop(target_id)
        return True


class MemorySubscriptions:
    """ports.SubscriptionApi: one subscription for each resource, as Graph has it for one app."""

    def __init__(self, faults: Faults, notification_url: str = "https://app.example/api/graph/notifications") -> None:
        self._faults = faults
        self.notification_url = notification_url
        self.subscriptions: dict[str, GraphSubscription] = {}
        self.client_states: dict[str, str] = {}
        self._made = 0

    async def create(self, *, resource: str, client_state: str, expires_at: datetime) -> GraphSubscription:
        return await self._faults.call("subscriptions.create", self._create(resource, client_state, expires_at))

    async def renew(self, subscription_id: str, expires_at: datetime) -> GraphSubscription | None:
        return await self._faults.call("subscriptions.renew", self._renew(subscription_id, expires_at))

    async def delete(self, subscription_id: str) -> None:
        await self._faults.call("subscriptions.delete", self._delete(subscription_id))

    async def list(self) -> builtins.list[GraphSubscription]:
        return await self._faults.call("subscriptions.list", self._list())

    async def _create(self, resource: str, client_state: str, expires_at: datetime) -> GraphSubscription:
        if any(old.resource == resource for old in self.subscriptions.values()):
            raise ConflictError("there is a subscription for this resource already")
        self._made += 1
        made = GraphSubscription(
            id=f"subscription-{self._made}",
            resource=resource,
            notification_url=self.notification_url,
            expires_at=expires_at,
        )
        self.subscriptions[made.id] = made
        self.client_states[made.id] = client_state
        return made

    async def _renew(self, subscription_id: str, expires_at: datetime) -> GraphSubscription | None:
        old = self.subscriptions.get(subscription_id)
        if old is None:
            return None
        self.subscriptions[subscription_id] = replace(old, expires_at=expires_at)
        return self.subscriptions[subscription_id]

    async def _delete(self, subscription_id: str) -> None:
        self.subscriptions.pop(subscription_id, None)

    async def _list(self) -> builtins.list[GraphSubscription]:
        return [*self.subscriptions.values()]


def pages(
    *pages: Sequence[SourceUser], start: str | None = None, end: str = "delta:2"
) -> Mapping[str | None, DeltaPage]:
    """A round of delta pages: from the link `start` on, and at the end the delta link `end`."""
    links = [start, *(f"next:{n}" for n in range(1, len(pages)))]
    following = [*links[1:], None]
    return {
        link: DeltaPage(users=users, next_link=after, delta_link=end if after is None else None)
        for link, users, after in zip(links, pages, following, strict=True)
    }

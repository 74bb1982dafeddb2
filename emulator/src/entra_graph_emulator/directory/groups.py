"""A tenant's groups: members, owners, nesting, deletion, and the log of all their changes."""

from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Protocol

from entra_graph_emulator.directory.changes import Change, ChangeLog, What
from entra_graph_emulator.directory.objects import DirectoryObject, Group, User
from entra_graph_emulator.directory.settings import TenantSettings
from entra_graph_emulator.directory.shelf import Shelf
from entra_graph_emulator.odata.filters import Filter
from entra_graph_emulator.wire.clock import Clock, instant
from entra_graph_emulator.wire.errors import bad_request, conflict, not_found
from entra_graph_emulator.wire.ids import guid, security_identifier

RETENTION: Final = timedelta(days=30)
_INDEXED: Final = ("id", "displayName", "mail", "mailNickname", "proxyAddresses")


class Home(Protocol):
    """The parts of a tenant that its groups use. `Tenant` fulfils it, and is assembled from its groups."""

    domains: list[str]
    settings: TenantSettings

    def object(self, object_id: str) -> DirectoryObject | None: ...
    def find_deleted(self, user_id: str) -> User | None: ...
    def announce(self, position: int, change: Change) -> None: ...


class Groups:
    """`relation` is `members` or `owners` throughout."""

    def __init__(self, tenant: Home, *, clock: Clock, rng: Random) -> None:
        self.log = ChangeLog()
        self._tenant = tenant
        self._clock = clock
        self._rng = rng
        self._live: Shelf[Group] = Shelf(_INDEXED)
        self._deleted: Shelf[Group] = Shelf(_INDEXED)
        self._order: list[str] = []

    # Reading

    def __len__(self) -> int:
        return len(self._live)

    @property
    def deleted_count(self) -> int:
        return len(self._deleted)

    def live(self, clause: Filter | None = None) -> list[Group]:
        return self._live.find(clause)

    def deleted(self, clause: Filter | None = None) -> list[Group]:
        return self._deleted.find(clause)

    def ever(self, first: int) -> Iterator[tuple[int, str]]:
        return ((ordinal, self._order[ordinal]) for ordinal in range(first, len(self._order)))

    def find(self, group_id: str) -> Group | None:
        return self._live.get(group_id)

    def find_deleted(self, group_id: str) -> Group | None:
        return self._deleted.get(group_id)

    def anywhere(self, group_id: str) -> Group | None:
        return self._live.get(group_id) or self._deleted.get(group_id)

    def get(self, group_id: str) -> Group:
        """Raises 404 Request_ResourceNotFound."""
        group = self.find(group_id)
        if group is None:
            raise not_found(group_id)
        return group

    def is_role_assignable(self, group_id: str) -> bool:
        group = self._live.get(group_id)
        return group is not None and group.properties.get("isAssignableToRole") is True

    def known_by(self, address: str) -> Group | None:
        found = self._live.holders("mail", address) or self._live.holders("proxyAddresses", f"smtp:{address}")
        return next(iter(found), None)

    # Writing

    def create(
        self,
        properties: Mapping[str, Any],
        *,
        members: Iterable[DirectoryObject] = (),
        owners: Iterable[DirectoryObject] = (),
        visible_in_s: float = 0.0,
    ) -> Group:
        now = self._clock.now()
        group_id = properties.get("id") or guid(self._rng)
        stored: dict[str, Any] = {
            "id": group_id,
            "createdDateTime": instant(now),
            "renewedDateTime": instant(now),
            "groupTypes": [],
            "mailEnabled": False,
            "securityEnabled": True,
            "securityIdentifier": security_identifier(group_id),
            **properties,
        }
        if "Unified" in stored["groupTypes"]:
            stored.setdefault("visibility", "Public")
        if stored["mailEnabled"]:
            stored.setdefault("mail", f"{stored['mailNickname']}@{self._tenant.domains[0]}")
            stored.setdefault("proxyAddresses", [f"SMTP:{stored['mail']}"])
            self._check_unique(group_id, stored)
        if self.anywhere(group_id) is not None:
            raise bad_request(f"An object with id {group_id} exists.")
        group = Group(
            id=group_id,
            ordinal=len(self._order),
            properties=stored,
            visible_at=now + timedelta(seconds=visible_in_s),
            created_at_position=len(self.log),
        )
        self._order.append(group_id)
        self._live.add(group)
        self._record(group_id, What.CREATED)
        for member in members:
            self.add(group, "members", member)
        for owner in owners:
            self.add(group, "owners", owner)
        return group

    def update(self, group: Group, changes: Mapping[str, Any]) -> None:
        """A write that changes nothing is not logged."""
        new = {name: value for name, value in changes.items() if group.properties.get(name) != value}
        if not new:
            return
        if "mailNickname" in new and group.properties.get("mailEnabled"):
            self._check_unique(group.id, new)
        self._live.change(group, new)
        self._record(group.id, What.UPDATED, frozenset(new))

    def add(self, group: Group, relation: str, item: DirectoryObject) -> None:
        """Raises 400 for a link that exists."""
        links = _links(group, relation)
        if item.id in links:
            raise bad_request(
                "One or more added object references already exist for the following modified properties: "
                f"'{relation}'."
            )
        if item is group:
            raise bad_request("Invalid value specified for property 'members' of resource 'Group'.")
        links[item.id] = None
        if relation == "members":
            item.memberships[group.id] = None
        self._record(group.id, What.UPDATED, frozenset({relation}), (relation, item.id, item.kind, True))

    def remove(self, group: Group, relation: str, item_id: str) -> None:
        """Raises 404 for a link that does not exist."""
        links = _links(group, relation)
        item = self._tenant.object(item_id) or self._tenant.find_deleted(item_id) or self.find_deleted(item_id)
        if item_id not in links or item is None:
            raise not_found(item_id)
        self._unlink(group, relation, item)

    def forget(self, item: DirectoryObject) -> None:
        """Remove a purged object from all groups. Until it is purged, a deleted object stays a member."""
        for group_id in list(item.memberships):
            if (group := self.anywhere(group_id)) is not None:
                self._unlink(group, "members", item)
        for group in [*self._live, *self._deleted]:
            if item.id in group.owners:
                self._unlink(group, "owners", item)

    def delete(self, group: Group) -> None:
        """Microsoft 365 and security groups go to deletedItems, distribution groups do not: group-delete, 2026."""
        self._live.remove(group)
        group.deleted_at = self._clock.now()
        group.properties["deletedDateTime"] = instant(group.deleted_at)
        self._deleted.add(group)
        soft = self._tenant.settings.soft_delete_security_groups and not group.properties.get("mailEnabled")
        if group.is_unified or soft:
            self._record(group.id, What.DELETED)
        else:
            self.purge(group)

    def restore(self, group: Group) -> None:
        self._check_unique(group.id, group.properties)
        self._deleted.remove(group)
        group.deleted_at = None
        del group.properties["deletedDateTime"]
        self._live.add(group)
        self._record(group.id, What.RESTORED)

    def purge(self, group: Group) -> None:
        self._deleted.remove(group)
        for member in list(group.members):
            if (item := self._tenant.object(member) or self._tenant.find_deleted(member)) is not None:
                item.memberships.pop(group.id, None)
        self.forget(group)
        self._record(group.id, What.PURGED)

    def expire(self, now: datetime) -> None:
        over = []
        for group in self._deleted:
            if group.deleted_at is None or now - group.deleted_at < RETENTION:
                break
            over.append(group)
        for group in over:
            self.purge(group)

    def _unlink(self, group: Group, relation: str, item: DirectoryObject) -> None:
        _links(group, relation).pop(item.id, None)
        if relation == "members":
            item.memberships.pop(group.id, None)
        self._record(group.id, What.UPDATED, frozenset({relation}), (relation, item.id, item.kind, False))

    def _check_unique(self, group_id: str, properties: Mapping[str, Any]) -> None:
        nickname = properties.get("mailNickname")
        for other in self._live.holders("mailNickname", nickname) if nickname else ():
            if other.id != group_id and other.properties.get("mailEnabled"):
                raise conflict("mailNickname", other.id, "Group")

    def _record(
        self,
        group_id: str,
        what: What,
        properties: frozenset[str] = frozenset(),
        link: tuple[str, str, str, bool] | None = None,
    ) -> None:
        change = Change(self._clock.now(), group_id, what, properties, None, link, "group")
        self._tenant.announce(self.log.append(change), change)


def _links(group: Group, relation: str) -> dict[str, None]:
    return group.members if relation == "members" else group.owners

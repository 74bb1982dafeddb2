"""Users by id, with an index over the properties by which they are looked up."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from local.graph_emulator.filters import Filter

_INDEXED: Final = ("id", "mail", "userPrincipalName", "otherMails", "proxyAddresses", "employeeId", "displayName")


@dataclass(slots=True, kw_only=True, eq=False)
class User:
    """`properties` holds what was ever set; a property that was cleared stays there as None.

    That is the difference that delta shows: never set is left out, cleared is null.
    """

    id: str
    ordinal: int
    properties: dict[str, Any]
    visible_at: datetime
    created_at_position: int = 0
    manager: str | None = None
    reports: dict[str, None] = field(default_factory=dict)
    deleted_at: datetime | None = None
    admin: bool = False

    @property
    def is_guest(self) -> bool:
        return self.properties.get("creationType") == "Invitation"

    def get(self, path: str) -> Any:
        """A property by name or by path, such as `onPremisesExtensionAttributes/extensionAttribute1`."""
        head, _, rest = path.partition("/")
        value = self.properties.get(head)
        if not rest:
            return value
        return value.get(rest) if isinstance(value, dict) else None


class Shelf:
    """The live users of a tenant, or its deleted ones."""

    def __init__(self) -> None:
        self._users: dict[str, User] = {}
        # Inner dictionaries serve as ordered sets: iteration must not depend on hashes.
        self._index: dict[tuple[str, str], dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._users)

    def __iter__(self) -> Iterator[User]:
        return iter(self._users.values())

    def get(self, user_id: str) -> User | None:
        return self._users.get(user_id)

    def add(self, user: User) -> None:
        self._users[user.id] = user
        for key in _keys(user.properties):
            self._index.setdefault(key, {})[user.id] = None

    def remove(self, user: User) -> None:
        del self._users[user.id]
        for key in _keys(user.properties):
            self._unindex(key, user.id)

    def change(self, user: User, changes: Mapping[str, Any]) -> None:
        old = {name: user.properties.get(name) for name in changes}
        for key in _keys(old):
            self._unindex(key, user.id)
        user.properties.update(changes)
        for key in _keys(changes):
            self._index.setdefault(key, {})[user.id] = None

    def holders(self, name: str, value: str) -> list[User]:
        """The users whose indexed property is, or holds, that text."""
        return [self._users[user_id] for user_id in self._index.get((name, value.lower()), ())]

    def find(self, clause: Filter | None) -> list[User]:
        """In the order of creation."""
        users = self._candidates(clause)
        if clause is not None:
            users = [user for user in users if clause.test(user.get)]
        return sorted(users, key=_ordinal)

    def _candidates(self, clause: Filter | None) -> Iterable[User]:
        if clause is None or clause.keys is None or not all(_is_indexed(name) for name, _ in clause.keys):
            return self._users.values()
        found = {user_id: None for key in clause.keys for user_id in self._index.get(key, ())}
        return [self._users[user_id] for user_id in found]

    def _unindex(self, key: tuple[str, str], user_id: str) -> None:
        holders = self._index.get(key, {})
        holders.pop(user_id, None)
        if not holders:
            self._index.pop(key, None)


def _ordinal(user: User) -> int:
    return user.ordinal


def _is_indexed(name: str) -> bool:
    return name in _INDEXED or name.startswith("extension_")


def _keys(properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in properties.items():
        if not _is_indexed(name):
            continue
        if isinstance(value, str):
            yield name, value.lower()
        elif isinstance(value, list):
            yield from ((name, each.lower()) for each in value if isinstance(each, str))

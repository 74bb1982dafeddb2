"""Objects of one kind by id, with an index over the properties by which they are looked up."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, Generic, TypeVar

from entra_graph_emulator.directory.objects import DirectoryObject
from entra_graph_emulator.odata.filters import Filter

_USERS: Final = ("id", "mail", "userPrincipalName", "otherMails", "proxyAddresses", "employeeId", "displayName")
_T = TypeVar("_T", bound=DirectoryObject)


class Shelf(Generic[_T]):
    """The live objects of a tenant, or its deleted ones."""

    def __init__(self, indexed: Iterable[str] = _USERS) -> None:
        self._objects: dict[str, _T] = {}
        self._indexed = frozenset(indexed)
        # Nearly every key has one holder and keeps its id alone: a hundred thousand dictionaries would take more memory
        # than the users. Several holders are a dictionary as an ordered set, since iteration must not depend on hashes.
        self._index: dict[tuple[str, str], str | dict[str, None]] = {}

    def __len__(self) -> int:
        return len(self._objects)

    def __iter__(self) -> Iterator[_T]:
        return iter(self._objects.values())

    def get(self, object_id: str) -> _T | None:
        return self._objects.get(object_id)

    def add(self, item: _T) -> None:
        self._objects[item.id] = item
        for key in self._keys(item.properties):
            self._enter(key, item.id)

    def remove(self, item: _T) -> None:
        del self._objects[item.id]
        for key in self._keys(item.properties):
            self._leave(key, item.id)

    def change(self, item: _T, changes: Mapping[str, Any]) -> None:
        old = {name: item.properties.get(name) for name in changes}
        for key in self._keys(old):
            self._leave(key, item.id)
        item.properties.update(changes)
        for key in self._keys(changes):
            self._enter(key, item.id)

    def holders(self, name: str, value: str) -> list[_T]:
        """The objects whose indexed property is, or holds, that text."""
        return [self._objects[object_id] for object_id in self._ids((name, value.lower()))]

    def find(self, clause: Filter | None) -> list[_T]:
        """In the order of creation."""
        found = self._candidates(clause)
        if clause is not None:
            found = [item for item in found if clause.test(item.get)]
        return sorted(found, key=_ordinal)

    def _candidates(self, clause: Filter | None) -> Iterable[_T]:
        if clause is None or clause.keys is None or not all(self._is_indexed(name) for name, _ in clause.keys):
            return self._objects.values()
        found = {object_id: None for key in clause.keys for object_id in self._ids(key)}
        return [self._objects[object_id] for object_id in found]

    def _ids(self, key: tuple[str, str]) -> Iterable[str]:
        held = self._index.get(key, ())
        return (held,) if isinstance(held, str) else held

    def _enter(self, key: tuple[str, str], object_id: str) -> None:
        held = self._index.setdefault(key, object_id)
        if isinstance(held, dict):
            held[object_id] = None
        elif held != object_id:
            self._index[key] = {held: None, object_id: None}

    def _leave(self, key: tuple[str, str], object_id: str) -> None:
        held = self._index.get(key)
        if isinstance(held, dict):
            held.pop(object_id, None)
        if not held or held == object_id:
            self._index.pop(key, None)

    def _is_indexed(self, name: str) -> bool:
        return name in self._indexed or name.startswith("extension_")

    def _keys(self, properties: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
        for name, value in properties.items():
            if not self._is_indexed(name):
                continue
            if isinstance(value, str):
                yield name, value.lower()
            elif isinstance(value, list):
                yield from ((name, each.lower()) for each in value if isinstance(each, str))


def _ordinal(item: DirectoryObject) -> int:
    return item.ordinal

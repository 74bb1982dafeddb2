"""The entries of a delta round, for users and for groups. `delta` has the rounds, pages and tokens.

https://learn.microsoft.com/graph/delta-query-users, https://learn.microsoft.com/graph/delta-query-groups
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeAlias

from entra_graph_emulator.directory.changes import Change, ChangeLog, What
from entra_graph_emulator.directory.objects import DirectoryObject, Group, User
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.odata.entities import GROUP, USER, EntityType
from entra_graph_emulator.odata.user_schema import is_extension, same_type_extensions

Item: TypeAlias = dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Touched:
    """The changes to one object within a round. `links` maps (relation, id) to the type of the linked object."""

    properties: set[str] = field(default_factory=set)
    reappeared: bool = False  # created or restored: shown as a new object
    relevant: bool = False
    old_managers: dict[str, None] = field(default_factory=dict)
    links: dict[tuple[str, str], str] = field(default_factory=dict)

    def add(self, change: Change, tracked: frozenset[str]) -> None:
        self.properties |= change.properties
        self.reappeared |= change.what in {What.CREATED, What.RESTORED}
        self.relevant |= change.what is not What.UPDATED or not tracked.isdisjoint(change.properties)
        if change.old_manager is not None:
            self.old_managers[change.old_manager] = None
        if change.link is not None:
            relation, linked, kind, _ = change.link
            self.links[relation, linked] = kind


class Feed(Protocol):
    """`default_select` names the properties that are shown and tracked without a `$select`."""

    of: EntityType
    default_select: tuple[str, ...]

    @property
    def log(self) -> ChangeLog: ...
    def ever(self, first: int) -> Iterator[tuple[int, str]]: ...
    def find(self, object_id: str) -> DirectoryObject | None: ...
    def find_deleted(self, object_id: str) -> DirectoryObject | None: ...
    def entries(self, item: DirectoryObject, names: Sequence[str], what: Touched, *, minimal: bool) -> list[Item]: ...


class UserFeed:
    of: EntityType = USER
    default_select = USER.default_select

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    @property
    def log(self) -> ChangeLog:
        return self._tenant.log

    def ever(self, first: int) -> Iterator[tuple[int, str]]:
        return self._tenant.ever(first)

    def find(self, object_id: str) -> User | None:
        return self._tenant.find(object_id)

    def find_deleted(self, object_id: str) -> User | None:
        return self._tenant.find_deleted(object_id)

    def entries(self, item: DirectoryObject, names: Sequence[str], what: Touched, *, minimal: bool) -> list[Item]:
        since = frozenset(what.properties)
        for name in since:
            if name in names and is_extension(name):
                # A change to one directory extension shows all of the same type, selected or not.
                names = list(dict.fromkeys((*names, *sorted(same_type_extensions(item.properties, name)))))
                since |= frozenset(each for each in names if is_extension(each))
        body = _changed(item, names, since=since, only=since if minimal and not what.reappeared else None)
        if "manager" in names and (what.reappeared or "manager" in since):
            links = _managers(item, what)
            if links:
                body["manager@delta"] = links
        return [body]


class GroupFeed:
    of: EntityType = GROUP
    default_select: tuple[str, ...] = (*GROUP.default_select, "members")

    def __init__(self, tenant: Tenant) -> None:
        self._tenant = tenant

    @property
    def log(self) -> ChangeLog:
        return self._tenant.groups.log

    def ever(self, first: int) -> Iterator[tuple[int, str]]:
        return self._tenant.groups.ever(first)

    def find(self, object_id: str) -> Group | None:
        return self._tenant.groups.find(object_id)

    def find_deleted(self, object_id: str) -> Group | None:
        return self._tenant.groups.find_deleted(object_id)

    def entries(self, item: DirectoryObject, names: Sequence[str], what: Touched, *, minimal: bool) -> list[Item]:
        """The entries of one group: several if it has many members, each with a part of them."""
        since = frozenset(what.properties)
        plain = [name for name in names if name not in _RELATIONS]
        body = _changed(item, plain, since=since, only=since if minimal and not what.reappeared else None)
        made = [body]
        for relation in _RELATIONS:
            if relation not in names or not isinstance(item, Group):
                continue
            links = self._all(item, relation) if what.reappeared else _changed_links(item, relation, what)
            size = max(1, self._tenant.settings.delta_link_page)
            for at in range(0, len(links), size):
                part = links[at : at + size]
                target = body if at == 0 else {**body}
                target[f"{relation}@delta"] = part
                if at:
                    made.append(target)
        return made

    def _all(self, group: Group, relation: str) -> list[Item]:
        """All links, also to objects in deletedItems: a soft-deleted user keeps its memberships."""
        linked = group.members if relation == "members" else group.owners
        return [_link(_kind(self._tenant, each), each) for each in linked]


_RELATIONS: Final = ("members", "owners")


def _changed(
    item: DirectoryObject, select: Iterable[str], *, since: frozenset[str], only: frozenset[str] | None
) -> dict[str, Any]:
    """An object as delta shows it: a property never set is left out, one cleared since the last round is null.

    `only` limits the entry to the properties that changed (`Prefer: return=minimal`).
    """
    body: dict[str, Any] = {"id": item.id}
    for name in select:
        if name == "id" or (only is not None and name not in only):
            continue
        value = item.properties.get(name)
        if value is not None or (name in since and name in item.properties):
            body[name] = value
    return body


def removed(object_id: str, reason: str) -> Item:
    return {"id": object_id, "@removed": {"reason": reason}}


def touched(log: Iterable[Change], tracked: frozenset[str], wanted: frozenset[str] | None) -> dict[str, Touched]:
    found: dict[str, Touched] = {}
    for change in log:
        if wanted is None or change.user in wanted:
            found.setdefault(change.user, Touched()).add(change, tracked)
    return {object_id: entry for object_id, entry in found.items() if entry.relevant}


def _managers(item: DirectoryObject, what: Touched) -> list[Item]:
    current = item.manager if isinstance(item, User) else None
    links = [_link("user", old) | {"@removed": {"reason": "deleted"}} for old in what.old_managers if old != current]
    return links + ([_link("user", current)] if current is not None else [])


def _changed_links(group: Group, relation: str, what: Touched) -> list[Item]:
    linked = group.members if relation == "members" else group.owners
    return [
        _link(kind, object_id) | ({} if object_id in linked else {"@removed": {"reason": "deleted"}})
        for (name, object_id), kind in what.links.items()
        if name == relation
    ]


def _kind(tenant: Tenant, object_id: str) -> str:
    item = tenant.object(object_id) or tenant.groups.find_deleted(object_id)
    return "user" if item is None else item.kind


def _link(kind: str, object_id: str) -> Item:
    return {"@odata.type": f"#microsoft.graph.{kind}", "id": object_id}

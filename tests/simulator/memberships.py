"""The memberships of the source tenant: people join and leave; groups are nested, emptied and deleted."""

from __future__ import annotations

from random import Random

from entra_graph_emulator import Tenant, User
from entra_graph_emulator.directory.objects import Group

from .asked import CLUB, INNER, OUTER, SALES, STAFF, TEAM

_GROUPS = {STAFF: "Staff", SALES: "Sales", TEAM: "Team", CLUB: "Club"}
# What happens to groups as a whole, and its weight.
DEEDS = {"nest": 8, "unnest": 6, "empty-group": 4, "delete-group": 8}


class Memberships:
    def __init__(self, rng: Random, source: Tenant) -> None:
        self._rng = rng
        self._source = source
        for group_id, name in _GROUPS.items():
            properties = {"id": group_id, "displayName": name, "mailNickname": name, "securityEnabled": True}
            source.groups.create(properties | {"mailEnabled": False})
        self._link(STAFF, TEAM)

    def welcome(self, user: User) -> None:
        """Most of the new are in some group."""
        if self._rng.random() < 0.8:
            self._link(self._rng.choice([*_GROUPS]), user.id)

    def join(self, user: User, group_id: str = "") -> None:
        self._link(group_id or self._rng.choice([*_GROUPS]), user.id)

    def leave(self, user: User, group_id: str = "") -> None:
        """This one; else all of them, or one."""
        mine = [group for group in self._groups() if user.id in group.members]
        if group_id:
            mine = [group for group in mine if group.id == group_id]
        elif mine and self._rng.random() < 0.4:
            mine = [self._rng.choice(mine)]
        for group in mine:
            self._source.groups.remove(group, "members", user.id)

    def act(self, deed: str, group_id: str = "") -> str:
        """One deed on a group, where it names none on any; the name of what was done."""
        inner, outer = self._rng.choice(INNER), self._rng.choice(OUTER)
        match deed:
            case "nest":
                self._link(outer, inner)
            case "unnest":
                for group in self._groups():
                    if inner in group.members:
                        self._source.groups.remove(group, "members", inner)
            case "empty-group":
                if (found := self._source.groups.find(outer)) is not None:
                    for member in list(found.members):
                        self._source.groups.remove(found, "members", member)
            case "delete-group":
                if (found := self._source.groups.find(group_id or self._rng.choice([*_GROUPS]))) is not None:
                    self._source.groups.delete(found)
                    return f"{deed} {found.id[-1]}"
        return f"{deed} {outer[-1]} {inner[-1]}"

    def _groups(self) -> list[Group]:
        return [found for each in _GROUPS if (found := self._source.groups.find(each)) is not None]

    def _link(self, group_id: str, member_id: str) -> None:
        group, member = self._source.groups.find(group_id), self._source.object(member_id)
        if group is not None and member is not None and member_id not in group.members:
            self._source.groups.add(group, "members", member)

"""The scope, by the files of sync.yaml: as the source's own directory is now, and as one reader could know it."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from entra_graph_emulator import Tenant, User
from entra_graph_emulator.directory.relations import transitive_members

from .asked import Asked
from .plan import Plan


def in_scope(plan: Plan, source: Tenant, user: User) -> bool | None:
    """Whether one of the syncs lets this user in; None: that depends on a group which is not there.

    The pair may be that of the sync which cannot tell, and is then neither written nor handed over.
    """
    answers = [_lets_in(asked, source, user) for asked in plan.syncs.values()]
    return None if None in answers else True in answers


def _lets_in(asked: Asked, source: Tenant, user: User) -> bool | None:
    if asked.cities and user.get("city") not in asked.cities:
        return False
    wanted = _among(source, user, asked.wanted) if asked.wanted else True
    barred = _among(source, user, asked.barred)
    if wanted is False or barred is True:
        return False
    return None if wanted is None or barred is None else True


def _among(source: Tenant, user: User, groups: Sequence[str]) -> bool | None:
    there = [group for each in groups if (group := source.groups.find(each)) is not None]
    if any(user in transitive_members(source, group) for group in there):
        return True
    return None if len(there) < len(groups) else False


def puts_out(asked: Asked, *, city: object, member_of: Collection[str] | None, gone: Collection[str]) -> bool:
    """Whether what was read puts the user out. `gone` are the groups that may have been missing then."""
    if asked.cities and city not in asked.cities:
        return True
    if member_of is None:
        return False
    if not {*asked.barred}.isdisjoint(member_of):
        return True
    return bool(asked.wanted) and {*asked.wanted}.isdisjoint([*member_of, *gone])

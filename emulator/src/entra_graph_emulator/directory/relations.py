"""Relations between objects: members and groups through every level, managers, reports, sponsors."""

from collections.abc import Callable, Iterable, Sequence
from typing import Final, TypeAlias

from entra_graph_emulator.directory.objects import Application, DirectoryObject, Group, ServicePrincipal, User
from entra_graph_emulator.directory.tenant import Tenant

Related: TypeAlias = Sequence[DirectoryObject]


def members(tenant: Tenant, group: Group) -> Related:
    """The direct members that are not deleted."""
    return _live(tenant, group.members)


def owners(tenant: Tenant, group: Group) -> Related:
    return _live(tenant, group.owners)


def transitive_members(tenant: Tenant, group: Group) -> Related:
    """The members of every level, nested groups included, each once, even in a circle of groups."""

    def below(item: DirectoryObject) -> Related:
        return members(tenant, item) if isinstance(item, Group) else ()

    return _closure(group, below)


def groups_of(tenant: Tenant, item: DirectoryObject) -> list[Group]:
    """The groups that list the object directly."""
    return [group for each in item.memberships if (group := tenant.groups.find(each)) is not None]


def transitive_groups_of(tenant: Tenant, item: DirectoryObject) -> list[Group]:
    found = _closure(item, lambda each: groups_of(tenant, each))
    return [each for each in found if isinstance(each, Group)]


def manager(tenant: Tenant, user: User) -> User | None:
    """The user's manager. A soft-deleted manager is not shown; a restore brings the reference back."""
    return None if user.manager is None else tenant.find(user.manager)


def reports(tenant: Tenant, user: User) -> Related:
    return _live(tenant, user.reports)


def sponsors(tenant: Tenant, user: User) -> Related:
    return _live(tenant, user.sponsors)


def related(tenant: Tenant, item: DirectoryObject, name: str) -> Related:
    """A relation by its name in paths and in `$expand`; empty if the object's type has no such relation."""
    match name, item:
        case "memberOf", _:
            return groups_of(tenant, item)
        case "transitiveMemberOf", _:
            return transitive_groups_of(tenant, item)
        case "owners", Application() | ServicePrincipal():
            return _live(tenant, item.owners)
        case (("members" | "owners" | "transitiveMembers"), Group()):
            return _OF_GROUPS[name](tenant, item)
        case "directReports", User():
            return reports(tenant, item)
        case "sponsors", User():
            return sponsors(tenant, item)
        case _:
            return ()


_OF_GROUPS: Final[dict[str, Callable[[Tenant, Group], Related]]] = {
    "members": members,
    "owners": owners,
    "transitiveMembers": transitive_members,
}


def _live(tenant: Tenant, ids: Iterable[str]) -> Related:
    return [item for each in ids if (item := tenant.object(each)) is not None]


def _closure(start: DirectoryObject, step: Callable[[DirectoryObject], Related]) -> list[DirectoryObject]:
    """All objects that repeated steps reach, the nearest first, without the start."""
    found: dict[str, DirectoryObject] = {}
    waiting: list[DirectoryObject] = [start]
    while waiting:
        following: list[DirectoryObject] = []
        for item in waiting:
            for each in step(item):
                if each.id not in found and each is not start:
                    found[each.id] = each
                    following.append(each)
        waiting = following
    return list(found.values())

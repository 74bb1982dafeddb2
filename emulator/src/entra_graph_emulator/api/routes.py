"""Every path of `/v1.0`: its handler, its cost and the permissions that it needs.

`router` finds the route of a request. Costs: https://learn.microsoft.com/graph/throttling-limits, "Resource unit cost";
permissions: the "Permissions" table of each call's page.
"""

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final, TypeAlias

from entra_graph_emulator.api import (
    apps,
    batch,
    credentials,
    delta,
    groups,
    invitations,
    links,
    membership,
    navigation,
    objects,
    organization,
    policies,
    standing,
    subscriptions,
    users,
)
from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.wire.messages import Request, Response
from entra_graph_emulator.wire.throttle import Cost

Handler: TypeAlias = Callable[[Call], Awaitable[Response]]


class Traffic(StrEnum):
    """The kinds by which the request log counts."""

    READ = "read"
    WRITE = "write"
    DELTA = "delta"
    INVITE = "invite"
    SUBSCRIPTION = "subscription"
    BATCH = "batch"


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """`path` has `{}` for an open segment, and `{name}` for a fixed one that is among the handler's parameters too.

    `{cast}` is an open segment that names a type.

    Any one of `roles` suffices; without `roles`, no permission is needed.
    """

    method: str
    path: str
    handler: Handler
    roles: tuple[str, ...]
    kind: Traffic
    units: int = 1
    writes: int = 0
    saved_by_select: int = 1

    @property
    def least(self) -> tuple[str, ...]:
        """The least privileged permission of the call's page; several where what is read or written decides."""
        if self.roles in _DEPENDS:
            return tuple(each for each in self.roles if not each.startswith("Directory."))
        return self.roles[:1]

    @property
    def pattern(self) -> tuple[str, ...]:
        return tuple(self.path.lower().split("/"))

    def cost(self, request: Request) -> Cost:
        """https://learn.microsoft.com/graph/throttling-limits, "Resource unit cost", with its modifiers."""
        top = request.query.get("$top", "")
        units = self.units - self.saved_by_select * ("$select" in request.query) + ("$expand" in request.query)
        units -= top.isdecimal() and int(top[:9]) < 20
        return Cost(units=max(min(1, self.units), units), writes=self.writes)


_GROUPS: Final = ("Group.Read.All", "Group.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
_MEMBERS: Final = ("GroupMember.Read.All", "GroupMember.ReadWrite.All", *_GROUPS)
_WRITE_GROUPS: Final = ("Group.ReadWrite.All", "Directory.ReadWrite.All")
_WRITE_MEMBERS: Final = ("GroupMember.ReadWrite.All", *_WRITE_GROUPS)
_READ: Final = ("User.Read.All", "User.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
_WRITE: Final = ("User.ReadWrite.All", "Directory.ReadWrite.All")
# The permissions of single properties are checked by the handler, which knows the properties.
_UPDATE: Final = (
    *_WRITE,
    "User.ReadUpdate.All",
    "User-Mail.ReadWrite.All",
    "User-Phone.ReadWrite.All",
    "User.EnableDisableAccount.All",
    "User-PasswordProfile.ReadWrite.All",
    "User.ManageIdentities.All",
    "User-LifeCycleInfo.ReadWrite.All",
    "CustomSecAttributeAssignment.ReadWrite.All",
)
_DELETE: Final = ("User.DeleteRestore.All", "User.ReadWrite.All", "Directory.ReadWrite.All")
_RESTORE: Final = ("User.DeleteRestore.All",)
_INVITE: Final = ("User.Invite.All", *_WRITE)
# The resource of a subscription decides which of them it needs; a broader permission is not accepted instead.
_SUBSCRIBE: Final = ("User.Read.All", "Group.Read.All")
_APPS: Final = ("Application.Read.All", "Application.ReadWrite.All", "Directory.Read.All", "Directory.ReadWrite.All")
_WRITE_APPS: Final = ("Application.ReadWrite.All", "Directory.ReadWrite.All")
# The handler checks that an app which may write only its own is the owner.
_WRITE_OWN_APPS: Final = ("Application.ReadWrite.OwnedBy", *_WRITE_APPS)
_ASSIGN: Final = ("AppRoleAssignment.ReadWrite.All", *_WRITE_APPS)
_POLICY: Final = ("Policy.Read.All", "Policy.ReadWrite.CrossTenantAccess")
_WRITE_POLICY: Final = ("Policy.ReadWrite.CrossTenantAccess",)
_AUTHORIZATION: Final = ("Policy.Read.All", "Policy.ReadWrite.Authorization")
_ANY_READ: Final = tuple(dict.fromkeys((*_READ, *_MEMBERS, *_APPS)))
_DIRECTORY: Final = ("Directory.Read.All", "Directory.ReadWrite.All")
_DOMAINS: Final = ("Domain.Read.All", "Domain.ReadWrite.All", *_DIRECTORY)
_ROLES: Final = ("RoleManagement.Read.Directory", "RoleManagement.ReadWrite.Directory", *_DIRECTORY)
_CONTACTS: Final = ("OrgContact.Read.All", *_DIRECTORY)
_ORGANIZATION: Final = ("Organization.Read.All", *_READ)


def _reads(path: str, handler: Handler, roles: tuple[str, ...] = _READ, units: int = 1, method: str = "GET") -> Route:
    return Route(method=method, path=path, handler=handler, roles=roles, kind=Traffic.READ, units=units)


def _by_ids(path: str) -> Route:
    """5 resource units, 2 with `$select`."""
    return replace(_reads(path, objects.get_by_ids, _ANY_READ, 5, "POST"), saved_by_select=3)


def _writes(method: str, path: str, handler: Handler, roles: tuple[str, ...] = _WRITE) -> Route:
    return Route(method=method, path=path, handler=handler, roles=roles, kind=Traffic.WRITE, writes=1)


def _subscribes(method: str, path: str, handler: Handler) -> Route:
    writes = int(method != "GET")
    return Route(method=method, path=path, handler=handler, roles=_SUBSCRIBE, kind=Traffic.SUBSCRIPTION, writes=writes)


def _counted(path: str, handler: Handler, count: Handler, roles: tuple[str, ...], units: int = 1) -> list[Route]:
    return [_reads(path, handler, roles, units), _reads(f"{path}/$count", count, roles, units)]


def _relation(
    plural: str, name: str, handler: Handler, count: Handler, roles: tuple[str, ...], units: int = 1
) -> list[Route]:
    """A relation, its `$count`, its cast to a type, and the cast's `$count`. Handlers see the relation's name."""
    return [
        *_counted(f"{plural}/{{}}/{{{name}}}", handler, count, roles, units),
        *_counted(f"{plural}/{{}}/{{{name}}}/{{cast}}", handler, count, roles, units),
    ]


def _memberships(plural: str, roles: tuple[str, ...]) -> Iterator[Route]:
    for action, handler, units in (
        ("checkMemberGroups", membership.check_member_groups, 4),
        ("checkMemberObjects", membership.check_member_objects, 4),
        ("getMemberGroups", membership.get_member_groups, 2),
        ("getMemberObjects", membership.get_member_groups, 2),
    ):
        yield _reads(f"{plural}/{{}}/{action}", handler, roles, units, "POST")


_DELETED: Final = "directory/deletedItems"
_PARTNER: Final = "policies/crossTenantAccessPolicy/partners/{}"
_DEFAULT: Final = "policies/crossTenantAccessPolicy/default"


def _delta(path: str, handler: Handler, roles: tuple[str, ...]) -> Route:
    return Route(method="GET", path=path, handler=handler, roles=roles, kind=Traffic.DELTA, units=2)


_USERS: Final = (
    *_counted("users", users.list_users, users.count_users, _READ, 2),
    _delta("users/delta", delta.users_delta, _READ),
    _reads("users/{}", users.get_user),
    _writes("POST", "users", users.create_user, ("User.Create", *_WRITE)),
    _writes("PATCH", "users/{}", users.update_user, _UPDATE),
    _writes("DELETE", "users/{}", users.delete_user, _DELETE),
    _reads("users/{}/manager", links.get_manager),
    _reads("users/{}/manager/$ref", links.get_manager_reference),
    _writes("PUT", "users/{}/manager/$ref", links.set_manager),
    _writes("DELETE", "users/{}/manager/$ref", links.remove_manager),
    _reads("users/{}/sponsors", links.list_sponsors),
    _writes("POST", "users/{}/sponsors/$ref", links.add_sponsor),
    _writes("DELETE", "users/{}/sponsors/{}/$ref", links.remove_sponsor),
    *_relation("users", "directReports", navigation.list_of_user, navigation.count_of_user, _READ),
    *_relation("users", "memberOf", navigation.list_of_user, navigation.count_of_user, _ANY_READ, 2),
    *_relation("users", "transitiveMemberOf", navigation.list_of_user, navigation.count_of_user, _ANY_READ, 2),
    _reads("users/{}/appRoleAssignments", apps.list_assignments_of_user, _ANY_READ, 2),
    _writes("POST", "users/{}/appRoleAssignments", apps.assign, _ASSIGN),
    _writes("DELETE", "users/{}/appRoleAssignments/{}", apps.unassign, _ASSIGN),
    *_memberships("users", _ANY_READ),
    _by_ids("users/getByIds"),
)
_GROUP_ROUTES: Final = (
    *_counted("groups", groups.list_groups, groups.count_groups, _MEMBERS),
    _delta("groups/delta", delta.groups_delta, _MEMBERS),
    _reads("groups/{}", groups.get_group, _MEMBERS),
    _writes("POST", "groups", groups.create_group, ("Group.Create", *_WRITE_GROUPS)),
    _writes("PATCH", "groups/{}", groups.update_group, _WRITE_MEMBERS),
    _writes("DELETE", "groups/{}", groups.delete_group, _WRITE_GROUPS),
    *(
        route
        for name in ("members", "owners")
        for route in (
            _reads(f"groups/{{}}/{{{name}}}/$ref", groups.list_references, _MEMBERS, 3),
            _writes("POST", f"groups/{{}}/{{{name}}}/$ref", groups.add_link, _WRITE_MEMBERS),
            _writes("DELETE", f"groups/{{}}/{{{name}}}/{{}}/$ref", groups.remove_link, _WRITE_MEMBERS),
        )
    ),
    *_relation("groups", "members", navigation.list_of_group, navigation.count_of_group, _MEMBERS, 3),
    *_relation("groups", "owners", navigation.list_of_group, navigation.count_of_group, _MEMBERS),
    *_relation("groups", "transitiveMembers", navigation.list_of_group, navigation.count_of_group, _MEMBERS, 5),
    *_relation("groups", "memberOf", navigation.list_of_group, navigation.count_of_group, _MEMBERS, 2),
    *_relation("groups", "transitiveMemberOf", navigation.list_of_group, navigation.count_of_group, _MEMBERS, 2),
    _reads("groups/{}/appRoleAssignments", apps.list_assignments_of_group, _ANY_READ, 2),
    _writes("POST", "groups/{}/appRoleAssignments", apps.assign, _ASSIGN),
    _writes("DELETE", "groups/{}/appRoleAssignments/{}", apps.unassign, _ASSIGN),
    *_memberships("groups", _ANY_READ),
)
_OBJECTS: Final = (
    _delta("directoryObjects/delta", delta.objects_delta, _ANY_READ),
    _by_ids("directoryObjects/getByIds"),
    _reads("directoryObjects/{}", objects.get_object, _ANY_READ),
    _writes("DELETE", "directoryObjects/{}", objects.delete_object, ("Directory.ReadWrite.All",)),
    *_memberships("directoryObjects", _ANY_READ),
    *_memberships("servicePrincipals", _ANY_READ),
    _reads(_DELETED, objects.list_deleted_of_any_kind),
    *_counted(f"{_DELETED}/{{microsoft.graph.user}}", objects.list_deleted, objects.count_deleted, _READ),
    *(
        route
        for cast in ("group", "servicePrincipal", "application")
        for route in _counted(
            f"{_DELETED}/{{microsoft.graph.{cast}}}", objects.list_deleted, objects.count_deleted, _MEMBERS
        )
    ),
    _reads(f"{_DELETED}/{{}}", objects.get_deleted, _ANY_READ),
    _reads(f"{_DELETED}/{{}}/{{microsoft.graph.user}}", objects.get_deleted),
    _reads(f"{_DELETED}/{{}}/{{microsoft.graph.group}}", objects.get_deleted, _MEMBERS),
    _writes("POST", f"{_DELETED}/{{}}/restore", objects.restore, (*_RESTORE, "Group.ReadWrite.All")),
    _writes("DELETE", f"{_DELETED}/{{}}", objects.purge, (*_RESTORE, "Group.ReadWrite.All")),
)
_APP_ROUTES: Final = (
    *_counted("servicePrincipals", apps.list_principals, apps.count_principals, _APPS),
    _writes("POST", "servicePrincipals", apps.create_principal, _WRITE_OWN_APPS),
    _writes("PATCH", "servicePrincipals/{}", apps.update_principal, _WRITE_OWN_APPS),
    _writes("DELETE", "servicePrincipals/{}", apps.delete_principal, _WRITE_OWN_APPS),
    _reads("servicePrincipals/{}", apps.get_principal, _APPS),
    _reads("servicePrincipals/{}/appRoleAssignedTo", apps.list_assigned_to, _APPS),
    _writes("POST", "servicePrincipals/{}/appRoleAssignedTo", apps.assign, _ASSIGN),
    _writes("DELETE", "servicePrincipals/{}/appRoleAssignedTo/{}", apps.unassign, _ASSIGN),
    _reads("servicePrincipals/{}/appRoleAssignments", apps.list_assignments_of_principal, _APPS, 2),
    _writes("POST", "servicePrincipals/{}/appRoleAssignments", apps.assign, _ASSIGN),
    _writes("DELETE", "servicePrincipals/{}/appRoleAssignments/{}", apps.unassign, _ASSIGN),
    _reads("servicePrincipals/{}/oauth2PermissionGrants", apps.list_grants_of_principal, _APPS),
    _reads("oauth2PermissionGrants", apps.list_grants, _APPS),
    *_counted("applications", apps.list_applications, apps.count_applications, _APPS, 2),
    _writes("POST", "applications", apps.create_application, _WRITE_OWN_APPS),
    _reads("applications/{}", apps.get_application, _APPS, 2),
    _writes("PATCH", "applications/{}", apps.update_application, _WRITE_OWN_APPS),
    _writes("DELETE", "applications/{}", apps.delete_application, _WRITE_OWN_APPS),
    _reads("applications/{}/extensionProperties/{}", apps.get_extension, _APPS),
    _writes("DELETE", "applications/{}/extensionProperties/{}", apps.delete_extension, _WRITE_APPS),
    _reads("applications/{}/extensionProperties", apps.list_extensions, _APPS),
    _writes("POST", "applications/{}/extensionProperties", apps.create_extension, _WRITE_APPS),
    *(
        route
        for plural in ("applications", "servicePrincipals")
        for route in (
            *_counted(f"{{{plural}}}/{{}}/owners", credentials.list_owners, credentials.count_owners, _APPS),
            _reads(f"{{{plural}}}/{{}}/owners/$ref", credentials.list_owner_references, _APPS),
            _writes("POST", f"{{{plural}}}/{{}}/owners/$ref", credentials.add_owner, _WRITE_OWN_APPS),
            _writes("DELETE", f"{{{plural}}}/{{}}/owners/{{}}/$ref", credentials.remove_owner, _WRITE_OWN_APPS),
            _writes("POST", f"{{{plural}}}/{{}}/addPassword", credentials.add_password, _WRITE_OWN_APPS),
            _writes("POST", f"{{{plural}}}/{{}}/removePassword", credentials.remove_password, _WRITE_OWN_APPS),
        )
    ),
)
_POLICIES: Final = (
    _reads("policies/crossTenantAccessPolicy", policies.get_policy, _POLICY),
    _reads(_DEFAULT, policies.get_default, _POLICY),
    _writes("PATCH", _DEFAULT, policies.update_default, _WRITE_POLICY),
    _writes("POST", f"{_DEFAULT}/resetToSystemDefault", policies.reset_default, _WRITE_POLICY),
    _reads("policies/crossTenantAccessPolicy/partners", policies.list_partners, _POLICY),
    _writes("POST", "policies/crossTenantAccessPolicy/partners", policies.create_partner, _WRITE_POLICY),
    _reads(_PARTNER, policies.get_partner, _POLICY),
    _writes("PATCH", _PARTNER, policies.update_partner, _WRITE_POLICY),
    _writes("DELETE", _PARTNER, policies.delete_partner, _WRITE_POLICY),
    _reads(f"{_PARTNER}/identitySynchronization", policies.get_synchronization, _POLICY),
    _writes("PUT", f"{_PARTNER}/identitySynchronization", policies.set_synchronization, _WRITE_POLICY),
    _writes("PATCH", f"{_PARTNER}/identitySynchronization", policies.update_synchronization, _WRITE_POLICY),
    _writes("DELETE", f"{_PARTNER}/identitySynchronization", policies.delete_synchronization, _WRITE_POLICY),
    _reads("policies/authorizationPolicy", policies.get_authorization, _AUTHORIZATION),
    _writes(
        "PATCH", "policies/authorizationPolicy", policies.update_authorization, ("Policy.ReadWrite.Authorization",)
    ),
)
_REST: Final = (
    # A batch costs nothing and needs no permission itself: its items do.
    Route(method="POST", path="$batch", handler=batch.batch, roles=(), kind=Traffic.BATCH, units=0),
    _reads("organization", organization.list_organization, _ORGANIZATION),
    _reads("organization/{}", organization.get_organization, _ORGANIZATION),
    _reads("domains", standing.list_domains, _DOMAINS),
    _reads("domains/{}", standing.get_domain, _DOMAINS),
    *_counted("directoryRoles", standing.list_roles, standing.count_roles, _ROLES),
    _reads("directoryRoles/{}", standing.get_role, _ROLES),
    _reads("directoryRoles/{}/members", standing.list_role_members, _ROLES),
    *_counted("contacts", standing.list_contacts, standing.count_contacts, _CONTACTS),
    _reads("contacts/{}", standing.get_contact, _CONTACTS),
    Route(method="POST", path="invitations", handler=invitations.invite, roles=_INVITE, kind=Traffic.INVITE, writes=1),
    _subscribes("GET", "subscriptions", subscriptions.list_subscriptions),
    _subscribes("POST", "subscriptions", subscriptions.create_subscription),
    _subscribes("GET", "subscriptions/{}", subscriptions.get_subscription),
    _subscribes("PATCH", "subscriptions/{}", subscriptions.update_subscription),
    _subscribes("DELETE", "subscriptions/{}", subscriptions.delete_subscription),
    _subscribes("POST", "subscriptions/{}/reauthorize", subscriptions.reauthorize_subscription),
)
_DEPENDS: Final = frozenset({_ANY_READ, _UPDATE, _SUBSCRIBE, _WRITE_MEMBERS, (*_RESTORE, "Group.ReadWrite.All")})
ROUTES: Final = (*_USERS, *_GROUP_ROUTES, *_OBJECTS, *_APP_ROUTES, *_POLICIES, *_REST)

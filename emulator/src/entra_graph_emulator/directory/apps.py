"""Applications, service principals, app role assignments and directory extensions: what their readers need of them.

https://learn.microsoft.com/graph/api/resources/serviceprincipal,
https://learn.microsoft.com/graph/api/resources/approleassignment
"""

from collections.abc import Iterable, Iterator, Mapping
from random import Random
from typing import Any, Final
from uuid import NAMESPACE_URL, uuid5

from entra_graph_emulator.directory.objects import Application, DirectoryObject, Record, ServicePrincipal
from entra_graph_emulator.directory.shelf import Shelf
from entra_graph_emulator.odata.filters import Filter
from entra_graph_emulator.odata.user_schema import is_extension
from entra_graph_emulator.wire.clock import Clock, instant
from entra_graph_emulator.wire.errors import bad_request, invalid_value, not_found
from entra_graph_emulator.wire.ids import guid

GRAPH_APP: Final = "00000003-0000-0000-c000-000000000000"
NO_ROLE: Final = "00000000-0000-0000-0000-000000000000"  # the role of apps that declare none
# https://learn.microsoft.com/graph/api/resources/extensionproperty; the types that a value of each may have.
DATA_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "Binary": (str,),
    "Boolean": (bool,),
    "DateTime": (str,),
    "Integer": (int,),
    "LargeInteger": (int, str),
    "String": (str,),
}
# Well-known ids: https://learn.microsoft.com/graph/permissions-reference
_ROLE_IDS: Final = {
    "User.Read.All": "df021288-bdef-4463-88db-98f22de89214",
    "User.ReadWrite.All": "741f803b-c850-494e-b5df-cde7c675a1ca",
    "User.Invite.All": "09850681-111b-4a89-9bed-3f2cae46d706",
    "Directory.Read.All": "7ab1d382-f21e-4acd-a863-ba3e13f7da61",
    "Directory.ReadWrite.All": "19dbc75e-c2e2-444c-a770-ec69d8559fc7",
    "Group.Read.All": "5b567255-7703-4780-807c-7be8301ae99b",
    "Group.ReadWrite.All": "62a82d76-70ea-41e2-9197-370581804d09",
    "GroupMember.Read.All": "98830695-27a2-44f7-8c18-0c3ebc9698f6",
    "GroupMember.ReadWrite.All": "dbaae8cf-10b5-4b86-a4a1-f871c94c6695",
    "Application.Read.All": "9a5d68dd-52b0-4cc2-bd40-abcf44ac3a30",
    "Application.ReadWrite.All": "1bfefb4e-e0b5-418b-a88f-73c46d2cc8e9",
    "Organization.Read.All": "498476ce-e0fe-48b0-b801-37ba7e2685c6",
    "Policy.Read.All": "246dd0d5-5bd0-4def-940b-0421030a5b68",
    "Policy.ReadWrite.CrossTenantAccess": "338163d7-f101-4c92-94ba-ca46fe52447c",
    "Application.ReadWrite.OwnedBy": "18a4783c-866b-4cc7-a460-3d5e5662c884",
    "AppRoleAssignment.ReadWrite.All": "06b708a9-e830-4db3-a914-8e69da51d44f",
    "AuditLog.Read.All": "b0afded3-3588-46d8-8b3d-9842eff778da",
    "Domain.Read.All": "dbb9058a-0e50-45d7-ae91-66909b5d4664",
    "Group.Create": "bf7b1a76-6e77-406b-b258-bf5c7720e98f",
    "Mail.Read": "810c84a8-4a9e-49e6-bf7d-12d183f40d01",
    "Mail.Send": "b633e1c5-b582-4048-a93e-9f11b44c7e96",
    "OrgContact.Read.All": "e1a88a34-94c4-4418-be12-c87b00e26bea",
    "RoleManagement.Read.Directory": "483bed4a-2ad3-4361-a73b-c83ccdbdc53c",
    "RoleManagement.ReadWrite.Directory": "9e3f62cf-ca93-4989-b6ce-bf83c28f9fe8",
}


def role_id(name: str) -> str:
    """The id of a permission: the real one if it is listed here, else one derived from the name."""
    return _ROLE_IDS.get(name) or str(uuid5(NAMESPACE_URL, f"https://graph.microsoft.com/{name}"))


class Apps:
    def __init__(self, tenant_id: str, *, clock: Clock, rng: Random) -> None:
        self._tenant = tenant_id
        self._clock = clock
        self._rng = rng
        self._made = 0
        self.principals: Shelf[ServicePrincipal] = Shelf(("id", "appId", "displayName"))
        self.applications: Shelf[Application] = Shelf(("id", "appId", "displayName"))
        self.assignments: Shelf[Record] = Shelf(("id", "principalId", "resourceId"))
        self.grants: Shelf[Record] = Shelf(("id", "clientId"))
        self.extensions: dict[str, dict[str, Any]] = {}  # by the property's full name

    def find(self, object_id: str) -> DirectoryObject | None:
        return self.principals.get(object_id) or self.applications.get(object_id)

    def principal_of(self, app_id: str) -> ServicePrincipal | None:
        return next(iter(self.principals.holders("appId", app_id)), None)

    def application_of(self, app_id: str) -> Application | None:
        return next(iter(self.applications.holders("appId", app_id)), None)

    def assigned_to(self, principal_id: str, clause: Filter | None = None) -> list[Record]:
        """The app roles that a user, group or service principal has, directly."""
        return [each for each in self.assignments.find(clause) if each.properties["principalId"] == principal_id]

    def assigned_on(self, resource_id: str, clause: Filter | None = None) -> list[Record]:
        """The assignments of a service principal's app roles; a group is one entry, not its members."""
        return [each for each in self.assignments.find(clause) if each.properties["resourceId"] == resource_id]

    def grants_of(self, client_id: str, clause: Filter | None = None) -> list[Record]:
        return [each for each in self.grants.find(clause) if each.properties["clientId"] == client_id]

    def ensure_principal(self, app_id: str, display_name: str = "") -> ServicePrincipal:
        """The app's service principal in this tenant; made if it is missing, as consent makes it."""
        return self.principal_of(app_id) or self.add_principal({"appId": app_id, "displayName": display_name or app_id})

    def add_principal(self, properties: Mapping[str, Any]) -> ServicePrincipal:
        if self.principal_of(properties["appId"]) is not None:
            raise bad_request(
                "The service principal cannot be created, updated, or restored because the service principal name "
                f"{properties['appId']} is already in use."
            )
        made = ServicePrincipal(**self._base(properties))
        made.properties = {
            "accountEnabled": True,
            "appDisplayName": made.properties["displayName"],
            "appOwnerOrganizationId": self._tenant,
            "appRoleAssignmentRequired": False,
            "appRoles": [],
            "oauth2PermissionScopes": [],
            "servicePrincipalNames": [properties["appId"]],
            "servicePrincipalType": "Application",
            "signInAudience": "AzureADMyOrg",
            "tags": [],
            **made.properties,
        }
        if (application := self.application_of(properties["appId"])) is not None:
            made.properties |= _shared(application.properties)
        self.principals.add(made)
        return made

    def add_application(self, properties: Mapping[str, Any]) -> Application:
        given = {"appId": guid(self._rng), "signInAudience": "AzureADMyOrg", **properties}
        made = Application(**self._base(given))
        self.applications.add(made)
        return made

    def change_application(self, application: Application, changes: Mapping[str, Any]) -> None:
        """Change the application, and what its service principal shows of it."""
        self.applications.change(application, changes)
        if (principal := self.principal_of(application.properties["appId"])) is not None:
            self.principals.change(principal, _shared(application.properties))

    def remove_application(self, application: Application) -> None:
        """Remove the application, its service principal in this tenant, and that one's assignments."""
        self.applications.remove(application)
        if (principal := self.principal_of(application.properties["appId"])) is not None:
            self.remove_principal(principal)

    def remove_principal(self, principal: ServicePrincipal) -> None:
        """Remove the service principal, what it is assigned to, and what its roles are assigned to."""
        for each in (*self.assigned_to(principal.id), *self.assigned_on(principal.id)):
            self.assignments.remove(each)
        self.principals.remove(principal)

    def assign(self, principal: DirectoryObject, resource: ServicePrincipal, app_role: str = NO_ROLE) -> Record:
        """https://learn.microsoft.com/graph/api/serviceprincipal-post-approleassignedto"""
        known = {each["id"] for each in resource.properties["appRoles"]}
        if app_role != NO_ROLE and app_role not in known:
            raise bad_request("Permission being assigned was not found on application")
        for each in self.assigned_to(principal.id):
            if (each.properties["resourceId"], each.properties["appRoleId"]) == (resource.id, app_role):
                raise bad_request("Permission being assigned already exists on the object")
        made = Record(
            **self._base(
                {
                    "appRoleId": app_role,
                    "principalDisplayName": principal.properties.get("displayName"),
                    "principalId": principal.id,
                    "principalType": f"{principal.kind[0].upper()}{principal.kind[1:]}",
                    "resourceDisplayName": resource.properties.get("displayName"),
                    "resourceId": resource.id,
                }
            )
        )
        self.assignments.add(made)
        return made

    def unassign(self, assignment_id: str) -> Record:
        found = self.assignments.get(assignment_id)
        if found is None:
            raise not_found(assignment_id)
        self.assignments.remove(found)
        return found

    def grant_roles(self, app_id: str, roles: Iterable[str]) -> None:
        """Assign Graph's own roles to the app's principal, as an administrator's consent does."""
        wanted = list(roles)
        principal, graph = self.ensure_principal(app_id), self.graph(wanted)
        for each in self.assigned_to(principal.id):
            if each.properties["resourceId"] == graph.id:
                self.assignments.remove(each)
        for name in wanted:
            self.assign(principal, graph, role_id(name))

    def consented(self, principal: DirectoryObject) -> list[str]:
        """The permissions in Graph that the app has, by the names that its tokens carry."""
        graph = self.graph()
        names = {each["id"]: each["value"] for each in graph.properties["appRoles"]}
        held = [each.properties for each in self.assigned_to(principal.id)]
        return [
            names[each["appRoleId"]] for each in held if each["resourceId"] == graph.id and each["appRoleId"] in names
        ]

    def graph(self, roles: Iterable[str] = ()) -> ServicePrincipal:
        """Microsoft Graph's own service principal, with at least those app roles."""
        found = self.ensure_principal(GRAPH_APP, "Microsoft Graph")
        found.properties["appOwnerOrganizationId"] = "f8cdef31-a31e-4b4a-93e4-5f571e91255a"
        known = {each["value"] for each in found.properties["appRoles"]}
        found.properties["appRoles"] += [
            _role(name) for name in dict.fromkeys((*_ROLE_IDS, *roles)) if name not in known
        ]
        return found

    def register_extension(self, application: Application, properties: Mapping[str, Any]) -> dict[str, Any]:
        """https://learn.microsoft.com/graph/api/application-post-extensionproperty"""
        prefix = application.properties["appId"].replace("-", "")
        name = f"extension_{prefix}_{properties['name']}"
        if name in self.extensions:
            raise bad_request("An extension property exists with the name " + name + ".")
        self.extensions[name] = {
            "id": guid(self._rng),
            "deletedDateTime": None,
            "appDisplayName": application.properties.get("displayName"),
            "dataType": properties["dataType"],
            "isMultiValued": bool(properties.get("isMultiValued", False)),
            "isSyncedFromOnPremises": False,
            "name": name,
            "targetObjects": list(properties["targetObjects"]),
        }
        return self.extensions[name]

    def declare_extension(self, name: str) -> None:
        """An extension for text, by its full name, which an application that is registered elsewhere brings along.

        https://learn.microsoft.com/graph/extensibility-overview: it is there in every tenant that consented to the app.
        """
        self.extensions[name] = {
            "id": guid(self._rng),
            "deletedDateTime": None,
            "appDisplayName": None,
            "dataType": "String",
            "isMultiValued": False,
            "isSyncedFromOnPremises": False,
            "name": name,
            "targetObjects": ["User", "Group"],
        }

    def check_extensions(self, changes: Mapping[str, Any], target: str, *, registered: bool) -> None:
        """Raises 400 for a value of another type, and for one that is not registered for `target` if it has to be."""
        values = {name: value for name, value in changes.items() if is_extension(name)}
        unfit = next((name for name, value in values.items() if not self.fits(name, value)), None)
        if unfit is not None:
            raise invalid_value(unfit, target)
        unknown = [name for name in values if target not in self.extensions.get(name, {}).get("targetObjects", ())]
        if registered and unknown:
            raise bad_request(f"The following extension properties are not available: {', '.join(unknown)}.")

    def fits(self, name: str, value: Any) -> bool:
        """Whether the value is of the registered type; anything fits a name that nobody registered."""
        known = self.extensions.get(name)
        if known is None or value is None:
            return True
        types = DATA_TYPES[known["dataType"]]
        values = value if known["isMultiValued"] and isinstance(value, list) else [value]
        return all(isinstance(each, types) and (bool in types or not isinstance(each, bool)) for each in values)

    def extensions_of(self, application: Application) -> Iterator[dict[str, Any]]:
        prefix = f"extension_{application.properties['appId'].replace('-', '')}_"
        return (each for name, each in self.extensions.items() if name.startswith(prefix))

    def _base(self, properties: Mapping[str, Any]) -> dict[str, Any]:
        now = self._clock.now()
        object_id = properties.get("id") or guid(self._rng)
        self._made += 1
        stored = {"id": object_id, "createdDateTime": instant(now), **properties}
        return {"id": object_id, "ordinal": self._made, "properties": stored, "visible_at": now}


def _shared(application: Mapping[str, Any]) -> dict[str, Any]:
    """What a service principal has from its application."""
    shown = {"appDisplayName": application.get("displayName"), "appRoles": application.get("appRoles") or []}
    return shown | {name: application[name] for name in ("signInAudience", "displayName") if name in application}


def _role(name: str) -> dict[str, Any]:
    return {
        "allowedMemberTypes": ["Application"],
        "description": name,
        "displayName": name,
        "id": role_id(name),
        "isEnabled": True,
        "origin": "Application",
        "value": name,
    }

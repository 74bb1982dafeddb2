"""What a tenant has without being asked for it: `/domains`, `/directoryRoles` and `/contacts`. They can be read.

https://learn.microsoft.com/graph/api/resources/domain, resources/directoryrole, resources/orgcontact
"""

from typing import Any, Final

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.queries import Collection, among, counted, entity, listed
from entra_graph_emulator.calls.views import chosen, context
from entra_graph_emulator.directory.objects import DirectoryObject
from entra_graph_emulator.directory.standing import contacts, members_of, roles
from entra_graph_emulator.odata.entities import CONTACT, DIRECTORY_ROLE, OBJECT, EntityType
from entra_graph_emulator.wire.errors import not_found
from entra_graph_emulator.wire.messages import Response, json_response

_TEMPLATE: Final = "roletemplateid="


async def list_domains(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/domain-list"""
    call.allow("$select")
    value = [_domain(call, name) for name in call.tenant.domains]
    return json_response(200, {"@odata.context": context(call.origin, "domains", None), "value": value})


async def get_domain(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/domain-get: by its name."""
    call.allow("$select")
    name = call.parameters[0].lower()
    if name not in call.tenant.domains:
        raise not_found(call.parameters[0])
    return json_response(
        200, {"@odata.context": context(call.origin, "domains", None, entity=True), **_domain(call, name)}
    )


def _domain(call: Call, name: str) -> dict[str, Any]:
    tenant = call.tenant
    body = {
        "authenticationType": "Managed",
        "availabilityStatus": None,
        "id": name,
        "isAdminManaged": True,
        "isDefault": name == tenant.domains[0],
        "isInitial": name == tenant.initial_domain,
        "isRoot": True,
        "isVerified": True,
        "manufacturer": None,
        "model": None,
        "passwordNotificationWindowInDays": 14,
        "passwordValidityPeriodInDays": 2147483647,
        "state": None,
        "supportedServices": ["Email", "OfficeCommunicationsOnline"],
    }
    return chosen(body, call.options.get("$select"), "domain")


async def list_roles(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/directoryrole-list: those that are activated."""
    return listed(call, _collection(call, DIRECTORY_ROLE))


async def count_roles(call: Call) -> Response:
    return counted(call, _collection(call, DIRECTORY_ROLE))


async def get_role(call: Call) -> Response:
    """By id, or by the id of its template."""
    return _one(call, DIRECTORY_ROLE)


async def list_role_members(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/directoryrole-list-members"""
    role = _found(call, DIRECTORY_ROLE)
    found = members_of(call.tenant, role)
    path = f"directoryRoles/{role.id}/members"
    return listed(call, Collection(of=OBJECT, path=path, find=among(found), mixed=True, strict=True, ordered=True))


async def list_contacts(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/orgcontact-list"""
    return listed(call, _collection(call, CONTACT))


async def count_contacts(call: Call) -> Response:
    return counted(call, _collection(call, CONTACT))


async def get_contact(call: Call) -> Response:
    return _one(call, CONTACT)


def _collection(call: Call, of: EntityType) -> Collection:
    return Collection(of=of, path=of.plural, find=among(_all(call, of)))


def _all(call: Call, of: EntityType) -> list[DirectoryObject]:
    return list(roles(call.tenant) if of is DIRECTORY_ROLE else contacts(call.tenant))


def _one(call: Call, of: EntityType) -> Response:
    call.allow("$select")
    select = of.parse_select(call.options.get("$select"))
    body = entity(call, _found(call, of), select, None, of)
    return json_response(200, {"@odata.context": context(call.origin, of.plural, select, entity=True), **body})


def _found(call: Call, of: EntityType) -> DirectoryObject:
    key = call.parameters[0]
    name = "roleTemplateId" if key.lower().startswith(_TEMPLATE) else "id"
    value = key.partition("=")[2].strip("'") if name != "id" else key
    for each in _all(call, of):
        if each.get(name) == value.lower():
            return each
    raise not_found(value)

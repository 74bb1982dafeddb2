"""`/policies`: cross-tenant access and authorization, the part that decides about guests.

https://learn.microsoft.com/graph/api/resources/crosstenantaccesspolicy-overview
"""

from collections.abc import Mapping
from typing import Any

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.views import chosen, context
from entra_graph_emulator.wire.errors import GraphError, bad_request, value_required
from entra_graph_emulator.wire.ids import is_guid
from entra_graph_emulator.wire.messages import Response, json_response, no_content

_BASE = "policies/crossTenantAccessPolicy"
_CONFIGURATION = "crossTenantAccessPolicyConfiguration"
_PARTNER = f"{_CONFIGURATION}Partner"


async def get_policy(call: Call) -> Response:
    body = {
        "id": "crossTenantAccessPolicy",
        "displayName": "CrossTenantAccessPolicy",
        "definition": [],
        "deletedDateTime": None,
        "allowedCloudEndpoints": call.tenant.policies.allowed_cloud_endpoints,
    }
    return _entity(call, _BASE, body, "crossTenantAccessPolicy")


async def get_default(call: Call) -> Response:
    return _entity(call, f"{_BASE}/default", call.tenant.policies.default, f"{_CONFIGURATION}Default")


async def update_default(call: Call) -> Response:
    body = call.body()
    if "automaticUserConsentSettings" in body:
        # crosstenantaccesspolicyconfigurationdefault: read-only, always false.
        raise bad_request("Property 'automaticUserConsentSettings' is read-only and cannot be set.")
    call.tenant.policies.change_default(body)
    return no_content()


async def reset_default(call: Call) -> Response:
    call.tenant.policies.reset_default()
    return no_content()


async def list_partners(call: Call) -> Response:
    call.allow("$top", "$select", "$expand")
    partners = call.tenant.policies.partners.values()
    select = call.options.get("$select")
    value = [chosen(each, select, _PARTNER) | _synchronized(call, each) for each in partners]
    where = f"{call.origin}/v1.0/$metadata#{_BASE}/partners"
    return json_response(200, {"@odata.context": where, "value": value})


async def create_partner(call: Call) -> Response:
    body = call.body()
    tenant_id = body.get("tenantId")
    if not isinstance(tenant_id, str):
        raise value_required("tenantId", "CrossTenantAccessPolicyConfigurationPartner")
    if not is_guid(tenant_id):
        raise bad_request(f"Invalid object identifier '{tenant_id}'.")
    made = call.tenant.policies.add_partner(tenant_id, body)
    where = f"{call.origin}/v1.0/$metadata#{_BASE}/partners/$entity"
    return call.created(f"{_BASE}/partners/{tenant_id}", {"@odata.context": where, **made})


async def get_partner(call: Call) -> Response:
    call.allow("$select", "$expand")
    partner = _partner(call)
    return _entity(call, f"{_BASE}/partners", partner, _PARTNER, _synchronized(call, partner))


async def update_partner(call: Call) -> Response:
    call.tenant.policies.change_partner(call.parameters[0], call.body())
    return no_content()


async def delete_partner(call: Call) -> Response:
    call.tenant.policies.remove_partner(call.parameters[0])
    return no_content()


async def get_synchronization(call: Call) -> Response:
    partner = _partner(call)
    found = call.tenant.policies.synchronization.get(partner["tenantId"])
    if found is None:
        raise GraphError(404, "Request_ResourceNotFound", "The identity synchronization policy does not exist.")
    where = f"{_BASE}/partners('{partner['tenantId']}')/identitySynchronization"
    return _entity(call, where, found, "crossTenantIdentitySyncPolicyPartner")


async def set_synchronization(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/crosstenantaccesspolicyconfigurationpartner-put-identitysynchronization"""
    partner = _partner(call)
    body = _synchronization(call.body())
    blank = {"tenantId": partner["tenantId"], "displayName": None, "userSyncInbound": None}
    call.tenant.policies.synchronization[partner["tenantId"]] = blank | body
    return no_content()


async def update_synchronization(call: Call) -> Response:
    partner = _partner(call)
    found = call.tenant.policies.synchronization.get(partner["tenantId"])
    if found is None:
        raise GraphError(404, "Request_ResourceNotFound", "The identity synchronization policy does not exist.")
    found.update(_synchronization(call.body()))
    return no_content()


async def delete_synchronization(call: Call) -> Response:
    if call.tenant.policies.synchronization.pop(_partner(call)["tenantId"], None) is None:
        raise GraphError(404, "Request_ResourceNotFound", "The identity synchronization policy does not exist.")
    return no_content()


async def get_authorization(call: Call) -> Response:
    return _entity(call, "policies/authorizationPolicy", call.tenant.policies.authorization, "authorizationPolicy")


async def update_authorization(call: Call) -> Response:
    call.tenant.policies.change_authorization(call.body())
    return no_content()


def _partner(call: Call) -> dict[str, Any]:
    return call.tenant.policies.partner(call.parameters[0])


def _synchronized(call: Call, partner: Mapping[str, Any]) -> dict[str, Any]:
    if "identitysynchronization" not in call.options.get("$expand", "").lower():
        return {}
    return {"identitySynchronization": call.tenant.policies.synchronization.get(partner["tenantId"])}


def _synchronization(body: Mapping[str, Any]) -> dict[str, Any]:
    given = {name: value for name, value in body.items() if "@" not in name and name != "tenantId"}
    inbound = given.get("userSyncInbound") or {}
    known = given.keys() <= {"displayName", "userSyncInbound", "externalCloudAuthorizedApplicationId"}
    if not known or not isinstance(inbound, dict) or not isinstance(inbound.get("isSyncAllowed", False), bool):
        raise bad_request("Invalid value specified for property 'userSyncInbound'.")
    return given


def _entity(
    call: Call, where: str, body: Mapping[str, Any], kind: str, expanded: Mapping[str, Any] | None = None
) -> Response:
    shown = chosen(body, call.options.get("$select"), kind)
    names = tuple(shown) if "$select" in call.options else None
    at = context(call.origin, where, names, entity=True)
    return json_response(200, {"@odata.context": at, **shown, **(expanded or {})})

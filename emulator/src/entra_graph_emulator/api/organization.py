"""`/organization`: the tenant itself."""

from typing import Any, Final

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.views import chosen, context
from entra_graph_emulator.wire.clock import instant
from entra_graph_emulator.wire.errors import not_found
from entra_graph_emulator.wire.messages import Response, json_response
from entra_graph_emulator.wire.words import words

# https://learn.microsoft.com/graph/api/resources/organization
_BLANK: Final[dict[str, Any]] = dict.fromkeys(
    words(
        "id deletedDateTime city country countryLetterCode createdDateTime defaultUsageLocation displayName "
        "isMultipleDataLocationsForServicesEnabled onPremisesLastSyncDateTime onPremisesSyncEnabled partnerTenantType "
        "postalCode preferredLanguage privacyProfile state street tenantType"
    )
) | {
    name: []
    for name in words(
        "assignedPlans businessPhones marketingNotificationEmails provisionedPlans "
        "securityComplianceNotificationMails securityComplianceNotificationPhones technicalNotificationMails "
        "verifiedDomains"
    )
}


async def list_organization(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/organization-list"""
    call.allow("$select", "$top")
    body = _organization(call)
    return json_response(200, {"@odata.context": _where(call, body), "value": [body]})


async def get_organization(call: Call) -> Response:
    if call.parameters[0] != call.tenant.id:
        raise not_found(call.parameters[0])
    call.allow("$select")
    body = _organization(call)
    return json_response(200, {"@odata.context": f"{_where(call, body)}/$entity", **body})


def _where(call: Call, body: dict[str, Any]) -> str:
    return context(call.origin, "organization", tuple(body) if "$select" in call.options else None)


def _organization(call: Call) -> dict[str, Any]:
    tenant = call.tenant
    domains = [
        {
            "capabilities": "Email, OfficeCommunicationsOnline",
            "isDefault": name == tenant.domains[0],
            "isInitial": name == tenant.initial_domain,
            "name": name,
            "type": "Managed",
        }
        for name in tenant.domains
    ]
    made = instant(tenant.created_at)
    known: dict[str, Any] = {
        "id": tenant.id,
        "createdDateTime": made,
        "displayName": tenant.display_name,
        "tenantType": "AAD",
        "verifiedDomains": domains,
    }
    select = call.options.get("$select")
    if select and tenant.settings.directory_quota:  # a property of beta, which v1.0 shows if it is selected
        used = tenant.user_count + tenant.deleted_count + len(tenant.groups)
        known["directorySizeQuota"] = {"used": used, "total": tenant.settings.directory_quota}
    return chosen(_BLANK | known, select, "organization")

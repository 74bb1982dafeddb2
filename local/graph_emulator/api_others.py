"""`/organization`, `/invitations` and `/subscriptions`."""

from typing import Any
from urllib.parse import quote

from local.graph_emulator.call import Call
from local.graph_emulator.delivery import PostOutcome
from local.graph_emulator.errors import denied, not_found
from local.graph_emulator.ids import guid
from local.graph_emulator.messages import Response, json_response, no_content
from local.graph_emulator.subscriptions import Subscription, check, invalid
from local.graph_emulator.views import chosen, context
from local.graph_emulator.words import words

_VALIDATION_TIMEOUT_S = 10.0
# https://learn.microsoft.com/graph/api/resources/organization
_BLANK: dict[str, Any] = dict.fromkeys(
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
# The reading permission itself: a broader, writing one is not accepted.
_READERS = {"user": ("User.Read.All",), "group": ("Group.Read.All",)}


async def organization(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/organization-list"""
    call.allow("$select", "$top")
    body = _organization(call)
    return json_response(200, {"@odata.context": _where(call, body), "value": [body]})


async def one_organization(call: Call) -> Response:
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
    known = {"id": tenant.id, "displayName": tenant.display_name, "tenantType": "AAD", "verifiedDomains": domains}
    return chosen(_BLANK | known, call.options.get("$select"), "organization")


async def invite(call: Call) -> Response:
    body = call.emulator.invitations.invite(call.tenant, call.caller, call.body())
    where = context(call.origin, "invitations", None, entity=True)
    return call.created(f"invitations/{body['id']}", {"@odata.context": where, **body})


async def create_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-post-subscriptions"""
    subscriptions = call.emulator.subscriptions
    wanted = check(call.body(), call.now)
    if not call.caller.may(_READERS[wanted.kind]):
        raise denied()
    if wanted.object_id is not None:
        call.anything(wanted.object_id)
    subscriptions.check_room(call.caller, wanted)
    for url in wanted.urls:
        await _validate(call, url)
    # The endpoints took their time; another request may have been quicker.
    subscriptions.check_room(call.caller, wanted)
    made = subscriptions.create(call.caller, wanted, creator=call.tenant.apps.ensure_principal(call.caller.app).id)
    where = context(call.origin, "subscriptions", None, entity=True)
    return call.created(f"subscriptions/{made.id}", {"@odata.context": where, **made.describe()})


async def list_subscriptions(call: Call) -> Response:
    """They can be neither filtered nor counted nor expanded."""
    call.allow("$top", "$select", "$skiptoken")
    value = [each.describe() for each in call.emulator.subscriptions.of(call.caller)]
    return json_response(200, {"@odata.context": context(call.origin, "subscriptions", None), "value": value})


async def get_subscription(call: Call) -> Response:
    return _shown(call, _subscription(call))


async def update_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-update; renewing reauthorizes as well."""
    subscription = _subscription(call)
    expires, url = call.emulator.subscriptions.changes(call.body())
    if url is not None:
        await _validate(call, url)
        subscription.notification_url = url
    if expires is not None:
        call.emulator.subscriptions.renew(subscription, expires)
    return _shown(call, subscription)


async def delete_subscription(call: Call) -> Response:
    subscription = _subscription(call)
    call.emulator.subscriptions.delete(subscription)
    call.emulator.delivery.forget(subscription.id)
    return no_content()


async def reauthorize_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-reauthorize: the expiry stays."""
    call.emulator.subscriptions.reauthorize(_subscription(call))
    return no_content()


def _subscription(call: Call) -> Subscription:
    return call.emulator.subscriptions.get(call.caller, call.parameters[0])


def _shown(call: Call, subscription: Subscription) -> Response:
    body = {"@odata.context": context(call.origin, "subscriptions", None, entity=True), **subscription.describe()}
    return json_response(200, body)


async def _validate(call: Call, url: str) -> None:
    """https://learn.microsoft.com/graph/change-notifications-delivery-webhooks, "Notification endpoint validation".

    The token has what a careless echo would damage: spaces, a plus, an ampersand, markup.
    """
    token = f"Validation: Testing client application reachability for Request-Id: {guid(call.emulator.ids)} <+&>"
    target = f"{url}{'&' if '?' in url else '?'}validationToken={quote(token, safe='')}"
    outcome = await _ask(call, target)
    if outcome.status is None or outcome.elapsed_s > _VALIDATION_TIMEOUT_S:
        raise invalid("Subscription validation request timed out.")
    if outcome.status != 200:
        raise invalid(
            "Subscription validation request failed. Notification endpoint must respond with 200 OK to validation "
            "request."
        )
    if not outcome.content_type.lower().startswith("text/plain") or outcome.body != token:
        raise invalid(
            "Subscription validation request failed. Response must exactly match validationToken query parameter."
        )


async def _ask(call: Call, target: str) -> PostOutcome:
    poster = call.emulator.poster
    if poster is None:
        return PostOutcome(status=None, elapsed_s=0.0)
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return await poster(target, headers=headers, body=b"", timeout_s=_VALIDATION_TIMEOUT_S)

"""`/subscriptions`. https://learn.microsoft.com/graph/api/resources/subscription"""

from urllib.parse import quote

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.views import context
from entra_graph_emulator.notifications.delivery import PostOutcome
from entra_graph_emulator.notifications.subscriptions import Subscription, check, invalid
from entra_graph_emulator.wire.errors import denied
from entra_graph_emulator.wire.ids import guid
from entra_graph_emulator.wire.messages import Response, json_response, no_content

_VALIDATION_TIMEOUT_S = 10.0
# Only the reading permission is accepted, not a broader one that includes it.
_READERS = {"user": ("User.Read.All",), "group": ("Group.Read.All",)}


async def create_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-post-subscriptions"""
    subscriptions = call.service.subscriptions
    wanted = check(call.body(), call.now)
    if not call.caller.may(_READERS[wanted.kind]):
        raise denied()
    if wanted.object_id is not None:
        call.anything(wanted.object_id)
    subscriptions.check_room(call.caller, wanted)
    for url in wanted.urls:
        await _validate(call, url)
    # Validation took time, in which another request may have used the room.
    subscriptions.check_room(call.caller, wanted)
    made = subscriptions.create(call.caller, wanted, creator=call.tenant.apps.ensure_principal(call.caller.app).id)
    where = context(call.origin, "subscriptions", None, entity=True)
    return call.created(f"subscriptions/{made.id}", {"@odata.context": where, **made.describe()})


async def list_subscriptions(call: Call) -> Response:
    """Subscriptions cannot be filtered, counted or expanded.

    The listing hides `clientState`: https://learn.microsoft.com/graph/api/subscription-list
    """
    call.allow("$top", "$select", "$skiptoken")
    described = [each.describe() for each in call.service.subscriptions.of(call.caller)]
    value = [{name: value for name, value in each.items() if name != "clientState"} for each in described]
    return json_response(200, {"@odata.context": context(call.origin, "subscriptions", None), "value": value})


async def get_subscription(call: Call) -> Response:
    return _shown(call, _subscription(call))


async def update_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-update; renewing reauthorizes as well."""
    subscription = _subscription(call)
    expires, url = call.service.subscriptions.changes(call.body())
    if url is not None:
        await _validate(call, url)
        subscription.notification_url = url
    if expires is not None:
        call.service.subscriptions.renew(subscription, expires)
    return _shown(call, subscription)


async def delete_subscription(call: Call) -> Response:
    subscription = _subscription(call)
    call.service.subscriptions.delete(subscription)
    call.service.delivery.forget(subscription.id)
    return no_content()


async def reauthorize_subscription(call: Call) -> Response:
    """https://learn.microsoft.com/graph/api/subscription-reauthorize: the expiry stays."""
    call.service.subscriptions.reauthorize(_subscription(call))
    return no_content()


def _subscription(call: Call) -> Subscription:
    return call.service.subscriptions.get(call.caller, call.parameters[0])


def _shown(call: Call, subscription: Subscription) -> Response:
    body = {"@odata.context": context(call.origin, "subscriptions", None, entity=True), **subscription.describe()}
    return json_response(200, body)


async def _validate(call: Call, url: str) -> None:
    """https://learn.microsoft.com/graph/change-notifications-delivery-webhooks, "Notification endpoint validation".

    The token has spaces, a plus, an ampersand and markup, so that an endpoint which echoes it carelessly fails.
    """
    token = f"Validation: Testing client application reachability for Request-Id: {guid(call.service.ids)} <+&>"
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
    poster = call.service.poster
    if poster is None:
        return PostOutcome(status=None, elapsed_s=0.0)
    headers = {"Content-Type": "text/plain; charset=utf-8"}
    return await poster(target, headers=headers, body=b"", timeout_s=_VALIDATION_TIMEOUT_S)

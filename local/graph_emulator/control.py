"""`/_emulator`: what Graph does not have. JSON in and out; a fault in the input is 400 `{"error": "..."}`.

| call | does |
|---|---|
| `POST /tenants` `{"id","displayName","domain","users":N?,"seed":S?}` | create a tenant, with N generated users |
| `GET /tenants` | all of them, with counts |
| `POST /tenants/{id}/users` `{"count":N,"seed":S?}` or `{"value":[{..}]}` | more users, generated or as given |
| `GET`, `PUT /tenants/{id}/settings` | settings.TenantSettings; PUT changes those given |
| `POST /tenants/{id}/delta-reset` `{"form":"gone"}` | invalidate every delta token; forms: delta.FORMS |
| `POST /tenants/{id}/redeem` `{"users":["<id>"]}` | guests accept their invitations; all pending ones without `users` |
| `POST /tenants/{id}/admins` `{"users":["<id>"],"admin":true}` | give or take administrator roles |
| `PUT /tenants/{id}/apps/{appId}` `{"roles":["User.Read.All"]}` | permissions in tokens issued from now on |
| `POST /tenants/{id}/reauthorize` | send a reauthorizationRequired for every subscription of the tenant |
| `POST /reset` | forget everything |
| `GET /clock`, `POST /clock` `{"advance":seconds}` | the time, and moving it on |
| `GET`, `PUT /throttle` `{"tenant"?,"writes"?,"window_s"?,"resource_units"?,"ru_window_s"?,"enabled"?}` | quotas |
| `GET`, `POST`, `DELETE /faults` | faults.Fault |
| `GET`, `PUT /delivery` | delivery.DeliverySettings; GET adds what became of the notifications |
| `GET /requests?tenant=&since=&items=` | the request log after entry `since` (its `n`); `items=false`: counts only |
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import TYPE_CHECKING, Any, Final

from local.graph_emulator import delta
from local.graph_emulator.clock import Advancing, precise
from local.graph_emulator.delivery import DeliverySettings
from local.graph_emulator.directory import Tenant
from local.graph_emulator.errors import GraphError
from local.graph_emulator.messages import JsonObject, Request, Response
from local.graph_emulator.schema import check_new
from local.graph_emulator.settings import apply
from local.graph_emulator.throttle import Quota, changed_quota

if TYPE_CHECKING:
    from local.graph_emulator.emulator import Emulator

type Answer = tuple[int, Any]


class ControlError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


def handle(emulator: "Emulator", request: Request, segments: list[str]) -> Response:
    try:
        status, body = _route(emulator, request, segments)
    except ControlError as fault:
        status, body = fault.status, {"error": str(fault)}
    except GraphError as fault:
        status, body = fault.status, {"error": fault.message}
    except ValueError as fault:
        status, body = 400, {"error": str(fault)}
    return Response(
        status=status, headers={"Content-Type": "application/json"}, body=json.dumps(body, ensure_ascii=False).encode()
    )


def _route(emulator: "Emulator", request: Request, segments: list[str]) -> Answer:
    match request.method, segments:
        case _, ["tenants", tenant_id, *rest] if rest:
            return _tenant_call(emulator, request, _tenant(emulator, tenant_id), rest)
        case method, ["faults"]:
            return _faults(emulator, request, method)
        case method, [name] if (method, name) in _CALLS:
            return _CALLS[method, name](emulator, request)
        case _:
            raise ControlError(404, f"there is no {request.method} /_emulator/{'/'.join(segments)}")


def _tenant_call(emulator: "Emulator", request: Request, tenant: Tenant, rest: list[str]) -> Answer:
    match request.method, rest:
        case "POST", ["users"]:
            return _add_users(emulator, tenant, _body(request))
        case "GET", ["settings"]:
            return 200, asdict(tenant.settings)
        case "PUT", ["settings"]:
            return _change_settings(tenant, _body(request))
        case "POST", ["delta-reset"]:
            return _reset_delta(tenant, _body(request))
        case "POST", ["redeem"]:
            return _redeem(emulator, tenant, _body(request))
        case "POST", ["admins"]:
            body = _body(request)
            for user_id in _names(body, "users"):
                tenant.user(user_id).admin = body.get("admin", True) is True
            return 200, {}
        case "PUT", ["apps", app]:
            tenant.app_roles[app] = _names(_body(request), "roles")
            return 200, {"app": app, "roles": tenant.app_roles[app]}
        case "POST", ["reauthorize"]:
            concerned = emulator.subscriptions.of_tenant(tenant.id)
            emulator.delivery.remind(concerned)
            return 200, {"subscriptions": len(concerned)}
        case _:
            raise ControlError(404, f"there is no {request.method} /_emulator/tenants/{{id}}/{'/'.join(rest)}")


def _create_tenant(emulator: "Emulator", request: Request) -> Answer:
    body = _body(request)
    tenant_id, domain = _text(body, "id"), _text(body, "domain")
    if any(each.id == tenant_id for each in emulator.tenants):
        raise ControlError(409, f"tenant {tenant_id} exists")
    tenant = emulator.create_tenant(
        tenant_id,
        display_name=str(body.get("displayName") or domain),
        domain=domain,
        users=_number(body, "users", 0),
        seed=_number(body, "seed", 0),
    )
    return 201, _describe(emulator, tenant)


def _list_tenants(emulator: "Emulator", _request: Request) -> Answer:
    return 200, {"value": [_describe(emulator, tenant) for tenant in emulator.tenants]}


def _reset(emulator: "Emulator", _request: Request) -> Answer:
    emulator.reset()
    return 200, {}


def _get_clock(emulator: "Emulator", _request: Request) -> Answer:
    return 200, {"now": precise(emulator.clock.now())}


def _advance_clock(emulator: "Emulator", request: Request) -> Answer:
    seconds = _body(request).get("advance")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise ControlError(400, "advance must be a number of seconds, and time only moves on")
    if not isinstance(emulator.clock, Advancing):
        raise ControlError(409, "this clock is moved by somebody else")
    emulator.clock.advance(seconds)
    return _get_clock(emulator, request)


def _get_throttle(emulator: "Emulator", _request: Request) -> Answer:
    return 200, _quotas(emulator)


def _put_throttle(emulator: "Emulator", request: Request) -> Answer:
    body = _body(request)
    tenant = body.pop("tenant", None)
    if tenant is not None:
        _tenant(emulator, str(tenant))
    emulator.throttle.set(changed_quota(emulator.throttle.quota(tenant), body), tenant)
    return 200, _quotas(emulator)


def _faults(emulator: "Emulator", request: Request, method: str) -> Answer:
    if method == "POST":
        return 201, emulator.faults.add(_body(request)).describe()
    if method == "DELETE":
        emulator.faults.clear()
        return 200, {}
    return 200, {"value": emulator.faults.describe()}


def _get_delivery(emulator: "Emulator", _request: Request) -> Answer:
    return 200, {**asdict(emulator.delivery.settings), **emulator.delivery.describe()}


def _put_delivery(emulator: "Emulator", request: Request) -> Answer:
    """Those not named go back to their defaults."""
    settings = DeliverySettings()
    apply(settings, _body(request))
    emulator.delivery.settings = settings
    emulator.delivery.reseed()
    return 200, asdict(settings)


def _get_requests(emulator: "Emulator", request: Request) -> Answer:
    since = request.query.get("since") or "0"
    if not since.isdecimal():
        raise ControlError(400, "since is the number of a log entry")
    items = request.query.get("items", "true") != "false"
    return 200, emulator.log.report(tenant=request.query.get("tenant") or None, since=int(since), items=items)


_CALLS: Final[dict[tuple[str, str], Callable[["Emulator", Request], Answer]]] = {
    ("POST", "tenants"): _create_tenant,
    ("GET", "tenants"): _list_tenants,
    ("POST", "reset"): _reset,
    ("GET", "clock"): _get_clock,
    ("POST", "clock"): _advance_clock,
    ("GET", "throttle"): _get_throttle,
    ("PUT", "throttle"): _put_throttle,
    ("GET", "delivery"): _get_delivery,
    ("PUT", "delivery"): _put_delivery,
    ("GET", "requests"): _get_requests,
}


def _add_users(emulator: "Emulator", tenant: Tenant, body: JsonObject) -> Answer:
    """Past every quota: for filling a tenant, not for what is being tested."""
    given = body.get("value")
    if given is None:
        emulator.add_people(tenant, _number(body, "count", 1), seed=_number(body, "seed", 0))
        return 201, _describe(emulator, tenant)
    if not isinstance(given, list) or not all(isinstance(each, dict) for each in given):
        raise ControlError(400, "value must be a list of users")
    made = [tenant.create(check_new({"passwordProfile": {}, **each})) for each in given]
    return 201, {"ids": [user.id for user in made]}


def _change_settings(tenant: Tenant, body: JsonObject) -> Answer:
    form = body.get("delta_expired_form", delta.FORMS[0])
    if form not in delta.FORMS:
        raise ControlError(400, f"delta_expired_form is one of {', '.join(delta.FORMS)}")
    apply(tenant.settings, body)
    return 200, asdict(tenant.settings)


def _reset_delta(tenant: Tenant, body: JsonObject) -> Answer:
    form = body.get("form", "gone")
    if form not in delta.FORMS:
        raise ControlError(400, f"form is one of {', '.join(delta.FORMS)}")
    tenant.delta_reset_form = form
    tenant.delta_generation += 1
    return 200, {"form": form}


def _redeem(emulator: "Emulator", tenant: Tenant, body: JsonObject) -> Answer:
    if "users" in body:
        users = [tenant.user(each) for each in _names(body, "users")]
    else:
        users = [each for each in tenant.users() if each.properties.get("externalUserState") == "PendingAcceptance"]
    for user in users:
        if not user.is_guest:
            raise ControlError(400, f"{user.id} was not invited")
        emulator.invitations.redeem(tenant, user)
    return 200, {"redeemed": len(users)}


def _describe(emulator: "Emulator", tenant: Tenant) -> JsonObject:
    return {
        "id": tenant.id,
        "displayName": tenant.display_name,
        "domain": tenant.domains[0],
        "initialDomain": tenant.initial_domain,
        "users": tenant.user_count,
        "guests": tenant.guest_count,
        "groups": 0,
        "deletedItems": tenant.deleted_count,
        "subscriptions": emulator.subscriptions.count(tenant.id),
    }


def _quotas(emulator: "Emulator") -> JsonObject:
    def shown(quota: Quota) -> JsonObject:
        return asdict(quota)

    throttle = emulator.throttle
    return {**shown(throttle.default), "tenants": {name: shown(quota) for name, quota in throttle.of_tenant.items()}}


def _tenant(emulator: "Emulator", tenant_id: str) -> Tenant:
    try:
        return emulator.tenant(tenant_id)
    except KeyError:
        raise ControlError(404, f"there is no tenant {tenant_id}") from None


def _body(request: Request) -> JsonObject:
    try:
        value = json.loads(request.body or b"{}")
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ControlError(400, "the body must be a JSON object")
    return value


def _text(body: JsonObject, name: str) -> str:
    value = body.get(name)
    if not isinstance(value, str) or not value:
        raise ControlError(400, f"{name} is required, as text")
    return value


def _number(body: JsonObject, name: str, default: int) -> int:
    value = body.get(name, default)
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise ControlError(400, f"{name} must be a whole number, 0 or more")
    return value


def _names(body: JsonObject, name: str) -> list[str]:
    value = body.get(name)
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ControlError(400, f"{name} must be a list of texts")
    return value

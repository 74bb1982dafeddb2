"""The commands under `/_emulator`, which Graph does not have; `index` lists them.

JSON in and out; wrong input is 400 `{"error": "..."}`.
"""

import json
from collections.abc import Callable
from dataclasses import asdict
from typing import Any, Final

from entra_graph_emulator.control.controlled import Controlled
from entra_graph_emulator.control.index import index
from entra_graph_emulator.control.input import ControlError, body_of, number_of, text_of
from entra_graph_emulator.control.seeding import seed
from entra_graph_emulator.control.tenants import Answer, describe, tenant_command
from entra_graph_emulator.directory.settings import apply
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.notifications.delivery import DeliverySettings
from entra_graph_emulator.wire.clock import Advancing, precise
from entra_graph_emulator.wire.errors import GraphError
from entra_graph_emulator.wire.messages import JsonObject, Request, Response
from entra_graph_emulator.wire.throttle import Quota, changed_quota


def handle(emulator: Controlled, request: Request, segments: list[str]) -> Response:
    try:
        status, body = _route(emulator, request, segments)
    except ControlError as fault:
        status, body = fault.status, {"error": str(fault)}
    except GraphError as fault:
        status, body = fault.status, {"error": fault.message}
    except ValueError as fault:
        status, body = 400, {"error": str(fault)}
    return _json(status, body)


def health(emulator: Controlled) -> Response:
    """`GET /health`: 200 as soon as requests are answered, with what a person looks for first."""
    return _json(200, {"status": "ok", "now": precise(emulator.clock.now()), "tenants": len(emulator.tenants)})


def _json(status: int, body: Any) -> Response:
    text = json.dumps(body, ensure_ascii=False)
    return Response(status=status, headers={"Content-Type": "application/json"}, body=text.encode())


def _route(emulator: Controlled, request: Request, segments: list[str]) -> Answer:
    match request.method, segments:
        case _, ["tenants", tenant_id, *rest] if rest:
            return tenant_command(emulator, request, _tenant(emulator, tenant_id), rest)
        case "GET", []:
            return 200, index()
        case method, [name] if (method, name) in _COMMANDS:
            return _COMMANDS[method, name](emulator, request)
        case _:
            raise ControlError(
                404, f"there is no {request.method} /_emulator/{'/'.join(segments)}; GET /_emulator lists all"
            )


def _create_tenant(emulator: Controlled, request: Request) -> Answer:
    body = body_of(request)
    tenant_id, domain = text_of(body, "id"), text_of(body, "domain")
    if any(each.id == tenant_id for each in emulator.tenants):
        raise ControlError(409, f"tenant {tenant_id} exists")
    tenant = emulator.create_tenant(
        tenant_id,
        display_name=str(body.get("displayName") or domain),
        domain=domain,
        users=number_of(body, "users", 0),
        seed=number_of(body, "seed", 0),
    )
    return 201, describe(emulator, tenant)


def _list_tenants(emulator: Controlled, _request: Request) -> Answer:
    return 200, {"value": [describe(emulator, tenant) for tenant in emulator.tenants]}


def _seed(emulator: Controlled, request: Request) -> Answer:
    made = seed(emulator, body_of(request))
    return 201, {"value": [describe(emulator, tenant) for tenant in made]}


def _reset(emulator: Controlled, _request: Request) -> Answer:
    emulator.reset()
    return 200, {}


def _get_clock(emulator: Controlled, _request: Request) -> Answer:
    return 200, {"now": precise(emulator.clock.now())}


def _advance_clock(emulator: Controlled, request: Request) -> Answer:
    seconds = body_of(request).get("advance")
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or seconds < 0:
        raise ControlError(400, "advance must be a number of seconds, and time only moves on")
    if not isinstance(emulator.clock, Advancing):
        raise ControlError(409, "this clock is moved by somebody else")
    emulator.clock.advance(seconds)
    return _get_clock(emulator, request)


def _get_throttle(emulator: Controlled, _request: Request) -> Answer:
    return 200, _quotas(emulator)


def _put_throttle(emulator: Controlled, request: Request) -> Answer:
    body = body_of(request)
    tenant = body.pop("tenant", None)
    if tenant is not None:
        _tenant(emulator, str(tenant))
    emulator.throttle.set(changed_quota(emulator.throttle.quota(tenant), body), tenant)
    return 200, _quotas(emulator)


def _get_faults(emulator: Controlled, _request: Request) -> Answer:
    return 200, {"value": emulator.faults.describe()}


def _add_fault(emulator: Controlled, request: Request) -> Answer:
    return 201, emulator.faults.add(body_of(request)).describe()


def _clear_faults(emulator: Controlled, _request: Request) -> Answer:
    emulator.faults.clear()
    return 200, {}


def _get_delivery(emulator: Controlled, _request: Request) -> Answer:
    return 200, {**asdict(emulator.delivery.settings), **emulator.delivery.describe()}


def _put_delivery(emulator: Controlled, request: Request) -> Answer:
    """A setting that is not named goes back to its default."""
    settings = DeliverySettings()
    apply(settings, body_of(request))
    emulator.delivery.settings = settings
    emulator.delivery.reseed()
    return 200, asdict(settings)


def _get_requests(emulator: Controlled, request: Request) -> Answer:
    since = request.query.get("since") or "0"
    if not since.isdecimal():
        raise ControlError(400, "since is the number of a log entry")
    items = request.query.get("items", "true") != "false"
    return 200, emulator.log.report(tenant=request.query.get("tenant") or None, since=int(since), items=items)


def _get_findings(emulator: Controlled, _request: Request) -> Answer:
    return 200, {"strict": emulator.findings.enabled, "value": emulator.findings.report()}


def _put_findings(emulator: Controlled, request: Request) -> Answer:
    strict = body_of(request).get("strict")
    if not isinstance(strict, bool):
        raise ControlError(400, "strict must be true or false")
    emulator.findings.enabled = strict
    return _get_findings(emulator, request)


def _clear_findings(emulator: Controlled, _request: Request) -> Answer:
    emulator.findings.clear()
    return 200, {}


_COMMANDS: Final[dict[tuple[str, str], Callable[[Controlled, Request], Answer]]] = {
    ("POST", "tenants"): _create_tenant,
    ("GET", "tenants"): _list_tenants,
    ("POST", "reset"): _reset,
    ("POST", "seed"): _seed,
    ("GET", "clock"): _get_clock,
    ("POST", "clock"): _advance_clock,
    ("GET", "throttle"): _get_throttle,
    ("PUT", "throttle"): _put_throttle,
    ("GET", "faults"): _get_faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("GET", "delivery"): _get_delivery,
    ("PUT", "delivery"): _put_delivery,
    ("GET", "requests"): _get_requests,
    ("GET", "findings"): _get_findings,
    ("PUT", "findings"): _put_findings,
    ("DELETE", "findings"): _clear_findings,
}


def _quotas(emulator: Controlled) -> JsonObject:
    def shown(quota: Quota) -> JsonObject:
        return asdict(quota)

    throttle = emulator.throttle
    return {**shown(throttle.default), "tenants": {name: shown(quota) for name, quota in throttle.of_tenant.items()}}


def _tenant(emulator: Controlled, tenant_id: str) -> Tenant:
    try:
        return emulator.tenant(tenant_id)
    except KeyError:
        raise ControlError(404, f"there is no tenant {tenant_id}") from None

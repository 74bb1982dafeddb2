"""The emulator as one object: every tenant, and the one function that answers requests.

It opens no socket. Time comes from the clock, random numbers from the source, and subscribers are reached through the
poster that it is given. Two emulators with the same seed and the same history have the same ids.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from random import Random
from typing import Final
from urllib.parse import unquote

from entra_graph_emulator.api import discovery, signin, strict
from entra_graph_emulator.api.router import find
from entra_graph_emulator.api.routes import Route
from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.control import router as control
from entra_graph_emulator.control.controlled import Controlled
from entra_graph_emulator.control.faults import Fault, Faults, Mode, truncated
from entra_graph_emulator.control.findings import REFUSED, UNDOCUMENTED, Findings, Seen
from entra_graph_emulator.control.people import people
from entra_graph_emulator.control.requestlog import RequestLog
from entra_graph_emulator.directory.invitations import Invitations
from entra_graph_emulator.directory.tenant import Tenant
from entra_graph_emulator.notifications.delivery import Delivery, PendingPost, Poster
from entra_graph_emulator.notifications.subscriptions import Subscriptions
from entra_graph_emulator.odata import options, paths
from entra_graph_emulator.wire import tokens
from entra_graph_emulator.wire.clock import Clock, precise
from entra_graph_emulator.wire.errors import GraphError, denied, unauthenticated
from entra_graph_emulator.wire.ids import guid
from entra_graph_emulator.wire.messages import ConnectionLost, Request, Response, header_safe
from entra_graph_emulator.wire.throttle import Throttle

DEFAULT_APP: Final = "00000000-0000-0000-0000-00000000a001"


class Emulator(Controlled):
    """`poster` reaches subscribers' endpoints. Without it the validation of a subscription fails as unreachable.

    `strict` records each call that no page of Graph has, and permissions beyond need: `findings`.
    """

    ids: Random

    def __init__(self, *, clock: Clock, rng: Random, poster: Poster | None = None, strict: bool = False) -> None:
        self.findings = Findings(enabled=strict)
        self.clock = clock
        self.poster = poster
        self._seed = rng.getrandbits(64)
        self.reset()

    def reset(self) -> None:
        """Forget everything; the same seed begins again. The clock stays where it is."""
        chance = Random(self._seed)
        self.ids, sequence, throttling, delivering = (Random(chance.getrandbits(64)) for _ in range(4))
        self._tenants: dict[str, Tenant] = {}
        self.throttle = Throttle(rng=throttling)
        self.faults = Faults()
        self.log = RequestLog()
        self.findings.clear()
        self.subscriptions = Subscriptions(clock=self.clock, rng=sequence)
        self.delivery = Delivery(clock=self.clock, rng=delivering, subscriptions=self.subscriptions)
        self.invitations = Invitations(clock=self.clock, rng=self.ids, owner_of=self._owner_of)

    # Tenants, directly

    @property
    def tenants(self) -> list[Tenant]:
        return list(self._tenants.values())

    def create_tenant(self, tenant_id: str, *, display_name: str, domain: str, users: int = 0, seed: int = 0) -> Tenant:
        """With `users` generated internal users. Raises ValueError when the tenant exists."""
        if tenant_id in self._tenants:
            raise ValueError(f"tenant {tenant_id} exists")
        tenant = Tenant(
            tenant_id=tenant_id,
            display_name=display_name,
            domain=domain,
            clock=self.clock,
            rng=Random(self.ids.getrandbits(64)),
            listener=self.delivery.announce,
        )
        self._tenants[tenant_id] = tenant
        self.add_people(tenant, users, seed=seed)
        return tenant

    def add_people(self, tenant: Tenant, count: int, *, seed: int = 0) -> None:
        """Generated internal users; most get a manager among the first tenth of them."""
        first = tenant.ever_created  # deleted users included, so that no two users get the same name
        rng = Random(f"{seed}:{first}")
        crowd = people(count=count, domain=tenant.domains[0], company=tenant.display_name, rng=rng, first=first)
        made = [tenant.create(each) for each in crowd]
        for user in made[1:]:
            if rng.random() < 0.9:
                boss = made[rng.randrange(max(1, len(made) // 10))]
                tenant.set_manager(user, None if boss is user else boss.id)

    def tenant(self, tenant_id: str) -> Tenant:
        """Raises KeyError."""
        return self._tenants[tenant_id]

    def token(
        self,
        tenant_id: str,
        *,
        app: str = DEFAULT_APP,
        roles: Iterable[str] | None = None,
        lifetime_s: float = tokens.LIFETIME_S,
    ) -> str:
        """An access token, as the token endpoint would issue it."""
        return tokens.issue(tenant=tenant_id, app=app, now=self.clock.now(), roles=roles, lifetime_s=lifetime_s)

    # Change notifications

    def due(self) -> list[PendingPost]:
        """The posts to subscribers that are due; give each to `completed` afterwards."""
        self._expire()
        return self.delivery.due(self.clock.now())

    def completed(self, post: PendingPost, status: int | None, elapsed_s: float) -> None:
        self.delivery.completed(post, status, elapsed_s)

    async def deliver(self) -> int:
        """Make the posts that are due, one after the other. Gives their number.

        Public for users in process; behind a port, `server` does it by itself.
        """
        posts = self.due()
        for post in posts:
            await self.send(post)
        return len(posts)

    async def send(self, post: PendingPost) -> None:
        if self.poster is None:
            self.completed(post, None, 0.0)
            return
        outcome = await self.poster(post.url, headers=post.headers, body=post.body, timeout_s=post.timeout_s)
        self.completed(post, outcome.status, outcome.elapsed_s)

    # Requests

    async def handle(self, request: Request) -> Response:
        """Answer a request. Raises ConnectionLost if a fault (mode `reset`) breaks the connection."""
        match request.segments:
            case ["v1.0" | "V1.0", *_] if request.method == "OPTIONS":
                return Response(status=200, headers=_PREFLIGHT)
            case ["_emulator", *segments]:
                return control.handle(self, request, segments)
            case [tenant, "oauth2", "v2.0", "token"] if request.method == "POST":
                return signin.token(self._named(tenant), request, self.clock.now())
            case [tenant, "v2.0", ".well-known", "openid-configuration"] if request.method == "GET":
                return discovery.openid_configuration(request, self._named(tenant), tenant)
            case [_, "discovery", "v2.0", "keys"] if request.method == "GET":
                return discovery.keys()
            case ["common", "discovery", "instance"] if request.method == "GET":
                return discovery.instance(request)
            case ["health"] if request.method in {"GET", "HEAD"}:
                return control.health(self)
            case segments:
                return await self._graph(request, segments)

    async def _graph(self, request: Request, segments: list[str]) -> Response:
        began = self.clock.now()
        request_id = guid(self.ids)
        client_request_id = header_safe(request.headers.get("client-request-id", "")) or request_id
        trace = _Trace()
        try:
            response = await self._answer(request, segments, trace)
        except GraphError as error:
            response = error.response(at=self.clock.now(), request_id=request_id, client_request_id=client_request_id)
        except ConnectionLost:
            self._log(request, trace, request_id, began=precise(began), status=0, seconds=0.0)
            raise
        if self.findings.enabled and (said := strict.refusal(response)):
            call = trace.call or Seen(tenant=trace.tenant, app="", method=request.method, path="/".join(segments[1:]))
            self.findings.note(REFUSED, call, said)
        now = self.clock.now()
        seconds = (now - began).total_seconds()
        self._log(request, trace, request_id, began=precise(began), status=response.status, seconds=seconds)
        headers = {
            "Cache-Control": "no-cache",
            "Strict-Transport-Security": "max-age=31536000",
            "OData-Version": "4.0",
            "request-id": request_id,
            "client-request-id": client_request_id,
            "x-ms-ags-diagnostic": _DIAGNOSTIC,
            "Date": now.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            **trace.headers,
            **response.headers,
        }
        return Response(
            status=response.status, headers=headers, body=b"" if request.method == "HEAD" else response.body
        )

    async def _answer(self, request: Request, segments: list[str], trace: "_Trace") -> Response:
        segments = _versioned(segments)
        now = self.clock.now()
        caller = tokens.read(request.headers.get("authorization"), now)
        tenant = self._tenants.get(caller.tenant)
        if tenant is None:
            raise unauthenticated("Access token validation failure.")
        trace.tenant = tenant.id
        self._expire()
        normal = paths.normal(segments)
        route, parameters = find(request.method, normal)
        trace.kind = route.kind
        fault = self.faults.strike(request.method, "/" + "/".join(segments), tenant.id)
        if fault is not None:
            await self._before(fault)
        if route.roles and not caller.may(route.roles):
            raise denied()
        asked = replace(request, query=options.normal(request.query, request.repeated))
        if self.findings.enabled:
            trace.call = self._watch(asked, route, normal, caller)
        cost = route.cost(asked)
        trace.headers = self.throttle.spend(caller, cost, users=tenant.user_count, now=now)
        call = Call(
            request=asked,
            service=self,
            tenant=tenant,
            caller=caller,
            parameters=parameters,
            now=self.clock.now(),
        )
        response = options.plain(await route.handler(call), asked.query, request.headers.get("accept", ""))
        return response if fault is None else _after(fault, response)

    def _watch(self, request: Request, route: Route, segments: list[str], caller: tokens.Caller) -> Seen:
        path = re.sub(r"{(?!cast)(\w[^}]+)}", r"\1", route.path)
        call = Seen(tenant=caller.tenant, app=caller.app, method=request.method, path=path)
        for detail in strict.undocumented(request, route, segments):
            self.findings.note(UNDOCUMENTED, call, detail)
        if route.roles:
            self.findings.permitted(call, least=route.least, sufficient=route.roles, held=caller.roles)
        return call

    async def _before(self, fault: Fault) -> None:
        if fault.mode is Mode.RESET:
            raise ConnectionLost
        if fault.mode is Mode.STATUS:
            raise fault.error()
        if fault.mode is Mode.SLOW:
            await self.clock.sleep(fault.delay_s)

    def _expire(self) -> None:
        now = self.clock.now()
        for tenant in self._tenants.values():
            tenant.expire(now)

    def _log(
        self, request: Request, trace: "_Trace", request_id: str, *, began: str, status: int, seconds: float
    ) -> None:
        self.log.add(
            request_id=request_id,
            at=began,
            tenant=trace.tenant,
            method=request.method,
            path=unquote(request.path).removeprefix("/v1.0"),
            status=status,
            kind=trace.kind or ("read" if request.method == "GET" else "write"),
            ms=round(seconds * 1000, 3),
        )

    def _named(self, tenant: str) -> Tenant | None:
        """By id, or by domain."""
        return self._tenants.get(tenant.lower()) or self._tenants.get(tenant) or self._owner_of(tenant.lower())

    def _owner_of(self, domain: str) -> Tenant | None:
        return next((each for each in self._tenants.values() if domain in each.domains), None)


class _Trace:
    """The facts about a request that its log entry and its headers need, as they become known."""

    def __init__(self) -> None:
        self.tenant = ""
        self.kind = ""
        self.headers: Mapping[str, str] = {}
        self.call: Seen | None = None


_VERSION: Final = re.compile(r"v\d+(?:\.\d+)?", re.IGNORECASE)
# https://learn.microsoft.com/graph/web-api-cors: any origin is allowed.
_PREFLIGHT: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE, OPTIONS",
    "Access-Control-Allow-Headers": "*",
    "Access-Control-Max-Age": "86400",
}
_DIAGNOSTIC: Final = json.dumps(
    {
        "ServerInfo": {
            "DataCenter": "Emulator",
            "Slice": "E",
            "Ring": "5",
            "ScaleUnit": "001",
            "RoleInstance": "EMULATOR0000001",
        }
    },
    separators=(",", ":"),
)


def _versioned(segments: list[str]) -> list[str]:
    """The segments after the version. Raises 404, or 400 for a version that is not emulated."""
    match segments:
        # The JavaScript SDK treats a nextLink as a path unless it begins with https.
        case ["v1.0", "http:", _, "v1.0", *rest] | ["v1.0" | "V1.0", *rest]:
            return rest
        case [version, *_] if version.lower() == "beta" or _VERSION.fullmatch(version):
            raise GraphError(400, "BadRequest", f"Invalid version: {version}.")
    raise GraphError(404, "ResourceNotFound", "Resource not found.")


def _after(fault: Fault, response: Response) -> Response:
    if fault.mode is Mode.APPLIED:
        raise fault.error()
    return truncated(response) if fault.mode is Mode.TRUNCATE else response

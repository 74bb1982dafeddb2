r"""`/api/ops/...`: the operator endpoints. They give the documents of the command line, and do what its commands do.

| call | role | does |
|---|---|---|
| `GET status` | Reader | how everything stands |
| `GET why/{sync}/{user}` | Reader | one look at one user, without acting |
| `GET holds` | Reader | what the guard holds |
| `POST holds/{sync}/{user}` `{"decision":"approve"\|"reject"}` | Operator | decide about one deletion |
| `POST resync/{tenant}` | Operator | a full round of this source tenant's feed |
| `POST sync/{sync}/{user}` | Operator | nominate one user |

Users are object ids: a name or address in a path would end in logs. An Operator may do what a Reader may.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit
from uuid import UUID

from ..assembly import Runtime
from ..model import Nomination, Sync, Why
from ..model.errors import ConflictError, SyncError, TransientError
from .holds import decide, decision_as_json, holds_as_json, read_holds
from .looks import preview
from .principal import HEADER, Principal, Role, read_principal
from .resync import start
from .status import status

log = logging.getLogger("xtsync.operators")

type Json = dict[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request. Header names are in lower case; `route` has the parameters of the path."""

    headers: Mapping[str, str]
    route: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    document: Json | None = None


class RefusedError(Exception):
    def __init__(self, status: int, message: str) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """`needs` are the roles of which one is enough; a read-only endpoint gets a runtime that cannot write."""

    needs: frozenset[Role]
    serve: Callable[[Runtime, Call, Principal], Awaitable[Answer]]
    read_only: bool = True


async def answer(
    name: str, call: Call, *, enabled: bool, origin: str, runtime: Callable[[bool], Awaitable[Runtime]]
) -> Answer:
    """`enabled`: App Service authentication is known to be in front. `runtime` is asked with read_only.

    Nobody who is refused learns more than the status; nothing is read or written for them.
    """
    if not enabled:
        return Answer(status=404)
    endpoint = ENDPOINTS[name]
    try:
        principal = _admit(call, endpoint, origin)
        done = await endpoint.serve(await runtime(endpoint.read_only), call, principal)
    except RefusedError as refused:
        log.info("operator.refused call=%s status=%d", name, refused.status)
        return _fault(refused.status, "Refused", str(refused))
    except SyncError as error:
        log.warning("operator.failed call=%s error=%s", name, error.code)
        return _fault(_status(error), error.code, str(error), error.hint)
    log.info("operator.called call=%s operator=%s status=%d", name, principal.object_id, done.status)
    return done


def _admit(call: Call, endpoint: Endpoint, origin: str) -> Principal:
    principal = read_principal(call.headers.get(HEADER, ""))
    if principal is None:
        raise RefusedError(401, "sign in")
    if principal.roles.isdisjoint(endpoint.needs):
        raise RefusedError(403, f"needs the role {' or '.join(sorted(endpoint.needs))}")
    if not endpoint.read_only:
        _not_from_elsewhere(call, origin)
    return principal


def _not_from_elsewhere(call: Call, origin: str) -> None:
    """A browser that holds a session sends it along with another site's forms: those cannot say that they are JSON."""
    content_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise RefusedError(415, "Content-Type must be application/json")
    came_from = call.headers.get("origin")
    if came_from is not None and _site(came_from) != _site(origin):
        raise RefusedError(403, "another origin")
    if call.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise RefusedError(403, "another site")


def _site(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


# --- reading ----------------------------------------------------------------------------------------------------


async def _status_of_all(runtime: Runtime, _call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await status(runtime))


async def _why(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await preview(runtime, _sync(runtime, call), _user(call), values=False))


async def _holds(runtime: Runtime, _call: Call, _principal: Principal) -> Answer:
    holds = await read_holds(runtime, runtime.config.syncs.values())
    return Answer(status=200, document=holds_as_json(holds, runtime.clock.now()))


# --- acting -----------------------------------------------------------------------------------------------------


async def _decide(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    approve = {"approve": True, "reject": False}.get(str(_body(call).get("decision")))
    if approve is None:
        raise RefusedError(400, '"decision" must be "approve" or "reject"')
    hold = await runtime.storage.guards.hold(_sync(runtime, call).name, _user(call))
    if hold is None:
        raise RefusedError(404, "no deletion of this user is held")
    decided = await decide(runtime, [hold], approve=approve, by=principal.object_id)
    document = decision_as_json(decided, approve=approve, by=principal.object_id)
    return Answer(status=409 if decided.changed else 200, document=document)


async def _resync(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    tenant = call.route["tenant"]
    if tenant not in runtime.config.source_tenants:
        raise RefusedError(404, "no sync reads a tenant of this name")
    started = await start(runtime, tenant)
    return Answer(status=503 if started["error"] else 202, document={"rounds": [started]})


async def _nominate(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    sync, user = _sync(runtime, call), _user(call)
    nomination = Nomination(sync=sync.name, user=user, why=Why.OPERATOR, at=runtime.clock.now())
    await runtime.storage.queues.nominate([nomination])
    return Answer(status=202, document={"nominated": {"sync": sync.name, "user": user}})


_READERS, _OPERATORS = frozenset({Role.READER, Role.OPERATOR}), frozenset({Role.OPERATOR})

ENDPOINTS: Mapping[str, Endpoint] = {
    "status": Endpoint(needs=_READERS, serve=_status_of_all),
    "why": Endpoint(needs=_READERS, serve=_why),
    "holds": Endpoint(needs=_READERS, serve=_holds),
    "decide": Endpoint(needs=_OPERATORS, serve=_decide, read_only=False),
    "resync": Endpoint(needs=_OPERATORS, serve=_resync, read_only=False),
    "nominate": Endpoint(needs=_OPERATORS, serve=_nominate, read_only=False),
}


def _sync(runtime: Runtime, call: Call) -> Sync:
    sync = runtime.config.syncs.get(call.route["sync"])
    if sync is None:
        raise RefusedError(404, "no sync has this name")
    return sync


def _user(call: Call) -> str:
    try:
        return str(UUID(call.route["user"]))
    except ValueError:
        raise RefusedError(400, "a user is named by object id") from None


def _body(call: Call) -> Json:
    try:
        body = json.loads(call.body)
    except (ValueError, RecursionError):
        body = None
    if not isinstance(body, dict):
        raise RefusedError(400, "the body must be a JSON object")
    return body


def _status(error: SyncError) -> int:
    if isinstance(error, ConflictError):
        return 409
    return 503 if isinstance(error, TransientError) else 502


def _fault(status: int, code: str, message: str, hint: str = "") -> Answer:
    return Answer(
        status=status, document={"error": {"code": code, "messages": [message or code], "hint": hint or None}}
    )

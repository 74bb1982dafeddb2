"""`/api/ops/...`: the operator endpoints. They give the documents of the command line, and do what its commands do.

ENDPOINTS lists them; docs/openapi.json is generated from it. What reads is for Readers and Operators, what acts is for
Operators, and so is the deployed sync.yaml. Users are object ids: a name or address in a path would end in logs. So a
question with an address in it is a POST, too.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal
from urllib.parse import urlsplit

from ..assembly import Runtime
from ..model.errors import ConflictError, SyncError, TransientError
from . import acting, documents, reading
from .calls import (
    Answer,
    Call,
    HttpError,
    admit,
)
from .principal import Principal, Role

log = logging.getLogger("xtsync.operators")

# The meaning of an error document, by its status.
ERRORS: Mapping[int, str] = {
    400: "The user is no object id, or a parameter or the body says nothing that can be done.",
    401: "Nobody is signed in.",
    403: "The caller has none of the roles, or a browser sends another site's request.",
    404: "Nothing has this name. With an empty body: the operator endpoints are switched off.",
    409: "Somebody else changed the stored record at the same moment.",
    415: "Content-Type is not application/json.",
    429: "As many plans as may run at once are under way; Retry-After says when to ask again.",
    502: "Graph or storage refused the request.",
    503: "Graph or storage does not answer now. Try again.",
}


type Serve = Callable[[Runtime, Call, Principal], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Endpoint:
    """One operation. `path` is below /api/, and `document` comes with each of `statuses`."""

    method: Literal["GET", "POST"]
    path: str
    document: type
    statuses: frozenset[int]
    serve: Serve
    summary: str
    read_only: bool  # it gets a runtime that cannot write
    body: type | None = None
    query: Sequence[str] = ()  # names of parameters, none of which is required
    operators_only: bool = False  # also to read

    @property
    def needs(self) -> frozenset[Role]:
        """One of these roles is enough."""
        both = self.read_only and not self.operators_only
        return frozenset({Role.READER, Role.OPERATOR} if both else {Role.OPERATOR})

    @property
    def errors(self) -> frozenset[int]:
        """The statuses of ERRORS that this endpoint answers with."""
        none = set()
        if "{user}" not in self.path and self.body is None and not self.query:
            none.add(400)
        if self.read_only:
            none.add(409)
        if self.method == "GET":
            none.add(415)
        if self.document is not documents.PlanStatus or self.body is None:
            none.add(429)
        return frozenset(ERRORS.keys() - none)


async def answer(
    name: str, call: Call, *, enabled: bool, origin: str, runtime: Callable[[bool], Awaitable[Runtime]]
) -> Answer:
    """`enabled`: App Service authentication is known to be in front. `runtime` is asked with read_only.

    A caller who is refused learns the status and no more; nothing is read or written for them.
    """
    if not enabled:
        return Answer(status=404)
    endpoint = ENDPOINTS[name]
    try:
        principal = _admit(call, endpoint, origin)
        _nothing_empty(call, endpoint)
        done = await endpoint.serve(await runtime(endpoint.read_only), replace(call, origin=origin), principal)
    except HttpError as refused:
        log.info("operator.refused call=%s status=%d", name, refused.status)
        again = {} if refused.wait_s is None else {"Retry-After": str(refused.wait_s)}
        return replace(_error(refused.status, "Refused", refused.messages, refused.hint), headers=again)
    except SyncError as error:
        log.warning("operator.failed call=%s error=%s", name, error.code)
        return _error(_status(error), error.code, [str(error) or error.code], error.hint)
    log.info("operator.called call=%s operator=%s status=%d", name, principal.object_id, done.status)
    return done


def _admit(call: Call, endpoint: Endpoint, origin: str) -> Principal:
    principal = admit(call, endpoint.needs)
    if endpoint.method == "POST":
        _not_from_elsewhere(call, origin)
    return principal


def _nothing_empty(call: Call, endpoint: Endpoint) -> None:
    for name in endpoint.query:
        if call.query.get(name) == "":
            raise HttpError(400, f"`{name}` has no value", "Leave a parameter out to ask without it.")


def _not_from_elsewhere(call: Call, origin: str) -> None:
    """A browser that holds a session sends it along with another site's forms: those cannot say that they are JSON."""
    content_type = call.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise HttpError(415, "Content-Type must be application/json")
    came_from = call.headers.get("origin")
    if came_from is not None and _site(came_from) != _site(origin):
        raise HttpError(403, "another origin")
    if call.headers.get("sec-fetch-site", "none") not in {"none", "same-origin"}:
        raise HttpError(403, "another site")


def _site(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc.lower()


def _reads(
    path: str, document: type, serve: Serve, summary: str, query: Sequence[str] = (), *, body: type | None = None
) -> Endpoint:
    """`body`: what it asks is personal data, or too long for a path. So it is a POST."""
    return Endpoint(
        method="GET" if body is None else "POST",
        path=path,
        document=document,
        statuses=frozenset({200}),
        serve=serve,
        summary=summary,
        read_only=True,
        body=body,
        query=query,
    )


def _acts(
    path: str, document: type, statuses: set[int], serve: Serve, summary: str, body: type | None = None
) -> Endpoint:
    return Endpoint(
        method="POST",
        path=path,
        document=document,
        statuses=frozenset(statuses),
        serve=serve,
        summary=summary,
        read_only=False,
        body=body,
    )


_PAUSE = "Stop all writes of a sync into the target, or only those that take access away"
_RESUME = "Let a sync go on, with a full round"
_NAMES = "The names of users, read at this moment"
_CHOICES = "One user who waits for an adoption, and the target users to choose from"
_DECIDE_LIST = "Approve or reject several held deletions of exactly the list that the code stands for"
_DECIDE = "Approve or reject one held deletion; recorded with the caller's object id"

_APPROVE = "Let in as many newcomers as the code says; recorded with the caller's object id"

_KEEP = "Let leaving take nothing from one user until a date; recorded with the caller's object id"
_PAGED = ("sync", "limit", "after")
_PAIR = "One user, and what linking exactly this target user would come to"
_LINK = "Make a pair of one user and this target user, whatever their addresses; recorded with the caller's object id"
_UNLINK = "End one pair: the target user stays as it is; recorded with the caller's object id"
_MOVE = "Give one user's target user to another source user; recorded with the caller's object id"
_REDEEM = "Have the target user redeem the invitation anew; recorded with the caller's object id"
_PLAN = "Plan what would happen to everybody, by the deployed sync.yaml or another one; nothing of it is done"
_FILTERS = ("sync", "user", "kind", "since", "until", "limit", "after")

ENDPOINTS: Mapping[str, Endpoint] = {
    "status": _reads("ops/status", documents.Status, reading.status_of_all, "How everything stands"),
    "why": _reads("ops/why/{sync}/{user}", documents.Explanation, reading.why, "One user explained, without acting"),
    "activity": _reads("ops/activity", documents.Activity, reading.activity, "What happened, newest first", _FILTERS),
    "holds": _reads("ops/holds", documents.Holds, reading.holds, "The deletions that the guard holds", ("sync",)),
    "doctor": _reads(
        "ops/doctor", documents.Report, reading.doctor, "Everything around it, with a remedy for each fault"
    ),
    "look": _reads("ops/look/{sync}/{user}", documents.SyncResult, reading.look, "What would be done about one user"),
    "decisions": _reads(
        "ops/decisions", documents.Decisions, reading.decisions, "What people decided about held deletions", ("sync",)
    ),
    "creations": _reads(
        "ops/creations", documents.CreationList, reading.creations, "The newcomers who wait for a person", ("sync",)
    ),
    "approve_creations": _acts(
        "ops/creations/approve",
        documents.CreationApproval,
        {200},
        acting.approve_creations,
        _APPROVE,
        documents.CreationRequest,
    ),
    "due": _reads("ops/due", documents.DueUsers, reading.due, "Users who leave in stages, and when", _PAGED),
    "drift": _reads(
        "ops/drift",
        documents.DriftedUsers,
        reading.drift,
        "Target users that somebody else edited or blocked",
        _PAGED,
    ),
    "links": _reads("ops/links", documents.Pairs, reading.links, "The pairs of source and target users", _PAGED),
    "pair": _reads("ops/links/{sync}/{user}/{target}", documents.AdoptionChoices, reading.pair, _PAIR),
    "link": _acts("ops/links/{sync}/{user}", documents.AskedPair, {202}, acting.link, _LINK, documents.AdoptionRequest),
    "unlink": _acts(
        "ops/links/{sync}/{user}/end", documents.AskedPair, {202}, acting.end_pair, _UNLINK, documents.UnlinkRequest
    ),
    "move": _acts(
        "ops/links/{sync}/{user}/move", documents.AskedPair, {202}, acting.move_pair, _MOVE, documents.MoveRequest
    ),
    "redeem": _acts("ops/links/{sync}/{user}/redeem", documents.AskedPair, {202}, acting.redeem_anew, _REDEEM),
    "verify": _reads(
        "ops/verify",
        documents.Verified,
        reading.verify_newcomers,
        "Newcomers who cannot be used, and why",
        ("sync", "since", "limit", "after"),
    ),
    "keep": _acts("ops/keep/{sync}/{user}", documents.KeptUsers, {200}, acting.keep, _KEEP, documents.KeepRequest),
    "end_keep": _acts(
        "ops/keep/{sync}/{user}/end", documents.KeptUsers, {200}, acting.end_keep, "Keep one user no longer"
    ),
    "notices": _reads("ops/notices", documents.Notices, reading.notices, "What people are told of, and who"),
    "decide": _acts(
        "ops/holds/{sync}/{user}", documents.Decision, {200, 409}, acting.decide_one, _DECIDE, documents.DecisionRequest
    ),
    "pause": _acts("ops/pause/{sync}", documents.Controlled, {200}, acting.pause, _PAUSE, documents.PauseRequest),
    "pause_all": _acts(
        "ops/pause", documents.Controlled, {200}, acting.pause, f"{_PAUSE}: of every sync", documents.PauseRequest
    ),
    "resume": _acts("ops/resume/{sync}", documents.Controlled, {200}, acting.resume, _RESUME),
    "resume_all": _acts("ops/resume", documents.Controlled, {200}, acting.resume, f"{_RESUME}: every sync"),
    "resync": _acts(
        "ops/resync/{tenant}", documents.Rounds, {202, 503}, acting.resync, "Read everybody of a tenant again"
    ),
    "nominate": _acts(
        "ops/sync/{sync}/{user}", documents.Nominated, {202}, acting.nominate, "Have one user looked at again"
    ),
    "nominate_listed": _acts(
        "ops/sync/{sync}",
        documents.NominatedUsers,
        {202},
        acting.nominate_listed,
        "Have several users looked at again",
        documents.NominationRequest,
    ),
    "decide_listed": _acts(
        "ops/holds", documents.Decision, {200, 409}, acting.decide_listed, _DECIDE_LIST, documents.ListDecisionRequest
    ),
    "caller": _reads("ops/me", documents.Caller, reading.caller, "The caller and their roles"),
    "find": _reads(
        "ops/find", documents.Found, reading.find, "Find a source user by address", body=documents.FindRequest
    ),
    "names": _reads("ops/names", documents.Names, reading.names_of, _NAMES, body=documents.NamesRequest),
    "hours": _reads("ops/hours", documents.Hours, reading.hours, "How much happened in each hour of a day", ("sync",)),
    "adoptions": _reads(
        "ops/adoptions", documents.WaitingUsers, reading.adoptions, "Users who wait for an adoption", ("sync",)
    ),
    "ask_plan": replace(
        _reads("ops/plan", documents.PlanStatus, reading.ask_plan, _PLAN, body=documents.PlanRequest),
        statuses=frozenset({202}),
    ),
    "deployed": replace(
        _reads("ops/config", documents.DeployedFile, reading.deployed, "The deployed sync.yaml, which holds no secret"),
        operators_only=True,
    ),
    "plans": _reads("ops/plan", documents.KnownPlans, reading.plans, "The plans of the last week, the newest first"),
    "plan": _reads("ops/plan/{plan}", documents.PlanStatus, reading.plan, "How far a plan is, and its counts"),
    "plan_changes": _reads(
        "ops/plan/{plan}/changes",
        documents.PlannedChanges,
        reading.plan_changes,
        "Who would be changed, page by page",
        ("sync", "change", "limit", "after"),
    ),
    "adoption": _reads("ops/adoptions/{sync}/{user}", documents.AdoptionChoices, reading.adoption, _CHOICES),
    "adopt": _acts(
        "ops/adoptions/{sync}/{user}",
        documents.ApprovedAdoption,
        {202},
        acting.adopt,
        "Let one user adopt exactly this target user",
        documents.AdoptionRequest,
    ),
}


def _status(error: SyncError) -> int:
    if isinstance(error, ConflictError):
        return 409
    return 503 if isinstance(error, TransientError) else 502


def _error(status: int, code: str, messages: Sequence[str], hint: str) -> Answer:
    detail = documents.ErrorDetail(code=code, messages=messages, hint=hint or None)
    return Answer(status=status, document=documents.Error(error=detail))

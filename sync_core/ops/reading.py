"""The endpoints that read: they answer with the documents of commands, and with what the page needs besides."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..assembly import Runtime
from ..model import is_object_id
from ..model.errors import ConfigError
from . import documents, plan_jobs
from .adoptions import choices, waiting_users
from .calls import (
    Answer,
    Call,
    HttpError,
    body_of,
    limit_of,
    named,
    object_id_of,
    sync_of,
    syncs_of,
    understood,
    user_of,
)
from .creations import list_creations
from .doctor.run import examine
from .drift import drifted_users
from .errors import RefusedError
from .history import everybody, history, question
from .holds import list_holds, past_decisions
from .hours import changes_per_hour
from .leaving import due_users
from .looks import preview
from .names import find_user
from .notices import list_notices
from .pairs import link_choice, pairs
from .people import Pair, names
from .principal import Principal, Role
from .status import status
from .times import moment
from .verify import verify
from .why import explain

MOST_NAMES = 100  # users of one call: each of them costs a read of Graph


async def caller(runtime: Runtime, _call: Call, principal: Principal) -> Answer:
    roles = [role for role in Role if role in principal.roles]
    now, syncs = runtime.clock.now(), list(runtime.config.syncs)
    return Answer(status=200, document=documents.Caller(id=principal.object_id, roles=roles, at=now, syncs=syncs))


async def find(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    try:
        with understood():
            found = await find_user(runtime, body_of(call, documents.FindRequest).user.strip(), None)
    except RefusedError as error:
        raise HttpError(404, str(error), error.hint) from None
    users = [documents.User(sync=sync.name, user=user) for sync, user in found]
    return Answer(status=200, document=documents.Found(users=users))


async def names_of(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    asked = body_of(call, documents.NamesRequest).users
    if len(asked) > MOST_NAMES:
        raise HttpError(400, f"at most {MOST_NAMES} users", "Ask for the others in another call.")
    found = await names(runtime, await _known(runtime, asked))
    shown = [documents.NamedUser(sync=pair.sync, user=pair.source_id, name=name) for pair, name in found.items()]
    return Answer(status=200, document=documents.Names(names=shown))


async def _known(runtime: Runtime, asked: Sequence[documents.User]) -> list[Pair]:
    """Those whom the sync looked at before: so that nobody reads a whole directory by guessing ids."""
    ids = {(each.sync, each.user.lower()) for each in asked if each.sync in runtime.config.syncs}
    links = [await runtime.storage.links.get(sync, user) for sync, user in sorted(ids) if is_object_id(user)]
    return [
        Pair(sync=link.sync, source_id=link.source_id, target_id=link.target_id) for link in links if link is not None
    ]


async def adoptions(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await waiting_users(runtime, syncs_of(runtime, call)))


async def adoption(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await choices(runtime, sync_of(runtime, call), user_of(call)))


async def hours(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await changes_per_hour(runtime, syncs_of(runtime, call)))


async def status_of_all(runtime: Runtime, _call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await status(runtime))


async def doctor(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    """The working directory is the package, with its host.json."""
    return Answer(status=200, document=await examine(runtime, host_json=Path("host.json"), public_url=call.origin))


async def look(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await preview(runtime, sync_of(runtime, call), user_of(call), values=False))


async def why(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await explain(runtime, sync_of(runtime, call), user_of(call)))


async def activity(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    query = call.query
    with named():
        of = await everybody(runtime, query.get("sync"))
    user = object_id_of(query["user"]) if "user" in query else ""
    with understood():
        asked = question(
            [(sync, user) for sync, _ in of],
            runtime.clock.now(),
            kinds=query.get("kind"),
            since=query.get("since"),
            until=query.get("until"),
            limit=limit_of(query.get("limit", "100")),
            after=query.get("after", ""),
        )
        return Answer(status=200, document=await history(runtime, asked))


async def due(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    query, syncs = call.query, syncs_of(runtime, call)
    limit = limit_of(query.get("limit", "100"))
    with understood():
        return Answer(status=200, document=await due_users(runtime, syncs, limit=limit, after=query.get("after", "")))


async def links(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    query, syncs = call.query, syncs_of(runtime, call)
    limit = limit_of(query.get("limit", "100"))
    with understood():
        return Answer(status=200, document=await pairs(runtime, syncs, limit=limit, after=query.get("after", "")))


async def pair(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    sync, user, target = sync_of(runtime, call), user_of(call), object_id_of(call.route["target"])
    try:
        return Answer(status=200, document=await link_choice(runtime, sync, user, target))
    except RefusedError as error:
        raise HttpError(404, str(error), error.hint) from None


async def drift(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    query, syncs = call.query, syncs_of(runtime, call)
    limit = limit_of(query.get("limit", "100"))
    with understood():
        found = await drifted_users(runtime, syncs, limit=limit, after=query.get("after", ""))
        return Answer(status=200, document=found)


async def verify_newcomers(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    query, syncs = call.query, syncs_of(runtime, call)
    limit = limit_of(query.get("limit", "100"))
    with understood():
        since = moment(query.get("since", "7d"), runtime.clock.now())
        found = await verify(runtime, syncs, since, limit=limit, after=query.get("after", ""))
        return Answer(status=200, document=found)


async def ask_plan(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    """It writes to the table and the queue of plans alone. A plan reads as any other reader of tenants does."""
    asked = body_of(call, documents.PlanRequest)
    try:
        with understood():
            said = await plan_jobs.ask(runtime, asked, by=principal.object_id)
    except ConfigError as error:
        first, *more = map(str, error.faults)
        raise HttpError(400, first, error.hint, more=more) from None
    except plan_jobs.BusyError as error:
        raise HttpError(429, str(error), error.hint, wait_s=60) from None
    return Answer(status=202, document=said, headers={"Location": f"/api/ops/plan/{said.id}"})


async def deployed(runtime: Runtime, _call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=documents.DeployedFile(sync_yaml=runtime.config.text))


async def plans(runtime: Runtime, _call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await plan_jobs.known(runtime))


async def plan(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    with named():
        job = await plan_jobs.find(runtime, call.route["plan"])
    return Answer(status=200, document=plan_jobs.shown_job(runtime, job))


async def plan_changes(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    with named():
        job = await plan_jobs.find(runtime, call.route["plan"])
        if sync := call.query.get("sync", ""):
            plan_jobs.known_sync(runtime, job, sync)
    with understood():
        page = await plan_jobs.changes(
            runtime,
            job,
            sync=sync,
            kind=call.query.get("change", ""),
            after=call.query.get("after", ""),
            limit=limit_of(call.query.get("limit", "100")),
        )
    return Answer(status=200, document=page)


async def holds(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await list_holds(runtime, syncs_of(runtime, call)))


async def decisions(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await past_decisions(runtime, syncs_of(runtime, call)))


async def creations(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await list_creations(runtime, syncs_of(runtime, call)))


async def notices(runtime: Runtime, _call: Call, _principal: Principal) -> Answer:
    return Answer(status=200, document=await list_notices(runtime))

"""The endpoints that act: for Operators alone. Each act is recorded with the caller's object id."""

from __future__ import annotations

from ..assembly import Runtime
from ..model import Control, Nomination, Why
from . import documents
from .adoptions import approve, offer
from .calls import (
    Answer,
    Call,
    HttpError,
    body_of,
    decision_of,
    named,
    object_id_of,
    object_of,
    refused_as_409,
    sync_of,
    understood,
    user_of,
)
from .controls import control
from .creations import approve as let_in
from .documents import Decided
from .holds import choose, decide
from .leaving import end_keeps, keep_users, until_when
from .names import find_syncs
from .pairs import link_pair, move, redeem, unlink
from .principal import Principal
from .resync import feeds_of, start_rounds

MOST_NOMINATIONS = 1000


async def decide_listed(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    """About exactly these holds of exactly the list that the code stands for."""
    asked = body_of(call, documents.ListDecisionRequest)
    wanted = {(each.sync, object_id_of(each.source_id)) for each in asked.users}
    if not wanted:
        raise HttpError(400, "no hold is named", "Name the users whom the decision is about.")
    with named():
        syncs = find_syncs(runtime.config, asked.sync)
    decision = Decided.APPROVED if asked.decision == "approve" else Decided.REJECTED
    with refused_as_409(), understood():
        listed = await choose(runtime, syncs, asked.code, sorted({user for _, user in wanted}))
    chosen = [hold for hold in listed if (hold.sync, hold.source_id.lower()) in wanted]
    if len(chosen) < len(wanted):
        raise HttpError(409, "some of them are not held; nothing was decided", "Read the list again.")
    decided = await decide(runtime, chosen, decision, by=principal.object_id)
    return Answer(status=409 if decided.changed else 200, document=decided)


async def adopt(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    sync, user = sync_of(runtime, call), user_of(call)
    target = body_of(call, documents.AdoptionRequest).target_id
    with refused_as_409():
        approved = await approve(runtime, await offer(runtime, user, sync.name, target), by=principal.object_id)
    return Answer(status=202, document=approved)


async def link(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    sync, user = sync_of(runtime, call), user_of(call)
    target = object_id_of(body_of(call, documents.AdoptionRequest).target_id)
    with refused_as_409():
        done = await link_pair(runtime, sync, user, target, by=principal.object_id)
    return Answer(status=202, document=done)


async def end_pair(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    sync, user, asked = sync_of(runtime, call), user_of(call), body_of(call, documents.UnlinkRequest)
    if not asked.reason.strip():
        raise HttpError(400, "the reason is empty", "Say why: it is on record.")
    with refused_as_409():
        done = await unlink(runtime, sync, user, by=principal.object_id, reason=asked.reason.strip())
    return Answer(status=202, document=done)


async def move_pair(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    sync, user, asked = sync_of(runtime, call), user_of(call), body_of(call, documents.MoveRequest)
    with understood():
        (into,) = [sync] if asked.sync is None else find_syncs(runtime.config, asked.sync)
    to = object_id_of(asked.user)
    with refused_as_409(), understood():
        return Answer(status=202, document=await move(runtime, sync, user, into, to, by=principal.object_id))


async def redeem_anew(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    sync, user = sync_of(runtime, call), user_of(call)
    with refused_as_409():
        return Answer(status=202, document=await redeem(runtime, sync, user, by=principal.object_id))


async def nominate_listed(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    sync = sync_of(runtime, call)
    users = list(dict.fromkeys(object_id_of(each) for each in body_of(call, documents.NominationRequest).users))
    if len(users) > MOST_NOMINATIONS:
        raise HttpError(400, f"at most {MOST_NOMINATIONS} users", "Ask for the others in another call.")
    now = runtime.clock.now()
    await runtime.storage.queues.nominate(
        [Nomination(sync=sync.name, user=user, why=Why.OPERATOR, at=now) for user in users]
    )
    nominated = [documents.User(sync=sync.name, user=user) for user in users]
    return Answer(status=202, document=documents.NominatedUsers(nominated=nominated))


async def decide_one(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    decision = decision_of(call)
    hold = await runtime.storage.guards.hold(sync_of(runtime, call).name, user_of(call))
    if hold is None:
        raise HttpError(404, "no deletion of this user is held")
    decided = await decide(runtime, [hold], decision, by=principal.object_id)
    return Answer(status=409 if decided.changed else 200, document=decided)


async def approve_creations(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    """A code that stands for no list of now is somebody else's doing: 409."""
    code = object_of(call).get("code")
    if not isinstance(code, str):
        raise HttpError(400, '"code" must be a text, as the list shows it')
    with refused_as_409(), understood():
        done = await let_in(runtime, runtime.config.syncs.values(), code, by=principal.object_id)
    return Answer(status=200, document=done)


async def resync(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    with named():
        feeds = feeds_of(runtime, call.route["tenant"])
    started = await start_rounds(runtime, feeds, by=principal.object_id)
    return Answer(status=503 if started.failed else 202, document=started)


async def pause(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    body = object_of(call)
    reason, deletions_only = body.get("reason"), body.get("deletions_only", False)
    if not isinstance(reason, str) or not reason.strip() or not isinstance(deletions_only, bool):
        raise HttpError(400, '"reason" must be a text, and "deletions_only" true or false')
    said = Control.DELETIONS_PAUSED if deletions_only else Control.PAUSED
    return await _control(runtime, call, principal, said, reason.strip())


async def resume(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    return await _control(runtime, call, principal, Control.RUNNING, "")


async def _control(runtime: Runtime, call: Call, principal: Principal, said: Control, reason: str) -> Answer:
    """Of one sync, or of all where the path names none."""
    syncs = [sync_of(runtime, call)] if "sync" in call.route else list(runtime.config.syncs.values())
    return Answer(status=200, document=await control(runtime, syncs, said, by=principal.object_id, reason=reason))


async def keep(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    sync, user, asked = sync_of(runtime, call), user_of(call), body_of(call, documents.KeepRequest)
    if not asked.reason.strip():
        raise HttpError(400, "the reason is empty", "Say why: it is shown with the user.")
    with understood():
        until = until_when(asked.until, runtime.clock.now())
    by, reason = principal.object_id, asked.reason.strip()
    return Answer(status=200, document=await keep_users(runtime, [(sync, user)], until, by=by, reason=reason))


async def end_keep(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    done = await end_keeps(runtime, [(sync_of(runtime, call), user_of(call))], by=principal.object_id)
    return Answer(status=200, document=done)


async def nominate(runtime: Runtime, call: Call, _principal: Principal) -> Answer:
    sync, user = sync_of(runtime, call), user_of(call)
    nomination = Nomination(sync=sync.name, user=user, why=Why.OPERATOR, at=runtime.clock.now())
    await runtime.storage.queues.nominate([nomination])
    nominated = documents.User(sync=sync.name, user=user)
    return Answer(status=202, document=documents.Nominated(nominated=nominated))

"""What the page does besides the calls about one user: decisions about a list, an adoption, many looks at once."""

from __future__ import annotations

from ..assembly import Runtime
from ..model import Nomination, Why
from . import documents
from .adoptions import approve, offer
from .calls import Answer, Call, HttpError, body_of, object_id_of, sync_of, user_of
from .documents import Decided
from .errors import RefusedError, UsageError
from .holds import choose, decide
from .principal import Principal

MOST_NOMINATIONS = 1000


async def decide_listed(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    """About exactly these holds of exactly the list that the code stands for."""
    asked = body_of(call, documents.ListDecisionRequest)
    wanted = {(each.sync, object_id_of(each.source_id)) for each in asked.users}
    if not wanted:
        raise HttpError(400, "no hold is named", "Name the users whom the decision is about.")
    decision = Decided.APPROVED if asked.decision == "approve" else Decided.REJECTED
    try:
        listed = await choose(runtime, runtime.config.syncs.values(), asked.code, sorted({user for _, user in wanted}))
    except UsageError as error:
        raise HttpError(400, str(error), error.hint) from None
    except RefusedError as error:
        raise HttpError(409, str(error), error.hint) from None
    chosen = [hold for hold in listed if (hold.sync, hold.source_id.lower()) in wanted]
    if len(chosen) < len(wanted):
        raise HttpError(409, "some of them are not held; nothing was decided", "Read the list again.")
    decided = await decide(runtime, chosen, decision, by=principal.object_id)
    return Answer(status=409 if decided.changed else 200, document=decided)


async def adopt(runtime: Runtime, call: Call, principal: Principal) -> Answer:
    sync, user = sync_of(runtime, call), user_of(call)
    target = body_of(call, documents.AdoptionRequest).target_id
    try:
        approved = await approve(runtime, await offer(runtime, user, sync.name, target), by=principal.object_id)
    except RefusedError as error:
        raise HttpError(409, str(error), error.hint) from None
    return Answer(status=202, document=approved)


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

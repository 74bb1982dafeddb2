"""Pairs as people repair them: made by hand, ended, moved to another source user, or to be redeemed anew.

A pair that is made is recorded here, by the rules of the decision. For all else a word is left on the link, which the
next look carries out: it reads both users afresh, and passes pauses as every write does.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from ..assembly import Runtime
from ..decision.look import Look, if_approved
from ..model import (
    Adopt,
    Guarded,
    Kind,
    Link,
    LinkState,
    Mode,
    Nomination,
    SourceState,
    Sync,
    TargetUser,
    Why,
)
from ..model.errors import ConflictError, NewerSchemaError
from ..model.link_parts import NOBODY
from ..ports import Presence
from . import documents
from .adoptions import choice
from .changes import in_words, shown, way_out
from .errors import RefusedError, UsageError
from .kept import keep
from .paging import onwards
from .plain import change_in_words

_AGAIN = "Somebody else looked at the user at this moment. Try again."
_WAIT = "Wait for its end: `xtsync why USER` says what became of it."
UNLINK, REDEEM = "unlink", "reset the redemption"


async def pairs(runtime: Runtime, syncs: Iterable[Sync], *, limit: int, after: str = "") -> documents.Pairs:
    """One page, from storage alone. Raises UsageError for an `after` that no page gave."""
    found: list[documents.PairEntry] = []
    for sync, behind in onwards(syncs, after):
        async for link in runtime.storage.links.ours(sync.name, behind):
            found.append(stored_pair(sync, link))
            if len(found) == limit:
                return documents.Pairs(pairs=found, more=f"{sync.name}/{link.source_id}")
    return documents.Pairs(pairs=found, more=None)


def stored_pair(sync: Sync, link: Link) -> documents.PairEntry:
    """Of a link that is ours."""
    return documents.PairEntry(
        sync=sync.name,
        source_id=link.source_id,
        target=sync.target.key,
        target_id=link.target_id or "",
        state=link.state,
        since=link.linked_at,
        asked=_asked(link),
    )


def _asked(link: Link) -> str | None:
    if link.heir is not None:
        return UNLINK if link.heir == NOBODY else f"hand over to {link.heir}"
    return REDEEM if link.redeem else None


async def link_choice(runtime: Runtime, sync: Sync, user: str, target_id: str) -> documents.AdoptionChoices:
    """The pair that `link_pair` would make, with the names of the one target user. Raises RefusedError."""
    decided, target = await _with_target(runtime, sync, user, target_id)
    return documents.AdoptionChoices(
        sync=sync.name,
        source_id=user,
        decision=change_in_words(shown(decided.change)),
        choices=[choice(decided, target)],
    )


async def link_pair(runtime: Runtime, sync: Sync, user: str, target_id: str, *, by: str) -> documents.AskedPair:
    """From fresh reads of both. The record alone: attributes are written by the next look.

    Raises RefusedError, saying why there is no such pair.
    """
    decided, _ = await _with_target(runtime, sync, user, target_id)
    change = if_approved(decided, target_id)
    if not isinstance(change, Adopt):
        raise RefusedError(
            f"{target_id} cannot be linked: {in_words(shown(change))}; nothing was done", hint=way_out(change) or ""
        )
    try:
        await runtime.engine.applier.adopt(decided, change)
    except ConflictError as error:
        await _give_back(runtime, decided, target_id)
        raise RefusedError("the pair was not made", hint=_AGAIN) from error
    await keep(runtime, Kind.ADOPTED, [(sync.name, user)], by=by, reason="linked by hand", target_id=target_id)
    return await _asked_for(runtime, decided.link, target_id, "link")


async def _give_back(runtime: Runtime, decided: Look, target_id: str) -> None:
    """The claim, where this user has or gets another target user by now: as it was, so that others can be linked."""
    links, link, tenant_id = runtime.storage.links, decided.link, decided.sync.target.id
    now = await links.get(link.sync, link.source_id)
    if now is None or not (now.ours or now.state is LinkState.INVITING) or now.target_id == target_id:
        return
    (target,) = decided.candidates
    if target.unlinked and await links.owner(tenant_id, target_id) == link.owner:
        await links.move_claim(tenant_id, target_id, link.owner, target.linked_to or "")
    else:
        await links.release(target_id, link.owner)


async def _with_target(runtime: Runtime, sync: Sync, user: str, target_id: str) -> tuple[Look, TargetUser]:
    """A fresh look at the user, as if this target user alone had the address. A deleted one is no obstacle."""
    decided = await runtime.engine.preview(await runtime.configurations.check(sync), user)
    link = decided.link
    _check_unasked(link)
    if link.state is LinkState.LINKED:
        raise RefusedError(
            f"{user} has the target user {link.target_id} already; nothing was done",
            hint=f"To end that pair: xtsync unlink {user}",
        )
    if link.unfinished:
        what = "an invitation" if link.state is LinkState.INVITING else "a deletion or a restore"
        raise RefusedError(f"{what} of this user's target user is under way", hint="Try again in 15 minutes.")
    target = await runtime.engine.candidate(decided.sync, link, target_id)
    if target is None:
        raise RefusedError(f"{sync.target.key} has no user {target_id}", hint="It may be deleted: restore it first.")
    known = link.forgotten() if link.ours else link
    return replace(decided, situation=replace(decided.situation, link=known, candidates=[target])), target


async def unlink(runtime: Runtime, sync: Sync, user: str, *, by: str, reason: str) -> documents.AskedPair:
    """The target user stays as it is and is nobody's, until a person links it again. Raises RefusedError."""
    link = await _pair(runtime, sync, user, {LinkState.LINKED})
    link = await _save(runtime, link.hand_over_begun(NOBODY))
    await keep(runtime, Kind.APPROVED, [(sync.name, user)], by=by, reason=f"{UNLINK}: {reason}", target_id=_id(link))
    return await _asked_for(runtime, link, _id(link), UNLINK)


async def redeem(runtime: Runtime, sync: Sync, user: str, *, by: str) -> documents.AskedPair:
    """The invitation of this user's target user is to be redeemed anew. Raises RefusedError."""
    link = await _pair(runtime, sync, user, {LinkState.LINKED})
    link = await _save(runtime, link.redeeming(due=True))
    await keep(runtime, Kind.APPROVED, [(sync.name, user)], by=by, reason=REDEEM, target_id=_id(link))
    return await _asked_for(runtime, link, _id(link), REDEEM)


async def move(runtime: Runtime, sync: Sync, user: str, into: Sync, to: str, *, by: str) -> documents.AskedPair:
    """The same person has another account: its target user, with all that it may do there, becomes that of `to`.

    Raises RefusedError where the former user may have access still, the other one has or may get a target user, or the
    target user is not there any more.
    """
    if sync.target.id != into.target.id:
        raise UsageError("the two syncs lead into different tenants", hint="A B2B user stays in its tenant.")
    if sync.owner_attribute is not None and sync.owner_attribute != into.owner_attribute:
        raise RefusedError(
            f"{into.name} would leave the ownership marker of {sync.name} in place",
            hint="Give both the same `matching: { owner_attribute: ... }`.",
        )
    link = await _pair(runtime, sync, user, {LinkState.LINKED, LinkState.DELETED})
    if (sync.name, user) == (into.name, to):
        raise UsageError("this is one and the same user", hint="--to names the other source user.")
    if into.name != sync.name and into.mode is Mode.OBSERVE:
        raise RefusedError(
            f"{into.name} observes: it would never take the access away",
            hint=f"Set `mode: run` for {into.name} first.",
        )
    await _check_former(runtime, sync, user)
    other = await _check_other(runtime, into, to)
    await _check_target(runtime, sync, link)
    await _save(runtime, other.approved(_id(link)))  # first: nobody is invited who is to have this target user
    link = await _save(runtime, link.hand_over_begun(f"{into.name}/{to}"))
    await keep(runtime, Kind.APPROVED, [(sync.name, user), (into.name, to)], by=by, reason="move", target_id=_id(link))
    return await _asked_for(runtime, link, _id(link), "move", f"{into.name}/{to}")


async def _check_former(runtime: Runtime, sync: Sync, user: str) -> None:
    decided = await runtime.engine.preview(await runtime.configurations.check(sync), user)
    source = decided.source
    if not (source.absent or source.external or decided.verdict.out):
        raise RefusedError(
            f"{user} is still there and in the scope of {sync.name}: it would want a target user of its own",
            hint="Delete that account, or take it out of the scope, before its target user is moved.",
        )
    if (heir := decided.situation.heir) is not None:
        raise RefusedError(
            f"{user} is still there and in the scope of {heir}, which takes the pair",
            hint=f"Take that account out of the scope of {heir}, too, before its target user is moved.",
        )


async def _check_other(runtime: Runtime, into: Sync, to: str) -> Link:
    decided = await runtime.engine.preview(await runtime.configurations.check(into), to)
    source, verdict, link = decided.source, decided.verdict, decided.link
    if link.ours or link.state is LinkState.INVITING:
        raise RefusedError(
            f"{to} has the target user {link.target_id or '(being invited)'} already; nothing was done",
            hint=f"To end that pair: xtsync unlink {to}",
        )
    eligible = source.state is SourceState.LIVE and not source.external and verdict.in_scope
    if not eligible or source.address is None or decided.desired.ignored:
        raise RefusedError(
            f"{to} would lose the target user again: {in_words(shown(decided.change))}",
            hint=f"The account has to be enabled and in the scope of {into.name}, with an address.",
        )
    return link


async def _check_target(runtime: Runtime, sync: Sync, link: Link) -> None:
    target = runtime.engine.targets[sync.target.key]
    user = await target.read_user(_id(link))
    if user is None and await target.presence(_id(link)) is Presence.SOFT_DELETED:
        user = await target.deleted_user(_id(link))
    if user is None:
        raise RefusedError("the target user is gone for good", hint="The other source user is invited as a newcomer.")
    if not user.external:
        raise RefusedError("the target user is internal by now", hint="An internal user is never touched.")
    if not user.enabled and not link.perhaps_disabled:
        raise RefusedError("somebody blocked the target user", hint="Unblock it in the target first.")


async def _pair(runtime: Runtime, sync: Sync, user: str, states: set[LinkState]) -> Link:
    await runtime.configurations.check(sync)
    try:
        link = await runtime.storage.links.get(sync.name, user)
    except NewerSchemaError as error:
        raise RefusedError("a newer version wrote this pair", hint="Use that version.") from error
    if link is None or link.state not in states:
        state = "there is no pair" if link is None or not link.ours else f"the target user is {link.state} by now"
        raise RefusedError(f"{state}; nothing was done", hint="`xtsync links` lists the pairs.")
    if link.guarded is Guarded.SOFT_DELETE:
        raise RefusedError("its deletion has begun", hint=_WAIT)
    if link.guarded is Guarded.DISABLE and link.dirty:  # that write may still arrive, after all of ours
        raise RefusedError("its disabling has begun", hint=_WAIT)
    _check_unasked(link)
    return link


def _check_unasked(link: Link) -> None:
    if link.heir is not None:
        raise RefusedError(f"it is asked for already: {_asked(link)}", hint="`xtsync links` shows it until it is done.")


async def _save(runtime: Runtime, link: Link) -> Link:
    try:
        return await runtime.storage.links.save(link)
    except ConflictError as error:
        raise RefusedError("nothing was done", hint=_AGAIN) from error


async def _asked_for(
    runtime: Runtime, link: Link, target_id: str, asked: str, to: str | None = None
) -> documents.AskedPair:
    """The next look is taken at once, also if one was taken at this very moment."""
    nomination = Nomination(sync=link.sync, user=link.source_id, why=Why.OPERATOR, at=runtime.clock.now())
    await runtime.storage.queues.nominate([nomination.tried_again()])
    return documents.AskedPair(sync=link.sync, source_id=link.source_id, target_id=target_id, asked=asked, to=to)


def _id(link: Link) -> str:
    return link.target_id or ""

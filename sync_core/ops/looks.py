"""One look at one user: what was read, what was decided and why, and what would be done.

Names of attributes only, unless values are asked for: they are personal data.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..assembly import Runtime
from ..decision.decide import needs_candidates
from ..decision.look import Look
from ..model import MANAGER, Adopt, Change, Hold, Invite, Reason, Refuse, Skip, SoftDelete, Sync
from ..model.errors import SyncError
from .times import iso, seconds_between

type Json = dict[str, Any]

_REFUSED = (
    "left as they are until their values change: of administrators no app without such a role may write some, and"
    " Exchange keeps others for itself; set them by hand, or try again with `xtsync sync USER`"
)

WAYS_OUT: Mapping[Reason, str] = {
    Reason.UNADOPTED: "a B2B user with this address is there already; `xtsync adopt USER` adopts it, `matching: {adopt:"
    " guests}` all such",
    Reason.NEEDS_APPROVAL: "a B2B user with this address is there already; `xtsync adopt USER` adopts it",
    Reason.INTERNAL_USER: "an internal user of the target has this address; it is never touched",
    Reason.AMBIGUOUS: "several users of the target have this address or ownership marker; leave it to one of them, or"
    " choose with `xtsync adopt USER --target ID`",
    Reason.ALREADY_LINKED: "the target user belongs to another source user; one of the two has to change its address."
    " A wrong ownership marker is to be cleared in the target",
    Reason.DELETED_IN_TARGET: "somebody in the target deleted it; restore it there, or `deleted_in_target: restore`",
    Reason.NO_ADDRESS: "the source user has neither mail nor user principal name to invite: give it one, or a filter"
    " that leaves it out",
    Reason.UNDECIDED: "a filter of this sync cannot be evaluated for the user, or a group of its scope does not exist;"
    " correct the filter, or restore the group: until then the user is neither let in nor deprovisioned",
    Reason.IGNORED: "an expression of the mapping says IgnoreObjectFlow for this user; change it if that is not meant",
}


def look_as_json(decided: Look, *, values: bool) -> Json:
    source, link = decided.source, decided.link
    asked = needs_candidates(source, decided.verdict, link, decided.sync.marker(source.id))
    candidates = [
        {"id": user.id, "external": user.external, "linked_to": user.linked_to, "marker": user.marker}
        for user in decided.candidates
    ]
    return {
        "source": {"state": source.state.value, "read_at": iso(source.read_at)},
        "scope": {
            "in_scope": decided.verdict.in_scope,
            "undecided": decided.verdict.undecided,
            "reason": decided.verdict.reason,
        },
        "link": {"state": link.state.value, "target_id": link.target_id, "dirty": link.dirty},
        "refused": {"attributes": dict(sorted(link.refused.items())), "hint": _REFUSED} if link.refused else None,
        "candidates": candidates if asked else None,
        "decision": change_as_json(decided.change, values=values) | _limits(decided),
    }


def _limits(decided: Look) -> Json:
    """What a hold goes by: a percentage of the links, but never fewer than a count, within a window."""
    if not isinstance(decided.change, Hold):
        return {}
    limits = decided.sync.guard
    percent, window_s = limits.max_percent, limits.window.total_seconds()
    return {"guard": {"max_percent": percent, "min_count": limits.min_count, "window_s": window_s}}


def change_as_json(change: Change, *, values: bool = False) -> Json:
    attributes = change.written
    shown: Json = {"change": change.name, "attributes": sorted(attributes)}
    match change:
        case Skip(reason=reason):
            shown["reason"] = reason.value
            if reason in WAYS_OUT:
                shown["hint"] = WAYS_OUT[reason]
        case Refuse(reason=reason, detail=detail):
            shown |= {"reason": reason.value, "detail": detail or None, "hint": WAYS_OUT.get(reason)}
        case SoftDelete(why=why):
            shown["reason"] = why
        case Adopt(target_id=target_id):
            shown["target_id"] = target_id
        case Hold(held=held, used=used, limit=limit):
            shown |= {"held": change_as_json(held, values=values), "used": used, "limit": limit}
        case Invite(address=address, display_name=display_name) if values:
            shown |= {"address": address, "display_name": display_name}
    reference = attributes.get(MANAGER)
    if isinstance(reference, dict):
        shown["manager"] = reference["id"]  # an id is no personal data
    elif MANAGER in attributes and not isinstance(change, Invite):  # somebody new has none to lose
        shown["manager"] = None
    if values:
        shown["values"] = {name: value for name, value in attributes.items() if name != MANAGER}
    return shown


async def preview(runtime: Runtime, sync: Sync, user: str, *, values: bool) -> Json:
    """Read and decide, and write nothing anywhere. A read-only runtime makes sure of it."""
    started = runtime.clock.now()
    steps: list[Json] = []
    try:
        decided = await runtime.engine.preview(sync, user)
        steps = [look_as_json(decided, values=values)]
        outcome = _would(decided)
    except SyncError as error:
        outcome = failed(error)
    return {
        "sync": sync.name,
        "user": user,
        "dry_run": True,
        "steps": steps,
        "outcome": outcome,
        "seconds": seconds_between(started, runtime.clock.now()),
    }


def failed(error: SyncError) -> Json:
    """The outcome of what ended in an error."""
    return {
        "result": "failed",
        "changes": [],
        "target_id": None,
        "error": str(error) or error.code,
        "hint": error.hint,
        "next_try_at": None,
    }


def _would(decided: Look) -> Json:
    change = change_as_json(decided.change)
    kinds = {"Skip": "nothing", "Refuse": "refused", "Hold": "held"}
    return {
        "result": kinds.get(decided.change.name, "would"),
        "changes": [change],
        "target_id": decided.link.target_id,
        "error": change["reason"] if decided.change.name == "Refuse" else None,
        "hint": change.get("hint"),
        "next_try_at": None,
    }

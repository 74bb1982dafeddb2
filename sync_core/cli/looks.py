"""One look at one user, for people and for programs: what was read, what was decided and why. Pure.

Names of attributes only, unless values are asked for: they are personal data.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..decide import needs_candidates
from ..look import Look
from ..model import Adopt, Attributes, Change, Disable, Hold, Invite, Reason, Refuse, Skip, SoftDelete, Update
from .words import iso, span

type Json = dict[str, Any]

_WAYS_OUT: Mapping[Reason, str] = {
    Reason.UNADOPTED: "a B2B user with this address is there already; `matching: {adopt: guests}` adopts it",
    Reason.INTERNAL_USER: "an internal user of the target has this address; it is never touched",
    Reason.AMBIGUOUS: "several users of the target have this address; leave it to one of them",
    Reason.ALREADY_LINKED: "the target user belongs to another source user; one of the two has to change its address",
    Reason.DELETED_IN_TARGET: "somebody in the target deleted it; restore it there, or `deleted_in_target: restore`",
    Reason.NO_ADDRESS: "the source user has neither mail nor user principal name to invite",
}


def look_as_json(decided: Look, *, values: bool) -> Json:
    source, link = decided.source, decided.link
    asked = needs_candidates(source, decided.verdict, link)
    candidates = [
        {"id": user.id, "external": user.external, "linked_to": user.linked_to} for user in decided.candidates
    ]
    return {
        "source": {"state": source.state.value, "read_at": iso(source.read_at)},
        "scope": {
            "in_scope": decided.verdict.in_scope,
            "undecided": decided.verdict.undecided,
            "reason": decided.verdict.reason,
        },
        "link": {"state": link.state.value, "target_id": link.target_id, "dirty": link.dirty},
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
    attributes = _attributes(change)
    shown: Json = {"change": change.name, "attributes": sorted(attributes)}
    match change:
        case Skip(reason=reason):
            shown["reason"] = reason.value
        case Refuse(reason=reason, detail=detail):
            shown |= {"reason": reason.value, "detail": detail or None, "hint": _WAYS_OUT.get(reason)}
        case SoftDelete(why=why):
            shown["reason"] = why
        case Adopt(target_id=target_id):
            shown["target_id"] = target_id
        case Hold(held=held, used=used, limit=limit):
            shown |= {"held": change_as_json(held, values=values), "used": used, "limit": limit}
        case Invite(address=address, display_name=display_name) if values:
            shown |= {"address": address, "display_name": display_name}
    if values:
        shown["values"] = dict(attributes)
    return shown


def look_lines(step: Mapping[str, Any]) -> list[str]:
    source, scope, link = step["source"], step["scope"], step["link"]
    return [
        f"source      {source['state']}, read at {source['read_at']}",
        f"scope       {_verdict(scope)}: {scope['reason']}",
        f"link        {link['state']}, target user {link['target_id'] or '-'}{', dirty' if link['dirty'] else ''}",
        f"candidates  {_candidates(step['candidates'])}",
        f"decision    {change_text(step['decision'])}",
        *(f"            {name} = {value!r}" for name, value in sorted(_values(step["decision"]).items())),
    ]


def change_text(change: Mapping[str, Any]) -> str:
    text = str(change["change"])
    if "held" in change:
        text += f" of {change_text(change['held'])}: {change['used']} of at most {change['limit']} deletions are used"
    if "guard" in change:
        guard = change["guard"]
        text += (
            f" ({guard['max_percent']:g} % of the links, at least {guard['min_count']}, in {span(guard['window_s'])})"
        )
    if change.get("reason"):
        text += f": {change['reason']}"
    if change.get("detail"):
        text += f" ({change['detail']})"
    if change.get("target_id"):
        text += f" {change['target_id']}"
    if change["attributes"]:
        text += f": {', '.join(change['attributes'])}"
    return text


def _verdict(scope: Mapping[str, Any]) -> str:
    return "undecided" if scope["undecided"] else "in" if scope["in_scope"] else "out"


def _candidates(candidates: Sequence[Mapping[str, Any]] | None) -> str:
    if candidates is None:
        return "not needed"
    return ", ".join(map(_candidate, candidates)) or "nobody has the address"


def _candidate(user: Mapping[str, Any]) -> str:
    linked = f", linked to {user['linked_to']}" if user["linked_to"] else ""
    return f"{user['id']} ({'B2B' if user['external'] else 'internal'} user{linked})"


def _values(change: Mapping[str, Any]) -> dict[str, Any]:
    extra = {name: change[name] for name in ("address", "display_name") if name in change}
    return {**extra, **change.get("values", {}), **(_values(change["held"]) if "held" in change else {})}


def _attributes(change: Change) -> Attributes:
    match change:
        case Invite() | Update() | Disable():
            return change.attributes
        case Hold(meanwhile=Update() as part):
            return part.attributes
        case _:
            return {}

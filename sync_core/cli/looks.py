"""One look at one user, for people. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..model import MANAGER
from .words import span


def look_lines(step: Mapping[str, Any]) -> list[str]:
    source, scope, link = step["source"], step["scope"], step["link"]
    return [
        f"source      {source['state']}, read at {source['read_at']}",
        f"scope       {_verdict(scope)}: {scope['reason']}",
        f"link        {link['state']}, target user {link['target_id'] or '-'}{', dirty' if link['dirty'] else ''}",
        *_refused(step["refused"]),
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
    if "manager" in change:
        text += f" ({MANAGER} {change['manager'] or 'nobody'})"
    return text


def _refused(refused: Mapping[str, Any] | None) -> list[str]:
    if refused is None:
        return []
    names = ", ".join(f"{name} ({code})" for name, code in refused["attributes"].items())
    return [f"refused     {names}", f"            {refused['hint']}"]


def _verdict(scope: Mapping[str, Any]) -> str:
    return "undecided" if scope["undecided"] else "in" if scope["in_scope"] else "out"


def _candidates(candidates: Sequence[Mapping[str, Any]] | None) -> str:
    if candidates is None:
        return "not needed"
    return ", ".join(map(_candidate, candidates)) or "nobody has the address"


def _candidate(user: Mapping[str, Any]) -> str:
    linked = f", linked to {user['linked_to']}" if user["linked_to"] else ""
    marker = f", bears the marker {user['marker']}" if user["marker"] else ""
    return f"{user['id']} ({'B2B' if user['external'] else 'internal'} user{linked}{marker})"


def _values(change: Mapping[str, Any]) -> dict[str, Any]:
    extra = {name: change[name] for name in ("address", "display_name") if name in change}
    return {**extra, **change.get("values", {}), **(_values(change["held"]) if "held" in change else {})}

"""`xtsync sync` for people: each look, then what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .looks import change_text, look_lines
from .screen import Screen, good, warning


def show(screen: Screen, result: Mapping[str, Any]) -> None:
    screen.heading(f"{result['sync']}  user {result['user']}")
    for number, step in enumerate(result["steps"], 1):
        screen.line(f"  look {number}")
        for line in look_lines(step):
            screen.line(f"    {line}")
    outcome = result["outcome"]
    words = _words(outcome)
    calm = outcome["result"] in {"done", "nothing", "would"}
    screen.line(good(f"  {words}") if calm else warning(f"  {words}"))
    if outcome["hint"]:
        screen.line(f"  hint: {outcome['hint']}")
    screen.line(f"  {result['seconds']} s" + ("; dry run: nothing was written anywhere" if result["dry_run"] else ""))


def _words(outcome: Mapping[str, Any]) -> str:
    changes = ", ".join(change["change"] for change in outcome["changes"])
    match outcome["result"]:
        case "done":
            return f"done: {changes}; target user {outcome['target_id'] or '-'}"
        case "nothing":
            return "nothing to do"
        case "would":
            return f"would: {change_text(outcome['changes'][-1])}"
        case "held":
            return "held by the deletion guard: decide with `xtsync holds`, or raise `deletion_guard` in sync.yaml"
        case "parked":
            return f"parked: {outcome['error']}; looked at again at {outcome['next_try_at']}"
        case "retry":
            return f"not yet: {outcome['error']}; the function app tries again by itself"
        case result:
            return f"{result}: {outcome['error']}"

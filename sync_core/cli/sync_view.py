"""`xtsync sync` for people: each look, then the outcome."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from ..model import Json
from ..model.messages import format_time
from ..ops import documents
from ..ops.changes import in_words
from ..ops.documents import ABSENT, Result
from .screen import Screen, good, warning

_CALM = frozenset({Result.DONE, Result.NOTHING, Result.WOULD})


def show(screen: Screen, result: documents.SyncResult) -> None:
    screen.heading(f"{result.sync}  user {result.user}")
    for number, step in enumerate(result.steps, 1):
        screen.line(f"  look {number}")
        for line in _look(step):
            screen.line(f"    {line}")
    outcome = result.outcome
    words = _outcome(outcome)
    screen.line(good(f"  {words}") if outcome.result in _CALM else warning(f"  {words}"))
    if outcome.hint:
        screen.line(f"  hint: {outcome.hint}")
    screen.line(f"  {result.seconds} s" + ("; dry run: nothing was written anywhere" if result.dry_run else ""))


def _outcome(outcome: documents.Outcome) -> str:
    match outcome.result:
        case Result.DONE:
            changes = ", ".join(change.change for change in outcome.changes)
            return f"done: {changes}; target user {outcome.target_id or '-'}"
        case Result.NOTHING:
            return "nothing to do"
        case Result.WOULD:
            return f"would: {in_words(outcome.changes[-1])}"
        case Result.POSTPONED:
            return f"put off: {in_words(outcome.changes[-1]) if outcome.changes else outcome.error}"
        case Result.HELD:
            return "held by the deletion guard: decide with `xtsync holds`, or raise `deletion_guard` in sync.yaml"
        case Result.PARKED:
            again = "" if outcome.next_try_at is None else f"; looked at again at {format_time(outcome.next_try_at)}"
            return f"parked: {outcome.error}{again}"
        case Result.RETRY:
            return f"not yet: {outcome.error}; the function app tries again by itself"
        case Result.REFUSED | Result.FAILED:
            return f"{outcome.result}: {outcome.error}"


def _look(step: documents.Look) -> list[str]:
    source, link = step.source, step.link
    return [
        f"source      {source.state}, read at {format_time(source.read_at)}",
        f"scope       {_scope(step.scope)}: {step.scope.reason}",
        f"link        {link.state}, target user {link.target_id or '-'}{', dirty' if link.dirty else ''}",
        *_refused(step.refused),
        f"candidates  {_candidates(step.candidates)}",
        f"decision    {in_words(step.decision)}",
        *(f"            {line}" for line in values_in_words(step.decision)),
    ]


def _scope(scope: documents.Scope) -> str:
    return "undecided" if scope.undecided else "in" if scope.in_scope else "out"


def _refused(refused: documents.RefusedAttributes | None) -> list[str]:
    if refused is None:
        return []
    since = {name: f" since {format_time(at)}" for name, at in refused.since.items()}
    names = ", ".join(f"{name} ({code}){since.get(name, '')}" for name, code in refused.attributes.items())
    return [f"refused     {names}", f"            {refused.hint}"]


def _candidates(candidates: Sequence[documents.Candidate] | None) -> str:
    if candidates is None:
        return "not needed"
    return ", ".join(map(_candidate, candidates)) or "nobody has the address"


def _candidate(user: documents.Candidate) -> str:
    linked = f", linked to {user.linked_to}" if user.linked_to else ""
    marker = f", bears the marker {user.marker}" if user.marker else ""
    return f"{user.id} ({'B2B' if user.external else 'internal'} user{linked}{marker})"


def values_in_words(change: documents.Change) -> list[str]:
    """The values that were asked for, each with the one that it would replace where that was read."""
    shown = change.postponed if isinstance(change, documents.Postpone) else change
    match shown:
        case documents.Update(before=before) | documents.Disable(before=before) if before is not ABSENT:
            old: Mapping[str, Json] = before
        case _:
            old = {}
    was = {name: f"  (now {value!r})" for name, value in old.items()}
    return [f"{name} = {value!r}{was.get(name, '')}" for name, value in sorted(_values(change).items())]


def _values(change: documents.Change) -> dict[str, Json]:
    """The values that were asked for, by attribute, and the address of an invitation."""
    values = {} if change.values is ABSENT else dict(change.values)
    match change:
        case documents.Invite():
            extra = {"address": change.address, "display_name": change.display_name}
            return {name: value for name, value in extra.items() if value is not ABSENT} | values
        case documents.Hold(held=held) | documents.Postpone(postponed=held):
            return values | _values(held)
    return values

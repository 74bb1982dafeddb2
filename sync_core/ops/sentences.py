"""A look and an event in sentences, for people who know neither the words of the decision nor of Graph."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import datetime

from ..model import Event, Kind, LinkState, Reason, SourceState, Why
from . import documents
from .changes import WAYS_OUT
from .plain import change_in_words, reason_in_words
from .words import at_second, span

_TRIGGERS: Mapping[str, str] = {
    Why.NOTIFICATION: "after a change notification",
    Why.FEED: "after a poll",
    Why.ABSENT: "after a full round",
    Why.MARKED: "after a listing of the target",
    Why.MANAGER: "after a change of the manager",
    Why.RETRY: "at a retry",
    Why.OPERATOR: "when an operator asked",
    Why.TARGET: "after somebody changed the target user",
    Why.APPROVED: "after an approval",
}
_EVENTS: Mapping[Kind, str] = {
    Kind.INVITED: "invited as target user {target}",
    Kind.LINKED: "found again as target user {target}",
    Kind.ADOPTED: "adopted target user {target}, who was there before",
    Kind.UPDATED: "updated {attributes}",
    Kind.DISABLED: "disabled in the target: {reason}",
    Kind.ENABLED: "enabled in the target",
    Kind.RESTORED: "restored in the target",
    Kind.SOFT_DELETED: "deleted in the target: {reason}",
    Kind.LOST: "somebody else deleted target user {target}",
    Kind.UNLINKED: "unlinked: {reason}",
    Kind.REDEMPTION_RESET: "has to redeem the invitation anew, as target user {target}",
    Kind.LEAVING: "leaves in stages: {reason}",
    Kind.KEPT: "{operator} keeps the user: {reason}",
    Kind.KEEP_ENDED: "{operator} keeps the user no longer",
    Kind.HELD: "the deletion guard held it: {reason}",
    Kind.RELEASED: "the hold ended: nothing is to be taken away any more",
    Kind.REFUSED: "left alone: {reason}",
    Kind.PARKED: "set aside after an error: {reason}",
    Kind.WOULD_INVITE: "would be invited: {reason}",
    Kind.WOULD_ADOPT: "would adopt target user {target}: {reason}",
    Kind.WOULD_UPDATE: "would update {attributes}: {reason}",
    Kind.WOULD_DISABLE: "would be disabled in the target: {reason}",
    Kind.WOULD_SOFT_DELETE: "would be deleted in the target: {reason}",
    Kind.WOULD_RESTORE: "would be restored in the target: {reason}",
    Kind.WOULD_UNLINK: "would be unlinked: {reason}",
    Kind.PAUSED: "{operator} paused the sync: {reason}",
    Kind.RESUMED: "{operator} let the sync go on",
    Kind.APPROVED: "{operator} approved: {reason}",
    Kind.REJECTED: "{operator} rejected: {reason}",
    Kind.RESYNCED: "{operator} had everybody read again: {reason}",
    Kind.PUT_BACK: "{operator} had it handled again: {reason}",
    Kind.DISCARDED: "{operator} removed {reason}",
    Kind.CONFIGURED: "another configuration took the lead: {reason}",
    Kind.RENAMED: "{operator} renamed the sync: {reason}",
    Kind.MOVED: "{operator} moved the sync to the tenants of sync.yaml",
    Kind.REMOVED: "{operator} said of the sync: {reason}",
    Kind.OTHER: "of a newer version: {reason}",
}
_SOURCE: Mapping[SourceState, str] = {
    SourceState.LIVE: "enabled",
    SourceState.DISABLED: "disabled",
    SourceState.SOFT_DELETED: "deleted, and can be restored",
    SourceState.GONE: "not there",
}
_LINK: Mapping[LinkState, str] = {
    LinkState.SEEN: "No target user is linked.",
    LinkState.INVITING: "An invitation was begun and is not finished.",
    LinkState.LINKED: "Target user {target} is linked.",
    LinkState.DELETED: "Target user {target} was deleted by this sync.",
    LinkState.LOST: "Target user {target} was deleted by somebody else.",
}
_BACK = "An earlier write may still bring it back, so the next looks ask the target whether it is there."
# Of a dirty link: what its state makes of that.
_DISTRUSTED: Mapping[LinkState, str] = {
    LinkState.LINKED: "A write to it was put off, or begun and not recorded: the next update writes every attribute.",
    LinkState.DELETED: _BACK,
    LinkState.LOST: _BACK,
}


def of_event(event: Event) -> str:
    """Without a full stop, so that it stands in a table and in a list. Attributes by name, people by id."""
    text = _EVENTS[event.kind].format(
        target=event.target_id or "of unknown id",
        attributes=", ".join(event.attributes) or "nothing by name",
        reason=event.reason or "no reason was recorded",
        operator=event.operator or "somebody",
    )
    if event.kind is Kind.REFUSED and event.reason in set(Reason) and Reason(event.reason) in WAYS_OUT:
        text += f" ({WAYS_OUT[Reason(event.reason)]})"
    if event.next_try_at is not None:
        text += f"; looked at again at {at_second(event.next_try_at)}"
    if event.why in _TRIGGERS:
        text += f", {_TRIGGERS[event.why]}"
    if event.nominated_at is not None and event.why == Why.NOTIFICATION:
        text += f", {span(max(0.0, (event.at - event.nominated_at).total_seconds()))} later"
    return text


def of_value(written: documents.WrittenValue) -> str:
    """Quoted, so that no control character reaches a terminal."""
    name = written.attribute
    if written.cut and written.value is None:
        return f"{name}: no room for the value"
    before = f"{_quoted(written.before)} -> " if written.before_known else ""
    return f"{name}: {before}{_quoted(written.value)}{' (cut)' if written.cut else ''}"


def _quoted(value: str | None) -> str:
    if value is None:
        return "nothing"
    quoted = json.dumps(value, ensure_ascii=False)
    return "".join(each if each.isprintable() else json.dumps(each)[1:-1] for each in quoted)


def of_look(result: documents.SyncResult, keep: documents.Keep | None) -> list[str]:
    """Where the user stands in the source, in the scope and in the target; then what the next look would do."""
    sentences = [each for step in result.steps[-1:] for each in _look(step)]
    if keep is not None:
        sentences.append(f"{keep.by} keeps the user until {at_second(keep.until)}: {keep.reason}.")
    outcome = result.outcome
    if outcome.error is not None and not outcome.changes:
        sentences.append(f"The look failed: {outcome.error}.")
        if outcome.hint:
            sentences.append(outcome.hint)
    return sentences


def of_extent(looked_at: int | None, passed_over: int | None) -> list[str]:
    """The people at whom a plan looked, and those at whom it did not, and why."""
    if looked_at is None or passed_over is None:
        return ["An earlier version had a hand in this plan, so it is not known at whom it looked."]
    rest = "Everybody else was left out: not linked, and out of scope, disabled, or a guest in the source."
    target = "No plan compares attributes with the target: what somebody changed there is not seen."
    looked = f"The plan looked at {_people(looked_at)}: all whom a full round nominates, and all with another manager."
    passed = f"The plan did not look at {_people(passed_over)} who are linked: their attributes, groups and manager are"
    return [looked, *([f"{passed} as they were applied."] if passed_over else []), rest, target]


def nothing_to_do(looked_at: int | None) -> str:
    """Of a plan in which nobody has a change to come. Of those whom it passed over it says nothing."""
    if looked_at == 0:
        return "nobody had to be looked at"
    return f"nothing to do for {'those' if looked_at is None else f'the {_people(looked_at)}'} looked at"


def _people(number: int) -> str:
    return {0: "nobody", 1: "1 person"}.get(number, f"{number:,} people")


def _look(look: documents.Look) -> list[str]:
    link = _LINK[look.link.state].format(target=look.link.target_id or "of unknown id")
    if look.link.dirty and look.link.state in _DISTRUSTED:
        link += f" {_DISTRUSTED[look.link.state]}"
    sentences = [f"The user is {_SOURCE[look.source.state]} in the source.", _scope(look.scope), link]
    if look.refused is not None:
        sentences.append(f"Graph refuses to write {', '.join(look.refused.attributes)}.")
    return [*sentences, *_decision(look.decision)]


def _scope(scope: documents.Scope) -> str:
    if scope.undecided:
        return f"Whether the user is in scope cannot be told: {scope.reason}."
    return f"The user is {'in' if scope.in_scope else 'out of'} scope: {scope.reason}."


def _decision(decision: documents.Change) -> list[str]:
    match decision:
        case documents.Stay(then=str(then), until=datetime() as until):
            said = f"The user leaves in stages: {decision.stage} since {at_second(decision.since)}."
            return [said, f"The next stage, {then}, comes at {at_second(until)}."]
        case documents.Stay():
            return [f"The user has left: {decision.stage} since {at_second(decision.since)}, and nothing more comes."]
        case documents.Skip(reason=Reason.NO_CHANGE):
            return ["Nothing is to be done: all was written as it should be."]
        case documents.Skip(reason=reason):
            return [f"Nothing is done: {reason}.", *_way_out(reason)]
        case documents.Refuse(reason=reason):
            return [f"What would have to be done may not be: {reason_in_words(reason)}.", *_way_out(reason)]
        case documents.Hold():
            step = f"The deletion guard holds the next step: {change_in_words(decision.held)}."
            return [step, "The user keeps access until a person decides: see Holds, or `xtsync holds`."]
    return [f"The next look would do this: {change_in_words(decision)}."]


def _way_out(reason: Reason) -> list[str]:
    return [f"The way out: {WAYS_OUT[reason]}."] if reason in WAYS_OUT else []

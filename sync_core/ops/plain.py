"""Decisions in sentences for a helpdesk: a change, a kind of the counts of a plan, and the reason of a refusal."""

from __future__ import annotations

from collections.abc import Mapping

from ..model import Reason
from . import documents
from .changes import in_words

_CHANGES: Mapping[str, str] = {
    "Invite": "invite into the target",
    "Adopt": "adopt the user of the target who was there before",
    "Update": "write attributes that differ",
    "Disable": "disable in the target",
    "Restore": "restore in the target",
    "SoftDelete": "delete in the target",
    "HandOver": "hand over to another sync",
    "Unlink": "end the pair, as a person asked, and leave the user of the target alone",
    "ResetRedemption": "have the invitation redeemed anew",
    "LetGo": "unlink, and leave the user of the target alone",
    "Forget": "drop the record: nobody can bring the user back",
    "Stay": "take nothing yet: the user leaves in stages, or is kept",
}
_REASONS: Mapping[str, str] = {
    Reason.UNADOPTED: "a guest with this address is in the target already, and waits for a word",
    Reason.NEEDS_APPROVAL: "a guest with this address is in the target already, and a person has to approve",
    Reason.AMBIGUOUS: "several users of the target may be meant",
    Reason.BLOCKED: "the guest with this address is blocked in the target",
    Reason.ADDRESS_TAKEN: "another object of the target has the address of the deleted user",
    Reason.ABANDONED: "the target user belongs to an account that is deleted in the source",
    Reason.INTERNAL_USER: "an internal user of the target has this address, and is never touched",
    Reason.UNLINKED: "a person ended the pair of this target user",
    Reason.ALREADY_LINKED: "the target user belongs to another source user",
    Reason.FOREIGN_ADDRESS: "the address is of a domain that is not the source's",
    Reason.NO_ADDRESS: "the source user has no address to invite",
    Reason.UNDECIDED: "whether the user is in scope cannot be told",
}
_WAITS = ", waiting for approval"


def reason_in_words(reason: str) -> str:
    """The words of a refusal; a reason of another kind stands as it is."""
    return _REASONS.get(reason, reason)


def kind_in_words(kind: str) -> str:
    """Of `PlannedUser.kind` and `FailedUser.kind`. One of a newer version stands as it is."""
    if kind.endswith(_WAITS):
        return f"{kind_in_words(kind.removesuffix(_WAITS))}, once a person lets this newcomer in"
    for prefix, words in (("Postpone of ", "put off by now: "), ("Hold of ", "held until a person decides: ")):
        if kind.startswith(prefix):
            return words + kind_in_words(kind.removeprefix(prefix))
    what, _, why = kind.partition(": ")
    if what == "Refuse":
        return f"leave alone: {reason_in_words(why)}"
    return f"could not be decided: {why}" if what == "error" else _CHANGES.get(kind, kind)


def change_in_words(change: documents.Change) -> str:
    """One change, with what it is about: ids, names of attributes, and why it is put off."""
    match change:
        case documents.Postpone(postponed=postponed, because=because):
            return f"{change_in_words(postponed)}; this is put off, since {because.words}"
        case documents.Update(attributes=names):
            return f"write {', '.join(names)}"
        case documents.Disable() | documents.Invite() | documents.Restore() | documents.Forget():
            return _CHANGES[change.change]
        case documents.Unlink() | documents.ResetRedemption():
            return _CHANGES[change.change]
        case documents.Adopt(target_id=target_id):
            return f"adopt target user {target_id}"
        case documents.LetGo(target_id=target_id):
            return f"unlink target user {target_id}, and leave it alone"
        case documents.HandOver(to=to):
            return f"hand over to {to}"
        case documents.SoftDelete(reason=reason):
            return f"{_CHANGES['SoftDelete']}: {reason}"
        case documents.Refuse(reason=reason, detail=detail):
            return f"leave alone: {reason_in_words(reason)}{f' ({detail})' if detail else ''}"
        case documents.Hold(held=held):
            return f"{change_in_words(held)}; the deletion guard holds this until a person decides"
        case documents.Skip(reason=Reason.NO_CHANGE):
            return "nothing: all was written as it should be"
        case documents.Skip(reason=reason):
            return f"nothing: {reason}"
    return in_words(change)

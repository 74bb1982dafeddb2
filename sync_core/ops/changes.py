"""A change as a document, with the way out of each refusal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from .. import model
from ..model import MANAGER, Reason
from . import documents
from .documents import ABSENT, Absent
from .words import at_second, span

WAYS_OUT: Mapping[Reason, str] = {
    Reason.UNADOPTED: "a B2B user with this address is there already; `xtsync adopt USER` adopts it, `matching: {adopt:"
    " guests}` all such",
    Reason.NEEDS_APPROVAL: "a B2B user with this address is there already; `xtsync adopt USER` adopts it",
    Reason.INTERNAL_USER: "an administrator of the target has to change or remove that user's address, or the source"
    " user stays out by a filter; an internal user is never touched",
    Reason.AMBIGUOUS: "several users of the target have this address or ownership marker; leave it to one of them, or"
    " choose with `xtsync adopt USER --target ID`",
    Reason.ADDRESS_TAKEN: (
        "the deleted B2B user cannot be restored, because another object of the target has its address;"
        " `xtsync adopt USER` adopts the guest who has it"
    ),
    Reason.BLOCKED: "the B2B user with this address is blocked there; `xtsync adopt USER` adopts and enables it",
    Reason.FOREIGN_ADDRESS: "the address is of a domain that the source tenant has not verified: correct it, or name"
    " the domain in `matching: {domains: [...]}`, or `matching: {invite: userPrincipalName}`",
    Reason.ABANDONED: "the target user belongs to an account of the source that is deleted; if this is the same person,"
    " `xtsync move OLD --to USER` moves it, and has the invitation redeemed anew",
    Reason.UNLINKED: "a person ended the pair of this target user; `xtsync link USER --target ID` makes one again",
    Reason.ALREADY_LINKED: "the target user belongs to another source user; one of the two has to change its address."
    " A wrong ownership marker is to be cleared in the target",
    Reason.DELETED_IN_TARGET: "somebody in the target deleted it; restore it there, or `deleted_in_target: restore`",
    Reason.NO_ADDRESS: "the source user has neither mail nor user principal name to invite: give it one, or a filter"
    " that leaves it out",
    Reason.UNDECIDED: "a filter of this sync cannot be evaluated for the user, or a group of its scope does not exist;"
    " correct the filter, or restore the group: until then the user is neither let in nor deprovisioned",
    Reason.LEAVING: "who returns is enabled; `xtsync keep USER --until DATE --reason TEXT` defers the next stage",
    Reason.KEPT: "`xtsync keep USER --end` ends it",
    Reason.IGNORED: "an expression of the mapping says IgnoreObjectFlow for this user; change it if that is not meant",
}


_WAITS = "newcomers come in as the window moves on, or at once when a person approves them: `xtsync creations`"


def way_out(change: model.Change) -> str | None:
    if isinstance(change, model.Postpone) and change.because is model.Postponed.CREATIONS_FULL:
        return _WAITS
    return WAYS_OUT.get(change.reason) if isinstance(change, model.Skip | model.Refuse) else None


def in_words(change: documents.Change) -> str:
    """The kind of the change, what it is about, and the names of its attributes."""
    text = change.change + _about(change)
    if change.attributes and not isinstance(change, documents.Postpone):
        text += f": {', '.join(change.attributes)}"
    match change:
        case documents.Invite() | documents.Update() | documents.Disable() | documents.Hold():
            if change.manager is not ABSENT:
                text += f" ({MANAGER} {change.manager or 'nobody'})"
    return text


def _about(change: documents.Change) -> str:
    match change:
        case documents.Hold(held=held, used=used, limit=limit):
            into = change.counts.into
            return f" of {in_words(held)}: {used} of at most {limit} deletions{into} are used{_limits(change)}"
        case documents.Postpone(postponed=postponed, because=because):
            return f" of {in_words(postponed)}: {because.words}"
        case documents.Refuse(reason=reason, detail=str(detail)):
            return f": {reason} ({detail})"
        case documents.Refuse(reason=reason) | documents.Skip(reason=reason) | documents.SoftDelete(reason=reason):
            return f": {reason}"
        case documents.Stay(stage=stage, since=since, then=then, until=until):
            reached = f": {stage} since {at_second(since)}"
            if until is None:
                return reached
            kept = change.reason is Reason.KEPT
            return f"{reached}; {'kept until' if kept else 'at'} {at_second(until)}{', then' if kept else ''} {then}"
        case documents.Adopt(target_id=target_id) | documents.LetGo(target_id=target_id):
            return f" {target_id}"
        case documents.HandOver(to=to):
            return f" to {to}"
    return ""


def _limits(hold: documents.Hold) -> str:
    within = f"in {span(hold.window_s)}"
    if hold.guard is ABSENT:
        return f" {within}"
    return f" ({hold.guard.max_percent:g} % of the links, at least {hold.guard.min_count}, {within})"


def shown(change: model.Change, *, values: bool = False, before: model.Attributes | None = None) -> documents.Change:
    """Names of attributes only, unless values are asked for: they are personal data. `before` are those of now."""
    if not isinstance(change, model.Postpone):
        return _shown(change, values=values, before=before)
    then = _shown(change.postponed, values=values, before=before)
    return documents.Postpone(attributes=sorted(change.written), postponed=then, because=change.because)


# They are about nothing but the user.
type _Plain = documents.Restore | documents.Forget | documents.Unlink | documents.ResetRedemption
_PLAIN: Mapping[type[model.Change], type[_Plain]] = {
    model.Restore: documents.Restore,
    model.Forget: documents.Forget,
    model.Unlink: documents.Unlink,
    model.ResetRedemption: documents.ResetRedemption,
}


def _shown(change: model.Change, *, values: bool, before: model.Attributes | None) -> documents.Change:
    names, manager = sorted(change.written), _manager(change)
    given = {name: value for name, value in change.written.items() if name != MANAGER} if values else ABSENT
    if (plain := _PLAIN.get(type(change))) is not None:
        return plain(attributes=names, values=given)
    match change:
        case model.Invite():
            return documents.Invite(
                attributes=names,
                values=given,
                manager=manager,
                address=change.address if values else ABSENT,
                display_name=change.display_name if values else ABSENT,
            )
        case model.Adopt(target_id=target_id):
            return documents.Adopt(attributes=names, values=given, target_id=target_id)
        case model.Update():
            return documents.Update(attributes=names, values=given, before=before or ABSENT, manager=manager)
        case model.Disable():
            return documents.Disable(attributes=names, values=given, before=before or ABSENT, manager=manager)
        case model.SoftDelete(why=why):
            return documents.SoftDelete(attributes=names, values=given, reason=why)
        case model.LetGo(target_id=target_id):
            return documents.LetGo(attributes=names, values=given, target_id=target_id)
        case model.HandOver(to=to):
            return documents.HandOver(attributes=names, values=given, to=to)
        case model.Hold():
            return _hold(change, names, given, manager, values=values)
        case model.Skip():
            return _skip(change, names, given)
        case model.Refuse(reason=reason, detail=detail):
            return documents.Refuse(
                attributes=names, values=given, reason=reason, detail=detail or None, hint=WAYS_OUT.get(reason)
            )
    raise TypeError(f"no document shows a change of the kind {change.name}")


def _skip(
    change: model.Skip, names: Sequence[str], given: Mapping[str, model.Json] | Absent
) -> documents.Skip | documents.Stay:
    if not isinstance(change, model.Stay):
        hint = WAYS_OUT.get(change.reason, ABSENT)
        return documents.Skip(attributes=names, values=given, reason=change.reason, hint=hint)
    at = change.leaving
    return documents.Stay(
        attributes=names,
        values=given,
        reason=change.reason,
        stage=at.stage,
        since=at.since,
        then=at.then,
        until=at.until,
    )


def _hold(
    change: model.Hold,
    names: Sequence[str],
    given: Mapping[str, model.Json] | Absent,
    manager: str | Absent | None,
    *,
    values: bool,
) -> documents.Hold:
    return documents.Hold(
        attributes=names,
        values=given,
        manager=manager,
        held=shown(change.held, values=values),
        used=change.used,
        limit=change.limit,
        counts=change.counts,
        window_s=change.window.total_seconds(),
    )


def _manager(change: model.Change) -> str | Absent | None:
    """The target id of the manager, which is no personal data. None: a reference is taken away."""
    if MANAGER not in change.written:
        return ABSENT
    reference = change.written[MANAGER]
    if isinstance(reference, dict):
        return str(reference["id"])
    return ABSENT if isinstance(change, model.Invite) else None  # a new user has no reference to lose

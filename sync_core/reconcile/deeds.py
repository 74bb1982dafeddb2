"""What one look came to, as events for the record. Pure.

Attributes are written with most changes, and the guest of an invitation is adopted at once. For a person that is one
thing, so such changes join the event before them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..decision.look import Look
from ..guard.deletions import met
from ..model import (
    ENABLED,
    Adopt,
    Change,
    Disable,
    Event,
    Forget,
    Guarded,
    HandOver,
    Hold,
    InScope,
    Invite,
    Kind,
    LetGo,
    Link,
    LinkState,
    Nomination,
    Outcome,
    Postpone,
    Postponed,
    Refuse,
    ResetRedemption,
    Restore,
    SoftDelete,
    Stay,
    Unlink,
    Update,
)
from .written import joined, named, values

_WOULD: Mapping[type[Change], Kind] = {
    Invite: Kind.WOULD_INVITE,
    Adopt: Kind.WOULD_ADOPT,
    Update: Kind.WOULD_UPDATE,
    Disable: Kind.WOULD_DISABLE,
    SoftDelete: Kind.WOULD_SOFT_DELETE,
    Restore: Kind.WOULD_RESTORE,
    Forget: Kind.WOULD_UNLINK,
    LetGo: Kind.WOULD_UNLINK,
    HandOver: Kind.WOULD_UNLINK,
    Unlink: Kind.WOULD_UNLINK,
    ResetRedemption: Kind.WOULD_UPDATE,
}
_OPEN = frozenset({Kind.INVITED, Kind.LINKED, Kind.ADOPTED, Kind.RESTORED, Kind.UPDATED, Kind.ENABLED})
_JOIN = frozenset({Kind.LINKED, Kind.ADOPTED, Kind.UPDATED, Kind.ENABLED})
_CALLED_OFF = "there is another target user by now, or that sync takes nobody"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deed:
    """A change that was made, or of which Graph accepted a write before something failed."""

    look: Look
    after: Link
    at: datetime
    request_ids: Sequence[str] = ()


@dataclass(slots=True, kw_only=True)
class Course:
    """One look while it goes on: what was done so far, and what was decided last. It outlives an exception.

    `unrecorded`: Graph accepted a write, and something failed before the link said so.
    """

    before: Link
    unrecorded: bool = False
    deeds: list[Deed] = field(default_factory=list)
    last: Look | None = None

    @property
    def disabling(self) -> bool:
        return self.last is not None and isinstance(self.last.change, Disable)


def undoes(change: Change, before: Sequence[Change]) -> bool:
    """Whether it gives back the access that the change right before it took."""
    gives = isinstance(change, Restore) or change.written.get(ENABLED) is True
    return gives and bool(before) and before[-1].removes


def events(nomination: Nomination, course: Course, outcome: Outcome) -> list[Event]:
    """Oldest first. A look that changed nothing and set nobody aside comes to nothing."""
    basis = Event(
        at=outcome.done_at,
        sync=nomination.sync,
        user=nomination.user,
        kind=Kind.OTHER,
        why=nomination.why,
        refused=tuple(outcome.refused),
        target_id=outcome.target_id or "",
        nominated_at=nomination.at,
        attempt=nomination.attempt,
    )
    done = list(_joined(_of_deed(deed, basis) for deed in course.deeds))
    return [*done, *_end(course, outcome, basis)]


def _of_deed(deed: Deed, basis: Event) -> Event:
    kind, look = _kind(deed), deed.look
    nothing = kind is Kind.LOST
    wrote = deed.after.state is LinkState.LINKED or deed.request_ids
    return replace(
        basis,
        at=deed.at,
        kind=kind,
        reason=_reason(look) if kind is not Kind.REFUSED else f"not {_reason(look)}: {_CALLED_OFF}",
        scope=InScope.of(look.verdict),
        scope_reason=look.verdict.reason,
        attributes=() if nothing else tuple(sorted(named(look.change))),
        values=values(look, deed.after) if wrote and not nothing else (),
        target_id=deed.after.target_id or look.link.target_id or "",
        graph_request_ids=tuple(deed.request_ids),
    )


def _kind(deed: Deed) -> Kind:
    """A write that met no user tells that it is gone."""
    before, after = deed.look.link, deed.after
    written = after.state is LinkState.LINKED or bool(deed.request_ids)
    if not written and after.state is LinkState.LOST:
        return Kind.LOST
    match deed.look.change:
        case Invite():
            return Kind.INVITED
        case Adopt(target_id=target_id):
            found = next((user for user in deed.look.candidates if user.id == target_id), None)
            marker = deed.look.sync.marker(deed.look.source.id)
            borne = found is not None and marker is not None and found.marker == marker.text
            again = before.state is LinkState.INVITING or borne
            return Kind.LINKED if again else Kind.ADOPTED
        case Update() | Hold() | Postpone() as change if written:
            return Kind.ENABLED if before.disabled and change.written.get(ENABLED) is True else Kind.UPDATED
        case Disable() if written:
            return Kind.DISABLED
        case Restore():
            return Kind.RESTORED if written else Kind.UNLINKED
        case SoftDelete():
            gone = after.state is LinkState.SEEN and not deed.request_ids
            return Kind.UNLINKED if gone else Kind.SOFT_DELETED
        case ResetRedemption() if written:
            return Kind.REDEMPTION_RESET
        case HandOver() if after.state.ours and after.heir is None:
            return Kind.REFUSED
        case Forget() | LetGo() | HandOver() | Unlink():
            return Kind.UNLINKED
        case Update() | Disable() | Hold() | ResetRedemption():
            return Kind.SOFT_DELETED  # by us, as it turns out: its record was lost
    raise TypeError(f"no event tells of a {deed.look.change.name}")


def _still_linked(course: Course) -> bool:
    """As far as the record went before the last decision."""
    last = course.deeds[-1].after if course.deeds else course.before
    return last.state is LinkState.LINKED


def _reason(look: Look) -> str:
    """Why, where the kind alone does not say it: in our own words, never of the directory's."""
    match look.change:
        case SoftDelete() | Disable():
            return look.cause
        case Forget():
            return "source and target user are gone"
        case LetGo():
            return "the target user is internal now"
        case HandOver(to=to):
            return f"handed over to {to}"
        case Unlink():
            return "a person ended the pair"
    return ""


def _joined(events: Iterator[Event]) -> Iterator[Event]:
    last: Event | None = None
    for event in events:
        if last is not None and last.kind in _OPEN and event.kind in _JOIN:
            last = replace(
                last,
                at=event.at,
                target_id=event.target_id,
                attributes=tuple(sorted({*last.attributes, *event.attributes})),
                values=joined(last.values, event.values),
                graph_request_ids=(*last.graph_request_ids, *event.graph_request_ids),
            )
            continue
        if last is not None:
            yield last
        last = event
    if last is not None:
        yield last


def _end(course: Course, outcome: Outcome, basis: Event) -> Iterator[Event]:
    """What stands at the end of the look besides what was done: a hold, the end of one, or why the user is parked."""
    look = course.last
    if look is not None:
        basis = replace(basis, scope=InScope.of(look.verdict), scope_reason=look.verdict.reason)
        if look.link.state is LinkState.LOST and _still_linked(course):
            yield replace(basis, kind=Kind.LOST)
    if outcome.parked:
        refused = look is not None and isinstance(look.change, Refuse) and look.change.reason == outcome.error
        due = None if outcome.retry_after is None else outcome.done_at + timedelta(seconds=outcome.retry_after)
        kind = Kind.REFUSED if refused else Kind.PARKED
        yield replace(basis, kind=kind, reason=outcome.error, next_try_at=due, again=outcome.parked_before)
    if look is None or outcome.error or isinstance(look.change, Refuse):
        return
    if isinstance(look.change, Postpone):
        if look.change.because is not Postponed.CREATIONS_FULL or course.before.waiting_since is None:
            yield _put_off(look, look.change, basis)
        return
    if (
        isinstance(look.change, Stay)
        and look.change.leaving.until is not None
        and look.change.leaving != course.before.leaving
    ):
        yield replace(basis, kind=Kind.LEAVING, reason=f"{look.cause}; {look.change.words}")
    if isinstance(look.change, Hold):
        yield replace(basis, kind=Kind.HELD, reason=f"{look.cause}; {met(look.change)}")
    elif course.before.guarded is Guarded.HELD and not any(deed.look.change.removes for deed in course.deeds):
        yield replace(basis, kind=Kind.RELEASED)


def _put_off(look: Look, change: Postpone, basis: Event) -> Event:
    """A removal that the guard would hold is one, too."""
    would = change.postponed.held if isinstance(change.postponed, Hold) else change.postponed
    because = "; ".join(filter(None, (look.cause if would.removes else "", change.because.words)))
    target = would.target_id if isinstance(would, Adopt) else basis.target_id
    attributes = tuple(sorted(would.written))
    return replace(basis, kind=_WOULD[type(would)], reason=because, attributes=attributes, target_id=target)

"""What a fresh read of the target user forbids."""

from __future__ import annotations

from dataclasses import replace

from sync_core.decision.unless import unless_blocked, unless_internal
from sync_core.model import (
    ENABLED,
    Blocked,
    Guarded,
    HandOver,
    LetGo,
    LinkState,
    Reason,
    Refuse,
    Restore,
    SoftDelete,
    Update,
    fingerprint,
)
from tests.support.make import GUEST, guest, link


def test_a_target_user_who_became_internal_is_let_go() -> None:
    """Whatever was decided; a user who is external still, or is not there, changes nothing.

    One who was deleted as an internal user is not restored, and no guest takes their place.
    """
    change = SoftDelete(why="gone")
    assert unless_internal(change, guest(external=False)) == LetGo(target_id=GUEST)
    assert unless_internal(Restore(), guest(external=False)) == Refuse(reason=Reason.INTERNAL_USER, detail=GUEST)
    assert unless_internal(change, guest()) == change
    assert unless_internal(change, None) == change


def test_whom_somebody_blocked_in_the_target_is_handed_over_by_a_person_only() -> None:
    """The sync that takes over would enable them; whom the link says we disabled, it may."""
    blocked, ours = guest(enabled=False), link(LinkState.LINKED, target_id=GUEST)
    assert unless_blocked(HandOver(to="staff"), blocked, ours) == Refuse(reason=Reason.BLOCKED, detail=GUEST)
    assert unless_blocked(HandOver(to="staff"), guest(), ours) == HandOver(to="staff")
    assert unless_blocked(HandOver(to="staff"), None, ours) == HandOver(to="staff")
    assert unless_blocked(Update(attributes={}), blocked, ours) == Update(attributes={})


def test_a_write_that_repairs_a_record_enables_nobody_whom_somebody_blocked() -> None:
    """All but `accountEnabled` is written; whom we disabled ourselves, or perhaps did, is enabled."""
    everything, rest = Update(attributes={"city": "Oslo", "accountEnabled": True}), Update(attributes={"city": "Oslo"})
    blocked, known = guest(enabled=False), link(LinkState.LINKED, target_id=GUEST)
    assert unless_blocked(everything, blocked, known) == rest
    assert unless_blocked(everything, guest(), known) == everything
    assert unless_blocked(everything, blocked, replace(known, guarded=Guarded.DISABLE)) == everything
    assert unless_blocked(everything, blocked, replace(known, applied={ENABLED: fingerprint(False)})) == everything


def test_somebody_blocked_is_enabled_where_the_policy_says_so() -> None:
    """A hand-over still waits for a person: the other sync has a policy of its own."""
    blocked = guest(enabled=False)
    known = link(LinkState.LINKED, target_id=GUEST)
    enabling = Update(attributes={"accountEnabled": True})
    assert unless_blocked(enabling, blocked, known, Blocked.ENFORCE) == enabling
    refused = Refuse(reason=Reason.BLOCKED, detail=GUEST)
    assert unless_blocked(HandOver(to="staff"), blocked, known, Blocked.ENFORCE) == refused

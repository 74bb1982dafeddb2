"""One look gathers everything a decision rests on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_core.model import (
    Adopt,
    Adoption,
    Change,
    Forget,
    Hold,
    Invite,
    Policy,
    Reason,
    Refuse,
    Skip,
    SoftDelete,
    SourceState,
    Update,
)
from tests.support.make import ADDRESS, GUEST, guest, link, looked, source, sync


def test_a_look_keeps_what_the_decision_was_made_of() -> None:
    """The answer to "why" has the user, the verdict, the mapped attributes and the candidates."""
    adopting = sync(policy=Policy(adopt=Adoption.GUESTS))
    decided = looked(adopting, source(), link(), [guest()])
    assert decided.change == Adopt(target_id=GUEST)
    assert decided.source == source()
    assert decided.verdict.in_scope
    assert decided.desired.always["department"] == "Research"
    assert decided.desired.on_create == {"userType": "Member"}
    assert decided.candidates == [guest()]
    assert not decided.nothing_to_do


def test_a_look_at_a_new_user_invites() -> None:
    """Nobody bears the address: the user is invited with everything that the mapping wants."""
    change = looked(sync(), source(), link()).change
    assert isinstance(change, Invite)
    assert change.address == ADDRESS
    assert change.attributes["userType"] == "Member"


@pytest.mark.parametrize(
    ("change", "nothing_to_do"),
    [
        (Skip(reason=Reason.NO_CHANGE), True),
        (Refuse(reason=Reason.AMBIGUOUS), True),
        (Hold(held=SoftDelete(why="gone"), used=1, limit=1), True),
        (Hold(held=SoftDelete(why="gone"), used=1, limit=1, meanwhile=Update(attributes={"city": "Oslo"})), False),
        (SoftDelete(why="gone"), False),
        (Forget(), False),
    ],
    ids=lambda value: value.name if isinstance(value, Change) else str(value),
)
def test_a_skip_a_refusal_and_a_complete_hold_leave_nothing_to_do(change: Change, nothing_to_do: bool) -> None:
    """A skip, a refusal and a complete hold end the work on one read; everything else is carried out."""
    decided = looked(sync(), source(SourceState.GONE), link())
    assert replace(decided, change=change).nothing_to_do is nothing_to_do

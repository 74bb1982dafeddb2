"""One look gathers everything a decision rests on."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sync_core.decision.look import desired
from sync_core.model import (
    MANAGER,
    Adopt,
    Adoption,
    Change,
    Forget,
    Hold,
    Invite,
    LinkState,
    Policy,
    Reason,
    Refuse,
    Skip,
    SoftDelete,
    SourceState,
    Update,
    Verdict,
)
from tests.support.clock import START
from tests.support.make import ADDRESS, GUEST, IN, MARKER, OUT, OWNER, guest, link, looked, source, sync


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


@pytest.mark.parametrize(
    ("state", "verdict", "why"),
    [
        (SourceState.GONE, IN, "deleted in the source"),
        (SourceState.LIVE, OUT, "out of scope: no group"),
        (SourceState.DISABLED, IN, "disabled in the source"),
        (SourceState.LIVE, IN, "disabled by the mapping"),
    ],
)
def test_each_cause_of_taking_access_away_has_its_words(state: SourceState, verdict: Verdict, why: str) -> None:
    """The same text for the same cause, so that reviews can group people by it."""
    decided = looked(sync(), source(), link())
    assert replace(decided, situation=replace(decided.situation, source=source(state), verdict=verdict)).cause == why


@pytest.mark.parametrize(
    ("state", "verdict", "heir", "leaves"),
    [
        (SourceState.GONE, IN, None, True),
        (SourceState.LIVE, OUT, None, True),
        (SourceState.LIVE, IN, None, False),
        (SourceState.LIVE, Verdict(in_scope=False, undecided=True, reason="not read"), None, None),
        (SourceState.GONE, OUT, "staff", False),
    ],
)
def test_whether_somebody_leaves(state: SourceState, verdict: Verdict, heir: str | None, leaves: bool | None) -> None:
    """Nobody leaves whom another sync takes over, and what could not be read says nothing."""
    decided = looked(sync(), source(), link())
    changed = replace(decided.situation, source=source(state), verdict=verdict, heir=heir)
    assert replace(decided, situation=changed).leaves is leaves


def test_the_ownership_marker_is_wanted_where_an_attribute_is_configured_for_it() -> None:
    """It says whose the target user is, and no mapping writes it."""
    assert desired(sync(owner_attribute=OWNER), source()).always[OWNER] == MARKER.text
    assert OWNER not in desired(sync(), source()).always


def test_no_manager_is_written_of_whom_the_app_may_not_read_one() -> None:
    """The rule is left out, and says so."""
    unreadable = replace(source(), unreadable=frozenset({MANAGER}))
    assert MANAGER in desired(sync(), unreadable).left_out
    assert MANAGER not in desired(sync(), source()).left_out


@pytest.mark.parametrize("named", [True, False])
def test_the_marker_is_the_first_attribute_of_the_first_write(named: bool) -> None:
    """Of a write in parts none takes the invitation's mark off the name before the marker is there."""
    marked = sync(owner_attribute=OWNER)
    if not named:  # then the mark is taken off by a rule of its own
        marked = replace(marked, mapping=[rule for rule in marked.mapping if rule.target != "displayName"])
    invited = link(LinkState.LINKED, target_id=GUEST, dirty=True, invited_at=START)
    change = looked(marked, source(), invited).change
    assert isinstance(change, Update)
    assert "displayName" in change.attributes
    assert next(iter(change.attributes)) == OWNER

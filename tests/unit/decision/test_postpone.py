"""What a sync that may not write puts off, and what it does all the same."""

from __future__ import annotations

import pytest

from sync_core.decision.postpone import forbids, postpone, waits_for
from sync_core.model import (
    ENABLED,
    Adopt,
    Adoption,
    Change,
    Control,
    Disable,
    Invite,
    LinkState,
    Mode,
    Policy,
    Postpone,
    Postponed,
    Reason,
    Refuse,
    Skip,
    SoftDelete,
    Update,
)
from tests.support.clock import START
from tests.support.make import ADDRESS, GUEST, guest, link, looked, source, sync

REST = Update(attributes={"city": "Oslo"})
INVITE = Invite(address=ADDRESS, display_name="Ada", attributes={})
DECIDED = looked(sync(), source(), link())


@pytest.mark.parametrize(
    ("mode", "control", "because"),
    [
        (Mode.RUN, Control.RUNNING, None),
        (Mode.RUN, Control.DELETIONS_PAUSED, Postponed.DELETIONS_PAUSED),
        (Mode.OBSERVE, Control.RUNNING, Postponed.OBSERVED),
        (Mode.OBSERVE, Control.DELETIONS_PAUSED, Postponed.OBSERVED),
        (Mode.OBSERVE, Control.PAUSED, Postponed.PAUSED),
    ],
)
def test_the_strictest_cause_counts(mode: Mode, control: Control, because: Postponed | None) -> None:
    """A person's pause before the file, and the file before a pause of deletions alone."""
    assert waits_for(sync(mode=mode), control) is because


def test_a_pause_of_deletions_forbids_those_alone() -> None:
    """Every other cause forbids every write."""
    assert [forbids(Postponed.DELETIONS_PAUSED, removes=removes) for removes in (True, False)] == [True, False]
    assert [forbids(Postponed.PAUSED, removes=removes) for removes in (True, False)] == [True, True]
    assert not forbids(None, removes=True)


@pytest.mark.parametrize("change", [Skip(reason=Reason.NO_CHANGE), Refuse(reason=Reason.AMBIGUOUS)], ids=repr)
def test_what_writes_nothing_is_not_put_off(change: Change) -> None:
    """It would wait for nothing."""
    assert postpone(DECIDED, change, Postponed.PAUSED) is None


def test_a_sync_that_may_write_puts_nothing_off() -> None:
    """Without a cause, every change is made."""
    assert postpone(DECIDED, INVITE, None) is None


def test_a_change_is_put_off_with_its_cause() -> None:
    """It keeps what would be done, so that a plan can say it."""
    assert postpone(DECIDED, INVITE, Postponed.OBSERVED) == Postpone(postponed=INVITE, because=Postponed.OBSERVED)
    assert postpone(DECIDED, INVITE, Postponed.DELETIONS_PAUSED) is None


@pytest.mark.parametrize(
    "change", [SoftDelete(why="gone"), Disable(attributes={**REST.attributes, ENABLED: False})], ids=repr
)
def test_of_a_disabling_the_part_that_takes_no_access_away_is_made(change: Change) -> None:
    """If deletions alone are paused; where the sync may write nothing, that part waits, too."""
    put_off = postpone(DECIDED, change, Postponed.DELETIONS_PAUSED)
    assert isinstance(put_off, Postpone)
    assert put_off.meanwhile == (REST if isinstance(change, Disable) else None)
    assert postpone(DECIDED, change, Postponed.PAUSED) == Postpone(postponed=change, because=Postponed.PAUSED)


def test_the_adoption_of_our_own_guest_is_recorded_all_the_same() -> None:
    """It writes nothing, and only the record keeps an invitation from being sent twice; a stranger's waits."""
    ours = link(LinkState.INVITING, invited_at=START, invitation_nonce="n0nce", target_id=GUEST)
    adopting = sync(policy=Policy(adopt=Adoption.GUESTS))
    own = looked(adopting, source(), ours, [guest(display_name=f"{ours.invitation_mark} Ada")])
    assert isinstance(own.change, Adopt)
    assert postpone(own, own.change, Postponed.OBSERVED) is None
    stranger = looked(adopting, source(), link(), [guest()])
    assert isinstance(stranger.change, Adopt)
    assert isinstance(postpone(stranger, stranger.change, Postponed.OBSERVED), Postpone)

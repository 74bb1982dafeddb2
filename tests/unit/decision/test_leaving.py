"""The stages of leaving: when each one comes, and what makes the time run anew."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given, strategies as st

from sync_core.decision.leaving import deprovision
from sync_core.model import (
    ENABLED,
    Change,
    Deprovision,
    Disable,
    Leaves,
    Leaving,
    Link,
    LinkState,
    Reason,
    Skip,
    SoftDelete,
    SourceState,
    Stage,
    Stages,
    Stay,
    fingerprints,
)
from tests.support.clock import START
from tests.support.make import GUEST, HOWS, STAGES, link, links, source

DAY = timedelta(days=1)
THREE = Stages(
    stages=(
        Stage(then=Deprovision.DISABLE, after=5 * DAY),
        Stage(then=Deprovision.SOFT_DELETE, after=14 * DAY),
    )
)


def decided(given: Link, how: Leaves, *, days: float = 0, kept: datetime | None = None) -> Change:
    """The decision so many days after START about somebody whom the source has no more."""
    user = replace(source(SourceState.GONE), read_at=START + days * DAY)
    return deprovision(given, user, how, "gone", kept=kept)


def reached(stage: Deprovision | None, *, disabled: bool = False, dirty: bool = False) -> Link:
    """A linked user who reached a stage at START."""
    applied = fingerprints({ENABLED: not disabled})
    leaving = None if stage is None else Leaving(stage=stage, since=START)
    return link(LinkState.LINKED, target_id=GUEST, applied=applied, leaving=leaving, dirty=dirty)


def stay(change: Change) -> Stay:
    assert isinstance(change, Stay)
    return change


def test_each_stage_takes_its_full_time() -> None:
    """Somebody who was away for long is disabled first, and deleted only when that has lasted as long as it says."""
    assert stay(decided(reached(None), THREE)).leaving.until == START + 5 * DAY
    assert isinstance(decided(reached(Deprovision.LEAVE), THREE, days=100), Disable)
    first = stay(decided(reached(Deprovision.LEAVE, disabled=True), THREE, days=100))
    assert first.leaving == Leaving(
        stage=Deprovision.DISABLE, since=START + 100 * DAY, until=START + 114 * DAY, then=Deprovision.SOFT_DELETE
    )


def test_who_was_disabled_before_leaving_begins_the_stage_now() -> None:
    """A source user who was disabled for long is not at once due when they leave."""
    change = stay(decided(reached(None, disabled=True), STAGES, days=3))
    assert (change.leaving.since, change.leaving.then) == (START + 3 * DAY, Deprovision.SOFT_DELETE)


@pytest.mark.parametrize(
    ("other", "change"),
    [
        (Deprovision.SOFT_DELETE, SoftDelete),
        (Deprovision.DISABLE, Skip),
        (Stages(stages=(Stage(then=Deprovision.SOFT_DELETE, after=9 * DAY),)), SoftDelete),
        (Stages(stages=(Stage(then=Deprovision.SOFT_DELETE, after=11 * DAY),)), Stay),
    ],
)
def test_another_cause_keeps_the_time_that_ran(other: Leaves, change: type[Change]) -> None:
    """Ten days out of scope count for somebody who is deleted in the source then, by the policy for that."""
    at = reached(Deprovision.DISABLE, disabled=True)
    assert type(decided(at, other, days=10)) is change


def test_somebody_who_was_enabled_in_between_is_disabled_again() -> None:
    """A dirty link may say too much: the stage that was reached is made sure of, and its time goes on."""
    at = reached(Deprovision.DISABLE, disabled=True, dirty=True)
    assert decided(at, STAGES, days=3) == Disable(attributes={ENABLED: False})
    assert decided(at, STAGES, days=14) == SoftDelete(why="gone")


def test_a_stage_says_in_words_what_comes() -> None:
    """The next stage and its time; until when somebody is kept; or that this was the last one."""
    disabled = reached(Deprovision.DISABLE, disabled=True)
    last = Stages(stages=(Stage(then=Deprovision.DISABLE, after=DAY),))
    since = "disable since 2026-01-05 09:00 UTC"
    assert stay(decided(disabled, STAGES)).words == f"{since}; at 2026-01-19 09:00 UTC soft_delete"
    kept = stay(decided(disabled, STAGES, kept=START + 20 * DAY)).words
    assert kept == f"{since}; kept until 2026-01-25 09:00 UTC, then soft_delete"
    assert stay(decided(disabled, last)).words == since


def test_the_last_stage_lasts() -> None:
    """Where a list ends with disabling, nothing more comes, and the stage is not begun anew."""
    how = Stages(stages=(Stage(then=Deprovision.DISABLE, after=5 * DAY),))
    change = stay(decided(reached(Deprovision.DISABLE, disabled=True), how, days=50))
    assert (change.reason, change.leaving) == (
        Reason.NO_CHANGE,
        Leaving(stage=Deprovision.DISABLE, since=START),
    )


@given(
    st.sampled_from([each for each in HOWS if isinstance(each, Stages)]),
    st.timedeltas(min_value=timedelta(), max_value=timedelta(days=4000)),
    st.timedeltas(min_value=timedelta(), max_value=timedelta(days=4000)),
)
def test_no_clock_that_runs_wrong_makes_a_stage_earlier(how: Stages, ahead: timedelta, later: timedelta) -> None:
    """A time that lies ahead is waited for, and the stage after it takes its time from there."""
    at = replace(
        reached(Deprovision.DISABLE, disabled=True), leaving=Leaving(stage=Deprovision.DISABLE, since=START + ahead)
    )
    change = decided(at, how, days=later / DAY)
    assert isinstance(change, SoftDelete) == (later >= ahead + how.stages[-1].after)


@given(links, st.sampled_from(HOWS), st.timedeltas(min_value=timedelta(seconds=1), max_value=timedelta(days=365)))
def test_nobody_who_is_kept_loses_access(given: Link, how: Leaves, ahead: timedelta) -> None:
    """Whatever the link and the policy say, nothing is taken away before the time that a person said."""
    assert not decided(given, how, kept=START + ahead).removes

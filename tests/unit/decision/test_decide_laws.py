"""Laws of the decision, over generated users, links and policies: also those that no table foresees."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from hypothesis import assume, given, settings, strategies as st

from sync_core.decision.decide import Situation, decide
from sync_core.mapping import DEFAULT_MAPPING, apply_mapping
from sync_core.model import (
    Adopt,
    Change,
    Desired,
    Disable,
    Forget,
    Invite,
    Json,
    Link,
    Policy,
    Refuse,
    Restore,
    Skip,
    SoftDelete,
    SourceState,
    SourceUser,
    TargetUser,
    Update,
    Verdict,
    fingerprints,
)
from tests.support.clock import START
from tests.support.make import (
    ADA,
    GUEST,
    IN,
    candidates,
    links,
    person,
    policies,
    situation,
    situations,
    verdicts,
)

_departments = st.sampled_from([None, "", "Research", "Sales"])


@st.composite
def people(draw: st.DrawFn) -> tuple[SourceUser, Desired]:
    """An internal user, and what the default mapping wants of the target user."""
    state = draw(st.sampled_from(SourceState))
    attributes: dict[str, Json] = person(department=draw(_departments), accountEnabled=state is SourceState.LIVE)
    user = SourceUser(id=ADA, state=state, attributes=attributes, read_at=START)
    return user, apply_mapping(DEFAULT_MAPPING, attributes)


@settings(max_examples=200)
@given(situations)
def test_every_situation_has_one_decision(case: Situation) -> None:
    """Deciding is total and deterministic: no combination raises, and asking twice gives the same change."""
    first = decide(case)
    assert isinstance(first, Change)
    assert decide(replace(case, candidates=list(case.candidates))) == first


@settings(max_examples=200)
@given(situations)
def test_an_unowned_target_user_is_never_in_a_change(case: Situation) -> None:
    """Without a link that is ours nothing is written; only a free, external candidate may be adopted."""
    change = decide(case)
    if not case.link.ours:
        assert isinstance(change, Invite | Adopt | Skip | Refuse)
    if isinstance(change, Adopt):
        (adopted,) = (user for user in case.candidates if user.id == change.target_id)
        assert adopted.external
        assert adopted.marker in {None, case.marker and case.marker.text}
        assert adopted.linked_to is None
        assert not case.link.ours
    if isinstance(change, Invite):
        assert not case.candidates


@given(situations)
def test_an_external_source_user_is_never_handed_on(case: Situation) -> None:
    """A B2B user of the source tenant is never invited, restored or updated; a pair from before is deprovisioned."""
    external = replace(case.source, attributes={**case.source.attributes, "creationType": "Invitation"})
    assume(not external.absent)
    assert not isinstance(decide(replace(case, source=external)), Invite | Restore | Update)


@given(people(), links, policies, candidates)
def test_a_live_enabled_user_in_scope_never_loses_access(
    who: tuple[SourceUser, Desired], link: Link, policy: Policy, candidates: Sequence[TargetUser]
) -> None:
    """No policy, link or candidate makes a deletion or a disabling of somebody who is to have access."""
    source, desired = who
    assume(source.state is SourceState.LIVE)
    change = decide(situation(source, IN, link, desired, policy, candidates))
    assert not isinstance(change, SoftDelete | Disable)
    assert not change.removes


@given(people(), verdicts, links, policies, candidates)
def test_only_a_removing_change_is_counted_by_the_guard(
    who: tuple[SourceUser, Desired], verdict: Verdict, link: Link, policy: Policy, candidates: Sequence[TargetUser]
) -> None:
    """What takes access away says so, and for a trusted record nothing else writes accountEnabled false."""
    source, desired = who
    change = decide(situation(source, verdict, link, desired, policy, candidates))
    assert change.removes == isinstance(change, SoftDelete | Disable)
    recorded = link.applied.get("accountEnabled")
    if isinstance(change, Update) and change.attributes.get("accountEnabled") is False:
        assert recorded == fingerprints({"accountEnabled": False})["accountEnabled"]


@settings(max_examples=200)
@given(people(), verdicts, links, policies, candidates)
def test_deciding_after_applying_comes_to_a_skip(
    who: tuple[SourceUser, Desired], verdict: Verdict, link: Link, policy: Policy, found: Sequence[TargetUser]
) -> None:
    """Carry out each decision and decide again: within a few steps there is nothing left to do, and it stays so."""
    source, desired = who
    steps = 0
    while not isinstance(change := decide(situation(source, verdict, link, desired, policy, found)), Skip | Refuse):
        steps += 1
        assert steps <= 5, "the decisions do not come to an end"
        link, found = _carried_out(source, link, desired, change, found)
    assert decide(situation(source, verdict, link, desired, policy, found)) == change


def _carried_out(
    source: SourceUser, link: Link, desired: Desired, change: Change, found: Sequence[TargetUser]
) -> tuple[Link, Sequence[TargetUser]]:
    """What a write that worked leaves behind (reconcile/apply.py, without the world)."""
    now = source.read_at
    match change:
        case Invite():
            link = link.invitation_begun(now, "n1").invited(GUEST)
            return link, [TargetUser(id=GUEST, external=True, created_at=now, display_name=link.invitation_mark)]
        case Adopt():
            link = link.adopted(change.target_id, linked_at=now)
        case Update() | Disable():
            trusted = not link.dirty
            begun = link.write_begun(change)
            link = begun.recorded(change, source=source, desired=desired, refused={}, trusted=trusted)
        case Restore():
            link = link.restore_begun(now).restored(now)
        case SoftDelete():
            link = link.deletion_begun(change, now).deleted()
        case Forget():
            link = link.forgotten()
        case _:
            raise AssertionError(f"{change.name} is not carried out")
    return link, found

"""The life of a link: every step in every state, and the picture of the documentation."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from sync_core.model import (
    ENABLED,
    MANAGER,
    TRANSITIONS,
    Deprovision,
    Desired,
    Disable,
    Guarded,
    Hold,
    Leaving,
    Link,
    LinkState,
    Parked,
    Postpone,
    Postponed,
    Reason,
    Restore,
    Skip,
    SoftDelete,
    Update,
    fingerprint,
    fingerprints,
)
from tests.support.clock import START
from tests.support.make import ADA, GUEST, IN, NAME, OUT, link, source
from tools.link_picture import arrows, document

WANTED = Desired(always={"city": "Oslo"}, on_create={"userType": "Member"})
LATER = START + timedelta(minutes=5)
SETTLE = timedelta(seconds=3)
DISABLE = Disable(attributes={ENABLED: False, "city": "Oslo"})
DELETE = SoftDelete(why="gone")
NOTHING = Skip(reason=Reason.NO_CHANGE)


def conclude(given: Link, change: Skip | Hold = NOTHING, **values: object) -> Link:
    fields = {"source": source(), "verdict": IN, "desired": WANTED, "asks_groups": False, **values}
    return given.concluded(change, **fields)  # type: ignore[arg-type]


def record(given: Link, change: Update | Disable, **values: object) -> Link:
    fields = {"source": source(), "desired": WANTED, "refused": {}, "trusted": True, **values}
    return given.recorded(change, **fields)  # type: ignore[arg-type]


STEPS: Mapping[str, Callable[[Link], Link]] = {
    "invitation_begun": lambda given: given.invitation_begun(START, "n1"),
    "invited": lambda given: given.invited(GUEST),
    "invitation_refused": lambda given: given.invitation_refused(),
    "adopted": lambda given: given.adopted(GUEST, linked_at=START),
    "write_begun": lambda given: given.write_begun(Update(attributes={"city": "Oslo"})),
    "recorded": lambda given: record(given, Update(attributes={"city": "Oslo"})),
    "returned": lambda given: replace(given, leaving=Leaving(stage=Deprovision.LEAVE, since=START)).returned(),
    "deletion_begun": lambda given: given.deletion_begun(DELETE, START),
    "removal_called_off": lambda given: given.removal_called_off(given),
    "deleted": lambda given: given.deleted(),
    "own_deletion_found": lambda given: given.own_deletion_found(),
    "lost": lambda given: given.lost(),
    "restore_begun": lambda given: given.restore_begun(START),
    "still_deleted": lambda given: given.still_deleted(START),
    "restored": lambda given: given.restored(START),
    "forgotten": lambda given: given.forgotten(),
    "hand_over_begun": lambda given: given.hand_over_begun("staff"),
    "hand_over_ended": lambda given: given.hand_over_ended(),
    "taken_deleted": lambda given: given.taken_deleted(GUEST, deleted_at=START),
    "redeeming": lambda given: given.redeeming(due=True),
    "distrusted": lambda given: given.distrusted(),
    "drifted": lambda each: each.drifted(["department"]),
    "held": lambda given: given.held(),
    "approved": lambda given: given.approved(GUEST),
    "marker_seen": lambda given: given.marker_seen(),
    "of_tenants": lambda given: given.of_tenants(("source", "target")),
    "noticed": lambda given: given.noticed(START, settle=SETTLE),
    "asked_again": lambda given: given.asked_again(),
    "looked_at": lambda given: given.looked_at(START),
    "concluded": conclude,
    "postponed": lambda given: given.postponed(Postpone(postponed=Restore(), because=Postponed.OBSERVED), START),
    "decision_refused": lambda given: given.decision_refused(START),
    "set_aside": lambda given: given.set_aside(until=LATER, reason="unadopted", at=START),
}


@pytest.mark.parametrize(
    ("before", "step", "after"), arrows(), ids=[f"{before}--{step}-->{after}" for before, step, after in arrows()]
)
def test_arrow(before: LinkState, step: str, after: LinkState) -> None:
    """Each arrow of the picture: the step leads from the one state to the other."""
    assert STEPS[step](link(before, target_id=GUEST)).state is after


@pytest.mark.parametrize("state", LinkState)
@pytest.mark.parametrize("step", TRANSITIONS)
def test_a_step_happens_in_the_states_of_the_table_and_in_no_other(step: str, state: LinkState) -> None:
    """A step in a state that the table does not name is a mistake of this program, and says which."""
    if state in TRANSITIONS[step]:
        assert STEPS[step](link(state)).state is TRANSITIONS[step][state]
    else:
        with pytest.raises(ValueError, match=f"a link that is {state} cannot be {step}"):
            STEPS[step](link(state))


def test_every_method_that_returns_another_link_is_in_the_table() -> None:
    """Nothing changes a link but the steps of the table, and the storage's own word on its version."""
    returning = {
        name for name, value in vars(Link).items() if getattr(value, "__annotations__", {}).get("return") == "Link"
    }
    assert returning - {"_after", "stored"} == set(TRANSITIONS) == set(STEPS)


def test_the_documentation_shows_the_picture_of_the_table() -> None:
    """`make docs` writes it."""
    page = Path("docs/architecture.md").read_text(encoding="utf-8")
    assert document(page) == page


def test_an_invitation_and_an_adoption_leave_a_pair_that_has_no_attributes_yet() -> None:
    """Everything is written with the first attributes, and a person's word is used up."""
    begun = link(approved_target=GUEST, on_create_written=True).invitation_begun(START, "n1")
    assert (begun.invited_at, begun.unfinished) == (START, True)
    adopted = begun.invited(GUEST).adopted(GUEST, linked_at=LATER)
    assert (adopted.target_id, adopted.linked_at, adopted.invited_at) == (GUEST, LATER, START)
    assert (adopted.dirty, adopted.on_create_written, adopted.approved_target) == (True, False, None)
    assert link(LinkState.INVITING, invited_at=START).invitation_refused() == link()


def test_a_write_is_dirty_from_its_beginning_to_its_record() -> None:
    """In between nobody trusts the fingerprints."""
    begun = link(LinkState.LINKED).write_begun(Update(attributes={**WANTED.always, **WANTED.on_create}))
    assert begun.dirty
    done = record(begun, Update(attributes={**WANTED.always, **WANTED.on_create}))
    assert (done.dirty, done.on_create_written, done.read_at) == (False, True, source().read_at)
    assert done.applied == fingerprints(WANTED.always)


def test_what_a_write_does_not_have_keeps_its_fingerprint_only_if_the_record_was_trusted() -> None:
    """After a dirty record an attribute that was not sent counts as unknown."""
    before = link(LinkState.LINKED, applied=fingerprints({"city": "Oslo"}), refused={"city": "403", "gone": "403"})
    for trusted, known in ((True, fingerprint("Oslo")), (False, "")):
        done = record(before, Update(attributes={"userType": "Member"}), trusted=trusted)
        assert done.applied == {"city": known}
        assert done.refused == {"city": "403"}, "what the mapping no longer names is forgotten"


def test_the_steady_part_of_a_property_that_both_kinds_share_is_recorded() -> None:
    """On-create extension attributes ride with the steady ones once."""
    both = Desired(always={"extensions": {"a": "1"}}, on_create={"extensions": {"a": "1", "b": "2"}})
    done = record(link(LinkState.LINKED), Update(attributes=both.on_create), desired=both)
    assert done.applied == fingerprints(both.always)


def test_a_removal_is_counted_once_and_stays_counted_while_access_is_left() -> None:
    """A refused disabling is tried again without a second count; a done one gives the count up."""
    begun = link(LinkState.LINKED).write_begun(DISABLE)
    assert begun.guarded is Guarded.DISABLE
    refused = record(begun, DISABLE, refused={ENABLED: "403"})
    assert (refused.guarded, refused.applied[ENABLED]) == (Guarded.DISABLE, "")
    done = record(begun, DISABLE)
    assert (done.guarded, done.disabled) == (None, True)
    assert link(LinkState.LINKED, guarded=Guarded.HELD).write_begun(Update(attributes={})).guarded is Guarded.HELD


def test_a_deletion_is_dated_and_counted_and_a_return_is_not_coalesced_away() -> None:
    """A restore within the coalescing time of the last notification is looked at by itself."""
    begun = link(LinkState.LINKED, noticed_at=START).deletion_begun(DELETE, LATER)
    assert (begun.guarded, begun.dirty, begun.deleted_at) == (Guarded.SOFT_DELETE, True, LATER)
    done = begun.deleted()
    assert (done.guarded, done.dirty, done.noticed_at) == (None, False, None)
    back = done.restore_begun(LATER).restored(LATER)
    assert (back.dirty, back.linked_at) == (True, LATER)
    assert begun.lost().dirty
    assert link(LinkState.LOST, target_id=GUEST, etag="1").forgotten() == Link(sync=NAME, source_id=ADA)


def test_a_restore_that_was_begun_is_looked_for_until_it_can_come_no_more() -> None:
    """Every request that was sent is over after a quarter of an hour; until then the link stays dirty."""
    begun = link(LinkState.DELETED, linked_at=START, deleted_at=LATER).restore_begun(LATER)
    assert begun.still_deleted(LATER + timedelta(minutes=14)).dirty
    assert not begun.still_deleted(LATER + timedelta(minutes=15)).dirty
    assert not link(LinkState.LOST, dirty=True).still_deleted(START).dirty


def test_a_manager_once_named_stays_known_until_it_was_removed() -> None:
    """Before a reference is written the link says that there may be one to remove."""
    named = link(LinkState.LINKED, invited_at=START)
    assert named.unmanaged
    begun = named.write_begun(Update(attributes={MANAGER: {"id": "boss"}}))
    assert begun.applied == {MANAGER: ""}
    assert not begun.unmanaged
    managed = Desired(always={MANAGER: {"id": "boss"}})
    done = record(begun, Update(attributes=managed.always), desired=managed)
    assert record(done, Update(attributes={"city": "Oslo"})).applied.keys() == {MANAGER, "city"}
    never = Desired(always={MANAGER: None})
    assert record(named, Update(attributes={}), desired=never).applied == {}


def test_a_look_that_ends_gives_up_what_the_link_waited_for() -> None:
    """Neither parked nor approved nor guarded; the memberships of this look replace the last ones."""
    waiting = link(
        LinkState.LINKED,
        parked=Parked(until=LATER, tries=2, reason="x"),
        approved_target=GUEST,
        guarded=Guarded.DISABLE,
        refused={"city": "403", "gone": "403"},
    )
    done = conclude(waiting)
    assert (done.parked, done.approved_target, done.guarded, done.member_of) == (None, None, None, None)
    assert (done.applied, done.refused) == (fingerprints(WANTED.always), {"city": "403"})
    held = conclude(waiting, Hold(held=DELETE, used=1, limit=1), asks_groups=True)
    assert (held.guarded, held.applied) == (Guarded.HELD, {})
    assert conclude(waiting, verdict=OUT).applied == {}


def test_a_refused_decision_keeps_the_pair_and_ends_an_invitation() -> None:
    """Our invitation met somebody who was there before: there is nothing of ours to finish."""
    inviting = link(LinkState.INVITING, target_id=GUEST, invited_at=START, guarded=Guarded.DISABLE)
    ended = inviting.decision_refused(LATER)
    assert (ended.target_id, ended.invited_at, ended.guarded, ended.read_at) == (None, None, None, LATER)
    assert link(LinkState.LINKED, target_id=GUEST).decision_refused(LATER).target_id == GUEST


def test_a_user_is_set_aside_again_and_again() -> None:
    """The tries are counted; a link that was never read counts as read from here on."""
    once = link().set_aside(until=LATER, reason="403", at=START)
    assert (once.parked, once.read_at) == (Parked(until=LATER, tries=1, reason="403"), START)
    again = once.looked_at(LATER).set_aside(until=LATER, reason="403", at=START)
    assert (again.parked, again.read_at) == (Parked(until=LATER, tries=2, reason="403"), LATER)


def test_looks_leave_their_times_and_a_person_s_question_forgets_refusals() -> None:
    """A marker seen in the target makes an earlier look that found nobody count for nothing."""
    seen = link(read_at=START)
    assert seen.marker_seen().read_at is None
    assert seen.noticed(LATER, settle=SETTLE).noticed_at == LATER
    assert seen.approved(GUEST).approved_target == GUEST
    refused = link(LinkState.LINKED, applied={"city": "1", "mail": "2"}, refused={"city": "403"})
    assert refused.asked_again().applied == {"mail": "2", "city": ""}
    assert refused.held().guarded is Guarded.HELD
    assert refused.distrusted().dirty
    assert refused.stored("7").etag == "7"


def test_a_disabling_of_which_nothing_is_known_is_remembered_until_a_record() -> None:
    """The guard's last word moves on, and the pair is lost: by the record it was perhaps us, and by no value."""
    begun = link(LinkState.LINKED, target_id=GUEST).write_begun(DISABLE)
    assert (begun.perhaps_disabled, begun.disabled) == (True, False)
    for later in (begun.held(), begun.deletion_begun(DELETE, START), conclude(begun.lost())):
        assert later.guarded is not Guarded.DISABLE
        assert (later.perhaps_disabled, later.disabled) == (True, False)
    assert not record(begun, DISABLE).write_begun(Update(attributes={})).guarded
    assert not begun.removal_called_off(link(LinkState.LINKED)).perhaps_disabled
    assert not record(begun, Update(attributes={ENABLED: True})).perhaps_disabled


@pytest.mark.parametrize("before", ["disabled", "unsure"])
def test_a_write_without_access_forgets_no_disabling(before: str) -> None:
    """The rest of a held disabling, on a record that is not trusted: whether it stands is to be found out."""
    disabled = Desired(always={"city": "Oslo", ENABLED: False})
    given = record(link(LinkState.LINKED, target_id=GUEST).write_begun(DISABLE), DISABLE, desired=disabled)
    for _ in range(1 if before == "disabled" else 2):
        given = record(given.distrusted().held(), Update(attributes={"city": "Oslo"}), desired=disabled, trusted=False)
    assert (given.perhaps_disabled, given.disabled) == (True, False)
    assert given.applied[ENABLED] not in {fingerprint(True), fingerprint(False)}

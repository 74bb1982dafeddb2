"""The record of a look: one event for each thing that happened, with why, and with what it was decided on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from sync_core.model import (
    Control,
    DeletedInTarget,
    Deprovision,
    Event,
    GuardLimits,
    InScope,
    Kind,
    Link,
    LinkState,
    Mode,
    Policy,
    Why,
    Written,
)
from sync_core.model.errors import GraphRefusedError, UnavailableError
from sync_core.ports import ControlRecord
from sync_core.ports.writes import note_write, noted_writes
from sync_core.reconcile.written import joined
from tests.support.make import ADA, ADDRESS, BOB, NAME
from tests.support.world import World

HOUR = timedelta(hours=1)


def kinds(events: Sequence[Event]) -> list[Kind]:
    """Oldest first."""
    return [event.kind for event in reversed(events)]


async def test_a_hire_is_one_event() -> None:
    """Invitation, link and attributes are one thing for a person; it says who, why, when and how fast."""
    world = World()
    world.hire()
    at = world.clock.now()
    await world.worker.handle(world.nomination(attempt=2, at=at - timedelta(seconds=3)))
    (event,) = await world.events()
    (guest,) = world.guests()
    assert (event.kind, event.user, event.target_id, event.why) == (Kind.INVITED, ADA, guest, "notification")
    assert (event.scope, event.scope_reason) == (InScope.IN, "all internal users")
    assert {"department", "displayName", "jobTitle"} <= set(event.attributes)
    assert (event.at, event.nominated_at, event.attempt) == (at, at - timedelta(seconds=3), 2)
    assert await world.events(ADA) == [event]


async def test_a_life_is_told() -> None:
    """Hired, moved, disabled, enabled, held, released, deleted, back."""
    world = World(guard=GuardLimits(max_percent=0, min_count=1))
    await world.linked(BOB, "Bob")
    world.hire()
    await world.look()
    for step in ("moved", "disabled", "enabled"):
        world.clock.advance(HOUR)
        world.change(**{"moved": {"department": "Sales"}}.get(step, {"accountEnabled": step == "enabled"}))
        await world.look()
    world.clock.advance(timedelta(days=60))
    world.source.soft_delete(BOB)
    world.source.soft_delete(ADA)
    for user in (BOB, ADA):
        world.clock.advance(HOUR)
        await world.look(user, Why.FEED)
    world.source.restore(ADA)
    world.clock.advance(HOUR)
    await world.look()
    world.clock.advance(timedelta(days=60))
    world.source.soft_delete(ADA)
    await world.look()
    world.source.restore(ADA)
    world.clock.advance(HOUR)
    await world.look()
    events = await world.events(ADA)
    assert kinds(events) == [
        Kind.INVITED,
        Kind.UPDATED,
        Kind.DISABLED,
        Kind.ENABLED,
        Kind.HELD,
        Kind.RELEASED,
        Kind.SOFT_DELETED,
        Kind.RESTORED,
    ]
    by_kind = {event.kind: event for event in events}
    assert by_kind[Kind.UPDATED].attributes == ("department",)
    assert by_kind[Kind.DISABLED].reason == "disabled in the source"
    assert by_kind[Kind.HELD].reason == "deleted in the source; 1 of at most 1 deletions in 24 h were used"
    assert (by_kind[Kind.HELD].why, by_kind[Kind.HELD].scope) == ("feed", InScope.IN)
    assert by_kind[Kind.SOFT_DELETED].reason == "deleted in the source"
    assert len({event.target_id for event in events}) == 1


async def test_a_look_that_finds_nothing_to_do_is_no_event() -> None:
    """The record grows with what happens, and not with what is read."""
    world = World()
    await world.linked()
    before = await world.events()
    await world.look()
    assert await world.events() == before


async def test_an_invitation_is_on_record_when_the_look_fails_after_it() -> None:
    """Graph accepted it; the retry finds the guest again and does not call that an adoption."""
    world = World()
    world.hire()
    world.faults.fail_next("target.read_user", *[UnavailableError()] * 4)
    world.faults.fail_next("target.candidates", UnavailableError(), after=True)
    await world.worker.handle(world.nomination())
    await world.deliver(timedelta(minutes=1))
    events = kinds(await world.events(ADA))
    assert events[0] is Kind.INVITED
    assert Kind.ADOPTED not in events
    assert world.in_step()


async def test_a_guest_who_was_adopted_is_called_so() -> None:
    """The marker or an unfinished invitation makes it a link of ours; an address alone does not."""
    world = World()
    world.hire()
    world.target.add("guest", ADDRESS)
    link = await world.storage.links.save(Link(sync=NAME, source_id=ADA))
    await world.storage.links.save(link.approved("guest"))
    await world.look()
    assert kinds(await world.events(ADA)) == [Kind.ADOPTED]


async def test_tables_that_were_lost_are_no_adoption() -> None:
    """The ownership marker says whose the target user was."""
    world = World(owner_attribute="extension_1_owner")
    await world.linked()
    await world.lose_tables()
    await world.look()
    assert kinds(await world.events(ADA)) == [Kind.LINKED]


async def test_a_refusal_and_an_error_are_told_apart() -> None:
    """Of a rule of ours, and of Graph; with when the user is looked at again."""
    world = World()
    world.hire()
    world.target.add("taken", ADDRESS)
    await world.look()
    world.hire(BOB, "Bob")
    world.faults.fail_next("target.invite", GraphRefusedError(status=400, code="BadRequest", message=ADDRESS))
    await world.look(BOB)
    (error, refused) = await world.events()
    assert (refused.kind, refused.user, refused.reason) == (Kind.REFUSED, ADA, "unadopted")
    assert (error.kind, error.user, error.reason) == (Kind.PARKED, BOB, "400 BadRequest")
    for event in (error, refused):
        assert event.next_try_at == event.at + timedelta(minutes=5)
        assert not event.again
    world.clock.advance(HOUR)
    await world.look()
    assert (await world.events(limit=1))[0].again


async def test_a_try_again_is_no_event() -> None:
    """Nothing happened to the user yet."""
    world = World()
    world.hire()
    world.faults.fail_next("source.read_user", UnavailableError())
    await world.worker.handle(world.nomination())
    assert await world.events() == []


async def test_a_write_that_met_nobody_is_no_update() -> None:
    """Somebody deleted the target user: that is said by what follows."""
    world = World(policy=Policy(deleted_in_target=DeletedInTarget.LEAVE))
    await world.linked()
    (guest,) = world.guests()
    world.target.remove(guest)
    world.change(department="Sales")
    await world.look(why=Why.FEED)
    assert kinds(await world.events(ADA)) == [Kind.INVITED, Kind.LOST]


async def test_a_pair_that_ends_is_unlinked() -> None:
    """Of a user who was converted to an internal one; nothing is written."""
    world = World(policy=Policy(source_deleted=Deprovision.DISABLE))
    account = await world.linked()
    account.external = False
    world.change(department="Sales")
    await world.look()
    event = next(each for each in await world.events(ADA) if each.kind is Kind.UNLINKED)
    assert event.reason == "the target user is internal now"
    assert (await world.stored()).state is LinkState.SEEN


def test_writes_are_noted_for_whoever_collects() -> None:
    """Each in its own place, and nowhere if nobody asks."""
    note_write("lost")
    with noted_writes() as outer:
        note_write("r1")
        with noted_writes() as inner:
            note_write("r2")
            note_write("")
        note_write("r3")
    assert (outer, inner) == (["r1", "r3"], ["r2"])


@pytest.mark.parametrize("failing", [False, True])
async def test_the_ids_of_writes_are_kept(failing: bool) -> None:
    """Also of those before a failure: the PATCH was accepted, and then the manager could not be written."""
    world = World()
    await world.linked(BOB, "Bob")
    await world.linked()
    world.forget_calls()
    if failing:
        world.faults.fail_next("target.set_manager", UnavailableError())
    world.change(department="Sales", manager=BOB)
    await world.worker.handle(world.nomination())
    event = (await world.events(ADA))[0]
    assert event.kind is Kind.UPDATED
    assert event.graph_request_ids == (("update 1",) if failing else ("update 1", "set_manager 2"))


# --- values, where the sync has them kept ---------------------------------------------------------------------------

KEPT = frozenset({"accountEnabled", "department", "displayName", "manager"})


async def kept(**options: object) -> World:
    """Ada was hired before any value was kept."""
    world = World(**options)  # type: ignore[arg-type]
    await world.linked()
    world.deploy(record_values=KEPT)
    return world


async def test_no_value_is_kept_unless_it_is_asked_for() -> None:
    """By default the record has names alone."""
    world = World()
    await world.linked()
    world.change(department="Sales")
    await world.look()
    assert [each.values for each in await world.events(ADA)] == [(), ()]


async def test_the_values_of_a_hire_are_those_of_its_attributes() -> None:
    """An invitation sends none of them, so they come with the first PATCH; what Graph made of it is not known."""
    world = World()
    world.deploy(record_values=KEPT)
    world.hire(jobTitle="Contoso", department=None)
    await world.look()
    (event,) = await world.events(ADA)
    assert event.kind is Kind.INVITED
    assert {each.attribute: each.value for each in event.values} == {
        "accountEnabled": "true",
        "department": None,
        "displayName": "Ada",
    }
    assert not any(each.before_known for each in event.values)


async def test_old_and_new_value() -> None:
    """The old one of what the read of the target user has; of the department only the new one."""
    world = await kept()
    world.change(department="Sales", displayName="Ada L.", jobTitle="C")
    await world.look()
    event = (await world.events(ADA))[0]
    assert {"department", "displayName", "jobTitle"} <= set(event.attributes)
    assert list(event.values) == [
        Written(attribute="department", value="Sales"),
        Written(attribute="displayName", value="Ada L.", before="Ada", before_known=True),
    ]
    world.clock.advance(HOUR)
    world.change(department=None, accountEnabled=False)
    await world.look()
    event = (await world.events(ADA))[0]
    assert list(event.values) == [
        Written(attribute="accountEnabled", value="false", before="true", before_known=True),
        Written(attribute="department", value=None),
    ]


async def test_a_manager_is_kept_by_id() -> None:
    """Not the reference as the link has it."""
    world = await kept()
    await world.linked(BOB, "Bob")
    boss = await world.storage.links.get(NAME, BOB)
    assert boss is not None
    world.change(manager=BOB)
    await world.look()
    (value,) = (await world.events(ADA))[0].values
    assert value == Written(attribute="manager", value=boss.target_id)


async def test_what_was_not_written_has_no_value() -> None:
    """A sync that observes writes nothing; what Graph refuses is not there either."""
    world = await kept()
    world.deploy(Mode.OBSERVE)
    world.change(department="Sales")
    await world.look()
    event = (await world.events(ADA))[0]
    assert (event.kind, tuple(event.values)) == (Kind.WOULD_UPDATE, ())
    world.deploy()
    world.change(displayName="Ada L.")
    world.target.refuses["department"] = "Refused"
    await world.look()
    event = (await world.events(ADA))[0]
    assert [each.attribute for each in event.values] == ["displayName"]


async def test_a_removal_that_is_put_off_names_what_was_made_of_it() -> None:
    """With deletions paused the rest of a disable is written, and accountEnabled is not."""
    world = await kept()
    await world.storage.controls.save(ControlRecord(sync=NAME, control=Control.DELETIONS_PAUSED))
    world.clock.advance(HOUR)
    world.change(accountEnabled=False, department="Sales")
    await world.look()
    events = await world.events(ADA)
    assert {each.kind for each in events[:2]} == {Kind.UPDATED, Kind.WOULD_DISABLE}
    updated = next(each for each in events if each.kind is Kind.UPDATED)
    assert tuple(updated.attributes) == ("department",)
    assert list(updated.values) == [Written(attribute="department", value="Sales")]


async def test_values_are_in_no_log(caplog: pytest.LogCaptureFixture) -> None:
    """Nor in the text of an event, as an error message might quote it."""
    caplog.set_level(0)
    world = await kept()
    world.change(displayName="Ada Lovelace")
    await world.look()
    event = (await world.events(ADA))[0]
    assert event.values[0].value == "Ada Lovelace"
    assert "Lovelace" not in caplog.text + repr(event)


def test_two_writes_of_one_look_are_one_value() -> None:
    """What was there first, and what is there in the end."""
    first = [Written(attribute="a", value="1", before="0", before_known=True), Written(attribute="c", value="1")]
    then = [Written(attribute="a", value="2", before="1", before_known=True), Written(attribute="b", value=None)]
    assert joined(first, then) == (
        Written(attribute="a", value="2", before="0", before_known=True),
        Written(attribute="b", value=None),
        Written(attribute="c", value="1"),
    )

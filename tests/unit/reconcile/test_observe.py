"""A sync that observes: everything is read, decided and recorded, and nothing is written to the target."""

from __future__ import annotations

import re
from copy import deepcopy
from dataclasses import replace
from datetime import timedelta

import pytest

from sync_core.decision.look import desired, look
from sync_core.model import (
    ENABLED,
    MANAGER,
    Adopt,
    Adoption,
    Change,
    Control,
    Disable,
    Forget,
    HandOver,
    Hold,
    Invite,
    Kind,
    LetGo,
    LinkState,
    Mode,
    Policy,
    Postpone,
    Postponed,
    Reason,
    Refuse,
    ResetRedemption,
    Restore,
    Skip,
    SoftDelete,
    Unlink,
    Update,
    Why,
)
from sync_core.model.errors import PausedError
from sync_core.ports import Asked
from tests.support.make import ADA, ADDRESS, GUEST, HOLD_ALL, IN, NAME, link, source
from tests.support.stories import STORIES
from tests.support.world import World, names, yes

REST = Update(attributes={"city": "Oslo"})
GONE = SoftDelete(why="gone")
HOLD = Hold(held=GONE, used=1, limit=1, meanwhile=REST)
# Each kind of change, as the applier is given it.
CHANGES: dict[type[Change], list[Change]] = {
    Invite: [Invite(address=ADDRESS, display_name="Ada", attributes={})],
    Adopt: [Adopt(target_id=GUEST)],
    Update: [REST, Update(attributes={MANAGER: {"id": GUEST}}), Update(attributes={MANAGER: None})],
    Disable: [Disable(attributes={ENABLED: False})],
    Restore: [Restore()],
    SoftDelete: [GONE],
    Forget: [Forget()],
    LetGo: [LetGo(target_id=GUEST)],
    HandOver: [HandOver(to="staff")],
    Unlink: [Unlink()],
    ResetRedemption: [ResetRedemption(address=ADDRESS)],
    Hold: [HOLD],
    Postpone: [Postpone(postponed=GONE, because=Postponed.OBSERVED, meanwhile=REST)],
    Skip: [Skip(reason=Reason.NO_CHANGE)],
    Refuse: [Refuse(reason=Reason.BLOCKED)],
}
WRITES_NOTHING = {Adopt, Forget, LetGo, HandOver, Unlink}
STATES = {Invite: LinkState.SEEN, Adopt: LinkState.SEEN, Restore: LinkState.DELETED}


def test_every_kind_of_change_is_tried() -> None:
    """A new kind has to be added here."""
    kinds = {kind.__name__ for kind in Change.__subclasses__() if kind.__module__ == Change.__module__}
    assert kinds == {kind.__name__ for kind in CHANGES}


@pytest.mark.parametrize("change", [each for some in CHANGES.values() for each in some], ids=repr)
@pytest.mark.parametrize("how", ["observes", "is paused", "has its deletions paused"])
async def test_no_change_that_reaches_the_applier_is_written(change: Change, how: str) -> None:
    """The last question stands right before each request, whatever was decided before."""
    world = World(mode=Mode.OBSERVE if how == "observes" else Mode.RUN)
    said = {"is paused": Control.PAUSED, "has its deletions paused": Control.DELETIONS_PAUSED}.get(how)
    if said is not None:
        await world.runtime.pauses.say(NAME, said, by="anna", reason="")
    world.target.add(GUEST, ADDRESS)
    if isinstance(change, Restore):
        world.target.remove(GUEST)
    state = STATES.get(type(change), LinkState.LINKED)
    stored = await world.storage.links.save(link(state, target_id=None if state is LinkState.SEEN else GUEST))
    candidates = await world.target.candidates(ADDRESS)
    decided = replace(look(world.sync, source(), IN, stored, desired(world.sync, source()), candidates), change=change)
    try:
        await world.engine.applier.apply(decided, yes)
    except PausedError:
        assert type(change) not in WRITES_NOTHING
        assert change.removes or how != "has its deletions paused"
    except TypeError:
        assert isinstance(change, Skip | Refuse)
    else:
        assert type(change) in WRITES_NOTHING or (how == "has its deletions paused" and not change.removes)
    written = [] if change.removes or how != "has its deletions paused" else world.target.writes
    assert world.target.writes == written


@pytest.mark.parametrize("name", STORIES)
async def test_nothing_is_written_while_a_sync_observes_and_nothing_is_lost(name: str) -> None:
    """Each story while it observes: the decision is recorded. Then it runs: one poll brings the tenants in step."""
    story = STORIES[name]
    world = story.world()
    await world.polled()
    await story.before(world)
    world.deploy(Mode.OBSERVE)
    await story.meanwhile(world)
    there, guards = deepcopy(world.target.users), await counted(world)
    world.forget_calls()
    assert await world.polled() == []
    assert await world.deliver(timedelta(minutes=30)) == []
    assert await world.polled() == []
    assert world.target.writes == []
    assert (world.target.users, await counted(world)) == (there, guards)
    assert kind_of(story.would) in await recorded(world)
    world.deploy(Mode.RUN)
    assert await world.polled() == []
    assert await story.wanted(world)


async def test_a_hold_and_its_approval_outlive_the_time_in_which_a_sync_observes() -> None:
    """The look that an approval asks for carries nothing out, and takes nothing back."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.source.soft_delete(ADA)
    assert names(await world.look()) == ["Hold"]
    world.deploy(Mode.OBSERVE)
    (held,) = await world.storage.guards.holds(NAME)
    await world.guard.decide([held], approve=True, by="anna")
    outcome = await world.look(why=Why.APPROVED)
    assert names(outcome) == ["WouldSoftDelete"]
    assert (len(world.guests()), len(await world.storage.guards.holds(NAME))) == (1, 1)
    world.deploy(Mode.RUN)
    assert await world.polled() == []
    assert (world.guests(), await world.storage.guards.holds(NAME)) == ([], [])


async def test_the_guard_is_foreseen_and_holds_nothing() -> None:
    """The decision says that the deletion would be held; no row asks a person."""
    world = World(guard=HOLD_ALL)
    await world.linked()
    world.deploy(Mode.OBSERVE)
    world.source.soft_delete(ADA)
    (change,) = (await world.look()).changes
    assert isinstance(change, Postpone)
    assert isinstance(change.postponed, Hold)
    assert await world.storage.guards.holds(NAME) == []


async def test_an_approved_adoption_waits_until_the_sync_runs() -> None:
    """A person's word for one target user is not used up by a look that adopts nobody."""
    world = World(policy=Policy(adopt=Adoption.REVIEW), mode=Mode.OBSERVE)
    world.target.add(GUEST, ADDRESS)
    world.hire()
    assert (await world.look()).error == "adoption needs approval"
    await world.storage.links.save((await world.stored()).approved(GUEST))
    assert names(await world.look()) == ["WouldAdopt"]
    assert (await world.stored()).approved_target == GUEST
    world.deploy(Mode.RUN)
    assert await world.polled() == []
    assert (await world.stored()).target_id == GUEST


async def test_what_would_come_is_recorded_with_its_attributes() -> None:
    """The record names the change and the attributes, and never a value."""
    world = World(mode=Mode.OBSERVE)
    world.hire()
    outcome = await world.look()
    assert (names(outcome), outcome.error, outcome.retry_after) == (["WouldInvite"], "", None)
    (event,) = (await world.storage.activity.page(Asked(of=[(NAME, ADA)], limit=10))).events
    assert (event.kind, event.reason) == (Kind.WOULD_INVITE, "the sync observes")
    assert "displayName" in event.attributes


def kind_of(change: str) -> Kind:
    """What the record calls a change that was put off."""
    if change in {"WouldForget", "WouldLetGo", "WouldHandOver"}:
        return Kind.WOULD_UNLINK
    return Kind(re.sub(r"(?<!^)(?=[A-Z])", "_", change).lower())


async def recorded(world: World) -> list[Kind]:
    page = await world.storage.activity.page(Asked(of=[(NAME, "")], limit=100))
    return [event.kind for event in page.events]


async def counted(world: World) -> list[int]:
    """How many removals each window has."""
    return [each.used for each in await world.guard.ledger.windows(world.sync)]

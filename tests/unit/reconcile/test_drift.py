"""What becomes of a target user whom somebody edited or blocked: listed, written again, or left."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta

from sync_core.decision.drift import A_DAY, ROUNDS_OF_A_FIGHT
from sync_core.model import Blocked, Drift, Edited, Mode, Policy, Why
from sync_core.ports import DriftRecord
from tests.support.faults import Crash
from tests.support.make import ADA, BOB, NAME
from tests.support.target import Account
from tests.support.world import World, names

ENFORCING = Drift(attributes=Edited.ENFORCE, blocked_in_target=Blocked.ENFORCE)
THEIRS = "Their own"


async def edited(drift: Drift | None = None, **attributes: object) -> tuple[World, Account]:
    """Somebody gave Ada's guest another department, or these values."""
    world = World(policy=Policy(drift=drift or Drift()))
    account = await world.linked()
    account.attributes.update(attributes or {"department": THEIRS})  # type: ignore[arg-type]
    world.forget_calls()
    return world, account


async def differing(world: World) -> list[str]:
    """The attributes that are on the list for Ada."""
    record = await world.storage.drifts.get(NAME, ADA)
    return [] if record is None else sorted(record.differs)


async def test_an_edit_is_listed_and_stays() -> None:
    """By default the sync tells of it. A change of the source is written as ever."""
    world, account = await edited()
    assert names(await world.look(why=Why.TARGET)) == []
    assert (account.attributes["department"], await differing(world)) == (THEIRS, ["department"])
    assert world.target.writes == []
    world.change(department="Sales")
    assert names(await world.look()) == ["Update"]
    await world.look(why=Why.TARGET)
    assert (account.attributes["department"], await differing(world)) == ("Sales", [])


async def test_since_when_it_differs_is_kept() -> None:
    """Each attribute has the time at which it was first seen so."""
    world, account = await edited()
    await world.look(why=Why.TARGET)
    first = await world.storage.drifts.get(NAME, ADA)
    assert first is not None
    world.clock.advance(timedelta(hours=1))
    account.attributes["city"] = THEIRS
    await world.look(why=Why.TARGET)
    then = await world.storage.drifts.get(NAME, ADA)
    assert then is not None
    assert then.differs["department"] == first.differs["department"] < then.differs["city"]


async def test_an_edit_is_written_again_where_the_policy_says_so() -> None:
    """That attribute alone."""
    world, account = await edited(ENFORCING)
    (change,) = (await world.look(why=Why.TARGET)).changes
    assert (change.name, [*change.written]) == ("Update", ["department"])
    assert (account.attributes["department"], await differing(world)) == ("Research", [])


async def test_a_rule_has_the_last_word_on_its_attribute() -> None:
    """All others are enforced."""
    world, account = await edited(ENFORCING, department=THEIRS, city=THEIRS)
    rules = [replace(rule, drift=Edited.REPORT if rule.target == "department" else None) for rule in world.sync.mapping]
    world.deploy(mapping=rules)
    assert names(await world.look(why=Why.TARGET)) == ["Update"]
    assert (account.attributes["department"], account.attributes["city"]) == (THEIRS, None)
    assert await differing(world) == ["department"]


async def test_what_graph_makes_of_a_value_is_no_edit() -> None:
    """It trims, orders and stores nothing as null."""
    world, account = await edited(ENFORCING, department=" Research ", city="", businessPhones=[])
    assert names(await world.look(why=Why.TARGET)) == []
    assert (account.attributes["department"], await differing(world)) == (" Research ", [])


async def test_a_fight_is_shown_and_not_fought() -> None:
    """A script writes its own value back each time: after three repairs of a day it is left to people."""
    world, account = await edited(ENFORCING)
    for _ in range(ROUNDS_OF_A_FIGHT):
        account.attributes["department"] = THEIRS
        assert names(await world.look(why=Why.TARGET)) == ["Update"]
    account.attributes["department"] = THEIRS
    assert names(await world.look(why=Why.TARGET)) == []
    assert (account.attributes["department"], await differing(world)) == (THEIRS, ["department"])
    world.clock.advance(A_DAY)
    assert names(await world.look(why=Why.TARGET)) == ["Update"]


async def test_repairs_of_a_day_have_a_ceiling() -> None:
    """Beyond it a difference is listed, and the next full round finds it."""
    world, account = await edited(replace(ENFORCING, repairs=1))
    assert names(await world.look(why=Why.TARGET)) == ["Update"]
    other = await world.linked(BOB, "Bob")
    other.attributes["department"] = THEIRS
    assert names(await world.look(BOB, Why.TARGET)) == []
    assert [each.source_id for each in (await world.storage.drifts.page(NAME, 9))[0] if each.differs] == [BOB]
    world.clock.advance(A_DAY)
    assert await world.polled() == []
    assert (other.attributes["department"], account.attributes["department"]) == ("Research", "Research")


async def test_somebody_blocked_stays_so() -> None:
    """By default. It is listed."""
    world, account = await edited(accountEnabled=False)
    assert names(await world.look(why=Why.TARGET)) == []
    assert (account.attributes["accountEnabled"], await differing(world)) == (False, ["accountEnabled"])


async def test_somebody_blocked_is_enabled_where_the_policy_says_so() -> None:
    """With a rule for access, that is: without one nothing says that they are to be enabled."""
    world, account = await edited(ENFORCING, accountEnabled=False)
    assert names(await world.look(why=Why.TARGET)) == ["Update"]
    assert account.attributes["accountEnabled"] is True
    account.attributes["accountEnabled"] = False
    rules = [rule for rule in world.sync.mapping if rule.target != "accountEnabled"]
    world.deploy(mapping=rules)
    await world.look(why=Why.FEED)
    assert names(await world.look(why=Why.TARGET)) == []
    assert account.attributes["accountEnabled"] is False


async def test_one_who_is_to_be_disabled_is_not_enabled() -> None:
    """Disabled in the source, and blocked in the target by us: that is no difference."""
    world, account = await edited(ENFORCING, accountEnabled=True)
    world.change(accountEnabled=False)
    assert names(await world.look()) == ["Disable"]
    assert names(await world.look(why=Why.TARGET)) == []
    assert (account.attributes["accountEnabled"], await differing(world)) == (False, [])


async def test_a_sync_that_observes_writes_and_counts_nothing() -> None:
    """The difference is listed, and what would be written again is recorded."""
    world, account = await edited(ENFORCING)
    world.deploy(Mode.OBSERVE)
    assert names(await world.look(why=Why.TARGET)) == ["WouldUpdate"]
    assert (account.attributes["department"], await differing(world)) == (THEIRS, ["department"])
    record = await world.storage.drifts.get(NAME, ADA)
    assert record is not None
    assert not record.repairs
    world.deploy(Mode.RUN)
    assert await world.polled() == []
    assert account.attributes["department"] == "Research"


async def test_a_preview_stores_nothing() -> None:
    """`why` and `plan` look as an operator does."""
    world, _ = await edited(ENFORCING)
    decided = await world.engine.preview(world.sync, ADA)
    assert decided.change.name == "Update"
    assert (await world.storage.drifts.page(NAME, 9))[0] == []


async def test_a_converted_user_is_let_go_and_not_repaired() -> None:
    """Whatever was edited besides."""
    world, account = await edited(ENFORCING)
    account.external = False
    assert names(await world.look(why=Why.TARGET)) == ["LetGo"]
    assert (account.attributes["department"], world.target.writes) == (THEIRS, [])


async def test_a_row_about_a_former_target_user_counts_for_nothing() -> None:
    """The pair was made anew meanwhile: its repairs and times are another user's."""
    world, account = await edited(ENFORCING)
    long = [world.clock.now()] * ROUNDS_OF_A_FIGHT
    former = DriftRecord(sync=NAME, source_id=ADA, target_id="former", differs={}, repairs=long)
    await world.storage.drifts.save(former)
    assert names(await world.look(why=Why.TARGET)) == ["Update"]
    assert account.attributes["department"] == "Research"


async def test_a_death_anywhere_repairs_once_more_at_worst() -> None:
    """The link is dirty before the write, so that the next look finishes it."""
    world, _ = await edited(ENFORCING)
    await world.look(why=Why.TARGET)
    for n in range(len(world.faults.calls)):
        for after in (False, True):
            world, account = await edited(ENFORCING)
            world.faults.fail_at(n, Crash(), after=after)
            with suppress(Crash):
                await world.look(why=Why.TARGET)
            await world.look(why=Why.TARGET, redelivered=True)
            assert account.attributes["department"] == "Research"

"""Stories of one person while a sync may not write, each with what has to be true once it may again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from sync_core.model import Adoption, DeletedInTarget, Operator, Policy
from sync_core.model.errors import UnavailableError

from .make import ADA, ADDRESS, BOB, OWNER, SALES
from .scopes import guarded, member
from .world import World

type Act = Callable[[World], Awaitable[None]]
type Check = Callable[[World], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """`before` while the sync runs, `meanwhile` while it may not write; `wanted` is true after a poll that may."""

    world: Callable[[], World]
    before: Act
    meanwhile: Act
    wanted: Check
    would: str  # the change that is put off


async def nothing(_world: World) -> None: ...


async def linked(world: World) -> None:
    await world.linked()


async def gone(world: World) -> bool:
    return world.guests() == []


async def in_step(world: World) -> bool:
    return world.in_step()


async def one_guest(world: World) -> bool:
    return len(world.guests()) == 1


async def hired(world: World) -> None:
    world.hire()


async def moved(world: World) -> None:
    world.change(department="Sales")


async def disabled(world: World) -> None:
    world.change(accountEnabled=False)


async def enabled_is_false(world: World) -> bool:
    return world.enabled() == [False]


async def soft_deleted(world: World) -> None:
    world.source.soft_delete(ADA)


async def purged(world: World) -> None:
    world.source.purge(ADA)


async def member_linked(world: World) -> None:
    world.hire()
    world.source.groups[SALES].add(ADA)
    await world.look()
    world.clock.advance(timedelta(hours=1))
    world.forget_calls()


async def left_the_group(world: World) -> None:
    world.source.groups[SALES].clear()


async def joined_the_group(world: World) -> None:
    world.hire()
    world.source.groups[SALES].add(ADA)


async def left_and_deleted(world: World) -> None:
    await world.linked()
    world.source.soft_delete(ADA)
    await world.look()
    world.clock.advance(timedelta(hours=1))
    world.forget_calls()


async def back(world: World) -> None:
    world.source.restore(ADA)


async def deleted_in_target(world: World) -> None:
    (guest,) = world.guests()
    world.target.remove(guest)
    await world.storage.links.save((await world.stored()).lost())


async def a_guest_is_there(world: World) -> None:
    world.target.add("guest-of-somebody", ADDRESS)


async def bob_is_linked_too(world: World) -> None:
    """Ada reports to Bob, and was linked first: the look that gives her the reference is on the queue."""
    world.hire(BOB, "Bob", accountEnabled=False)
    world.hire(manager=BOB)
    await world.look()
    world.clock.advance(timedelta(hours=1))
    world.change(BOB, accountEnabled=True)
    await world.look(BOB)
    world.forget_calls()


async def has_a_manager(world: World) -> bool:
    ((_, account),) = world.target.of(ADDRESS)
    return account.attributes.get("manager") is not None


async def invited_and_cut_off(world: World) -> None:
    """The guest was made, and nobody heard of it."""
    world.hire()
    world.faults.fail_next("target.invite", UnavailableError(), after=True)
    await world.look()
    world.forget_calls()


async def nobody_left(world: World) -> None:
    """Ada goes before anything is heard of her invitation."""
    world.source.purge(ADA)


async def tables_lost(world: World) -> None:
    await world.linked()
    await world.lose_tables()
    world.source.purge(ADA)


def plain() -> World:
    return World()


STORIES: Mapping[str, Story] = {
    "hired": Story(world=plain, before=nothing, meanwhile=hired, wanted=in_step, would="WouldInvite"),
    "moved": Story(world=plain, before=linked, meanwhile=moved, wanted=in_step, would="WouldUpdate"),
    "disabled": Story(world=plain, before=linked, meanwhile=disabled, wanted=enabled_is_false, would="WouldDisable"),
    "soft-deleted": Story(world=plain, before=linked, meanwhile=soft_deleted, wanted=gone, would="WouldSoftDelete"),
    "purged": Story(world=plain, before=linked, meanwhile=purged, wanted=gone, would="WouldSoftDelete"),
    "left the group": Story(
        world=lambda: guarded(member(Operator.IN, SALES)),
        before=member_linked,
        meanwhile=left_the_group,
        wanted=gone,
        would="WouldSoftDelete",
    ),
    "joined the group": Story(
        world=lambda: guarded(member(Operator.IN, SALES)),
        before=nothing,
        meanwhile=joined_the_group,
        wanted=in_step,
        would="WouldInvite",
    ),
    "back": Story(world=plain, before=left_and_deleted, meanwhile=back, wanted=in_step, would="WouldRestore"),
    "deleted in the target": Story(
        world=lambda: World(policy=Policy(deleted_in_target=DeletedInTarget.RESTORE)),
        before=linked,
        meanwhile=deleted_in_target,
        wanted=in_step,
        would="WouldRestore",
    ),
    "adopted": Story(
        world=lambda: World(policy=Policy(adopt=Adoption.GUESTS)),
        before=a_guest_is_there,
        meanwhile=hired,
        wanted=in_step,
        would="WouldAdopt",
    ),
    "a reference to write": Story(
        world=plain, before=bob_is_linked_too, meanwhile=nothing, wanted=has_a_manager, would="WouldUpdate"
    ),
    "invited and gone": Story(
        world=plain, before=invited_and_cut_off, meanwhile=nobody_left, wanted=gone, would="WouldSoftDelete"
    ),
    "tables lost": Story(
        world=lambda: World(owner_attribute=OWNER),
        before=tables_lost,
        meanwhile=nothing,
        wanted=gone,
        would="WouldAdopt",
    ),
}

"""Pairs that are there from the beginning: what a large tenant looks like long after its initial sync.

Ten thousand people through the product would take a quarter of an hour at Graph's write limit. Here the target users
are made by the emulator and the links by the product's own mapping and repositories, so that nothing differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from itertools import batched

from local.demo import CONTOSO, FABRIKAM
from local.emulated import User
from sync_core.mapping import apply_mapping
from sync_core.model import (
    MANAGER,
    Json,
    Link,
    LinkState,
    Nomination,
    Skip,
    SourceState,
    SourceUser,
    Sync,
    Update,
    Why,
)
from sync_core.storage.concurrency import for_each

from .run import StalledError
from .world import World

_CHUNK = 500  # users in one call to the emulator
_SAMPLE = 5


def linked(sync: Sync, user: SourceUser, target_id: str | None = None, manager: Json = None) -> Link:
    """The link of somebody who is linked and has not changed since; `manager` is the reference to theirs."""
    desired = apply_mapping(sync.mapping, {**user.attributes, MANAGER: manager})
    link = Link(sync=sync.name, source_id=user.id, state=LinkState.LINKED, target_id=target_id)
    everything = Update(attributes={**desired.always, **desired.on_create})
    return link.recorded(everything, source=user, desired=desired, refused={}, trusted=True)


async def link_everybody(here: World) -> None:
    """Raises StalledError unless nominating a few of them writes nothing."""
    select = here.runtime.engine.sources[here.sync.source.key].select
    people = await here.emulated.users(CONTOSO, select.split(","))
    with here.run.step(f"making {len(people):,} pairs", len(people)) as advance:
        targets: dict[str, str] = {}
        for chunk in batched(people, _CHUNK, strict=False):
            made = await _make_targets(here, chunk)
            targets |= {str(person["id"]): target for person, target in zip(chunk, made, strict=True)}
            advance(len(targets))
        await for_each(people, lambda person: _link(here, person, targets))
    for person in people[:: max(1, len(people) // _SAMPLE)]:
        await _check(here, person)


async def _make_targets(here: World, chunk: tuple[User, ...]) -> list[str]:
    """Their ids."""
    bodies = [_target(here, person) for person in chunk]
    made = await here.emulated.control("POST", f"/tenants/{FABRIKAM}/users", {"value": bodies})
    return [str(each) for each in made["ids"]]


def _target(here: World, person: User) -> User:
    desired = apply_mapping(here.sync.mapping, {**person, MANAGER: None})
    wanted = {name: value for name, value in {**desired.always, **desired.on_create}.items() if value is not None}
    address = str(person["mail"]).replace("@", "_")
    return {**wanted, "userPrincipalName": f"{address}#EXT#@fabrikam.example"}


async def _link(here: World, person: User, targets: Mapping[str, str]) -> None:
    links, sync = here.runtime.storage.links, here.sync
    read_at = here.runtime.clock.now() - timedelta(hours=1)
    user = SourceUser(id=person["id"], state=SourceState.LIVE, attributes=person, read_at=read_at)
    await links.claim(sync.target.id, targets[user.id], f"{sync.name}/{user.id}")
    boss = Link(sync=sync.name, source_id="", state=LinkState.LINKED, target_id=targets.get(user.manager or ""))
    link = linked(sync, user, targets[user.id], boss.reference if boss.target_id else None)
    await links.save(replace(link, read_at=read_at))


async def _check(here: World, person: User) -> None:
    mark = await here.log.mark()
    now = here.runtime.clock.now()
    nomination = Nomination(sync=here.sync.name, user=person["id"], why=Why.OPERATOR, at=now)
    outcome = await here.runtime.worker.handle(nomination)
    if outcome is None or outcome.error or not all(isinstance(change, Skip) for change in outcome.changes):
        raise StalledError("a pair that was made here differs")
    if await here.log.since(mark, tenant=FABRIKAM):
        raise StalledError("looking at an unchanged user called the target")

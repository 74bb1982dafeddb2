"""Links and target users made without the product's worker: a large tenant long after its initial sync.

At Graph's write limit the product would need a quarter of an hour for ten thousand users. Here the emulator makes the
target users, and the product's own mapping and repositories make the links.
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
from .tenants import TwoTenants

_CHUNK = 500  # users in one call to the emulator
_SAMPLE = 5  # users that are checked afterwards


def linked(sync: Sync, user: SourceUser, target_id: str | None = None, manager: Json = None) -> Link:
    """The link of a user who has not changed since the last read. `manager` is the reference to the manager."""
    desired = apply_mapping(sync.mapping, {**user.attributes, MANAGER: manager})
    link = Link(sync=sync.name, source_id=user.id, state=LinkState.LINKED, target_id=target_id)
    everything = Update(attributes={**desired.always, **desired.on_create})
    return link.recorded(everything, source=user, desired=desired, refused={}, trusted=True)


async def link_everybody(here: TwoTenants) -> None:
    """Make a target user and a link for every source user. Raises StalledError if a look at a few finds a change."""
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


async def _make_targets(here: TwoTenants, chunk: tuple[User, ...]) -> list[str]:
    """Make target users; returns their ids in the same order."""
    bodies = [_target(here, person) for person in chunk]
    made = await here.emulated.control("POST", f"/tenants/{FABRIKAM}/users", {"value": bodies})
    return [str(each) for each in made["ids"]]


def _target(here: TwoTenants, person: User) -> User:
    desired = apply_mapping(here.sync.mapping, {**person, MANAGER: None})
    wanted = {name: value for name, value in {**desired.always, **desired.on_create}.items() if value is not None}
    address = str(person["mail"]).replace("@", "_")
    return {**wanted, "userPrincipalName": f"{address}#EXT#@fabrikam.example"}


async def _link(here: TwoTenants, person: User, targets: Mapping[str, str]) -> None:
    links, sync = here.runtime.storage.links, here.sync
    read_at = here.runtime.clock.now() - timedelta(hours=1)
    user = SourceUser(id=person["id"], state=SourceState.LIVE, attributes=person, read_at=read_at)
    await links.claim(sync.target.id, targets[user.id], f"{sync.name}/{user.id}")
    manager = Link(sync=sync.name, source_id="", state=LinkState.LINKED, target_id=targets.get(user.manager or ""))
    link = linked(sync, user, targets[user.id], manager.reference if manager.target_id else None)
    await links.save(replace(link, read_at=read_at))


async def _check(here: TwoTenants, person: User) -> None:
    start = await here.log.last()
    now = here.runtime.clock.now()
    nomination = Nomination(sync=here.sync.name, user=person["id"], why=Why.FEED, at=now)
    outcome = await here.runtime.worker.handle(nomination)
    if outcome is None or outcome.error or not all(isinstance(change, Skip) for change in outcome.changes):
        raise StalledError("a link that was made here differs from the product's")
    if await here.log.since(start, tenant=FABRIKAM):
        raise StalledError("looking at an unchanged user called the target")

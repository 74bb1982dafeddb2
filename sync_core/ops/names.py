"""Syncs, source tenants and source users by the names that an operator gives."""

from __future__ import annotations

from typing import Protocol, runtime_checkable

from ..assembly import Runtime
from ..config.file import Config
from ..model import SourceState, Sync, is_object_id
from .errors import RefusedError, UsageError


@runtime_checkable
class FindsUsers(Protocol):
    """A source directory that also knows user principal names; the engine goes by object ids alone."""

    async def find(self, name: str) -> str | None:
        """The object id of the user who has this user principal name or mail address; a deleted one by the latter."""
        ...


def find_sync(config: Config, name: str) -> Sync:
    if name not in config.syncs:
        raise UsageError(config.no_sync_named(name), hint="Take a name of sync.yaml.")
    return config.syncs[name]


def find_syncs(config: Config, name: str | None) -> list[Sync]:
    """The sync of this name; all of them without a name."""
    return list(config.syncs.values()) if name is None else [find_sync(config, name)]


async def find_user(runtime: Runtime, user: str, sync: str | None) -> list[tuple[Sync, str]]:
    """The syncs to look at, each with the user's object id. Raises RefusedError when no source tenant has the user.

    An object id together with a sync is taken as it is, so that a user who is gone can be looked at.
    """
    syncs = find_syncs(runtime.config, sync)
    source_id = _object_id(user)
    if source_id is not None and sync is not None:
        return [(each, source_id) for each in syncs]
    found = []
    ids: dict[str, str | None] = {}  # by source tenant: several syncs may read one
    for each in syncs:
        key = each.source.key
        if key not in ids:
            ids[key] = await _known(runtime, key, source_id) if source_id else await _by_name(runtime, key, user)
        known = ids[key]
        if known is None and source_id and await runtime.storage.links.get(each.name, source_id):
            known = source_id  # gone from the source, and still recorded here
        if known is not None:
            found.append((each, known))
    if not found:
        raise RefusedError(
            f"no source tenant knows the user ({', '.join(sorted(ids))})",
            hint="Check the spelling. A deleted user is found by mail address for 30 days, and always by object id.",
        )
    return found


async def source_ids(runtime: Runtime, user: str) -> set[str]:
    """The object ids of this user in the source tenants. Raises RefusedError when none has the user.

    An object id is taken as it is, so that a user who is gone can be named.
    """
    source_id = _object_id(user)
    return {source_id} if source_id else {each for _, each in await find_user(runtime, user, None)}


def _object_id(user: str) -> str | None:
    if is_object_id(user.lower()):
        return user.lower()
    if "@" in user:
        return None
    raise UsageError(
        "this is neither an object id nor a user principal name",
        hint="Object ids look like 6b1d4c62-4c0f-4a55-9a53-0c4d1a3b7e11; user principal names have an @.",
    )


async def _known(runtime: Runtime, tenant: str, source_id: str) -> str | None:
    source = await runtime.engine.sources[tenant].read_user(source_id)
    return None if source.state is SourceState.GONE else source_id


async def _by_name(runtime: Runtime, tenant: str, name: str) -> str | None:
    source = runtime.engine.sources[tenant]
    if not isinstance(source, FindsUsers):
        raise UsageError("this source finds users by object id only", hint="Give the object id of the source user.")
    return await source.find(name)

"""The names of people, read while they are shown: nothing of ours keeps any."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import dataclass

from ..assembly import Runtime
from ..model import PRINCIPAL_NAME, SourceState, Sync
from ..model.errors import SyncError

_AT_ONCE = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    sync: str
    source_id: str
    target_id: str | None = None


async def names(runtime: Runtime, pairs: Collection[Pair]) -> Mapping[Pair, str]:
    """Display name and user principal name of the source user; of one who is gone, name and mail of the target user.

    Of a deleted user the tenants have both for 30 days. A user who cannot be read has none.
    After the first failure of a sync, as on a laptop, nobody else of it is tried.
    """
    found: dict[Pair, str] = {}
    closed: set[str] = set()
    limit = asyncio.Semaphore(_AT_ONCE)

    async def read(pair: Pair) -> None:
        sync = runtime.config.syncs[pair.sync]
        async with limit:
            if sync.name in closed:
                return
            try:
                name = await _name(runtime, sync, pair)
            except SyncError:
                closed.add(sync.name)
                return
        if name:
            found[pair] = name

    await asyncio.gather(*(read(pair) for pair in pairs))
    return found


async def _name(runtime: Runtime, sync: Sync, pair: Pair) -> str:
    user = await runtime.engine.sources[sync.source.key].read_user(pair.source_id, frozenset())
    if user.state is not SourceState.GONE:
        # Entra puts the object id in front of the principal name of a deleted user, to free that name for others.
        address = str(user.attributes.get(PRINCIPAL_NAME) or "").removeprefix(pair.source_id.replace("-", ""))
        return _joined(user.attributes.get("displayName"), address)
    if not pair.target_id:
        return ""
    target = runtime.engine.targets[sync.target.key]
    there = await target.read_user(pair.target_id) or await target.deleted_user(pair.target_id)
    return _joined(there.display_name, there.mail) if there is not None else ""


def _joined(name: object, address: object) -> str:
    return " ".join(str(text) for text in (name, f"<{address}>" if address else None) if text)

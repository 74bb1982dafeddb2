"""The target users that are not as the sync left them, as the looks found them; Graph is not asked."""

from __future__ import annotations

from collections.abc import Iterable

from ..assembly import Runtime
from ..decision.drift import ROUNDS_OF_A_FIGHT, compared, enforced, lately
from ..model import ENABLED, Edited, LinkState, Sync
from ..model.errors import NewerSchemaError
from ..ports import DriftRecord
from . import documents
from .paging import onwards


async def drifted_users(
    runtime: Runtime, syncs: Iterable[Sync], *, limit: int = 100, after: str = ""
) -> documents.DriftedUsers:
    """One page. Raises UsageError for an `after` that no page gave."""
    found: list[documents.DriftedUser] = []
    for sync, behind in onwards(syncs, after):
        place: str | None = behind
        while place is not None:
            records, place = await runtime.storage.drifts.page(sync.name, limit - len(found), place)
            found += [shown for each in records if (shown := await _shown(runtime, sync, each)) is not None]
            if len(found) == limit:
                return documents.DriftedUsers(users=found, more=f"{sync.name}/{records[-1].source_id}")
    return documents.DriftedUsers(users=found, more=None)


async def drifted_user(runtime: Runtime, sync: Sync, user: str) -> documents.DriftedUser | None:
    """None also of a record that a newer version wrote, as the list leaves it out."""
    try:
        record = await runtime.storage.drifts.get(sync.name, user)
    except NewerSchemaError:
        return None
    return None if record is None else await _shown(runtime, sync, record)


async def _shown(runtime: Runtime, sync: Sync, record: DriftRecord) -> documents.DriftedUser | None:
    """None without a difference, and for a pair that is over or another one by now."""
    try:
        link = await runtime.storage.links.get(sync.name, record.source_id)
    except NewerSchemaError:
        return None
    ours = link is not None and link.state is LinkState.LINKED and link.target_id == record.target_id
    told = {ENABLED, *compared(sync)}  # the rule of an attribute may be gone
    differs = {name: since for name, since in record.differs.items() if name in told}
    if not differs or not ours:
        return None
    again = enforced(sync, list(differs))
    repairs = len(lately(record.repairs, runtime.clock.now()))
    state = documents.DriftState.LISTED
    if again:
        state = documents.DriftState.FOUGHT if repairs >= ROUNDS_OF_A_FIGHT else documents.DriftState.WAITS
    return documents.DriftedUser(
        sync=sync.name,
        source_id=record.source_id,
        target_id=record.target_id,
        attributes=[
            documents.DriftedAttribute(
                name=name, since=since, policy=Edited.ENFORCE if name in again else Edited.REPORT
            )
            for name, since in sorted(differs.items())
        ],
        state=state,
        repairs=repairs,
    )

"""What a person did, for the record: who, what, and about whom."""

from __future__ import annotations

from collections.abc import Iterable

from ..assembly import Runtime
from ..model import Event, FeedRun, Kind, LifecycleEvent, Nomination
from ..model.errors import MessageError
from ..model.messages import decode
from ..ports import Poisoned


async def keep(
    runtime: Runtime, kind: Kind, of: Iterable[tuple[str, str]], *, by: str, reason: str, target_id: str = ""
) -> None:
    """One event for each sync and user of `of`; an empty user stands for the sync as a whole."""
    now = runtime.clock.now()
    await runtime.storage.activity.record(
        [
            Event(at=now, sync=sync, user=user, kind=kind, reason=reason, operator=by, target_id=target_id)
            for sync, user in of
        ]
    )


def _of_tenant(runtime: Runtime, tenant: str) -> list[tuple[str, str]]:
    """The syncs that lead out of this tenant or into it."""
    return [(sync.name, "") for sync in runtime.config.syncs.values() if tenant in {sync.source.key, sync.target.key}]


def about(runtime: Runtime, message: Poisoned) -> list[tuple[str, str]]:
    """The syncs and users of a message. One that nothing can read, or of a former sync, may be about every sync."""
    every = [(name, "") for name in runtime.config.syncs]
    try:
        said = decode(message.queue, message.body)
    except MessageError:
        return every
    match said:
        case Nomination(sync=sync, user=user) if sync in runtime.config.syncs:
            return [(sync, user)]
        case FeedRun(tenant=tenant) | LifecycleEvent(tenant=tenant):
            return _of_tenant(runtime, tenant) or every
    return every

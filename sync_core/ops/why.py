"""One person explained: the look as of now, the pair, what differs in the target, and the last ten events."""

from __future__ import annotations

from ..assembly import Runtime
from ..model import Sync
from . import documents
from .drift import drifted_user
from .history import history, question
from .leaving import kept_now
from .looks import preview
from .pairs import stored_pair
from .sentences import of_look

_EVENTS = 10


async def explain(runtime: Runtime, sync: Sync, user: str) -> documents.Explanation:
    """Reads and decides, and writes nothing anywhere. `runtime` is in read-only mode."""
    look = await preview(runtime, sync, user, values=False)
    keep = await kept_now(runtime, sync.name, user)
    link = await runtime.storage.links.get(sync.name, user)
    past = await history(runtime, question([(sync.name, user)], runtime.clock.now(), limit=_EVENTS))
    return documents.Explanation(
        sync=look.sync,
        user=look.user,
        dry_run=look.dry_run,
        steps=look.steps,
        outcome=look.outcome,
        seconds=look.seconds,
        keep=keep,
        looked_at=link.read_at if link is not None else None,
        pair=stored_pair(sync, link) if link is not None and link.ours else None,
        drift=await drifted_user(runtime, sync, user),
        sentences=of_look(look, keep),
        events=past.events,
    )

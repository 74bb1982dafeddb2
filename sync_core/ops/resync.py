"""Starts a source tenant's feed over, from the very beginning."""

from __future__ import annotations

from ..bootstrap import Runtime
from ..errors import ConflictError, SyncError
from ..ports import FeedState
from .times import iso

_TRIES = 3

type Json = dict[str, object]


async def start(runtime: Runtime, tenant: str) -> Json:
    """One tenant's failure does not stop the others."""
    try:
        state = await _full_round(runtime, tenant)
    except SyncError as error:
        return {"tenant": tenant, "round": None, "started_at": None, "error": str(error), "hint": error.hint}
    return {
        "tenant": tenant,
        "round": state.round,
        "started_at": iso(state.started_at),
        "error": None,
        "hint": None,
    }


async def _full_round(runtime: Runtime, tenant: str) -> FeedState:
    for _ in range(_TRIES - 1):
        try:
            return await runtime.feeds.start_round(tenant, full=True)
        except ConflictError:
            continue  # a reader checkpointed a page in between
    return await runtime.feeds.start_round(tenant, full=True)

"""Starts a source tenant's feed over, from the very beginning."""

from __future__ import annotations

from ..assembly import Runtime
from ..model.errors import SyncError
from .times import iso

type Json = dict[str, object]


async def start(runtime: Runtime, tenant: str) -> Json:
    """One tenant's failure does not stop the others."""
    try:
        state = await runtime.feeds.start_round(tenant, full=True)
    except SyncError as error:
        return {"tenant": tenant, "round": None, "started_at": None, "error": str(error), "hint": error.hint}
    return {
        "tenant": tenant,
        "round": state.round,
        "started_at": iso(state.started_at),
        "error": None,
        "hint": None,
    }

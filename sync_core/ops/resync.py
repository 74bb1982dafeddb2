"""Starts the feeds of source tenants over, from the very beginning."""

from __future__ import annotations

from collections.abc import Iterable

from ..assembly import Runtime
from ..model import Kind
from ..model.errors import SyncError
from . import documents
from .kept import keep, of_tenant


async def start_rounds(runtime: Runtime, tenants: Iterable[str], *, by: str) -> documents.Rounds:
    """One tenant's failure does not stop the others."""
    return documents.Rounds(rounds=[await _start(runtime, tenant, by) for tenant in tenants])


async def _start(runtime: Runtime, tenant: str, by: str) -> documents.Round:
    try:
        state = await runtime.feeds.start_round(tenant, full=True)
        await keep(runtime, Kind.RESYNCED, of_tenant(runtime, tenant), by=by, reason=f"round {state.round}")
    except SyncError as error:
        return documents.Round(tenant=tenant, round=None, started_at=None, error=str(error), hint=error.hint)
    return documents.Round(tenant=tenant, round=state.round, started_at=state.started_at, error=None, hint=None)

"""Starts the feeds of source tenants over, from the very beginning."""

from __future__ import annotations

from collections.abc import Iterable

from ..assembly import Runtime
from ..model.errors import SyncError
from . import documents


async def start_rounds(runtime: Runtime, tenants: Iterable[str]) -> documents.Rounds:
    """One tenant's failure does not stop the others."""
    return documents.Rounds(rounds=[await _start(runtime, tenant) for tenant in tenants])


async def _start(runtime: Runtime, tenant: str) -> documents.Round:
    try:
        state = await runtime.feeds.start_round(tenant, full=True)
    except SyncError as error:
        return documents.Round(tenant=tenant, round=None, started_at=None, error=str(error), hint=error.hint)
    return documents.Round(tenant=tenant, round=state.round, started_at=state.started_at, error=None, hint=None)

"""Starts feeds over, from the very beginning."""

from __future__ import annotations

from collections.abc import Iterable

from ..assembly import Runtime
from ..model import Kind
from ..model.errors import SyncError
from ..model.messages import TARGET, USERS
from . import documents
from .errors import UsageError
from .kept import keep


def feeds_of(runtime: Runtime, tenant: str | None) -> list[tuple[str, str]]:
    """The feeds of users of this tenant, as a source and as a target; of every tenant, in order, without one."""
    found = sorted((name, feed) for name, feed in runtime.feeds.every() if feed in (USERS, TARGET))
    if tenant is not None and tenant not in {name for name, _ in found}:
        known = ", ".join(dict.fromkeys(name for name, _ in found))
        raise UsageError(f"no sync has a tenant named '{tenant}'", hint=f"Tenants are: {known}.")
    return [(name, feed) for name, feed in found if tenant in (None, name)]


async def start_rounds(runtime: Runtime, feeds: Iterable[tuple[str, str]], *, by: str) -> documents.Rounds:
    """Of each tenant and feed. One's failure does not stop the others."""
    return documents.Rounds(rounds=[await _start(runtime, tenant, feed, by) for tenant, feed in feeds])


async def _start(runtime: Runtime, tenant: str, feed: str, by: str) -> documents.Round:
    about = [(sync.name, "") for sync in runtime.feeds.kinds[feed].concerned(tenant)]
    try:
        state = await runtime.feeds.start_round(tenant, feed, full=True)
        await keep(runtime, Kind.RESYNCED, about, by=by, reason=f"round {state.round}")
    except SyncError as error:
        return documents.Round(tenant=tenant, feed=feed, round=None, started_at=None, error=str(error), hint=error.hint)
    return documents.Round(
        tenant=tenant, feed=feed, round=state.round, started_at=state.started_at, error=None, hint=None
    )

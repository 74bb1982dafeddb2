"""Reconciles one user at once, by the same way as a message from the queue.

A nomination is left on the queue first. If this process dies between a write and its record, the function app looks
at the user again within minutes. If all went well, that message finds a newer read and is dropped.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..assembly import Runtime
from ..decision.look import Look
from ..model import Hold, Nomination, Outcome, Postpone, Refuse, Sync, Why
from ..model.errors import AccessRefusedError, PausedError, SyncError
from . import documents
from .changes import shown, way_out
from .documents import Result
from .looks import failed, shown_look
from .times import seconds_between

_LOOK_AGAIN_S = 300.0


async def sync_now(
    runtime: Runtime, sync: Sync, user: str, looks: Sequence[Look], *, values: bool
) -> documents.SyncResult:
    """`looks` is where `runtime` puts the looks that it takes; it is empty now."""
    started = runtime.clock.now()
    outcome = await _reconcile(runtime, sync, user, looks)
    return documents.SyncResult(
        sync=sync.name,
        user=user,
        dry_run=False,
        steps=[shown_look(each, values=values) for each in looks],
        outcome=outcome,
        seconds=seconds_between(started, runtime.clock.now()),
    )


async def _reconcile(runtime: Runtime, sync: Sync, user: str, looks: Sequence[Look]) -> documents.Outcome:
    nomination = Nomination(sync=sync.name, user=user, why=Why.OPERATOR, at=runtime.clock.now())
    try:
        await runtime.configurations.check(sync)
        await runtime.pauses.check(sync.name)
        await runtime.storage.queues.nominate([nomination], delay=_LOOK_AGAIN_S)
        done = await runtime.worker.handle(nomination)
        link = await runtime.storage.links.get(sync.name, user)
    except PausedError as error:
        return replace(failed(error), result=Result.POSTPONED)
    except SyncError as error:
        return failed(error)
    parked_until = link.parked.until if link and link.parked and done and done.error else None
    return documents.Outcome(
        result=Result.PARKED if parked_until else _result(done),
        changes=[shown(change) for change in done.changes] if done else [],
        target_id=link.target_id if link else None,
        error=(done.error or None) if done else None,
        hint=_hint(done, looks),
        next_try_at=parked_until,
    )


def _result(done: Outcome | None) -> Result:
    """An error without parking means that the function app tries again. A hold is no error."""
    if done is None or not (done.error or done.changes):
        return Result.NOTHING
    if done.error:
        return Result.RETRY
    match done.changes[-1]:
        case Hold():
            return Result.HELD
        case Postpone():
            return Result.POSTPONED
    return Result.DONE


def _hint(done: Outcome | None, looks: Sequence[Look]) -> str | None:
    error = done.error if done else ""
    if error.startswith(AccessRefusedError.REASON):
        return AccessRefusedError.hint
    last = looks[-1].change if looks else None
    if last is None or (error and not isinstance(last, Refuse)):
        return None
    return way_out(last)

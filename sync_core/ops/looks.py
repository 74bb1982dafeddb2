"""One look at one user: what was read, what was decided and why, and what would be done."""

from __future__ import annotations

from dataclasses import replace

from ..assembly import Runtime
from ..decision.decide import needs_candidates
from ..decision.look import Look
from ..model import MANAGER, Attributes, Change, Counts, Disable, Hold, Postpone, Refuse, Skip, Sync, Update
from ..model.errors import SyncError
from . import documents
from .changes import shown, way_out
from .documents import Result
from .times import seconds_between

_REFUSED = (
    "tried again at a falling rate, and in each full round: of administrators no app without such a role may write"
    " some, Exchange keeps others for itself, and another object may have the address; set them by hand, or try again"
    " with `xtsync sync USER`"
)


async def preview(runtime: Runtime, sync: Sync, user: str, *, values: bool) -> documents.SyncResult:
    """Read and decide, and write nothing anywhere. `runtime` is in read-only mode."""
    started = runtime.clock.now()
    steps: list[documents.Look] = []
    try:
        sync = await runtime.configurations.check(sync)
        look = await runtime.engine.preview(sync, user)
        steps = [shown_look(look, values=values, before=await values_now(runtime, look) if values else None)]
        outcome = _would(look)
    except SyncError as error:
        outcome = failed(error)
    return documents.SyncResult(
        sync=sync.name,
        user=user,
        dry_run=True,
        steps=steps,
        outcome=outcome,
        seconds=seconds_between(started, runtime.clock.now()),
    )


async def values_now(runtime: Runtime, look: Look) -> Attributes | None:
    """The values that an update would replace, as they are now."""
    change = look.change.postponed if isinstance(look.change, Postpone) else look.change
    names = change.written.keys() - {MANAGER}
    if not isinstance(change, Update | Disable) or look.link.target_id is None or not names:
        return None
    return await runtime.engine.targets[look.sync.target.key].read_values(look.link.target_id, sorted(names))


def shown_look(look: Look, *, values: bool, before: Attributes | None = None) -> documents.Look:
    source, verdict, link = look.source, look.verdict, look.link
    asked = needs_candidates(source, verdict, link, look.sync.marker(source.id))
    refused = documents.RefusedAttributes(
        attributes=dict(sorted(link.refused.items())),
        since=dict(sorted(link.refused_since.items())),
        next_try_at=link.due,
        hint=_REFUSED,
    )
    return documents.Look(
        source=documents.Source(state=source.state, read_at=source.read_at),
        scope=documents.Scope(in_scope=verdict.in_scope, undecided=verdict.undecided, reason=verdict.reason),
        link=documents.Link(state=link.state, target_id=link.target_id, dirty=link.dirty),
        refused=refused if link.refused else None,
        candidates=_candidates(look) if asked else None,
        decision=_decision(look, values=values, before=before),
    )


def _candidates(look: Look) -> list[documents.Candidate]:
    return [
        documents.Candidate(id=user.id, external=user.external, linked_to=user.linked_to, marker=user.marker)
        for user in look.candidates
    ]


def _decision(look: Look, *, values: bool, before: Attributes | None) -> documents.Change:
    """A held deletion is shown with the limit of the window that is full."""
    decision = shown(look.change, values=values, before=before)
    if not isinstance(decision, documents.Hold):
        return decision
    of = look.sync.guard if decision.counts is Counts.SYNC else look.sync.guard_of_target
    limits = next(each for each in of.windows if each.window.total_seconds() == decision.window_s)
    guard = documents.GuardLimits(
        max_percent=limits.max_percent, min_count=limits.min_count, window_s=limits.window.total_seconds()
    )
    return replace(decision, guard=guard)


def failed(error: SyncError) -> documents.Outcome:
    return documents.Outcome(
        result=Result.FAILED,
        changes=[],
        target_id=None,
        error=str(error) or error.code,
        hint=error.hint,
        next_try_at=None,
    )


def _would(look: Look) -> documents.Outcome:
    return documents.Outcome(
        result=_result(look.change),
        changes=[shown(look.change)],
        target_id=look.link.target_id,
        error=look.change.reason if isinstance(look.change, Refuse) else None,
        hint=way_out(look.change),
        next_try_at=None,
    )


def _result(change: Change) -> Result:
    match change:
        case Skip():
            return Result.NOTHING
        case Refuse():
            return Result.REFUSED
        case Hold():
            return Result.HELD
        case Postpone():
            return Result.POSTPONED
    return Result.WOULD

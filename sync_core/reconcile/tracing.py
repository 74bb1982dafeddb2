"""What telemetry is told of one look: a span from the message to the last read, and the counts of its outcome.

Object ids, names of ours and numbers alone, as in the log.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager

from ..decision.look import Look
from ..model import Change, Hold, Nomination, Outcome, Postpone, Refuse, Skip
from ..model.messages import USER_CHANGES
from ..telemetry.metrics import CHANGE, CHANGES, ERROR, HELD, LATENCY, PARKED, REASON, RETRIES, SYNC, WHY
from ..telemetry.port import Kind, Span, measured, span


def one_look(nomination: Nomination) -> AbstractContextManager[Span]:
    """Part of the notification's trace where one led to it; what was nominated otherwise begins its own."""
    attributes = {
        SYNC: nomination.sync,
        WHY: nomination.why.value,
        "xtsync.user": nomination.user,
        "xtsync.attempt": nomination.attempt,
    }
    return span(f"process {USER_CHANGES}", Kind.WORKED, attributes, parent=nomination.traceparent)


def tell(under: Span, outcome: Outcome, last: Look | None) -> None:
    """`last` is what was decided last, if it came to that."""
    sync, done = {SYNC: outcome.sync}, [change.name for change in _carried_out(outcome.changes)]
    under.note({"xtsync.changes": ",".join(done)})
    if last is not None:
        under.note({"xtsync.decision": last.change.name})
        if isinstance(last.change, Skip | Refuse):
            under.note({REASON: last.change.reason})
    for name in done:
        measured(CHANGES, 1, {**sync, CHANGE: name})
    if done:
        seconds = (outcome.done_at - outcome.nominated_at).total_seconds()
        measured(LATENCY, max(seconds, 0), {**sync, WHY: outcome.why.value})
    if outcome.changes and isinstance(outcome.changes[-1], Hold):
        measured(HELD, 1, sync)
    if outcome.parked:
        under.failed(outcome.error)
        measured(PARKED, 1, {**sync, REASON: outcome.error})
    elif outcome.error and outcome.retry_after is not None:
        under.note({ERROR: outcome.error})
        measured(RETRIES, 1, {**sync, ERROR: outcome.error})


def _carried_out(changes: Sequence[Change]) -> Iterator[Change]:
    """Of what is held or put off, the part that was written meanwhile."""
    for change in changes:
        if not isinstance(change, Hold | Postpone):
            yield change
        elif change.meanwhile is not None:
            yield change.meanwhile

"""Leaving in stages, judged from what went over the wire: no stage comes early, and nobody who is kept loses access."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from .evidence import Broken, Evidence, Owned
from .history import Exchange
from .plan import Plan, Steps

# A look on an older read may undo a disabling for a moment; the time of the stage goes on.
_UNDONE = timedelta(minutes=45)
_CLOCKS_DIFFER = timedelta(seconds=7)
# The word is read right before the request.
_OBEYED_WITHIN = timedelta(seconds=5)
_OBEYED_SLOWLY = timedelta(minutes=30)  # where each step may take 700 s


def stages_kept(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """Invariant 2: nobody is deleted before the stage's time since they were disabled, or since they were seen out."""
    for delete in _removals(evidence, owned):
        birth = evidence.births.get(delete.instance)
        if delete.method != "DELETE" or birth is None or birth.plan.stages is None or evidence.deeds.tables_lost:
            continue
        source_id, lists = owned.source_of.get(delete.object_id, ""), _lists(birth.plan)
        if not lists:
            yield Broken(invariant=2, text=f"DELETE {delete.object_id[:8]} at {delete.done_at}: no stage deletes")
            continue
        for since, hours in (
            (_disabled_since(evidence, delete), min(_last_hours(steps) for steps in lists)),
            (_seen_out(evidence, source_id), min(sum(hours for hours, _ in steps) for steps in lists)),
        ):
            if since is not None and delete.sent_at - since < timedelta(hours=hours) - _UNDONE:
                age = delete.sent_at - since
                yield Broken(invariant=2, text=f"DELETE {delete.object_id[:8]} at {delete.done_at} after {age} alone")


def nobody_kept_lost_access(evidence: Evidence, owned: Owned) -> Iterator[Broken]:
    """Invariant 2: while a person keeps somebody, leaving takes nothing. The source itself may disable them."""
    late = _OBEYED_SLOWLY if "slow" in evidence.rates else _OBEYED_WITHIN
    for write in _removals(evidence, owned):
        began = write.begun_at or write.sent_at
        for kept in evidence.kept:
            about = write.taken is not None and write.taken.user == kept.user and write.taken.sync in kept.syncs
            lost = any(kept.since <= at <= began for at in evidence.deeds.tables_lost)
            if not about or lost or not kept.since + late <= began <= kept.until - _CLOCKS_DIFFER:
                continue
            if write.method == "DELETE" or not _disabled_in_source(evidence, write):
                yield Broken(
                    invariant=2, text=f"{write.method} {write.object_id[:8]} at {write.done_at}: kept by a person"
                )


def _removals(evidence: Evidence, owned: Owned) -> list[Exchange]:
    return [
        each for each in evidence.target_writes if each.removed and owned.taken_back.get(each.object_id) is not each
    ]


def _lists(plan: Plan) -> list[Steps]:
    """Those by which a target user is deleted in the end."""
    assert plan.stages is not None
    return [steps for steps in (plan.stages.out, plan.stages.deleted) if steps[-1][1] == "soft_delete"]


def _last_hours(steps: Steps) -> int:
    """From disabling to deleting; none where nobody is disabled first."""
    return steps[-1][0] if any(word == "disable" for _, word in steps) else 0


def _disabled_since(evidence: Evidence, delete: Exchange) -> datetime | None:
    """When we first disabled this user, after we last enabled them."""
    switched = [
        each
        for each in evidence.target_writes
        if each.object_id == delete.object_id and "accountEnabled" in each.body and each.sent_at < delete.sent_at
    ]
    since: datetime | None = None
    for each in sorted(switched, key=lambda each: each.sent_at):
        if each.body["accountEnabled"] is not False:
            since = None
        elif since is None:
            since = each.sent_at
    return since


def _seen_out(evidence: Evidence, source_id: str) -> datetime | None:
    """When an instance first read this user as gone or in another city. None where groups may have told it."""
    plans = [birth.plan for birth in evidence.births.values()]
    if any(asked.wanted or asked.barred for plan in plans for asked in plan.syncs.values()):
        return None
    cities = [set(asked.cities) for plan in plans for asked in plan.syncs.values()]
    reads = [each for each in evidence.exchanges if each.path == f"/users/{source_id}" and each.seen in {200, 404}]
    out = [
        each.sent_at
        for each in reads
        if each.tenant == evidence.source.id
        and (each.seen == 404 or any(of and each.shown.get("city") not in of for of in cities))
    ]
    return min(out, default=None)


def _disabled_in_source(evidence: Evidence, write: Exchange) -> bool:
    """Whether the last that this instance read of the user before was that the source has them, and disabled."""
    path = f"/users/{write.taken.user}" if write.taken else ""
    reads = [
        each
        for each in evidence.exchanges
        if each.path == path and each.instance == write.instance and each.answered_at and each.sent_at < write.sent_at
    ]
    last = max(reads, key=lambda each: each.sent_at, default=None)
    return last is not None and last.seen == 200 and last.shown.get("accountEnabled") is False

"""Plans that run as jobs, as a caller of the endpoints sees them: ask for one, follow it, read what it found."""

from __future__ import annotations

import asyncio
import json
import re
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import partial

from ..assembly import Runtime
from ..config.file import Config, parse_config
from ..model import PlanRun, Tenant
from ..model.messages import PLAN_JOBS
from ..ports import PlanJob, Plans
from ..ports.swap import until_saved
from ..upkeep.plans import give_up
from . import documents
from .errors import RefusedError, UsageError
from .names import find_sync
from .plan import shown_extent, words_of
from .times import seconds_between

# Of a file that comes over HTTP. Each sync has a row for each user of its source.
MOST_BYTES = 64 * 1024
MOST_SYNCS = 100
MOST_AT_ONCE = 3

_ASK_AGAIN = "Ask again when one of them is over."
_ID = re.compile("[0-9a-f]{24}")
_PLACE = re.compile("user:[!-9;-~]{1,200}:[!-9;-~]{1,300}")


class BusyError(RefusedError):
    """As many plans as may run at once are under way."""


def parse_candidate(text: str, deployed: Config) -> Config:
    """A file that came from a caller. Raises ConfigError with the line of each fault, and UsageError.

    Tenants are those of the deployed file, each on its side: nobody who may only read makes the app ask another one.
    """
    if len(text.encode("utf-8", "replace")) > MOST_BYTES:
        raise UsageError(f"sync.yaml has more than {MOST_BYTES} bytes", hint="Plan it where the app's settings are.")
    candidate = parse_config(text, most_syncs=MOST_SYNCS)
    for side, known, named in (
        ("source", deployed.source_tenants, candidate.source_tenants),
        ("target", deployed.target_tenants, candidate.target_tenants),
    ):
        ids = {_place(tenant) for tenant in known.values()}
        foreign = sorted(key for key, tenant in named.items() if _place(tenant) not in ids)
        if foreign:
            raise UsageError(
                f"no {side} tenant of the deployed sync.yaml: {', '.join(foreign)}",
                hint="A plan over HTTP is for the tenants that the app works for; deploy a new one in mode observe.",
            )
    return candidate


def _place(tenant: Tenant) -> tuple[str, str]:
    return tenant.id, tenant.cloud


async def ask(runtime: Runtime, asked: documents.PlanRequest, *, by: str) -> documents.PlanStatus:
    """Store the job, and put its message on the queue. Without a file of the caller's it has the deployed one.

    Raises ConfigError and UsageError for a file or a name that cannot be planned, and BusyError.
    """
    plans = runtime.storage.plans
    if len(await _under_way(plans)) >= MOST_AT_ONCE:
        raise _busy()
    config, text = runtime.config, runtime.config.text
    if asked.sync_yaml is not None:
        text = asked.sync_yaml
        # In a thread, so that other calls are answered meanwhile.
        config = await asyncio.to_thread(parse_candidate, text, runtime.config)
    if asked.sync is not None:
        find_sync(config, asked.sync)
    for name in ("plans", PLAN_JOBS):  # templates of before do not have them
        await runtime.storage.create(name)
    job = PlanJob(
        id=secrets.token_hex(12),
        asked_at=runtime.clock.now(),
        asked_by=by,
        candidate=asked.sync_yaml is not None,
        sync=asked.sync or "",
    )
    job = await plans.add(job, text)
    await _make_way(plans, job, runtime.clock.now())
    await plans.work_on(PlanRun(job=job.id))
    return shown_job(runtime, job)


async def _under_way(plans: Plans) -> Sequence[PlanJob]:
    """The oldest first."""
    jobs = [job for job in await plans.jobs() if not job.over]
    return sorted(jobs, key=lambda job: (job.asked_at, job.id))


async def _make_way(plans: Plans, added: PlanJob, now: datetime) -> None:
    """Leave the oldest ones alone under way, after others were asked for at the same time. Raises BusyError.

    Each job of those counts again after it was added, so the last one sees all of them. A younger one that counted
    before this one was there has been answered, and may be at work: it is ended.
    """
    under_way = await _under_way(plans)
    if added.id not in {job.id for job in under_way[:MOST_AT_ONCE]}:
        await plans.drop(added.id, 2)  # its text and itself
        raise _busy()
    for each in under_way[MOST_AT_ONCE:]:  # its worker leaves it once it saves again
        reason = f"{MOST_AT_ONCE} older plans are under way"
        await until_saved(partial(give_up, plans, each.id, now, reason, _ASK_AGAIN))


def _busy() -> BusyError:
    return BusyError(f"{MOST_AT_ONCE} plans are under way", hint=_ASK_AGAIN)


async def find(runtime: Runtime, job: str) -> PlanJob:
    """Raises UsageError."""
    found = await runtime.storage.plans.get(job) if _ID.fullmatch(job) else None
    if found is None:
        raise UsageError("no such plan", hint="It may have been dropped: the last thirty plans are kept, for a week.")
    return found


async def known(runtime: Runtime) -> documents.KnownPlans:
    """The newest first."""
    jobs = sorted(await runtime.storage.plans.jobs(), key=lambda job: (job.asked_at, job.id), reverse=True)
    return documents.KnownPlans(plans=[_listed(runtime, job) for job in jobs])


def _listed(runtime: Runtime, job: PlanJob) -> documents.KnownPlan:
    return documents.KnownPlan(
        id=job.id,
        state=job.state,
        candidate=job.candidate,
        sync=job.sync or None,
        asked_by=job.asked_by,
        asked_at=job.asked_at,
        seconds=_took(runtime, job),
        decided=job.decided,
    )


def _took(runtime: Runtime, job: PlanJob) -> float:
    return seconds_between(job.asked_at, job.finished_at or runtime.clock.now())


def known_sync(runtime: Runtime, job: PlanJob, sync: str) -> None:
    """Raises UsageError for a sync that neither the plan nor the deployed file has."""
    if sync not in job.counts and sync not in runtime.config.syncs:
        raise UsageError("this plan has no change of such a sync", hint="GET ops/plan/{id} lists those that have one.")


def shown_job(runtime: Runtime, job: PlanJob) -> documents.PlanStatus:
    return documents.PlanStatus(
        id=job.id,
        state=job.state,
        candidate=job.candidate,
        sync=job.sync or None,
        asked_by=job.asked_by,
        asked_at=job.asked_at,
        started_at=job.started_at,
        finished_at=job.finished_at,
        seconds=_took(runtime, job),
        read=job.read,
        users=job.nominated,
        decided=job.decided,
        syncs=[
            documents.SyncCounts(
                sync=name, counts=counts, words=words_of(counts), extent=shown_extent(job.extents.get(name))
            )
            for name, counts in sorted(job.counts.items())
        ],
        error=job.error or None,
        hint=job.hint or None,
    )


async def changes(
    runtime: Runtime, job: PlanJob, *, sync: str, kind: str, after: str, limit: int
) -> documents.PlannedChanges:
    """A page of what is decided so far. `after` is `more` of the page before. Raises UsageError for any other text."""
    if after and not _PLACE.fullmatch(after):
        raise UsageError("`after` is no `more` of a page", hint="Begin again without it.")
    found = await runtime.storage.plans.entries(job, after, limit + 1, sync=sync, kind=kind)
    page = found[:limit]
    return documents.PlannedChanges(
        changes=[
            documents.PlannedChange(sync=each.nominee.sync, kind=each.kind, user=_user(each.said)) for each in page
        ],
        more=page[-1].nominee.place if len(found) > limit else "",
    )


def _user(said: str) -> documents.PlannedUser | documents.FailedUser:
    fields: Mapping[str, object] = json.loads(said)
    if fields["change"] == "error":
        return documents.read_json(documents.FailedUser, fields)
    return documents.read_json(documents.PlannedUser, fields)

"""Plans that lost their message go on, those that never end are ended, and old ones are dropped."""

from __future__ import annotations

import logging
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..model import PlanRun
from ..model.errors import ConflictError, SyncError
from ..ports import Clock, PlanJob, Plans, PlanState

log = logging.getLogger("xtsync.plans")

_KEPT = timedelta(days=7)
_MOST = 30  # plans that are kept, the newest: each has a row for each user with a change
# Longer than a message stays hidden whose worker died, and than any wait of a job.
_STALLED = timedelta(minutes=20)
_LONGEST = timedelta(hours=24)
# Rows that one poll deletes, at most: with a poll every five minutes, 288,000 a day.
_AT_ONCE = 1000


async def give_up(plans: Plans, job: str, now: datetime, reason: str, hint: str) -> None:
    """End a job that is not over, if it is there."""
    found = await plans.get(job)
    if found is None or found.over:
        return
    over = replace(found, state=PlanState.FAILED, finished_at=now, error=reason, hint=hint, checkpoint="")
    await plans.save(replace(over, busy_until=None))
    log.warning("plan.given_up job=%s", job)


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanUpkeep:
    plans: Plans
    clock: Clock

    async def run(self) -> None:
        """Logs storage errors."""
        try:
            jobs = sorted(await self.plans.jobs(), key=lambda each: each.asked_at, reverse=True)
            for number, job in enumerate(jobs):
                await self._look_after(job, old=number >= _MOST and job.over)
        except SyncError as error:
            log.warning("plans.not_kept error=%s", error.code)

    async def _look_after(self, job: PlanJob, *, old: bool) -> None:
        now = self.clock.now()
        if old or now - job.asked_at >= _KEPT:
            await self.plans.drop(job.id, _AT_ONCE)
        elif job.over:
            return
        elif now - job.asked_at >= _LONGEST:
            await self._give_up(job, now)
        elif now - (job.progress_at or job.asked_at) >= _STALLED:
            await self.plans.work_on(PlanRun(job=job.id))
            log.info("plan.woken job=%s", job.id)

    async def _give_up(self, job: PlanJob, now: datetime) -> None:
        try:
            await give_up(self.plans, job.id, now, "not done within a day", "Plan one sync alone, with --sync.")
        except ConflictError:
            return  # a worker is at it this second; the next poll comes back to it

"""`xtsync plan` of a deployed app: a job there, followed to its end, and the same document as of a plan made here."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from itertools import chain, repeat
from typing import TYPE_CHECKING

from ..ops import documents
from ..ops.documents import FailedUser, PlannedUser, PlanStatus
from ..ops.errors import RefusedError
from ..ops.plan import sync_plan
from ..ops.words import many
from ..ports import PlanState
from .screen import Screen

if TYPE_CHECKING:
    from .app import App

# Seconds between two questions how far it is.
_PAUSES = (0.1, 0.5, 1, 1, 2)
_LONGEST_PAUSE = 5
_PAGE = 1000


async def plan_there(app: App, asked: documents.PlanRequest, screen: Screen) -> documents.Plan:
    """Progress goes to `screen`. Raises RefusedError for a plan that failed there."""
    job = await app.ask("ask_plan", PlanStatus, body=asked)
    done = await _end_of(app, job, screen)
    if done.state is PlanState.FAILED:
        raise RefusedError(f"the plan failed: {done.error}", hint=done.hint or f"It is plan {done.id} of the app.")
    users: Mapping[str, list[PlannedUser | FailedUser]] = {each.sync: [] for each in done.syncs}
    after: str | None = None
    while after != "":
        query = {"limit": _PAGE, "after": after}
        page = await app.ask("plan_changes", documents.PlannedChanges, plan=done.id, query=query)
        for each in page.changes:
            users[each.sync].append(each.user)
        after = page.more
    extents = {each.sync: each.extent for each in done.syncs}
    return documents.Plan(syncs=[sync_plan(name, of, extents[name]) for name, of in sorted(users.items())])


async def _end_of(app: App, job: PlanStatus, screen: Screen) -> PlanStatus:
    """The plan when it is over."""
    pauses = chain(_PAUSES, repeat(_LONGEST_PAUSE))
    with screen.progress(f"plan {job.id}: reading the tenants", None) as read:
        while job.users is None and not _over(job):
            job = await _asked_again(app, job, next(pauses))
            read(job.read)
    with screen.progress(f"plan {job.id}: deciding on {many(job.users or 0, 'user')}", job.users) as decided:
        while not _over(job):
            job = await _asked_again(app, job, next(pauses))
            decided(job.decided)
    return job


async def _asked_again(app: App, job: PlanStatus, pause: float) -> PlanStatus:
    await asyncio.sleep(pause)
    return await app.ask("plan", PlanStatus, plan=job.id)


def _over(job: PlanStatus) -> bool:
    return job.state in {PlanState.DONE, PlanState.FAILED}

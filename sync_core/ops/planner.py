"""Works on a plan that runs as a job, in runs of a few minutes, with one page or chunk of users in memory.

First the feeds of every source tenant are read from the beginning, which nominates users into the table of plans. Then
they are decided on in the order of their ids, as `xtsync plan` does it (rehearsal.py). After each page and each chunk
the job is saved with all that the next run needs: the rows of the feeds, and how far the guards have counted. So a
crash repeats one page or chunk, and counts nothing twice. Nothing but the table and the queue of plans is written.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import timedelta
from typing import Any

from ..assembly import Runtime
from ..config.file import Config, parse_config
from ..model import FeedRun, Nomination, PlanRun, Why
from ..model.errors import ConflictError, SyncError, TransientError, UnavailableError
from ..model.messages import decode_feed_run, encode
from ..ports import Clock, Feeds, FeedState, Nominee, PlanEntry, PlanExtent, PlanJob, Plans, PlanState
from .documents import as_json
from .plan import user_plan
from .plan_jobs import parse_candidate
from .rehearsal import Rehearsal, read_on
from .scratch import KeptQueues

log = logging.getLogger("xtsync.plans")

# One run works for so long, then puts its message on the queue again. Beyond that it ends a page of a feed (a minute at
# most) or a chunk. The function may take ten minutes: host.json.
_WORKS_FOR = timedelta(minutes=3)
# So long nobody else takes the job up. A message whose worker died comes back after ten minutes.
_BUSY_FOR = timedelta(minutes=8)
_CHUNK = 100
# A wait that a feed asks for is slept through if it is short; otherwise the message waits.
_SHORT_S = 10.0
_TRIES = 10
_LONGEST_BACKOFF_S = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Planner:
    """`build` makes a runtime for a configuration, in read-only mode and on storage that refuses to write."""

    plans: Plans
    clock: Clock
    deployed: Config
    build: Callable[[Config], Runtime]

    async def run(self, run: PlanRun) -> None:
        """Work on this job for a while. Failures of the services are tried again; any other one ends the job."""
        job = await self.plans.get(run.job)
        if job is None or job.over:
            return
        now = self.clock.now()
        if job.busy_until is not None and now < job.busy_until:
            await self.plans.work_on(run, delay=(job.busy_until - now).total_seconds())
            return
        try:
            await self._work(await self._taken(job), run)
        except ConflictError:
            # Somebody else has the job, with a message of their own; should they die, upkeep sends another one.
            log.info("plan.left job=%s", run.job)

    async def _taken(self, job: PlanJob) -> PlanJob:
        now = self.clock.now()
        return await self.plans.save(
            replace(
                job,
                state=PlanState.RUNNING,
                started_at=job.started_at or now,
                progress_at=now,
                busy_until=now + _BUSY_FOR,
            )
        )

    async def _work(self, job: PlanJob, run: PlanRun) -> None:
        held = _Held(self.plans, self.clock, job)
        try:
            wait = await self._some(held)
        except ConflictError:
            raise
        except TransientError as error:
            if run.attempt >= _TRIES:
                await held.fail(error)
                return
            wait = max(min(2.0**run.attempt, _LONGEST_BACKOFF_S), error.retry_after or 0)
            await held.let_go()
            await self.plans.work_on(replace(run, attempt=run.attempt + 1), delay=wait)
        except SyncError as error:
            await held.fail(error)
        except Exception:
            await held.let_go()  # the message comes back by itself, at last to the poison queue
            raise
        else:
            if not held.job.over:
                await held.let_go()
                await self.plans.work_on(PlanRun(job=job.id), delay=wait)

    async def _config(self, job: PlanJob) -> Config:
        """A candidate is checked as when it was asked for: since then a tenant may have left the deployed file.

        In a thread, so that this process looks at users meanwhile.
        """
        text = await self.plans.text(job.id)
        if job.candidate:
            return await asyncio.to_thread(parse_candidate, text, self.deployed)
        return await asyncio.to_thread(parse_config, text)

    async def _some(self, held: _Held) -> float:
        """Until the time is up or all is done. In how many seconds to go on."""
        runtime = self.build(await self._config(held.job))
        try:
            asked = [sync for name, sync in runtime.config.syncs.items() if held.job.sync in ("", name)]
            syncs = {sync.name: await runtime.configurations.check(sync) for sync in asked}
            begun = {} if held.job.checkpoint else dict.fromkeys(syncs, PlanExtent())
            counts: Mapping[str, Mapping[str, int]] = {name: {} for name in syncs} | {**held.job.counts}
            held.job = replace(held.job, counts=counts, extents={**begun, **held.job.extents})
            work = _Work(held, runtime, Rehearsal.of(runtime, syncs))
            await work.restore()
            until = self.clock.now() + _WORKS_FOR
            while True:
                wait = await (work.read() if held.job.nominated is None else work.decide())
                if held.job.over or wait > _SHORT_S or self.clock.now() >= until:
                    return wait
                if wait:
                    await self.clock.sleep(wait)
        finally:
            await runtime.close()


@dataclass(slots=True)
class _Held:
    """The job as this worker saved it last. Saving raises ConflictError if another one has taken it."""

    plans: Plans
    clock: Clock
    job: PlanJob

    async def save(self, job: PlanJob) -> None:
        now = self.clock.now()
        self.job = await self.plans.save(replace(job, progress_at=now, busy_until=now + _BUSY_FOR))

    async def let_go(self) -> None:
        self.job = await self.plans.save(replace(self.job, busy_until=None))

    async def fail(self, error: SyncError) -> None:
        log.warning("plan.failed job=%s error=%s", self.job.id, error.code)
        await self.end(PlanState.FAILED, error=str(error) or error.code, hint=error.hint)

    async def end(self, state: PlanState, *, error: str = "", hint: str = "") -> None:
        over = replace(self.job, state=state, finished_at=self.clock.now(), checkpoint="", error=error, hint=hint)
        self.job = await self.plans.save(replace(over, busy_until=None, progress_at=over.finished_at))
        log.info("plan.over job=%s state=%s users=%d", self.job.id, state, self.job.decided)


class _Work:
    """One run's work on a job."""

    def __init__(self, held: _Held, runtime: Runtime, rehearsal: Rehearsal) -> None:
        self._held, self._plans = held, held.plans
        self._runtime, self._rehearsal = runtime, rehearsal
        self._tenant = ""  # whose feeds are being read; those of the tenants before it were
        self._compared = ""  # behind whom linked users are still to be compared (references.py)
        self._current: tuple[FeedRun, float] | None = None
        self._queues = KeptQueues(self._nominate)
        feeds = _SavedFeeds(rehearsal.scratch.feeds, self._page_read)
        self._reader = rehearsal.reader(feeds, self._queues, held.job.started_at or held.job.asked_at)

    async def restore(self) -> None:
        if not self._held.job.checkpoint:
            return
        saved = json.loads(self._held.job.checkpoint)
        self._tenant = saved["tenant"]
        self._compared = saved.get("compared", "")
        self._queues.runs = [(decode_feed_run(body), delay) for body, delay in saved["runs"]]
        await self._rehearsal.scratch.restore(saved["rows"])

    async def _save(self, **changed: Any) -> None:
        waiting = [*([self._current] if self._current else []), *self._queues.runs]
        runs = [(encode(run), delay) for run, delay in waiting]
        rows = await self._rehearsal.scratch.saved()
        place = {"tenant": self._tenant, "compared": self._compared, "runs": runs, "rows": rows}
        await self._held.save(replace(self._held.job, checkpoint=json.dumps(place), **changed))

    async def read(self) -> float:
        """Work on one message of a feed; after the last one, begin with the next tenant, at last with references.

        In how many seconds to go on. Each page saves the job, together with the message that led to it.
        """
        if not self._queues.runs and not await self._next_tenant():
            await self._compare()
            return 0
        run, delay = self._queues.runs.pop(0)
        if delay:
            self._queues.runs.insert(0, (run, 0))
            await self._save()
            return delay
        self._current = (run, 0)
        await read_on(self._reader, run, self._queues)
        self._current = None
        await self._save()
        return 0

    async def _compare(self) -> None:
        """The next linked users; after the last ones everybody is nominated."""
        more = await self._rehearsal.compared(self._compared)
        if more is None:
            await self._save(nominated=await self._plans.count(self._held.job.id))
            return
        some, differ = more
        await self._nominate(differ)
        self._compared = some.cursor
        await self._save(extents=_extended(self._held.job.extents, {some.sync: PlanExtent(linked=some.linked)}))

    async def _next_tenant(self) -> bool:
        tenants = sorted({sync.source.key for sync in self._rehearsal.syncs.values()})
        tenant = next((each for each in tenants if each > self._tenant), None)
        if tenant is None:
            return False
        await self._reader.start_round(tenant, full=True)
        self._tenant = tenant  # only now: before its message is there, a death has to begin it again
        return True

    async def _page_read(self, entries: int) -> None:
        await self._save(read=self._held.job.read + entries)

    async def _nominate(self, nominations: Sequence[Nomination]) -> None:
        wanted = {(each.user, each.sync) for each in nominations if each.sync in self._rehearsal.syncs}
        await self._plans.nominate(self._held.job.id, sorted(wanted))

    async def decide(self) -> float:
        """The next chunk. Its changes are kept before the job says that they are."""
        job = self._held.job
        nominees = _whole_users(await self._plans.nominees(job.id, job.cursor, _CHUNK))
        if not nominees:
            await self._held.end(PlanState.DONE)
            return 0
        entries, looked = await self._decided(nominees)
        await self._plans.keep(job.id, entries)
        counts, extents = _counted(job.counts, entries), _extended(job.extents, looked)
        decided = job.decided + len(nominees)
        await self._save(cursor=nominees[-1].place, decided=decided, counts=counts, extents=extents)
        return 0

    async def _decided(self, nominees: Sequence[Nominee]) -> tuple[list[PlanEntry], Mapping[str, PlanExtent]]:
        places = {(each.sync, each.user): each for each in nominees}
        now = self._runtime.clock.now()
        asked = [Nomination(sync=each.sync, user=each.user, why=Why.OPERATOR, at=now) for each in nominees]
        entries: list[PlanEntry] = []
        looked = dict.fromkeys({each.sync for each in nominees}, PlanExtent())
        async for planned in self._rehearsal.decide(asked):
            user = await user_plan(self._runtime, planned, values=False)
            looked[planned.sync] = looked[planned.sync].more(looked_at=1, both=planned.linked)
            nominee = places[planned.sync, planned.user]
            kind, said = ("", "") if user is None else (user.kind, json.dumps(as_json(user)))
            entries.append(PlanEntry(nominee=nominee, kind=kind, said=said))
        return entries, looked


@dataclass(frozen=True, slots=True)
class _SavedFeeds:
    """ports.Feeds: those of the rehearsal; `on_page` is told of the entries of each page."""

    feeds: Feeds
    on_page: Callable[[int], Awaitable[None]]

    async def get(self, tenant: str, feed: str = "users") -> FeedState:
        return await self.feeds.get(tenant, feed)

    async def save(self, state: FeedState) -> FeedState:
        before = await self.feeds.get(state.tenant, state.feed)
        saved = await self.feeds.save(state)
        try:
            await self.on_page(max(0, state.entries - before.entries))
        except ConflictError as error:
            # The reader takes a conflict for another reader of its round, and would end without a word.
            raise UnavailableError("another worker has the plan") from error
        return saved


def _whole_users(nominees: Sequence[Nominee]) -> Sequence[Nominee]:
    """Without the last user of a full chunk, of whom it may lack a sync: the guard counts a person once."""
    if len(nominees) < _CHUNK or nominees[0].user == nominees[-1].user:
        return nominees
    return [each for each in nominees if each.user != nominees[-1].user]


def _extended(before: Mapping[str, PlanExtent], more: Mapping[str, PlanExtent]) -> Mapping[str, PlanExtent]:
    """One that is not known stays so."""
    return {sync: of.more(**asdict(more[sync])) if sync in more else of for sync, of in before.items()}


def _counted(before: Mapping[str, Mapping[str, int]], entries: Iterable[PlanEntry]) -> Mapping[str, Mapping[str, int]]:
    counts = {sync: Counter(of) for sync, of in before.items()}
    for each in entries:
        if each.kind:
            counts.setdefault(each.nominee.sync, Counter())[each.kind] += 1
    return counts

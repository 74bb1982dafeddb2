"""Reads feeds in rounds: it nominates users who may need a look, and decides nothing.

A round starts at the stored delta link. It is full, and starts from the beginning, when there is no link, when Graph
refuses the link, or when the question has changed. After each step the nominations go on the queue, then the step is
checkpointed: a crash repeats a step and never loses one.

The kinds of feed, with their own steps, are users.py, groups.py and target.py.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta

from ..guard.configurations import LEFT_AGAIN_S, Configurations
from ..guard.pauses import Pauses
from ..model import FeedRun, Nomination, Why, fingerprint
from ..model.errors import (
    ConflictError,
    GraphRefusedError,
    PermanentError,
    ResyncRequiredError,
    SyncError,
    TransientError,
    UnavailableError,
)
from ..model.messages import FEED_PAGES, GROUPS, USERS, format_time
from ..ports import Clock, FeedPhase, Feeds, FeedState, Guards, Queues
from ..ports.listing import Listing
from ..ports.swap import until_saved
from ..telemetry.metrics import FEED, TENANT
from ..telemetry.port import Kind, span
from .emptied import concluded
from .feed import Feed, Step

log = logging.getLogger("xtsync.feeds")

# One message reads for this long, then puts itself on the queue again: far from any function time-out.
TIME_BUDGET = timedelta(seconds=60)
# A round without progress for this long has lost its message (or its function fails): it is put on again.
STALLED = timedelta(minutes=10)
# Rounds that notifications ask for begin this far apart; notifications in between share the next one.
SPACING = timedelta(seconds=5)
# A delta query may lag behind a notification: after this long it is asked once more.
SECOND_LOOK = timedelta(seconds=8)
# A round in progress is waited for 1, 2, 4 ... 64 s; after that the poll starts the next one anyway.
_WAITS = 7
_LONGEST_BACKOFF = 300.0


@dataclass(frozen=True, slots=True, kw_only=True)
class FeedReader:
    kinds: Mapping[str, Feed]  # by name
    configurations: Configurations
    pauses: Pauses
    feeds: Feeds
    guards: Guards
    queues: Queues
    clock: Clock

    async def poll(self) -> None:
        """Start a round of every feed of every tenant. The failure of one does not stop the others."""
        if not await self.lead():
            return
        for tenant, feed in self.every():
            try:
                await self.start_round(tenant, feed)
            except SyncError as error:
                log.warning("feed.not_started tenant=%s feed=%s error=%s", tenant, feed, error.code)

    async def lead(self) -> bool:
        """Whether these are the feeds of the configuration that leads. False, too, if that cannot be read now."""
        try:
            return await self.configurations.leads()
        except SyncError as error:
            log.warning("configuration.unknown error=%s", error.code)
            return False

    def every(self) -> list[tuple[str, str]]:
        """Each tenant with the name of a feed that it has."""
        return [(tenant, name) for name, feed in self.kinds.items() for tenant in sorted(feed.tenants)]

    def resources(self) -> list[tuple[str, str]]:
        """Each tenant with a resource that Graph tells us of. Two feeds may share one."""
        each = {(tenant, self.kinds[name].resource(tenant)): None for tenant, name in self.every()}
        return [(tenant, resource) for tenant, resource in each if resource is not None]

    def told_by(self, tenant: str, resource: str) -> list[str]:
        """The feeds of a tenant of which this resource tells."""
        return [name for at, name in self.every() if at == tenant and self.kinds[name].resource(at) == resource]

    async def start_round(self, tenant: str, feed: str = USERS, *, full: bool = False) -> FeedState:
        """Start a round, or wake one that has stalled; a round in progress is left alone unless `full` is asked for."""
        # A reader may checkpoint a page in between.
        return await until_saved(lambda: self._start_round(tenant, feed, full=full))

    async def run(self, run: FeedRun) -> None:
        """Read on in a round until it ends or the time is used up; then its message is put on the queue again.

        A round is named by the time at which it was asked for. A name newer than the feed's newest round asks for a
        round that has yet to begin: that is what a notification leads to.
        """
        with span(f"process {FEED_PAGES}", Kind.WORKED, {TENANT: run.tenant, FEED: run.feed}):
            await self._run(run)

    async def _run(self, run: FeedRun) -> None:
        if run.feed not in self.kinds or run.tenant not in self.kinds[run.feed].tenants:
            log.warning("feed.unknown")
            return
        try:
            await self._read(run)
        except ConflictError:
            return  # a second delivery of this round's message is reading; it goes on
        except TransientError as error:
            await self._again(run, error)
        except PermanentError as error:
            # The round stays where it is; the poll wakes it again, and `status` shows why it stands still.
            log.warning("feed.stopped tenant=%s feed=%s error=%s", run.tenant, run.feed, error.code)
            state = await self.feeds.get(run.tenant, run.feed)
            await self.feeds.save(replace(state, error=error.code))

    async def _start_round(self, tenant: str, feed: str, *, full: bool) -> FeedState:
        state = await self.feeds.get(tenant, feed)
        now = self.clock.now()
        if state.phase is not FeedPhase.IDLE and not full and state.fingerprint == await self._wanted(state):
            if state.progress_at is not None and now - state.progress_at >= STALLED:
                await self.queues.continue_feed(FeedRun(tenant=tenant, feed=feed, round=state.round))
            return state
        state = await self._begin(state, format_time(now), full=full)
        await self.queues.continue_feed(FeedRun(tenant=tenant, feed=feed, round=state.round))
        return state

    async def _begin(self, state: FeedState, name: str, *, full: bool = False) -> FeedState:
        feed = self.kinds[state.feed]
        wanted = await self._wanted(state)
        if state.etag is not None and state.fingerprint != wanted:
            await self.configurations.heard_of(self._concerned(state))
        now = self.clock.now()
        tenant_id = self.configurations.tenant_id(state.tenant)
        if state.tenant_id not in ("", tenant_id):  # the delta link is of another directory
            state = replace(state, delta_link=None, closure="", unlisted=(), peopled=(), emptied=None)
        full = full or state.delta_link is None or state.fingerprint != wanted or feed.full_is_due(state, now)
        return await self.feeds.save(
            replace(
                state,
                tenant_id=tenant_id,
                phase=FeedPhase.PAGES,
                round=name,
                full=full,
                link=None if full else state.delta_link,
                cursor="",
                fingerprint=wanted,
                started_at=now,
                progress_at=now,
                pages=0,
                entries=0,
                nominated=0,
                error="",
            )
        )

    async def _read(self, run: FeedRun) -> None:
        state = await self.feeds.get(run.tenant, run.feed)
        if not await self.configurations.leads():
            await self.queues.continue_feed(run, delay=LEFT_AGAIN_S)
            return
        if state.round == run.round and state.fingerprint != await self._wanted(state):
            log.info("feed.of_another_configuration tenant=%s feed=%s", run.tenant, run.feed)
            return  # the next poll begins it anew
        if run.round > state.round:
            state = await self._asked_for(run, state)
        until, listing = self.clock.now() + TIME_BUDGET, Listing()
        while state.round == run.round and state.phase is not FeedPhase.IDLE:
            if self.clock.now() >= until:
                await self.queues.continue_feed(replace(run, attempt=0))
                return
            state = await self._step(state, listing)

    async def _wanted(self, state: FeedState) -> str:
        """What a round would ask and whom it would nominate: a round of another configuration differs in that."""
        concerned = self._concerned(state)
        since = await self.configurations.since(concerned)
        went_on = await self.pauses.since(concerned)
        return fingerprint([self.kinds[state.feed].fingerprint(state.tenant), *since, *went_on])

    def _concerned(self, state: FeedState) -> list[str]:
        return [sync.name for sync in self.kinds[state.feed].concerned(state.tenant)]

    async def _asked_for(self, run: FeedRun, state: FeedState) -> FeedState:
        """Begin the round that a notification asked for, unless a newer one covers it; later, if it is too soon.

        A notification during a round waits for the next one: the page being read may be older.
        """
        now = self.clock.now()
        if state.started_at is not None and run.round < format_time(state.started_at):
            return state
        if state.phase is not FeedPhase.IDLE:
            if run.attempt < _WAITS:
                await self.queues.continue_feed(replace(run, attempt=run.attempt + 1), delay=2.0**run.attempt)
            return state
        if state.started_at is not None and (wait := state.started_at + SPACING - now) > timedelta():
            await self.queues.continue_feed(replace(run, attempt=run.attempt + 1), delay=wait.total_seconds())
            return state
        if run.attempt == 0:
            second = FeedRun(tenant=run.tenant, feed=run.feed, round=format_time(now + SECOND_LOOK), attempt=1)
            await self.queues.continue_feed(second, delay=SECOND_LOOK.total_seconds())
        return await self._begin(state, run.round)

    async def _again(self, run: FeedRun, error: TransientError) -> None:
        """Put this round's message back with a delay. This counts as progress, or the poll would wake the round too."""
        delay = max(min(2.0 ** min(run.attempt, 20), _LONGEST_BACKOFF), error.retry_after or 0)
        await self.queues.continue_feed(replace(run, attempt=run.attempt + 1), delay=delay)
        state = await self.feeds.get(run.tenant, run.feed)
        if state.round == run.round:
            await self.feeds.save(replace(state, progress_at=self.clock.now(), error=error.code))

    async def _step(self, state: FeedState, listing: Listing) -> FeedState:
        try:
            step = await self.kinds[state.feed].step(state, listing)
        except ResyncRequiredError as error:
            if state.full and state.pages == 0:  # the fresh start was refused as well: wait before the next one
                raise UnavailableError from error
            # The Location that Graph may offer has lost the $select, so the round starts at our own first page.
            log.warning("feed.resync tenant=%s feed=%s", state.tenant, state.feed)
            return await self._progress(replace(state, full=True, link=None, delta_link=None, pages=0))
        except GraphRefusedError as error:
            if error.status not in {400, 404} or not (state.pages or state.full) or state.link is None:
                raise
            return await self._from_the_start_of_the_round(state, error)
        return await self._store(step)

    async def _store(self, step: Step) -> FeedState:
        """Invariant 7: every nomination of a step is on the queue before the round is stored as past that step."""
        state = await self._nominate(step.state, step.nominations)
        return await (self._complete(state) if state.phase is FeedPhase.IDLE else self._progress(state))

    async def _nominate(self, state: FeedState, nominations: Sequence[Nomination]) -> FeedState:
        """Put all on the queue, save those of a stopped sync."""
        syncs = sorted({each.sync for each in nominations})
        stopped = {name for name in syncs if await self.configurations.stopped(name)}
        going = [each for each in nominations if each.sync not in stopped]
        await self.queues.nominate(going)
        return replace(state, nominated=state.nominated + len(going))

    async def _from_the_start_of_the_round(self, state: FeedState, error: GraphRefusedError) -> FeedState:
        """The next page's link expired while the round stood still; the link at which the round began is still good."""
        log.warning("feed.restarted tenant=%s feed=%s error=%s", state.tenant, state.feed, error.code)
        await self._progress(replace(state, link=None if state.full else state.delta_link, pages=0))
        raise UnavailableError from error  # wait first: Graph may refuse this one, too

    async def _progress(self, state: FeedState) -> FeedState:
        return await self.feeds.save(replace(state, progress_at=self.clock.now(), error=""))

    async def _complete(self, state: FeedState) -> FeedState:
        if state.full:
            state = await self._nominate(state, await self._held(state))
        if state.full and state.feed == USERS and state.tenant in self.kinds[GROUPS].tenants:
            # A listing of users knows no memberships, so a listing of the groups follows.
            try:
                await self.start_round(state.tenant, GROUPS, full=True)
            except ConflictError as error:  # with a reader of the groups: nobody else reads on in this round
                raise UnavailableError from error
        now = self.clock.now()
        log.info(
            "feed.completed tenant=%s feed=%s full=%s pages=%d entries=%d nominated=%d",
            state.tenant,
            state.feed,
            state.full,
            state.pages,
            state.entries,
            state.nominated,
        )
        full_at = now if state.full else state.full_at
        done = replace(
            concluded(state), link=None, cursor="", completed_at=now, full_at=full_at, progress_at=now, error=""
        )
        return await self.feeds.save(done)

    async def _held(self, state: FeedState) -> list[Nomination]:
        """Everybody whose removal waits for a person: a hold or a rejection must not outlive its cause."""
        now = self.clock.now()
        return [
            Nomination(sync=sync.name, user=hold.source_id, why=Why.ABSENT, at=now)
            for sync in self.kinds[state.feed].concerned(state.tenant)
            for hold in await self.guards.holds(sync.name)
        ]

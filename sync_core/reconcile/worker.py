"""What becomes of one `user-changes` message: dropped, deferred, reconciled, tried again later, or parked.

Nothing leaves here as an exception unless this program is wrong; then the host delivers the message again, and the
redelivery is not trusted to find the record as its predecessor left it.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..guard.deletions import DeletionGuard
from ..model import (
    Change,
    Hold,
    Link,
    LinkState,
    Nomination,
    Outcome,
    Refuse,
    SourceState,
    Sync,
    Why,
)
from ..model.errors import (
    ConflictError,
    LostRecordError,
    MessageError,
    NotVisibleYetError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
from ..model.messages import USER_CHANGES, decode_nomination
from ..ports import Activity, Clock, Links, Queues
from .engine import Engine, Reconciliation

log = logging.getLogger("xtsync.worker")

# A user whom a notification led to this recently is looked at for another only afterwards, once for all that came in
# meanwhile; for whatever else nominates, any look counts.
SETTLE = timedelta(seconds=8)
# Transient errors are tried again after 1, 2, 4 ... 300 s; after this many tries the user is parked.
MAX_ATTEMPTS = 12
# Somebody new whom Graph mentions but does not show is looked for after 1, 2, 4, 8 and 16 s.
APPEARS_WITHIN = 5
_LONGEST_BACKOFF = 300.0
# Parked users are looked at again after 5, 10, 20 ... minutes, in the end once a day.
_FIRST_PARK = timedelta(minutes=5)
_LONGEST_PARK = timedelta(days=1)
_CONFLICTS = 5
_POISON_PAUSES = (1, 2, 4, 8, 16)  # seconds
_COALESCED = frozenset({Why.NOTIFICATION, Why.FEED, Why.ABSENT, Why.MARKED, Why.MANAGER})
_MOST_UPCOMING = 100_000


class UserLocks:
    """One worker at a time for each user within a process; across processes the links' etags serve."""

    def __init__(self) -> None:
        self._locks: dict[tuple[str, str], tuple[asyncio.Lock, int]] = {}

    @asynccontextmanager
    async def hold(self, sync: str, user: str) -> AsyncIterator[None]:
        key = (sync, user)
        lock, waiting = self._locks.get(key, (asyncio.Lock(), 0))
        self._locks[key] = (lock, waiting + 1)
        try:
            async with lock:
                yield
        finally:
            lock, waiting = self._locks.pop(key)
            if waiting > 1:
                self._locks[key] = (lock, waiting - 1)


class UpcomingLooks:
    """Looks that this process put on the queue: whoever is nominated before one is due needs no message of their own.

    Only a shortcut: what is forgotten here costs a message, never a look.
    """

    def __init__(self) -> None:
        self._due: dict[tuple[str, str, bool], datetime] = {}

    def covers(self, nomination: Nomination, now: datetime) -> bool:
        due = self._due.get(_kind_of_look(nomination))
        return due is not None and now < due and nomination.at < due and nomination.why in _COALESCED

    def add(self, nomination: Nomination, due: datetime) -> None:
        if len(self._due) >= _MOST_UPCOMING:
            self._due.clear()
        self._due[_kind_of_look(nomination)] = due

    def forget(self, nomination: Nomination) -> None:
        """The look is being taken: what comes in from now on needs another."""
        self._due.pop(_kind_of_look(nomination), None)


def _kind_of_look(nomination: Nomination) -> tuple[str, str, bool]:
    """Somebody changed just now, says a notification; whatever else says so may wait longer."""
    return nomination.sync, nomination.user, nomination.why is Why.NOTIFICATION


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    syncs: Mapping[str, Sync]
    engine: Engine
    links: Links
    guard: DeletionGuard
    queues: Queues
    activity: Activity
    clock: Clock
    locks: UserLocks = field(default_factory=UserLocks)
    upcoming: UpcomingLooks = field(default_factory=UpcomingLooks)

    async def handle(self, nomination: Nomination, *, redelivered: bool = False) -> Outcome | None:
        """The outcome of a reconciliation, or None when there was nothing to look at (or not now)."""
        sync = self.syncs.get(nomination.sync)
        if sync is None:
            log.warning("nomination.unknown_sync user=%s", nomination.user)
            return None
        async with self.locks.hold(nomination.sync, nomination.user):
            if not redelivered and self.upcoming.covers(nomination, self.clock.now()):
                return None
            link = await self._link(nomination)
            if not redelivered:
                if self._out_of_date(nomination, link):
                    return None
                wait = self._unsettled(nomination, link)
                if wait > 0:
                    await self._look_later(nomination, wait)
                    return None
            self.upcoming.forget(nomination)
            if nomination.why is Why.NOTIFICATION:
                link = link.noticed(self.clock.now())
            if nomination.why is Why.MARKED and link.state is LinkState.SEEN:
                link = link.marker_seen()
            return await self._reconcile(sync, nomination, link, distrust=redelivered)

    async def poisoned(self, queue: str, message_id: str, body: bytes) -> None:
        """Keep what this program failed on again and again, and park the user it was about.

        Tries for half a minute: nobody delivers a message of a poison queue again.
        """
        for pause in _POISON_PAUSES:
            try:
                await self._keep_poisoned(queue, message_id, body)
            except TransientError:
                await self.clock.sleep(pause)
            else:
                return
        await self._keep_poisoned(queue, message_id, body)

    async def _keep_poisoned(self, queue: str, message_id: str, body: bytes) -> None:
        text = body.decode(errors="replace")
        await self.activity.poisoned(queue, message_id, text, self.clock.now())
        log.warning("message.poisoned queue=%s message=%s", queue, message_id)
        if queue == USER_CHANGES:
            try:
                nomination = decode_nomination(text)
            except MessageError:
                return  # not one of ours: it was kept, and there is nobody to park
            await self._park(nomination, await self._link(nomination), "poisoned")

    async def _link(self, nomination: Nomination) -> Link:
        link = await self.links.get(nomination.sync, nomination.user)
        return link or Link(sync=nomination.sync, source_id=nomination.user)

    def _out_of_date(self, nomination: Nomination, link: Link) -> bool:
        """The user was read after this nomination was made, or a later retry has taken its place."""
        if nomination.why is Why.RETRY:
            return link.parked is None or nomination.at < link.parked.until
        if nomination.attempt:
            return False  # the try before it wrote, perhaps, but did not come to the read that finds nothing to do
        # Nothing else tells of a manager, so here no two clocks are trusted to the second.
        at = nomination.at + SETTLE if nomination.why is Why.MANAGER else nomination.at
        # A read "in the future" was made by a machine whose clock runs fast: it must not silence anybody.
        return link.read_at is not None and at <= link.read_at <= self.clock.now()

    def _unsettled(self, nomination: Nomination, link: Link) -> float:
        """How long to wait before looking at a user who was looked at just now.

        A notification does not wait for a look that something else led to, so that the first change shows at once.
        """
        looked_at = link.noticed_at if nomination.why is Why.NOTIFICATION else link.read_at
        if looked_at is None or nomination.why not in _COALESCED:
            return 0
        return min((looked_at - self.clock.now()).total_seconds(), 0) + SETTLE.total_seconds()

    async def _look_later(self, nomination: Nomination, wait: float) -> None:
        """One look, later, for this nomination and for all that come in until then."""
        due = self.clock.now() + timedelta(seconds=wait)
        await self.queues.nominate([replace(nomination, at=due)], delay=wait)
        self.upcoming.add(nomination, due)

    async def _reconcile(self, sync: Sync, nomination: Nomination, link: Link, *, distrust: bool) -> Outcome:
        try:
            done = await self._until_ours(sync, nomination, link, distrust=distrust)
        except TransientError as error:
            if isinstance(error, UnknownOutcomeError | LostRecordError):
                await self._distrust(nomination)
            return await self._again(nomination, link, error)
        except PermanentError as error:
            return await self._park(nomination, await self._link(nomination), error.code)
        if self._may_yet_appear(nomination, done):
            return await self._again(nomination, link, NotVisibleYetError())
        if isinstance(done.last.change, Refuse):
            link = done.link.decision_refused(done.last.source.read_at)
            return await self._park(nomination, link, done.last.change.reason, done.changes)
        return await self._done(nomination, done)

    def _may_yet_appear(self, nomination: Nomination, done: Reconciliation) -> bool:
        """Graph told us of somebody whom it does not show: a new user reaches its replicas one by one."""
        told = nomination.why in {Why.NOTIFICATION, Why.FEED} and nomination.attempt < APPEARS_WITHIN
        return told and done.last.source.state is SourceState.GONE and done.link.etag is None

    async def _until_ours(self, sync: Sync, nomination: Nomination, link: Link, *, distrust: bool) -> Reconciliation:
        """Reconcile; when another worker was at the same user, start over from the link that it left."""
        for _ in range(_CONFLICTS):
            try:
                if distrust:
                    link = await self._distrusted(link)
                return await self.engine.reconcile(sync, nomination.user, _asked_for(nomination, link))
            except ConflictError as error:
                distrust = distrust or isinstance(error, LostRecordError)
                link = await self._link(nomination)
        raise ConflictError

    async def _distrust(self, nomination: Nomination) -> None:
        """A write of ours may still arrive. Saved even when it is dirty already, so that no other record stands."""
        for _ in range(_CONFLICTS):
            link = await self._link(nomination)
            if link.state is not LinkState.LINKED:
                return
            with suppress(ConflictError):
                await self.links.save(link.distrusted())
                return
        raise ConflictError

    async def _distrusted(self, link: Link) -> Link:
        """What the record says was applied may not be what the target has: have every attribute applied again."""
        if link.state is not LinkState.LINKED or link.dirty:
            return link
        return await self.links.save(link.distrusted())

    async def _done(self, nomination: Nomination, done: Reconciliation) -> Outcome:
        last = done.last.change
        if nomination.why is Why.APPROVED and not isinstance(last, Hold):
            await self.guard.release(nomination.sync, nomination.user)
        link = _concluded(done)
        if done.last.source.absent and not link.ours:
            if link.etag is not None:
                await self.links.forget(link)
        elif not done.changes or link != done.link:
            await self._remember(link.looked_at(done.last.source.read_at))
        if done.changes:
            for event, names in (("left_out", done.last.desired.left_out), ("refused", link.refused)):
                self._warn_of(nomination, event, names)
        shown = [last] if isinstance(last, Hold) else []
        outcome = await self._outcome(nomination, link, [*done.changes, *shown])
        log.info(
            "user.reconciled sync=%s user=%s why=%s changes=%s latency_ms=%d",
            outcome.sync,
            outcome.user,
            outcome.why,
            ",".join(change.name for change in outcome.changes) or "-",
            (outcome.done_at - outcome.nominated_at).total_seconds() * 1000,
        )
        return outcome

    def _warn_of(self, nomination: Nomination, event: str, names: Iterable[str]) -> None:
        if attributes := ",".join(sorted(names)):
            log.warning("user.%s sync=%s user=%s attributes=%s", event, nomination.sync, nomination.user, attributes)

    async def _again(self, nomination: Nomination, link: Link, error: TransientError) -> Outcome:
        """Hand the message back to the queue with a delay; the host's own redelivery would only know one delay."""
        if nomination.attempt >= MAX_ATTEMPTS:
            return await self._park(nomination, await self._link(nomination), error.code)
        delay = max(min(2.0**nomination.attempt, _LONGEST_BACKOFF), error.retry_after or 0)
        await self.queues.nominate([replace(nomination, attempt=nomination.attempt + 1)], delay=delay)
        log.info("user.again sync=%s user=%s error=%s delay=%.1f", nomination.sync, nomination.user, error.code, delay)
        return await self._outcome(nomination, link, (), error=error.code, retry_after=delay, record=False)

    async def _park(self, nomination: Nomination, link: Link, reason: str, changes: Sequence[Change] = ()) -> Outcome:
        """Set the user aside, and look again at a falling rate."""
        now = self.clock.now()
        tries = link.parked.tries if link.parked else 0
        wait = min(_FIRST_PARK * 2 ** min(tries, 20), _LONGEST_PARK)
        due = now + wait
        link = link.set_aside(until=due, reason=reason, at=now)
        retry = replace(nomination, why=Why.RETRY, at=due, attempt=0)
        await self.queues.nominate([retry], delay=wait.total_seconds())
        await self._remember(link)
        log.warning("user.parked sync=%s user=%s reason=%s", nomination.sync, nomination.user, reason)
        return await self._outcome(nomination, link, changes, error=reason, retry_after=wait.total_seconds())

    async def _remember(self, link: Link) -> None:
        try:
            await self.links.save(link)
        except ConflictError:
            # Another worker has the user now. What it reads is newer, and a dirty link stays dirty.
            log.info("link.overtaken sync=%s user=%s", link.sync, link.source_id)

    async def _outcome(
        self,
        nomination: Nomination,
        link: Link,
        changes: Sequence[Change],
        *,
        error: str = "",
        retry_after: float | None = None,
        record: bool = True,
    ) -> Outcome:
        outcome = Outcome(
            sync=nomination.sync,
            user=nomination.user,
            changes=tuple(changes),
            why=nomination.why,
            nominated_at=nomination.at,
            done_at=self.clock.now(),
            target_id=link.target_id,
            refused=tuple(sorted(link.refused)),
            error=error,
            retry_after=retry_after,
        )
        if record and (changes or error):
            await self.activity.record(outcome)
        return outcome


def _concluded(done: Reconciliation) -> Link:
    last = done.last
    return done.link.concluded(
        last.change,
        source=last.source,
        verdict=last.verdict,
        desired=last.desired,
        asks_groups=bool(last.sync.groups),
    )


def _asked_for(nomination: Nomination, link: Link) -> Link:
    return link.asked_again() if nomination.why is Why.OPERATOR and link.refused else link

"""The way of one `user-changes` message: dropped, deferred, reconciled, tried again later, or parked.

An exception leaves here only if this program is wrong or the storage account is out of reach. Then the host delivers
the message again, and the redelivery does not trust the record that the failed try left.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from ..guard.configurations import Configurations
from ..guard.deletions import DeletionGuard
from ..guard.pauses import Pauses
from ..model import (
    Change,
    Hold,
    Link,
    LinkState,
    Nomination,
    Outcome,
    Postpone,
    Reason,
    Refuse,
    SourceState,
    Stay,
    Sync,
    Why,
    wait_after,
)
from ..model.errors import (
    ConflictError,
    LostRecordError,
    MessageError,
    NewerSchemaError,
    NotVisibleYetError,
    PausedError,
    PermanentError,
    TransientError,
    UnknownOutcomeError,
)
from ..model.messages import USER_CHANGES, decode_nomination
from ..ports import Activity, Clock, DueNotes, InHand, Links, Queues
from ..ports.swap import until_saved
from ..telemetry.port import Span
from .at_work import at_work
from .coalescing import UpcomingLooks, noticed, out_of_date, wait_before
from .conclude import conclude
from .deeds import Course, events
from .engine import Engine, Reconciliation
from .let_go import let_go
from .locks import UserLocks
from .retries import try_again
from .tracing import one_look, tell

log = logging.getLogger("xtsync.worker")

# Transient errors are tried again after 1, 2, 4 ... 300 s; after this many tries the user is parked.
MAX_ATTEMPTS = 12
# A new user that Graph mentions but does not show is looked for after 1, 2, 4, 8 and 16 s.
APPEARS_IN_TRIES = 5
_LONGEST_BACKOFF = 300.0
# A user who cannot be parked, because another worker has just recorded them, is looked at again after this (seconds).
_OVERTAKEN = 5.0
# A user whose row this version cannot read is looked at again after this (seconds).
_NEWER_PARK = 1800.0
_CONFLICTS = 5
# These may be about a hold that the link does not know of: nothing would end it otherwise.
_MAY_RELEASE = frozenset({Why.APPROVED, Why.ABSENT, Why.OPERATOR})
# These are about the target user, which is then read also where source and record ask for nothing. So may the look have
# been that ended in parking: the one that ends the parking stands for it.
_COMPARES = frozenset({Why.OPERATOR, Why.TARGET})
# These have what Graph refused sent again; FEED is also of each full round.
_ASKS_AGAIN = frozenset({Why.OPERATOR, Why.FEED, Why.RETRY})


@dataclass(frozen=True, slots=True, kw_only=True)
class Worker:
    configurations: Configurations
    pauses: Pauses
    engine: Engine
    links: Links
    guard: DeletionGuard
    queues: Queues
    activity: Activity
    in_hand: InHand
    due: DueNotes
    clock: Clock
    locks: UserLocks = field(default_factory=UserLocks)
    upcoming: UpcomingLooks = field(default_factory=UpcomingLooks)

    async def handle(self, nomination: Nomination, *, redelivered: bool = False) -> Outcome | None:
        """The outcome of a reconciliation, or None when there was nothing to look at (or not now, or not for us)."""
        with one_look(nomination) as under:
            return await self._handle(nomination, under, redelivered=redelivered)

    async def _handle(self, nomination: Nomination, under: Span, *, redelivered: bool) -> Outcome | None:
        if not await self.configurations.takes(nomination, redelivered=redelivered):
            return None
        if await self.pauses.let_go(nomination.sync):
            await self._let_go(nomination, redelivered=redelivered)
            return None
        sync = await self.configurations.sync(nomination.sync)
        async with self.locks.locked(nomination.sync, nomination.user):
            if not redelivered and self.upcoming.covers(nomination, self.clock.now()):
                return None
            try:
                link = await self._link(nomination)
            except NewerSchemaError as error:
                return await self._of_a_newer_version(nomination, error)
            if not redelivered:
                now = self.clock.now()
                if out_of_date(nomination, link, now):
                    return None
                wait = wait_before(nomination, link, now)
                if wait > 0:
                    await self._look_later(nomination, wait)
                    return None
            self.upcoming.forget(nomination)
            if nomination.why is Why.NOTIFICATION:
                link = noticed(link, self.clock.now())
            if nomination.why is Why.MARKED and link.state is LinkState.SEEN:
                link = link.marker_seen()
            async with at_work(self.in_hand, nomination, self.clock):
                course = Course(before=link)
                outcome = await self._reconcile(sync, nomination, link, course, distrust=redelivered)
                tell(under, outcome, course.last)
                await self.activity.record(events(nomination, course, outcome))
                await self.configurations.looked(nomination)
                return outcome

    async def poisoned(self, queue: str, message_id: str, body: str) -> None:
        """Keep a message that this program failed on again and again, and park the user it was about; safe to repeat.

        An exception means that the message has to stay where it is: the next poll comes back to it.
        """
        await self.activity.poisoned(queue, message_id, body, self.clock.now())
        log.warning("message.poisoned queue=%s message=%s", queue, message_id)
        if queue == USER_CHANGES:
            try:
                nomination = decode_nomination(body)
            except MessageError:
                return  # not one of ours: it is kept, and there is no user to park
            link = await self._link(nomination)
            outcome = await self._park(nomination, link, "poisoned")
            await self.activity.record(events(nomination, Course(before=link), outcome))

    async def _link(self, nomination: Nomination) -> Link:
        return await self.engine.link(nomination.sync, nomination.user)

    async def _look_later(self, nomination: Nomination, wait: float) -> None:
        """One look, later, for this nomination and for all that come in until then."""
        due = self.clock.now() + timedelta(seconds=wait)
        await self.queues.nominate([replace(nomination, at=due)], delay=wait)
        self.upcoming.add(nomination, due)

    async def _reconcile(
        self, sync: Sync, nomination: Nomination, link: Link, course: Course, *, distrust: bool
    ) -> Outcome:
        try:
            done = await self._until_ours(sync, nomination, link, course, distrust=distrust)
        except TransientError as error:
            if course.unrecorded or isinstance(error, UnknownOutcomeError | LostRecordError):
                await self._distrust(nomination, course)
            return await self._again(nomination, link, error)
        except PausedError as error:
            await self._let_go(nomination, redelivered=True)
            return self._outcome(nomination, link, (), error=error.code)
        except PermanentError as error:
            if course.unrecorded:
                await self._distrust(nomination, course)
            return await self._park(nomination, await self._link(nomination), error.code)
        if self._may_yet_appear(nomination, done):
            return await self._again(nomination, link, NotVisibleYetError())
        if isinstance(done.last.change, Refuse):
            reason = done.last.change.reason
            link = done.link.decision_refused(done.last.source.read_at, undecided=reason is Reason.UNDECIDED)
            return await self._park(nomination, link, reason, done.changes)
        return await self._done(nomination, done, before=link)

    def _may_yet_appear(self, nomination: Nomination, done: Reconciliation) -> bool:
        """Graph told of a user that it does not show: a new user reaches its replicas one by one."""
        told = nomination.why in {Why.NOTIFICATION, Why.FEED} and nomination.attempt < APPEARS_IN_TRIES
        return told and done.last.source.state is SourceState.GONE and done.link.etag is None

    async def _until_ours(
        self, sync: Sync, nomination: Nomination, link: Link, course: Course, *, distrust: bool
    ) -> Reconciliation:
        """Reconcile; when another worker was at the same user, start over from the link that it left."""
        for _ in range(_CONFLICTS):
            try:
                if distrust:
                    link = await self._distrusted(link, course)
                asked = self._asked_for(nomination, link)
                compare = nomination.why in _COMPARES or link.parked is not None
                return await self.engine.reconcile(sync, nomination.user, asked, compare=compare, course=course)
            except ConflictError as error:
                distrust = distrust or course.unrecorded or isinstance(error, LostRecordError)
                link = await self._link(nomination)
        raise ConflictError

    def _asked_for(self, nomination: Nomination, link: Link) -> Link:
        """With what Graph refused to be sent again, if a person, a round or a retry asks, or if it is due anyway."""
        again = nomination.why in _ASKS_AGAIN or link.retry is None or link.retry.due <= self.clock.now()
        return link.asked_again() if link.refused and again else link

    async def _distrust(self, nomination: Nomination, course: Course) -> None:
        """A write of ours may still arrive. A dirty link is saved too: its new ETag shuts out an older record."""

        async def save() -> None:
            link = await self._link(nomination)
            if link.state is LinkState.LINKED:
                await self.links.save(link.distrusted(disabling=course.disabling))

        await until_saved(save, tries=_CONFLICTS)

    async def _distrusted(self, link: Link, course: Course) -> Link:
        """A redelivered message: the record may not say what the target has."""
        if link.state is not LinkState.LINKED or link.dirty:
            return link
        return await self.links.save(link.distrusted(disabling=course.disabling))

    async def _done(self, nomination: Nomination, done: Reconciliation, *, before: Link) -> Outcome:
        last = done.last.change
        if nomination.why in _MAY_RELEASE and not isinstance(last, Hold | Postpone):
            await self.guard.release(nomination.sync, nomination.user, put_off=isinstance(last, Stay))
        link = await conclude(self.links, self.due, done, before=before)
        if link.waiting_since is not None and before.waiting_since is None:
            await self.engine.creations.listed_first(done.last.sync, link)
        if done.changes:
            for event, names in (("left_out", done.last.desired.left_out), ("refused", link.refused)):
                self._warn_of(nomination, event, names)
        shown = [last] if isinstance(last, Hold | Postpone) else []
        outcome = self._outcome(nomination, link, [*done.changes, *shown])
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
        return self._outcome(nomination, link, (), error=error.code, retry_after=delay)

    async def _park(self, nomination: Nomination, link: Link, reason: str, changes: Sequence[Change] = ()) -> Outcome:
        """Set the user aside, and look again at a falling rate.

        The row comes first: a retry that found nobody parked would be dropped. If another worker recorded something
        meanwhile, this user is not parked but looked at once more, soon.
        """
        now, before = self.clock.now(), link.parked
        wait = wait_after(before.tries if before else 0)
        due = now + wait
        link = link.set_aside(until=due, reason=reason, at=now)
        try:
            await self.links.save(link)
        except ConflictError:
            await self.queues.nominate([nomination.tried_again()], delay=_OVERTAKEN)
            log.info("link.overtaken sync=%s user=%s", nomination.sync, nomination.user)
            return self._outcome(nomination, link, changes, retry_after=_OVERTAKEN)
        await try_again(self.queues, link, at=due, now=now)
        log.warning("user.parked sync=%s user=%s reason=%s", nomination.sync, nomination.user, reason)
        return self._outcome(
            nomination,
            link,
            changes,
            error=reason,
            retry_after=wait.total_seconds(),
            parked=True,
            parked_before=before is not None,
        )

    async def _let_go(self, nomination: Nomination, *, redelivered: bool) -> None:
        try:
            await let_go(self.links, self.queues, nomination, redelivered=redelivered)
        except NewerSchemaError as error:
            await self._of_a_newer_version(nomination, error)
        else:
            log.info("nomination.let_go sync=%s user=%s", nomination.sync, nomination.user)

    async def _of_a_newer_version(self, nomination: Nomination, error: NewerSchemaError) -> Outcome:
        """This version was rolled back to. The row is left as it is: the newer version finds it, and a message."""
        await self._look_later(nomination.tried_again(), _NEWER_PARK)
        log.warning("user.parked sync=%s user=%s reason=%s", nomination.sync, nomination.user, error.code)
        link = Link(sync=nomination.sync, source_id=nomination.user)
        return self._outcome(nomination, link, (), error=error.code, retry_after=_NEWER_PARK)

    def _outcome(
        self,
        nomination: Nomination,
        link: Link,
        changes: Sequence[Change],
        *,
        error: str = "",
        retry_after: float | None = None,
        parked: bool = False,
        parked_before: bool = False,
    ) -> Outcome:
        return Outcome(
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
            parked=parked,
            parked_before=parked_before,
        )

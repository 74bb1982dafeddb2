"""Deliberate faults: each takes one rule out of the engine at run time. A simulator that misses them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest.mock import patch

from sync_core.assembly import Runtime
from sync_core.decision.look import Look
from sync_core.graph.groups import GraphGroups
from sync_core.graph.source import GraphSource
from sync_core.graph.target import GraphTarget
from sync_core.guard import creations, window
from sync_core.guard.configurations import Configurations
from sync_core.guard.keeps import KeptPeople
from sync_core.guard.ledger import Filled, Ledger
from sync_core.guard.pauses import Pauses
from sync_core.model import Control, Leaves, Link, Nomination, SourceState, SourceUser, Stage, Sync, Why, stages_of
from sync_core.nominate.feed import Step
from sync_core.nominate.rounds import FeedReader
from sync_core.nominate.users import UsersFeed
from sync_core.ops import controls
from sync_core.ops.documents import Rounds
from sync_core.ports import FeedState, Links, MarkedPage
from sync_core.reconcile import apply
from sync_core.reconcile.apply import Applier
from sync_core.reconcile.fresh import Reading
from sync_core.reconcile.heirs import Heirs
from sync_core.reconcile.reports import Reports
from sync_core.reconcile.worker import Worker
from sync_core.reconcile.writes import Writes


@contextmanager
def delta_link_first() -> Iterator[None]:
    """Invariant 7 turned round: the page is checkpointed, then its nominations go on the queue."""

    store = FeedReader._store

    async def storing(self: FeedReader, step: Step) -> FeedState:
        state = await store(self, replace(step, nominations=()))
        await self.queues.nominate(step.nominations)
        return state

    with patch.object(FeedReader, "_store", storing):
        yield


@contextmanager
def no_fresh_read() -> Iterator[None]:
    """A nomination that says that somebody is absent is believed; nobody is read, not before the DELETE either."""
    read_user, soft_delete = GraphSource.read_user, GraphTarget.soft_delete
    handle, judge = Worker.handle, UsersFeed._judge
    absent: set[str] = set()
    believed: set[str] = set()

    async def judging(self: UsersFeed, state: FeedState, entries: Any) -> tuple[FeedState, list[Nomination]]:
        absent.update(entry.id for entry in entries if entry.absent)
        absent.difference_update(entry.id for entry in entries if not entry.absent)
        return await judge(self, state, entries)

    async def handling(self: Worker, nomination: Nomination, *, redelivered: bool = False) -> Any:
        if nomination.why is Why.ABSENT or (nomination.why is Why.FEED and nomination.user in absent):
            believed.add(nomination.user)
        try:
            return await handle(self, nomination, redelivered=redelivered)
        finally:
            believed.discard(nomination.user)

    async def reading(self: GraphSource, user_id: str, groups: Collection[str] = ()) -> SourceUser:
        if user_id in believed:
            return SourceUser(id=user_id, state=SourceState.GONE, read_at=self._clock.now())
        return await read_user(self, user_id, groups)

    async def deleting(self: GraphTarget, target_id: str, *, confirm: Any) -> bool:
        return await soft_delete(self, target_id, confirm=_yes)

    with ExitStack() as stack:
        stack.enter_context(patch.object(UsersFeed, "_judge", judging))
        stack.enter_context(patch.object(Worker, "handle", handling))
        stack.enter_context(patch.object(GraphSource, "read_user", reading))
        stack.enter_context(patch.object(GraphTarget, "soft_delete", deleting))
        yield


@contextmanager
def trust_after_lost_cas() -> Iterator[None]:
    """After a lost compare-and-swap, and when a message comes again, the record is trusted as it stands."""

    async def trusted(self: Worker, link: Link) -> Link:
        return link

    async def believed(self: Worker, nomination: Nomination) -> None:
        pass

    with patch.object(Worker, "_distrusted", trusted), patch.object(Worker, "_distrust", believed):
        yield


@contextmanager
def no_invitation_mark() -> Iterator[None]:
    """Every guest who was created since our invitation began is taken for ours, whatever app invited them."""
    with patch.object(Link, "invitation_mark", ""):
        yield


@contextmanager
def marked_not_listed() -> Iterator[None]:
    """After the tables were lost nobody asks the target who bears our marker: who left meanwhile keeps access."""

    async def listed(self: GraphTarget, marker: Any, link: str | None = None) -> MarkedPage:
        return MarkedPage(source_ids=[])

    with patch.object(GraphTarget, "marked", listed):
        yield


@contextmanager
def reports_not_told() -> Iterator[None]:
    """Somebody is linked or comes back, and nobody looks again at those who report to them."""

    async def nobody(self: Reports, decided: Look, link: Link) -> None:
        pass

    with patch.object(Reports, "nominate", nobody):
        yield


@contextmanager
def missing_group_is_empty() -> Iterator[None]:
    """Nobody asks whether the groups are there: whoever was in a deleted one has left it."""
    members = GraphGroups.members

    async def none(self: GraphSource, groups: Collection[str]) -> set[str]:
        return set()

    async def listing(self: GraphGroups, group: str) -> set[str]:
        return await members(self, group) or set()

    with patch.object(GraphSource, "missing_groups", none), patch.object(GraphGroups, "members", listing):
        yield


@contextmanager
def kept_out_forgotten() -> Iterator[None]:
    """No link remembers whom groups had, or kept out: once they do not, no listing has them."""
    concluded = Link.concluded

    def forgetting(self: Link, *args: Any, **kwargs: Any) -> Link:
        return replace(concluded(self, *args, **kwargs), member_of=None)

    with patch.object(Link, "concluded", forgetting):
        yield


@contextmanager
def month_uncounted() -> Iterator[None]:
    """The guard counts in the windows of a day alone: a slow bleed is not held."""
    windows = Ledger.windows

    async def of_a_day(self: Ledger, sync: Sync, *, recount: bool = True) -> Sequence[Filled]:
        return [each for each in await windows(self, sync, recount=recount) if not each.window.month]

    with patch.object(Ledger, "windows", of_a_day):
        yield


@contextmanager
def late_invitation_kept() -> Iterator[None]:
    """The guest of an invitation that came too late stays, beside the one that the pair was made with."""

    async def kept(links: Links, target: GraphTarget, writes: Writes, sync: Sync, link: Link) -> None:
        pass

    with patch.object(apply, "take_back", kept):
        yield


@contextmanager
def linked_taken_back() -> Iterator[None]:
    """A worker that loses the record of an invitation deletes its guest, even if another one has linked it."""

    async def deleted(links: Links, target: GraphTarget, writes: Writes, sync: Sync, link: Link) -> None:
        await target.soft_delete(link.target_id or "", confirm=_yes)

    with patch.object(apply, "take_back", deleted):
        yield


@contextmanager
def ceiling_not_counted() -> Iterator[None]:
    """Permits to invite are handed out and not counted."""
    with patch.object(window, "taken", lambda seen, *_: seen):
        yield


@contextmanager
def paused_writes() -> Iterator[None]:
    """A pause is stored, and shown, and no worker asks for it."""

    async def running(self: Pauses, sync: str) -> Control:
        return Control.RUNNING

    async def kept(self: Pauses, sync: str) -> bool:
        return False

    with patch.object(Pauses, "control", running), patch.object(Pauses, "let_go", kept):
        yield


@contextmanager
def approval_outlives_its_list() -> Iterator[None]:
    """Once a person has let newcomers in, whoever comes later is let in, too."""
    with patch.object(creations, "_covers", lambda _sync, approval, _newcomer: approval is not None):
        yield


@contextmanager
def resume_without_round() -> Iterator[None]:
    """What a paused sync let go is not looked for when it goes on."""

    async def never(self: Pauses, tenant: str) -> Sequence[str]:
        return []

    async def none(runtime: Runtime, feeds: Iterable[tuple[str, str]], *, by: str) -> Rounds:
        return Rounds(rounds=[])

    with patch.object(Pauses, "since", never), patch.object(controls, "start_rounds", none):
        yield


@contextmanager
def old_file_judges() -> Iterator[None]:
    """In a rolling upgrade each process judges by its own file, whichever leads."""

    async def takes(self: Configurations, nomination: Nomination, *, redelivered: bool = False) -> bool:
        return not await self.stopped(nomination.sync)

    async def looked(self: Configurations, nomination: Nomination) -> None:
        pass

    with patch.object(Configurations, "takes", takes), patch.object(Configurations, "looked", looked):
        yield


@contextmanager
def edit_without_round() -> Iterator[None]:
    """Another file takes the lead, and nobody is looked at again for that."""

    async def never(self: Configurations, tenant: str) -> Sequence[str]:
        return []

    with patch.object(Configurations, "since", never), patch.object(UsersFeed, "fingerprint", lambda *_: "same"):
        yield


@contextmanager
def not_handed_over() -> Iterator[None]:
    """Users who leave one sync are deleted there, even if another sync of the same tenants has them."""

    async def nobody(self: Heirs, sync: Sync, reading: Reading, link: Link) -> None:
        return None

    with patch.object(Heirs, "of", nobody):
        yield


@contextmanager
def internal_unseen() -> Iterator[None]:
    """Nobody notices that a target user was converted to an internal one."""
    with (
        patch("sync_core.reconcile.engine.unless_internal", lambda change, target: change),
        patch.object(Applier, "_unless_overtaken", lambda *_: _yes),
    ):
        yield


@contextmanager
def stage_skipped() -> Iterator[None]:
    """Each stage follows the one before within a minute."""

    def at_once(how: Leaves) -> Sequence[Stage]:
        return [replace(each, after=min(each.after, timedelta(minutes=1))) for each in stages_of(how)]

    with patch("sync_core.decision.leaving.stages_of", at_once):
        yield


@contextmanager
def stage_clock_from_old_leaving() -> Iterator[None]:
    """A return does not end the time of a stage."""
    concluded = Link.concluded

    def kept(self: Link, *args: Any, **kwargs: Any) -> Link:
        link = concluded(self, *args, **kwargs)
        return link if link.leaving is not None else replace(link, leaving=self.leaving)

    with patch.object(Link, "returned", lambda self: self), patch.object(Link, "concluded", kept):
        yield


@contextmanager
def kept_is_deleted() -> Iterator[None]:
    """Nobody asks whom a person keeps."""

    async def nobody(self: KeptPeople, link: Link, *, leaves: bool) -> None:
        return None

    with patch.object(KeptPeople, "until", nobody):
        yield


@contextmanager
def refused_is_done() -> Iterator[None]:
    """What Graph refused counts as written, for good."""
    recorded = Link.recorded

    def done(self: Link, *args: Any, refused: Mapping[str, str], **kwargs: Any) -> Link:
        return recorded(self, *args, refused={}, **kwargs)

    with patch.object(Link, "recorded", done):
        yield


async def _yes() -> bool:
    return True


# These show only where the scope names groups.
IN_GROUPS = frozenset({"kept-out-forgotten", "missing-group-is-empty"})
MUTATIONS: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "approval-outlives-its-list": approval_outlives_its_list,
    "ceiling-not-counted": ceiling_not_counted,
    "delta-link-first": delta_link_first,
    "edit-without-round": edit_without_round,
    "internal-unseen": internal_unseen,
    "kept-is-deleted": kept_is_deleted,
    "kept-out-forgotten": kept_out_forgotten,
    "late-invitation-kept": late_invitation_kept,
    "linked-taken-back": linked_taken_back,
    "missing-group-is-empty": missing_group_is_empty,
    "month-uncounted": month_uncounted,
    "no-fresh-read": no_fresh_read,
    "marked-not-listed": marked_not_listed,
    "no-invitation-mark": no_invitation_mark,
    "not-handed-over": not_handed_over,
    "old-file-judges": old_file_judges,
    "paused-writes": paused_writes,
    "refused-is-done": refused_is_done,
    "reports-not-told": reports_not_told,
    "resume-without-round": resume_without_round,
    "stage-clock-from-old-leaving": stage_clock_from_old_leaving,
    "stage-skipped": stage_skipped,
    "trust-after-lost-cas": trust_after_lost_cas,
}

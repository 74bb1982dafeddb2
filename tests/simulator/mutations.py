"""Deliberate faults: each takes one rule out of the engine at run time. A simulator that misses them proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from sync_core.apply import Applier
from sync_core.feeds import FeedReader
from sync_core.graph.source import GraphSource
from sync_core.graph.target import GraphTarget
from sync_core.look import Look
from sync_core.model import Link, Nomination, SourceState, SourceUser, Why
from sync_core.ports import FeedPhase, FeedState, MarkedPage
from sync_core.worker import Worker


@contextmanager
def delta_link_first() -> Iterator[None]:
    """Invariant 7 turned round: the page is checkpointed, then its nominations go on the queue."""

    async def page(self: FeedReader, state: FeedState) -> FeedState:
        page = await self.sources[state.tenant].delta_page(state.link)
        nominations = await self._judge(state.tenant, page.users, full=state.full)
        state = replace(state, pages=state.pages + 1, link=page.next_link)
        if page.delta_link is None:
            state = await self._progress(state)
        else:
            state = replace(state, delta_link=page.delta_link)
            swept = replace(state, phase=FeedPhase.SWEEP)
            state = await (self._progress(swept) if state.full else self._complete(state))
        await self.queues.nominate(nominations)
        return state

    with patch.object(FeedReader, "_page", page):
        yield


@contextmanager
def no_fresh_read() -> Iterator[None]:
    """A nomination that says that somebody is absent is believed; nobody is read, not before the DELETE either."""
    read_user, soft_delete = GraphSource.read_user, GraphTarget.soft_delete
    handle, judge = Worker.handle, FeedReader._judge
    absent: set[str] = set()
    believed: set[str] = set()

    async def judging(self: FeedReader, tenant: str, entries: Any, *, full: bool) -> list[Nomination]:
        absent.update(entry.id for entry in entries if entry.absent)
        absent.difference_update(entry.id for entry in entries if not entry.absent)
        return await judge(self, tenant, entries, full=full)

    async def handling(self: Worker, nomination: Nomination, *, redelivered: bool = False) -> Any:
        if nomination.why is Why.ABSENT or (nomination.why is Why.FEED and nomination.user in absent):
            believed.add(nomination.user)
        try:
            return await handle(self, nomination, redelivered=redelivered)
        finally:
            believed.discard(nomination.user)

    async def reading(self: GraphSource, user_id: str) -> SourceUser:
        if user_id in believed:
            return SourceUser(id=user_id, state=SourceState.GONE, read_at=self._clock.now())
        return await read_user(self, user_id)

    async def deleting(self: GraphTarget, target_id: str, *, confirm: Any) -> bool:
        return await soft_delete(self, target_id, confirm=_yes)

    async def _yes() -> bool:
        return True

    with ExitStack() as stack:
        stack.enter_context(patch.object(FeedReader, "_judge", judging))
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
    """Whoever was created since our invitation began is taken for ours, whoever invited them."""
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

    async def nobody(self: Applier, decided: Look, link: Link) -> None:
        pass

    with patch.object(Applier, "_nominate_reports", nobody):
        yield


MUTATIONS: Mapping[str, Callable[[], AbstractContextManager[None]]] = {
    "delta-link-first": delta_link_first,
    "no-fresh-read": no_fresh_read,
    "marked-not-listed": marked_not_listed,
    "no-invitation-mark": no_invitation_mark,
    "reports-not-told": reports_not_told,
    "trust-after-lost-cas": trust_after_lost_cas,
}

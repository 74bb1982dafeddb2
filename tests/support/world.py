"""A whole deployment in memory: both tenants, storage, the core, and a host that delivers messages and never sleeps."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from typing import Any

from sync_core.assembly import Directories, Runtime, assemble
from sync_core.config.file import Config
from sync_core.decision.look import Look
from sync_core.mapping import DEFAULT_MAPPING, apply_mapping
from sync_core.model import (
    CREATIONS,
    Assigned,
    Event,
    FeedRun,
    Filter,
    GuardLimits,
    InviteBy,
    Json,
    Limit,
    Link,
    Mode,
    Nomination,
    Outcome,
    Policy,
    Receiver,
    Refuse,
    Skip,
    Sync,
    Why,
)
from sync_core.model.messages import FEED_PAGES, GROUPS, TARGET, USER_CHANGES, USERS, decode_feed_run, decode_nomination
from sync_core.ports import Asked, FeedState
from sync_core.storage.repositories import memory_storage

from .clock import ManualClock
from .directories import FindableSource, MemoryGroups, MemorySource, needed, pages
from .faults import Crash, Faults, FaultyQueue, FaultyTable
from .make import ADA, ADDRESS, CONTOSO, FABRIKAM, NAME, person, sync
from .subscriptions import MemorySubscriptions
from .target import Account, MemoryTarget


def names(outcome: Outcome) -> list[str]:
    """The kinds of change that were carried out, in order."""
    return [change.name for change in outcome.changes]


async def yes(_decided: Look, _link: Link) -> bool:
    """StillSo, for applying without an engine."""
    return True


def whom(nominations: Sequence[Nomination]) -> list[str]:
    return [each.user for each in nominations]


class World:
    """Contoso's people, Fabrikam's guests, and one worker between them."""

    def __init__(
        self,
        *,
        policy: Policy | None = None,
        guard: GuardLimits | None = None,
        filters: Sequence[Filter] = (),
        owner_attribute: str | None = None,
        assigned: Assigned | None = None,
        more: Sequence[Sync] = (),
        invite: InviteBy = InviteBy.MAIL,
        domains: frozenset[str] = frozenset(),
        mode: Mode = Mode.RUN,
        creation_guard: Limit | None = CREATIONS,
        receivers: Sequence[Receiver] = (),
        text: str = "",
    ) -> None:
        """`text` is the deployed sync.yaml, where a test plans by it."""
        self.clock = ManualClock()
        self.faults = Faults()
        self.storage = memory_storage(
            self.clock,
            wrap_table=lambda name, table: FaultyTable(name, table, self.faults),
            wrap_queue=lambda name, queue: FaultyQueue(name, queue, self.faults),
        )
        self.source = FindableSource(self.clock, self.faults)
        self.groups = MemoryGroups(self.source, self.faults, self.clock)
        self.target = MemoryTarget(self.clock, self.faults)
        self.api = MemorySubscriptions(self.clock, self.faults)
        self.target_api = MemorySubscriptions(self.clock, self.faults)
        self.sync = sync(
            policy=policy,
            guard=guard,
            filters=filters,
            owner_attribute=owner_attribute,
            assigned=assigned,
            invite=invite,
            domains=domains,
            mode=mode,
            creation_guard=creation_guard,
        )
        self.syncs = {each.name: each for each in (self.sync, *more)}
        self.receivers, self.text = receivers, text
        self.source.ask_for(needed(self.syncs.values()))
        self._states = count(1)
        self._start()

    def _start(self) -> None:
        runtime = self.runtime = self.instance(self.syncs)
        self.guard, self.engine, self.worker = runtime.guard, runtime.engine, runtime.worker
        self.feeds, self.keeper, self.keep = runtime.feeds, runtime.keeper, runtime.keep
        self.upkeep, self.configurations = runtime.upkeep, runtime.configurations

    def deploy(self, mode: Mode = Mode.RUN, **edited: Any) -> None:
        """Another sync.yaml: the sync observes, or runs, or has other values."""
        self.clock.advance(timedelta(minutes=1))
        self.sync = replace(self.sync, mode=mode, **edited)
        self.syncs[NAME] = self.sync
        self._start()

    def instance(
        self, syncs: Mapping[str, Sync], source: MemorySource | None = None, *, started: bool = True
    ) -> Runtime:
        """Another instance on the same storage, with a configuration of its own; `source` is its source tenant.

        Without `started` it is a command of an operator.
        """
        sources = {each.source.key for each in syncs.values()}
        return assemble(
            Config(
                tenants={tenant.key: tenant for tenant in (CONTOSO, FABRIKAM)},
                syncs=syncs,
                receivers=self.receivers,
                text=self.text,
            ),
            Directories(
                sources=dict.fromkeys(sources, source or self.source),
                groups=dict.fromkeys(sources, self.groups),
                targets={each.target.key: self.target for each in syncs.values()},
                subscriptions={each.target.key: self.target_api for each in syncs.values()}
                | dict.fromkeys(sources, self.api),
            ),
            self.storage,
            self.clock,
            new_client_state=lambda: f"state-{next(self._states)}",
            started=self.clock.now() if started else None,
        )

    # --- people ---

    def hire(self, user_id: str = ADA, name: str = "Ada", **attributes: Json) -> None:
        self.source.users[user_id] = person(name, **attributes)

    def change(self, user_id: str = ADA, **attributes: Json) -> None:
        self.source.users[user_id].update(attributes)

    async def linked(self, user_id: str = ADA, name: str = "Ada") -> Account:
        """Somebody who was synchronized a while ago; what that took is forgotten."""
        self.hire(user_id, name)
        await self.look(user_id)
        self.clock.advance(timedelta(hours=1))
        self.forget_calls()
        (account,) = [account for _, account in self.target.of(f"{name.lower()}@contoso.example")]
        return account

    def forget_calls(self) -> None:
        self.faults.calls.clear()
        self.target.writes.clear()

    def graph_calls(self) -> list[str]:
        """What was asked of either tenant."""
        return [call for call in self.faults.calls if call.startswith(("source.", "target."))]

    # --- feeds ---

    async def started(self, feed: str = USERS, *, full: bool = False) -> FeedRun:
        """The message of a round that was just started (or woken)."""
        tenant = FABRIKAM if feed == TARGET else CONTOSO
        await self.feeds.start_round(tenant.key, feed, full=full)
        (run,) = await self.runs(feeds={feed})
        return run

    async def feed(self, feed: str = USERS) -> FeedState:
        return await self.storage.feeds.get((FABRIKAM if feed == TARGET else CONTOSO).key, feed)

    async def first_round(self) -> None:
        """A full round that lists nobody is over: the next one starts at the link `delta:2`."""
        self.source.pages.update(pages([]))
        await self.feeds.run(await self.started())
        assert (await self.feed()).delta_link == "delta:2"
        self.clock.advance(timedelta(minutes=5))
        self.forget_calls()

    async def polled(self) -> list[BaseException]:
        """The next poll, its rounds to their end, and all looks that they ask for."""
        self.clock.advance(timedelta(minutes=5))
        await self.feeds.poll()
        while runs := await self.runs(feeds={USERS, GROUPS, TARGET}):
            for run in runs:
                await self.feeds.run(run)
        return await self.deliver()

    # --- messages ---

    def nomination(
        self, user_id: str = ADA, why: Why = Why.NOTIFICATION, *, at: datetime | None = None, attempt: int = 0
    ) -> Nomination:
        return Nomination(sync=NAME, user=user_id, why=why, at=at or self.clock.now(), attempt=attempt)

    async def look(self, user_id: str = ADA, why: Why = Why.OPERATOR, *, redelivered: bool = False) -> Outcome:
        """One message, handled now."""
        self.clock.advance(timedelta(milliseconds=1))
        outcome = await self.worker.handle(self.nomination(user_id, why), redelivered=redelivered)
        assert outcome is not None
        return outcome

    async def reason(self, user_id: str = ADA) -> str:
        """Why nothing would be done about this user now."""
        change = (await self.engine.preview(self.sync, user_id)).change
        assert isinstance(change, Skip | Refuse)
        return change.reason

    async def deliver(self, during: timedelta = timedelta(minutes=1)) -> list[BaseException]:
        """The host: every user-changes message that becomes visible meanwhile; what it raises is delivered again.

        It looks once a second. With nothing on the queue it sleeps until the end, as nobody else is at work meanwhile.
        """
        raised: list[BaseException] = []
        queue = self.storage.queues_by_name[USER_CHANGES]
        until = self.clock.now() + during
        while self.clock.now() <= until:
            for message in await queue.receive(visibility=600):
                try:
                    nomination = decode_nomination(message.body)
                    await self.worker.handle(nomination, redelivered=message.dequeue_count > 1)
                except (Exception, Crash) as error:  # noqa: BLE001 - as the host does
                    raised.append(error)
                    await queue.update(message, visibility=1)
                else:
                    await queue.delete(message)
            left = until - self.clock.now()
            idle = left.total_seconds() // 1 if left > timedelta() and not await queue.depth() else 0
            self.clock.advance(timedelta(seconds=idle + 1))
        return raised

    def put_stored(self, queue: str, stored: str) -> None:
        """A message as somebody sends it who does not know of base64."""
        there = self.storage.queues_by_name[queue]
        assert isinstance(there, FaultyQueue)
        there.put(stored)

    async def nominated(self) -> list[Nomination]:
        """What waits on the user-changes queue, however long it is still delayed; the messages are taken off.

        Without the fingerprint of the configuration, which `stamped` shows.
        """
        return [replace(each, config="") for each in await self.stamped()]

    async def stamped(self) -> list[Nomination]:
        return [decode_nomination(body) for body in await self._bodies(USER_CHANGES)]

    async def runs(self, feeds: Collection[str] = (USERS, GROUPS)) -> list[FeedRun]:
        """Those of the source's feeds, or of these; the messages of the others are taken off, too."""
        return [run for body in await self._bodies(FEED_PAGES) if (run := decode_feed_run(body)).feed in feeds]

    async def _bodies(self, name: str) -> list[str]:
        """Looks into the future: everything is visible after the longest delay."""
        queue = self.storage.queues_by_name[name]
        now = self.clock.now()
        self.clock.advance(timedelta(days=8))
        bodies = []
        while messages := await queue.receive():
            for message in messages:
                await queue.delete(message)
                bodies.append(message.body)
        self.clock.advance(now - self.clock.now())
        return bodies

    async def lose_tables(self) -> None:
        for table in self.storage.tables_by_name.values():
            for row in [row async for row in table.query(None)]:
                await table.delete(row.pk, row.rk)

    # --- what is to be true in the end ---

    async def events(self, user_id: str = "", *, limit: int = 100) -> Sequence[Event]:
        """The record of everybody, or of one person, newest first."""
        page = await self.storage.activity.page(Asked(of=[(NAME, user_id)]))
        return [event for event in page.events if event.user][:limit]

    async def link(self, user_id: str = ADA) -> Link | None:
        return await self.storage.links.get(NAME, user_id)

    async def stored(self, user_id: str = ADA) -> Link:
        link = await self.link(user_id)
        assert link is not None
        return link

    def guests(self, address: str = ADDRESS) -> list[str]:
        return [user_id for user_id, _ in self.target.of(address)]

    def enabled(self) -> list[Json]:
        """What each target user's accountEnabled was set to; None where nobody set it."""
        return [account.attributes.get("accountEnabled") for account in self.target.users.values()]

    def in_step(self, user_id: str = ADA) -> bool:
        """Whether the one guest of this user has every attribute that the newest source wants."""
        wanted = apply_mapping(DEFAULT_MAPPING, self.source.users[user_id]).always
        ((_, account),) = self.target.of(str(self.source.users[user_id]["mail"]))
        return all(account.attributes.get(name) == value for name, value in wanted.items())


async def deaths(
    prepared: Callable[[], Awaitable[tuple[World, FeedRun]]], *, more_than: int
) -> AsyncIterator[tuple[World, FeedRun]]:
    """The same world and message, once for each place where the worker died: before and after every await.

    Fails unless there are more than `more_than` awaits.
    """
    world, run = await prepared()
    await world.feeds.run(run)
    total = len(world.faults.calls)
    assert total > more_than
    for n in range(total):
        for after in (False, True):
            world, run = await prepared()
            world.faults.fail_at(n, Crash(), after=after)
            with suppress(Crash):
                await world.feeds.run(run)
                raise AssertionError("the worker did not die")
            yield world, run

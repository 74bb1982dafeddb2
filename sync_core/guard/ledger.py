"""The windows in which one removal counts: those of its sync and of its target tenant, each of a day and of a month.

Each window is a row of its own. A person is counted in all of them before the row that says when that was, and the
earlier counts are given back after it. So a death in between leaves a count too many, and never one too few.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from ..model import Change, Counts, Hold, Limit, Sync
from ..ports import Clock, CountedPerson, Guards, GuardWindow, Links
from ..ports.swap import until_saved
from . import window

# The number of links behind the percentage is counted anew this often. In between it drifts by allowed removals.
_COUNT_AGAIN = timedelta(minutes=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled:
    """One window as it is now, with its limit and whom it counts."""

    counts: Counts
    limits: Limit
    window: GuardWindow
    now: datetime

    @property
    def used(self) -> int:
        return window.used(self.window, self.limits, self.now)

    @property
    def limit(self) -> int:
        return window.limit(self.window, self.limits)

    def hold(self, change: Change) -> Hold:
        return window.hold(change, self.window, self.limits, self.now, of=self.counts)

    def admits(self, last: datetime | None) -> bool:
        """Whether a person whose last removal was counted at `last` may lose access now."""
        return window.count(self.window, self.limits, self.now, last=last) is not None


@dataclass(frozen=True, slots=True, kw_only=True)
class Ledger:
    guards: Guards
    links: Links
    clock: Clock
    syncs: Mapping[str, Sync] = field(default_factory=dict)  # all of the configuration, by name

    async def windows(self, sync: Sync, *, recount: bool = True) -> Sequence[Filled]:
        """The windows of this sync and of its target tenant, the one of thirty days second.

        Links are counted anew where that is due. Without `recount`, the limits are those of the last count.
        """
        now = self.clock.now()
        filled: list[Filled] = []
        for counts, of, limits in (
            (Counts.SYNC, sync.name, sync.guard),
            (Counts.TARGET, _target(sync), sync.guard_of_target),
        ):
            linked: GuardWindow | None = None
            for month, limit in zip((False, True), limits.windows, strict=True):
                stored = await self.guards.window(of, month=month)
                linked = linked or (await self.recounted(sync, stored, filled) if recount else stored)
                stored = replace(stored, linked=linked.linked, counted_at=linked.counted_at)
                filled.append(Filled(counts=counts, limits=limit, window=stored, now=now))
        return filled

    async def knows(self, sync: Sync, source_id: str) -> bool:
        """Whether it is on record when this person was last counted for this sync."""
        return sync.name in (await self.guards.counted(sync.target.id, source_id)).at

    async def forget(self, sync: Sync, source_id: str) -> None:
        """A person approves this removal, so that it is not counted, however often it is tried.

        An earlier count of the person stands, and a later one does not take its place: that errs towards holding.
        """
        person = await self.guards.counted(sync.target.id, source_id)
        if sync.name in person.at:
            at = {name: counted for name, counted in person.at.items() if name != sync.name}
            await self.guards.save_counted(replace(person, at=at))

    async def count(self, sync: Sync, source_id: str, *, dry_run: bool = False) -> Filled | None:
        """Count this person's removal in each window. The first that is full in its place, where none has counted."""
        person = await self.guards.counted(sync.target.id, source_id)
        windows = await self.windows(sync)
        for each in windows:
            if not each.admits(_last(person, sync, each.counts)):
                return each
        if dry_run:
            return None
        for each in windows:
            full = await self._add(each, _last(person, sync, each.counts))
            if full is not None:
                return full
        await self._remember(person, sync, windows)
        return None

    async def _add(self, to: Filled, last: datetime | None) -> Filled | None:
        """Another worker may have filled the window meanwhile: then it is returned."""

        async def attempt() -> Filled | None:
            stored = await self.guards.window(to.window.of, month=to.window.month)
            seen = replace(stored, linked=to.window.linked, counted_at=to.window.counted_at)
            counted = window.count(seen, to.limits, to.now, last=last)
            if counted is None:
                return replace(to, window=seen)
            if counted is not seen:
                await self.guards.save_window(counted)
            return None

        return await until_saved(attempt)

    async def _remember(self, person: CountedPerson, sync: Sync, windows: Sequence[Filled]) -> None:
        now = windows[0].now
        await self.guards.save_counted(replace(person, at={**person.at, sync.name: now}))
        for each in windows:
            last = _last(person, sync, each.counts)
            if last is not None and window.counts(each.window, each.limits, now, last):
                await self._give_back(each, last)

    async def _give_back(self, to: Filled, last: datetime) -> None:
        if window.same_slice(to.limits, last, to.now):
            return

        async def attempt() -> None:
            stored = await self.guards.window(to.window.of, month=to.window.month)
            await self.guards.save_window(window.given_back(stored, to.limits, last))

        await until_saved(attempt)

    async def recounted(self, sync: Sync, stored: GuardWindow, own: Sequence[Filled] = ()) -> GuardWindow:
        """With the number of links that there are, if that is due. Those of this sync are known from `own` windows."""
        if self._fresh(stored):
            return stored
        if not own:
            linked = await self.links.count(sync.name)
        else:
            others = {each.name for each in self.syncs.values() if each.target.id == sync.target.id} - {sync.name}
            linked = own[0].window.linked + sum([await self._linked(name) for name in sorted(others)])
        return replace(stored, linked=linked, counted_at=self.clock.now())

    async def _linked(self, name: str) -> int:
        stored = await self.guards.window(name)
        return stored.linked if self._fresh(stored) else await self.links.count(name)

    def _fresh(self, stored: GuardWindow) -> bool:
        return stored.counted_at is not None and self.clock.now() - stored.counted_at < _COUNT_AGAIN


def longest(sync: Sync) -> timedelta:
    """How long a person who was counted may be asked for."""
    limits = (*sync.guard.windows, *sync.guard_of_target.windows)
    return max(each.window for each in limits) * 2


def _target(sync: Sync) -> str:
    return f"target:{sync.target.id}"


def _last(person: CountedPerson, sync: Sync, counts: Counts) -> datetime | None:
    return person.at.get(sync.name) if counts is Counts.SYNC else max(person.at.values(), default=None)

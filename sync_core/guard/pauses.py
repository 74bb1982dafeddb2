"""What people said about a sync as a whole: that it is paused, or its deletions are; and since when it goes on.

Each process reads the record of a sync at most every two seconds. So a pause works everywhere within that time, and
within the request that is on its way. A nomination is let go only on a record that was read after it came. So the sync
goes on later than that, and the full round that follows sees the user.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

from ..model import Control, Postponed
from ..model.errors import PausedError, UnavailableError
from ..ports import Clock, ControlRecord, Controls
from ..ports.swap import until_saved
from .configurations import FRESH

# So often an answer that took longer is asked for again. Without this, a slow storage would interrupt writes.
_TRIES = 3


@dataclass(frozen=True, slots=True, kw_only=True)
class Pauses:
    records: Controls
    clock: Clock
    _reads: dict[str, tuple[datetime, ControlRecord]] = field(default_factory=dict)  # by sync

    async def control(self, sync: str) -> Control:
        """As of two seconds ago at most. UnavailableError if every answer took longer."""
        for _ in range(_TRIES):
            record = await self._lately(sync)
            if self.clock.now() - self._reads[sync][0] < FRESH:
                return record.control
        raise UnavailableError(f"{sync}: whether it is paused was not read in time")

    async def _lately(self, sync: str) -> ControlRecord:
        at, record = self._reads.get(sync, (None, None))
        fresh = at is not None and self.clock.now() - at < FRESH
        return record if fresh and record is not None else await self.read(sync)

    async def let_go(self, sync: str) -> bool:
        """Whether a nomination that is here now is not looked at. A "yes" was read anew, and so was what follows it."""
        if (await self._lately(sync)).control is Control.RUNNING:
            return False
        return (await self.read(sync)).control is Control.PAUSED

    async def check(self, sync: str) -> None:
        """Raises PausedError for a sync that looks at nobody, with who said so and why."""
        if not await self.let_go(sync):
            return
        record = await self.read(sync)
        raise PausedError(f"{sync}: {Postponed.PAUSED.words}, by {record.by or '-'}: {record.reason}")

    async def read(self, sync: str) -> ControlRecord:
        """As it is stored now."""
        now = self.clock.now()
        record = await self.records.get(sync)
        self._reads[sync] = (now, record)
        return record

    async def since(self, names: Collection[str]) -> Sequence[str]:
        """When these syncs last went on: a round after that is full. Read anew."""
        found = [(await self.read(name)).since for name in names]
        return [at.isoformat() for at in found if at is not None]

    async def say(self, sync: str, control: Control, *, by: str, reason: str) -> ControlRecord:
        """Store it. Where that lets through what was put off, a full round has to follow.

        Only RUNNING lets anything through: a sync that is paused altogether stays so, whatever pause is said.
        """

        async def attempt() -> ControlRecord:
            record, now = await self.read(sync), self.clock.now()
            if control is not Control.RUNNING and control.looser_than(record.control):
                return record
            since = now if control.looser_than(record.control) else record.since
            said = replace(record, control=control, by=by, at=now, reason=reason, since=since)
            return await self.records.save(said)

        return await self._saved(sync, attempt)

    async def read_anew(self, sync: str) -> ControlRecord:
        """Store that a full round of its source has to follow."""

        async def attempt() -> ControlRecord:
            return await self.records.save(replace(await self.read(sync), since=self.clock.now()))

        return await self._saved(sync, attempt)

    async def _saved(self, sync: str, attempt: Callable[[], Awaitable[ControlRecord]]) -> ControlRecord:
        saved = await until_saved(attempt)
        self._reads.pop(sync, None)
        return saved

"""The people whom a person keeps: until when nobody takes away the access of a user who leaves.

It holds back every stage that leaving causes, and nothing else: a source user who is in scope and disabled is disabled
in the target all the same. It is asked at each look, and once more right before the write.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from ..model import Link, LinkState
from ..ports import Clock, KeepRecord, Keeps
from ..ports.swap import until_saved

LONGEST = timedelta(days=365)


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptPeople:
    records: Keeps
    clock: Clock

    async def until(self, link: Link, *, leaves: bool) -> datetime | None:
        """`leaves`: what a fresh read says. A record that cannot be read is not the lack of one."""
        if link.state is not LinkState.LINKED or not leaves:
            return None
        record = await self.records.get(link.sync, link.source_id)
        return None if record is None else record.until

    async def say(self, sync: str, source_id: str, until: datetime, *, by: str, reason: str) -> KeepRecord:
        """The last word counts."""

        async def attempt() -> KeepRecord:
            before = await self.records.get(sync, source_id)
            return await self.records.save(
                KeepRecord(
                    sync=sync,
                    source_id=source_id,
                    until=until,
                    by=by,
                    at=self.clock.now(),
                    reason=reason,
                    etag=before.etag if before else None,
                )
            )

        return await until_saved(attempt)

    async def carry(self, source_id: str, sync: str, to: str) -> None:
        """Where the pair of one sync goes to another one, the word goes along. Of two words the longer one counts."""

        async def attempt() -> None:
            said, theirs = await self.records.get(sync, source_id), await self.records.get(to, source_id)
            if said is not None and (theirs is None or theirs.until < said.until):
                await self.records.save(replace(said, sync=to, etag=None if theirs is None else theirs.etag))

        await until_saved(attempt)

    async def end(self, sync: str, source_id: str) -> KeepRecord | None:
        """The record that was dropped; None: nobody kept this user."""

        async def attempt() -> KeepRecord | None:
            record = await self.records.get(sync, source_id)
            if record is not None:
                await self.records.drop(record)
            return record

        return await until_saved(attempt)

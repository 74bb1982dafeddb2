"""Target users that are not as we left them: listed for people, and written again where the policy says so.

A repair is stored before it is written, so that a death counts one too many. With the day's repairs used up, or where
somebody else writes another value again and again, the difference is listed and stays.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from ..decision.drift import A_DAY, ROUNDS_OF_A_FIGHT, blocked, compared, edited, enforced, lately
from ..decision.look import Look
from ..decision.postpone import forbids, waits_for
from ..guard import window
from ..guard.pauses import Pauses
from ..model import ENABLED, Limit, Link, Reason, Skip, Sync, TargetUser
from ..model.errors import NewerSchemaError
from ..ports import Clock, DriftRecord, Drifts, Guards, TargetDirectory
from ..ports.swap import until_saved
from .lag import OLD_BY

log = logging.getLogger("xtsync.drift")


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftKeeper:
    targets: Mapping[str, TargetDirectory]  # by tenant key
    records: Drifts
    guards: Guards  # the window of each sync's repairs is a row beside the deletion guard's
    pauses: Pauses
    clock: Clock

    async def found(self, decided: Look, user: TargetUser, *, rehearses: bool) -> Link | None:
        """The link, so that what is to be written again differs from it; None: nothing is to be written.

        `user` is the linked target user, read afresh, who is external. By source and record there was nothing to do. Of
        one who leaves, or who is left as they are, nothing is an edit any more.
        """
        sync, link = decided.sync, decided.link
        in_step = decided.change == Skip(reason=Reason.NO_CHANGE) and decided.leaves is False
        names = await self._differing(decided, user) if in_step else []
        if names is None:
            return None
        again = [name for name in enforced(sync, names) if name in decided.desired.always]  # nothing else is written
        try:
            repairs = await self._repairs(link)
        except NewerSchemaError:
            log.warning("drift.unreadable sync=%s user=%s", sync.name, link.source_id)
            return None
        waits = waits_for(sync, await self.pauses.control(sync.name))
        writes = not rehearses and not forbids(waits, removes=False)
        repair = bool(again) and len(repairs) < ROUNDS_OF_A_FIGHT and await self._permitted(sync, take=writes)
        if not rehearses:
            stays = [name for name in names if not (repair and writes and name in again)]
            await until_saved(lambda: self._store(link, stays, repairs=repair and writes))
        return link.drifted(again) if repair else None

    async def _differing(self, decided: Look, user: TargetUser) -> Sequence[str] | None:
        """The attributes that somebody else changed; None if the user is not there any more.

        One read may be seconds old, and show what was there before our own write: so two have to agree.
        """
        names = await self._seen(decided, user)
        if not names:
            return names
        await self.clock.sleep(OLD_BY)
        later = await self.targets[decided.sync.target.key].read_user(user.id)
        again = None if later is None or not later.external else await self._seen(decided, later)
        return None if again is None else [name for name in names if name in again]

    async def _seen(self, decided: Look, user: TargetUser) -> Sequence[str] | None:
        sync, link, told = decided.sync, decided.link, compared(decided.sync)
        values = await self.targets[sync.target.key].read_values(user.id, told) if told else {}
        if values is None:
            return None
        access = [ENABLED] if blocked(link, decided.desired, user) else []
        return [*edited(sync, link, decided.desired, values), *access]

    async def _repairs(self, link: Link) -> Sequence[datetime]:
        """Those of the last day."""
        record = await self.records.get(link.sync, link.source_id)
        ours = record is not None and record.target_id == link.target_id
        return lately(record.repairs, self.clock.now()) if record is not None and ours else []

    async def _store(self, link: Link, names: Sequence[str], *, repairs: bool) -> None:
        now = self.clock.now()
        before = await self.records.get(link.sync, link.source_id)
        if before is None or before.target_id != link.target_id:
            etag = None if before is None else before.etag
            before = DriftRecord(sync=link.sync, source_id=link.source_id, target_id=link.target_id or "", etag=etag)
        made = [*lately(before.repairs, now), *([now] if repairs else [])]
        record = replace(before, differs={name: before.differs.get(name, now) for name in names}, repairs=made)
        if record.differs or record.repairs:
            if record != before:
                await self.records.save(record)
        elif before.etag is not None:
            await self.records.drop(before)
        if repairs:
            log.info("drift.repaired sync=%s user=%s", link.sync, link.source_id)

    async def _permitted(self, sync: Sync, *, take: bool) -> bool:
        """Whether one more of the day's repairs of this sync is left; `take` takes it."""
        limits, now = Limit(max_percent=0, min_count=sync.policy.drift.repairs, window=A_DAY), self.clock.now()

        async def attempt() -> bool:
            stored = await self.guards.window(f"repairs:{sync.name}")
            counted = window.count(stored, limits, now)
            if counted is not None and take:
                await self.guards.save_window(counted)
            return counted is not None

        return await until_saved(attempt)

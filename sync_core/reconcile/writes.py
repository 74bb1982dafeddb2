"""The writes into a target tenant, each after one last question: may this sync still write?

The decision said so, and then the write waited for its permit. So it is asked again right before each request. Nothing
else in this program writes into a target tenant.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from ..decision.postpone import forbids, waits_for
from ..guard.keeps import KeptPeople
from ..guard.pauses import Pauses
from ..model import Attributes, Link, Sync
from ..model.errors import ConflictError, PausedError
from ..ports import Clock, Confirm, TargetDirectory

# An answer older than this is asked for again: a storage that stands still must not let a deletion rest on an old read.
FRESH = timedelta(seconds=5)
_ASKED = 3


@dataclass(slots=True, kw_only=True)
class Writes:
    """Those of one change. `may_write` raises PausedError if the change is to be put off.

    `sent`: a request passed its last question, so that it may have been done whatever became of it.
    """

    target: TargetDirectory
    may_write: Callable[[], Awaitable[None]]
    clock: Clock
    sent: bool = False

    async def invite(self, address: str, display_name: str, *, confirm: Confirm) -> str:
        return await self.target.invite(address, display_name, confirm=self._last(confirm))

    async def reset_redemption(self, target_id: str, address: str, *, confirm: Confirm) -> bool:
        return await self.target.reset_redemption(target_id, address, confirm=self._last(confirm))

    async def update(self, target_id: str, attributes: Attributes, *, confirm: Confirm) -> Mapping[str, str] | None:
        return await self.target.update(target_id, attributes, confirm=self._last(confirm))

    async def set_manager(self, target_id: str, manager_id: str | None) -> bool:
        return await self.target.set_manager(target_id, manager_id, confirm=self._last())

    async def soft_delete(self, target_id: str, *, confirm: Confirm) -> bool:
        return await self.target.soft_delete(target_id, confirm=self._last(confirm))

    async def restore(self, target_id: str) -> bool:
        return await self.target.restore(target_id, confirm=self._last())

    def _last(self, confirm: Confirm | None = None) -> Confirm:
        """This question comes last: the other one may read for a while."""

        async def confirmed() -> bool:
            for _ in range(_ASKED):
                if confirm is not None and not await confirm():
                    return False
                answered = self.clock.now()
                await self.may_write()
                if self.clock.now() - answered <= FRESH:
                    self.sent = True
                    return True
            raise ConflictError("the storage is too slow to write on a fresh read")

        return confirmed


def may_write(
    sync: Sync, pauses: Pauses, kept: KeptPeople, clock: Clock, *, removes: bool, leaver: Link | None
) -> Callable[[], Awaitable[None]]:
    """The last question. `removes`: they take access away. `leaver`: from somebody who leaves, and may be kept by now.

    It raises PausedError if the sync may not write now, and ConflictError if a person keeps the leaver.
    """

    async def asked() -> None:
        until = await kept.until(leaver, leaves=True) if leaver is not None else None
        if until is not None and until > clock.now():
            raise ConflictError("a person keeps this user")
        because = waits_for(sync, await pauses.control(sync.name))
        if because is not None and forbids(because, removes=removes):
            raise PausedError(f"{sync.name}: {because.words}")

    return asked

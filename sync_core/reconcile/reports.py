"""A manager is a reference to another link's target user: so a change of that link leads to looks at the reports."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import batched

from ..decision.look import Look
from ..model import Link, LinkState, Nomination, Sync, Why, fingerprint
from ..model.errors import ConflictError
from ..ports import Clock, Links, Queues, SourceDirectory
from .lag import is_new

_REPORTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Reports:
    sources: Mapping[str, SourceDirectory]  # by tenant key
    links: Links
    queues: Queues
    clock: Clock

    async def tell(self, decided: Look) -> None:
        """If no write follows an adoption, because the user left and is left alone, nothing else tells the reports.

        Nor does anything else if a user returns from whom nothing was taken.
        """
        link = decided.link
        left_alone = link.dirty and decided.verdict.out and not decided.source.absent
        if link.state is LinkState.LINKED and (left_alone or decided.returns):
            await self.nominate(decided, link)

    async def nominate(self, decided: Look, link: Link) -> None:
        """Have the reports of this user looked at again: at their last look there may have been no reference.

        This runs after the link says that there is one, and before the link is clean, so that a crash repeats it.
        Reports that are not linked yet will see it by themselves; reports that have this very reference need no look.
        Raises ConflictError if the user whom this look read is not there any more: who reports to them is not known.
        """
        sync, user_id = decided.sync, decided.source.id
        if not sync.maps_manager:
            return
        reference = fingerprint(link.reference)
        reports = await self.sources[sync.source.key].reports(user_id)
        if reports is None and not decided.source.absent:  # deleted since the read, and perhaps back before the next
            raise ConflictError("the user is not there any more")
        for some in batched(reports or (), _REPORTS_AT_ONCE, strict=False):
            links = await self.links.digests(sync.name, some)
            waiting = [
                user
                for user, their in links.items()
                if their.state is LinkState.LINKED and their.reference != reference
            ]
            await self._nominate(sync, waiting)

    async def distrust_manager(self, decided: Look) -> None:
        """Perhaps the manager was deleted in the target: a write to it that meets a 404 then corrects its link."""
        link = await self.links.get(decided.sync.name, decided.source.manager or "")
        if link is not None and link.state is LinkState.LINKED and not is_new(link, self.clock.now()):
            await self._distrust(decided.sync, link)

    async def distrust_vanished_manager(self, decided: Look) -> None:
        """A manager who is deleted in the source is not shown; no feed speaks of the reports if the manager returns.

        A return that nobody noticed changes nothing about the manager. Only a dirty link makes it nominate the reports.
        """
        known = decided.link.manager
        if known is None or decided.source.manager is not None:
            return
        link = await self.links.get(decided.sync.name, known)
        if link is None or link.state is not LinkState.LINKED or link.disabled:  # a return is noticed
            return
        if not await self.sources[decided.sync.source.key].existing([known]):
            await self._distrust(decided.sync, link)

    async def _distrust(self, sync: Sync, link: Link) -> None:
        if not link.dirty:
            await self.links.save(link.distrusted())
        await self._nominate(sync, [link.source_id])

    async def _nominate(self, sync: Sync, users: Sequence[str]) -> None:
        now = self.clock.now()
        await self.queues.nominate([Nomination(sync=sync.name, user=user, why=Why.MANAGER, at=now) for user in users])

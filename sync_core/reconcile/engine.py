"""The main path: read one user afresh, decide, act, record; then read once more, until nothing is left to do.

A nomination only chose the user to look at. Everything is concluded from the reads made here, and the last of them
found nothing to do. That read sees a change that came while we were writing, so no race between a worker and a feed
can leave the two tenants apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..decision.decide import asks_for_address, needs_candidates
from ..decision.invited import made_by_us
from ..decision.look import Look, desired, look
from ..decision.postpone import postpone, waits_for
from ..decision.unless import unless_blocked, unless_internal
from ..guard.configurations import within
from ..guard.creations import CreationGuard
from ..guard.deletions import DeletionGuard
from ..guard.pauses import Pauses
from ..model import (
    Adopt,
    Change,
    Desired,
    Hold,
    Json,
    Link,
    LinkState,
    Postpone,
    Restore,
    SourceState,
    SourceUser,
    Sync,
    TargetUser,
)
from ..model.errors import AccessRefusedError, ConflictError, NotVisibleYetError
from ..ports import Clock, Links, SourceDirectory, TargetDirectory
from ..ports.writes import noted_writes
from ..telemetry.port import span
from .apply import Applier
from .deeds import Course, Deed, undoes
from .fresh import Reading, is_foreign, read_afresh, suffices
from .lag import OLD_BY, VISIBLE_WITHIN, invited_elsewhere, shown
from .owners import former_owner
from .target_side import TargetSide

# Reads of one user within one reconciliation, and steps on one read; a user who changes faster is nominated again.
MAX_READS = 4
MAX_STEPS = 8
# Pauses (seconds) for which a new user is waited for in place; after that the message waits instead.
VISIBLE_SOON = (0.1, 0.2, 0.4)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconciliation:
    link: Link  # as the last look left it, which is not stored yet where that look found more than `changes`
    changes: Sequence[Change]  # carried out, in order; empty when there was nothing to do
    last: Look


@dataclass(frozen=True, slots=True, kw_only=True)
class Engine:
    sources: Mapping[str, SourceDirectory]  # by tenant key
    targets: Mapping[str, TargetDirectory]
    links: Links
    guard: DeletionGuard
    creations: CreationGuard
    pauses: Pauses
    applier: Applier
    target_side: TargetSide
    clock: Clock
    on_look: Callable[[Look], None] = field(default=lambda _: None)
    rehearses: bool = False  # the guards count in memory, also what is put off

    async def reconcile(
        self, sync: Sync, user_id: str, link: Link, *, compare: bool = False, course: Course | None = None
    ) -> Reconciliation:
        """Bring one user's B2B user into the state that the newest read asks for.

        With `compare` the target user is read too where source and record alone ask for nothing. What was done and
        decided is added to `course`.

        Raises TransientError (nominate again) and PermanentError (park). An exception at any await loses nothing:
        a link is dirty before a write that may touch its user.
        """
        changes: list[Change] = []
        compared, course, stored = False, course or Course(before=link), link
        for _ in range(MAX_READS):
            link = within(sync, link)  # also of a link that takes the place of a forgotten one
            reading = await self._read(sync, user_id, link)
            before = len(changes)
            link, last = await self._act_on(sync, reading, link, changes, course, compared=compared)
            if len(changes) == before:
                asks = compare and not compared
                found = await self.target_side.otherwise(last, acted=bool(changes)) if asks else None
                if found is None:
                    # What was to be written again was put off: the record stands.
                    undone = compared and not changes and link.state is stored.state and link.applied != stored.applied
                    return Reconciliation(link=stored if undone else link, changes=changes, last=last)
                link, compared, stored = found, True, link
        raise ConflictError("the user changes faster than it can be written")

    async def link(self, sync: str, user_id: str) -> Link:
        """The stored link, or a new one."""
        return await self.links.get(sync, user_id) or Link(sync=sync, source_id=user_id)

    async def preview(self, sync: Sync, user_id: str, *, link: Link | None = None, dry_run: bool = True) -> Look:
        """The first look of a reconciliation that compares. A dry run counts nothing. `link`: where it was read."""
        link = within(sync, link or await self.link(sync.name, user_id))
        decided = await self._preview(sync, link, dry_run=dry_run)
        found = await self.target_side.otherwise(decided, rehearses=True)
        return decided if found is None else await self._preview(sync, found, compared=True, dry_run=dry_run)

    async def _preview(self, sync: Sync, link: Link, *, compared: bool = False, dry_run: bool) -> Look:
        reading = await self._read(sync, link.source_id, link)
        wanted = await self._desired(sync, reading.user)
        return await self._decide(sync, reading, link, wanted, compared=compared, dry_run=dry_run)

    async def _act_on(
        self, sync: Sync, reading: Reading, link: Link, changes: list[Change], course: Course, *, compared: bool
    ) -> tuple[Link, Look]:
        """Act on one read until it asks for nothing more, or what became of the link asks for another read."""
        wanted = await self._desired(sync, reading.user)
        just_adopted = False
        for _ in range(MAX_STEPS):
            decided = await self._decide(sync, reading, link, wanted, just_adopted=just_adopted, compared=compared)
            if undoes(decided.change, changes):
                await self.clock.sleep(OLD_BY)
                reading = await self._read(sync, link.source_id, link)
                wanted = await self._desired(sync, reading.user)
                decided = await self._decide(sync, reading, link, wanted)
            course.last = decided
            if decided.nothing_to_do:
                await self.applier.reports.tell(decided)
                return decided.link, decided
            link = await self._carried_out(decided, course)
            changes.append(decided.change)
            just_adopted = isinstance(decided.change, Adopt)
            self._wait_if_just_linked(reading.user, link)
            if not (link.unfinished and suffices(sync, reading, link)):
                return link, decided
        raise ConflictError("the decisions on one read do not come to an end")

    async def _carried_out(self, decided: Look, course: Course) -> Link:
        """The link after the change. A write that Graph accepted is told of, also if something fails after it."""
        with noted_writes() as ids, span(f"apply {decided.change.name}"):
            done, link = False, decided.link
            try:
                link = await self.applier.apply(decided, self._still_so)
                done = True
            except BaseException as error:
                course.unrecorded |= bool(ids) and not isinstance(error, AccessRefusedError)
                raise
            finally:
                if done or ids:
                    at = self.clock.now()
                    course.deeds.append(Deed(look=decided, after=link, at=at, request_ids=tuple(ids)))
        return link

    async def _decide(
        self,
        sync: Sync,
        reading: Reading,
        link: Link,
        wanted: Desired,
        *,
        just_adopted: bool = False,
        compared: bool = False,
        dry_run: bool = False,
    ) -> Look:
        """A linked target user is read before it is written, unless the adoption has just seen that it is external."""
        link = await self.target_side.found_again(sync, link)
        foreign = await self._foreign(sync, reading, link)
        candidates = await self._candidates(sync, reading, link, foreign=foreign)
        heir = await self.applier.heirs.of(sync, reading, link)
        kept = await self.applier.kept.until(link, leaves=reading.leaves)
        decided = look(
            sync, reading.user, reading.verdict, link, wanted, candidates, foreign=foreign, heir=heir, kept=kept
        )
        if decided.change.removes and (ended := await self.target_side.pair_ended(decided)) is not None:
            link = ended
            decided = look(sync, reading.user, reading.verdict, link, wanted)
        change, target = decided.change, None
        if (change.touches or (compared and link.state is LinkState.LINKED)) and not just_adopted:
            target = await self.target_side.user(sync, link, deleted=isinstance(change, Restore))
            change = unless_blocked(unless_internal(change, target), target, link, sync.policy.drift.blocked_in_target)
        waits = postpone(decided, change, waits_for(sync, await self.pauses.control(sync.name)))
        dry_run = dry_run or (waits is not None and not self.rehearses)
        if not await self.target_side.is_done(sync, link, change, target):
            change = await self.guard.judge(sync, link, change, cause=decided.cause, dry_run=dry_run)
        if waits is None or self.rehearses:
            read_at = reading.user.read_at
            change = await self.creations.judge(sync, link, change, read_at=read_at, dry_run=dry_run)
        if waits is not None and not isinstance(change, Postpone):
            change = replace(waits, postponed=change)
        link = link if decided.source.absent else link.returned(stays=decided.leaves is False)
        link = link.held() if isinstance(change, Hold) else link
        decided = replace(decided, change=change, link=link, target=target)
        self.on_look(decided)
        return decided

    async def _still_so(self, decided: Look, link: Link) -> bool:
        """One more read of both users before access is taken away: is the same kind of change decided?

        By the link as it was before this look: a deletion that it has begun is not sent yet, so an heir is asked for.
        """
        target = await self.target_side.user(decided.sync, link)
        reading = await read_afresh(self.sources[decided.sync.source.key], decided.sync, link.source_id, link)
        before = decided.situation.link
        wanted, heir = desired(decided.sync, reading.user), await self.applier.heirs.of(decided.sync, reading, before)
        again = look(decided.sync, reading.user, reading.verdict, link, wanted, heir=heir)
        return isinstance(unless_internal(again.change, target), type(decided.change))

    async def _read(self, sync: Sync, user_id: str, link: Link) -> Reading:
        """The fresh read. A new user who is not found may only just have been created.

        Replicas hear of a user one by one: a user who was there a moment ago may be missing from the next answer.
        """
        reading = await read_afresh(self.sources[sync.source.key], sync, user_id, link)
        pauses = iter(VISIBLE_SOON if link.etag is None else ())
        while reading.user.state is SourceState.GONE and (pause := next(pauses, None)) is not None:
            await self.clock.sleep(pause)
            reading = await read_afresh(self.sources[sync.source.key], sync, user_id, link)
        self._wait_if_just_linked(reading.user, link)
        return reading

    def _wait_if_just_linked(self, source: SourceUser, link: Link) -> None:
        """Within 15 minutes of linking, "not found anywhere" is replication lag: wait."""
        new = link.linked_at is not None and self.clock.now() - link.linked_at < VISIBLE_WITHIN
        if new and source.state is SourceState.GONE:
            raise NotVisibleYetError

    async def _desired(self, sync: Sync, source: SourceUser) -> Desired:
        return desired(sync, source, await self._manager(sync, source))

    async def _manager(self, sync: Sync, source: SourceUser) -> Json:
        """The reference to the target user of this user's manager; None while that pair is not linked (yet)."""
        if not sync.maps_manager or source.manager in (None, source.id):
            return None
        link = await self.links.get(sync.name, source.manager)
        return None if link is None else link.reference

    async def _candidates(self, sync: Sync, reading: Reading, link: Link, *, foreign: bool) -> Sequence[TargetUser]:
        """The target users that may be this user's B2B user already, each with the link that claims it."""
        source, verdict, marker = reading.user, reading.verdict, sync.marker(reading.user.id)
        if not needs_candidates(source, verdict, link, marker):
            return ()
        if await self._is_moving(sync, link):
            raise NotVisibleYetError("the target user of another account is on its way to this one")
        target = self.targets[sync.target.key]
        invited_id = None if link.ours else link.target_id
        invited = await shown(target, invited_id, self.clock, VISIBLE_SOON) if invited_id is not None else None
        if invited is not None:
            found = [invited]
        else:
            # The address may have changed since an invitation whose answer was lost: its mark has not.
            mark = link.invitation_mark if link.invitation_nonce is not None else None
            # The target tenant does not learn the address of a user who should not be invited.
            address = source.address if asks_for_address(source, verdict, link) else None
            asks = address or mark or marker
            found = await target.candidates(address, mark=mark, marker=marker) if asks else []
        wanted = source.state is SourceState.LIVE and verdict.in_scope and source.address is not None and not foreign
        owned = [await self._owned(sync, link, user) for user in found]
        if not link.ours and self.applier.is_new(link):
            # An invitation of ours may still be replicating: finding no guest of it proves nothing yet. To the same
            # address it can be repeated, and comes to the same guest.
            elsewhere = invited_elsewhere(link, source) and not any(made_by_us(link, each, None) for each in owned)
            if elsewhere or (not found and (invited_id or not wanted)):
                raise NotVisibleYetError
        return owned

    async def _is_moving(self, sync: Sync, link: Link) -> bool:
        """Whether a person gave this user another account's target user, and that account's link still has it."""
        if link.ours or link.approved_target is None:
            return False
        owner = await self.links.owner(sync.target.id, link.approved_target)
        name, _, former = (owner or "").partition("/")
        theirs = await self.links.get(name, former) if former else None
        return theirs is not None and theirs.heir == link.owner

    async def candidate(self, sync: Sync, link: Link, target_id: str) -> TargetUser | None:
        """The target user of this id, whatever their address, with the link that claims them; None: there is none."""
        target, marker = self.targets[sync.target.key], sync.marker(link.source_id)
        user = await target.read_user(target_id)
        if user is None:
            return None
        if marker is not None:
            borne = (await target.read_values(target_id, [marker.attribute]) or {}).get(marker.attribute)
            user = replace(user, marker=str(borne) if borne else None)
        return await self._owned(sync, link, user)

    async def _owned(self, sync: Sync, link: Link, user: TargetUser) -> TargetUser:
        """This target user, with the link that claims it, and whether that pair lost its source user."""
        owner = await self.links.owner(sync.target.id, user.id)
        linked_to = None if owner == link.owner else owner
        former = former_owner(sync, link, replace(user, linked_to=linked_to))
        gone = former is not None and (await self.sources[sync.source.key].read_user(former)).absent
        return replace(user, linked_to=linked_to, abandoned=gone)

    async def _foreign(self, sync: Sync, reading: Reading, link: Link) -> bool:
        """Whether the address to invite is of a domain that is neither the source's nor named by the configuration."""
        asked = asks_for_address(reading.user, reading.verdict, link)
        return asked and await is_foreign(self.sources[sync.source.key], sync, reading.user)

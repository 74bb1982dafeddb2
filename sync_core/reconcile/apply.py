"""Carries out one change: the target tenant's writes, and the link that remembers them.

The order is the same everywhere: mark the link dirty, write, record. A worker that dies in between leaves a dirty
link, and the next look applies every attribute again instead of trusting the record.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial

from ..decision.look import Look
from ..guard.creations import CreationGuard
from ..guard.deletions import DeletionGuard
from ..guard.keeps import KeptPeople
from ..guard.pauses import Pauses
from ..model import (
    ENABLED,
    MANAGER,
    Adopt,
    Attributes,
    Change,
    Disable,
    Forget,
    Guarded,
    HandOver,
    Hold,
    Invite,
    Json,
    LetGo,
    Link,
    LinkState,
    Postpone,
    ResetRedemption,
    Restore,
    SoftDelete,
    Sync,
    Unlink,
    Update,
)
from ..model.errors import (
    AccessRefusedError,
    ConflictError,
    GraphRefusedError,
    LostRecordError,
    MissingManagerError,
    NotVisibleYetError,
    PausedError,
    SyncError,
    UnavailableError,
    UnknownOutcomeError,
)
from ..model.link_parts import unlinked
from ..ports import Clock, Confirm, Drifts, Links, Presence, Queues, TargetDirectory
from .heirs import Heirs
from .lag import is_new
from .owners import take_claim
from .reports import Reports
from .retries import try_again
from .take_back import take_back
from .writes import Writes, may_write

# A deletion that we began this recently explains a target user that we find deleted.
OUR_DELETION = timedelta(hours=1)
# A permit that came within this time was not waited for.
PROMPTLY = timedelta(seconds=0.5)
# Of 256 characters, the rest is the invitation's mark. https://learn.microsoft.com/graph/api/resources/user
LONGEST_NAME = 210

# Whether one more read and decision, made now and with the link as it is now, still asks for the same kind of change.
type StillSo = Callable[[Look, Link], Awaitable[bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    targets: Mapping[str, TargetDirectory]  # by tenant key
    links: Links
    drifts: Drifts
    guard: DeletionGuard
    creations: CreationGuard
    pauses: Pauses
    kept: KeptPeople
    heirs: Heirs
    reports: Reports
    queues: Queues
    clock: Clock
    new_nonce: Callable[[], str]

    async def apply(self, decided: Look, still_so: StillSo) -> Link:
        """The link after the change. An unfinished one asks for another change at once.

        `still_so` is asked before a user who is out of scope or absent is disabled, and right before every deletion.
        Its "no" raises ConflictError, and nothing was done.
        """
        try:
            return await self._apply(decided, still_so)
        except UnavailableError as error:
            raise UnknownOutcomeError(retry_after=error.retry_after) from error

    async def _apply(self, decided: Look, still_so: StillSo) -> Link:
        target = self.targets[decided.sync.target.key]
        leaver = decided.link if decided.change.removes and decided.leaves else None
        writes = self._writes(decided.sync, removes=decided.change.removes, leaver=leaver)
        match decided.change:
            case Invite() as change:
                return await self._invite(target, writes, decided, change)
            case Adopt() as change:
                return await self.adopt(decided, change)
            case Update() | Disable() as change:
                left = decided.source.absent or not decided.verdict.in_scope
                if isinstance(change, Disable) and left and not await still_so(decided, decided.link):
                    raise ConflictError("not to be disabled any more")
                return await self._write(target, writes, decided, change)
            case Hold(meanwhile=Update() as part) | Postpone(meanwhile=Update() as part):
                return await self._write(target, writes, decided, part)
            case Restore():
                return await self._restore(target, writes, decided.link)
            case SoftDelete():
                return await self._soft_delete(target, writes, decided, still_so)
            case HandOver(to=to):
                return await self.heirs.hand_over(decided.sync, decided.link, to, partial(self._sign, target, writes))
            case Unlink():
                return await self._unlink(target, writes, decided)
            case ResetRedemption() as change:
                return await self._reset_redemption(target, writes, decided.link, change)
            case Forget() | LetGo():
                return await self._forget(decided.link)
            case change:
                raise TypeError(f"{change.name} is not carried out")

    def _writes(self, sync: Sync, *, removes: bool, leaver: Link | None = None) -> Writes:
        asked = may_write(sync, self.pauses, self.kept, self.clock, removes=removes, leaver=leaver)
        return Writes(target=self.targets[sync.target.key], may_write=asked, clock=self.clock)

    async def _invite(self, target: TargetDirectory, writes: Writes, decided: Look, change: Invite) -> Link:
        """The intent is stored first, and its mark goes with the invitation: so its guest is found after a crash."""
        link = decided.link
        going_on = link.state is LinkState.INVITING and self.is_new(link)
        invited_at = link.invited_at if going_on else None
        begun = link.invitation_begun(invited_at or self.clock.now(), self.new_nonce(), change.address)
        link = await self.links.save(begun)
        name = f"{link.invitation_mark} {(change.display_name or change.address)[:LONGEST_NAME]}"

        try:
            target_id = await writes.invite(change.address, name, confirm=lambda: self._is_current(link))
        except GraphRefusedError:
            self.creations.give_back(decided.sync, decided.link)
            if decided.link.state is not LinkState.INVITING:  # an earlier invitation may have made its guest
                await self._record(link.invitation_refused())
            raise
        invited = link.invited(target_id)
        try:
            return await self._record(invited)
        except LostRecordError:
            if await self.links.get(link.sync, link.source_id) is None:
                # The pair ended, or every table was lost. Nobody else knows the nonce, so the link is stored anew.
                with suppress(LostRecordError):
                    return await self._record(replace(invited, etag=None))
            await take_back(self.links, target, self._writes(decided.sync, removes=True), decided.sync, invited)
            raise

    async def adopt(self, decided: Look, change: Adopt) -> Link:
        """The pair, recorded: nothing is written into the target. Raises ConflictError if somebody else was faster."""
        link, now = decided.link, self.clock.now()
        (adopted,) = (user for user in decided.candidates if user.id == change.target_id)
        await take_claim(self.links, self.reports.sources[decided.sync.source.key], decided.sync, link, adopted)
        # A user who bears the marker was ours before the link was lost.
        linked_at = adopted.created_at if adopted.marker else None
        new = await self._record(link.adopted(adopted.id, linked_at=linked_at or now, disabled=not adopted.enabled))
        if link.ours and link.target_id is not None and link.target_id != adopted.id:  # it was displaced
            await self.links.release(link.target_id, link.owner)
        return new

    async def _write(self, target: TargetDirectory, writes: Writes, decided: Look, change: Change) -> Link:
        link = await self._begin(decided.link.write_begun(change), change)
        # Just linked, back, or not known to have been told of; or disabled while the user was away.
        if decided.link.dirty or decided.returns or change.written.get(ENABLED) is True:
            await self.reports.nominate(decided, link)
        try:
            refused = await self._send(target, writes, decided, link, change.written)
        except SyncError as error:
            await self._call_off(writes, link, decided, error)
            raise
        if refused is None:
            return await self._missing(target, link, begun=decided.link.guarded is Guarded.SOFT_DELETE)
        if ENABLED in refused and await target.enabled(_target_id(link)) is change.written[ENABLED]:
            refused = {name: code for name, code in refused.items() if name != ENABLED}  # it is so already
        recorded = link.recorded(
            change, source=decided.source, desired=decided.desired, refused=refused, trusted=not decided.link.dirty
        )
        link = await self._record(recorded)
        if ENABLED in refused:
            raise AccessRefusedError(refused[ENABLED])
        if refused and link.retry is not None:  # after a crash in between, the next look that comes later sends it
            await try_again(self.queues, link, at=link.retry.due, now=self.clock.now())
        return link

    async def _send(
        self, target: TargetDirectory, writes: Writes, decided: Look, link: Link, attributes: Attributes
    ) -> Mapping[str, str] | None:
        """What Graph refused, with its codes; None: there is no such user. A reference is a request of its own."""
        rest = {name: value for name, value in attributes.items() if name != MANAGER}
        confirm = self._unless_overtaken(target, link)
        refused = await writes.update(_target_id(link), rest, confirm=confirm) if rest else {}
        if refused is None or MANAGER not in attributes:
            return refused
        if attributes[MANAGER] is None:
            await self.reports.distrust_vanished_manager(decided)
        try:
            found = await writes.set_manager(_target_id(link), _referred(attributes[MANAGER]))
        except MissingManagerError:
            await self.reports.distrust_manager(decided)
            raise
        except GraphRefusedError as error:
            return {**refused, MANAGER: error.code}
        return refused if found else None

    def _unless_overtaken(self, target: TargetDirectory, link: Link) -> Confirm:
        """If this write had to wait for a permit, another worker may have begun one on a newer read meanwhile.

        Or the target user was converted to an internal one.
        """
        asked = self.clock.now()

        async def still_ours() -> bool:
            if self.clock.now() - asked < PROMPTLY:
                return True
            user = await target.read_user(_target_id(link))
            return (user is None or user.external) and await self._is_current(link)

        return still_ours

    async def _is_current(self, link: Link) -> bool:
        now = await self.links.get(link.sync, link.source_id)
        return now is not None and now.etag == link.etag

    async def _restore(self, target: TargetDirectory, writes: Writes, link: Link) -> Link:
        link = await self.links.save(link.restore_begun(self.clock.now()))
        restored = await writes.restore(_target_id(link))
        presence = Presence.PRESENT if restored else await target.presence(_target_id(link))
        match presence:
            case Presence.PRESENT:
                return await self._record(link.restored(self.clock.now()))
            case Presence.SOFT_DELETED:
                raise NotVisibleYetError
            case Presence.GONE:  # purged: the pair is over, and the person is invited like anybody else
                return await self._forget(link)

    async def _soft_delete(self, target: TargetDirectory, writes: Writes, decided: Look, still_so: StillSo) -> Link:
        change = decided.change
        before = decided.link
        link = await self._begin(before.deletion_begun(change, self.clock.now()), change)
        try:
            deleted = await writes.soft_delete(_target_id(link), confirm=lambda: still_so(decided, link))
        except SyncError as error:
            await self._call_off(writes, link, decided, error)
            raise
        presence = Presence.SOFT_DELETED if deleted else await target.presence(_target_id(link))
        if presence is Presence.PRESENT or (presence is Presence.GONE and self.is_new(link)):
            raise NotVisibleYetError  # forgetting now would leave a leaver's account without an owner
        if presence is Presence.GONE:
            return await self._forget(link)
        return await self._record(link.deleted())

    async def _unlink(self, target: TargetDirectory, writes: Writes, decided: Look) -> Link:
        """The marker first, then the claim, our link last: each step can be repeated, and nobody adopts the user."""
        link, marker = decided.link, decided.sync.marker(decided.source.id)
        if marker is not None:
            await self._sign(target, writes, link, {marker.attribute: None})
        tenant_id, ended = decided.sync.target.id, unlinked(link.owner)
        if await self.links.claim(tenant_id, _target_id(link), ended) == link.owner:
            await self.links.move_claim(tenant_id, _target_id(link), link.owner, ended)
        return await self._forget(link)

    async def _sign(self, target: TargetDirectory, writes: Writes, link: Link, marker: Attributes) -> None:
        """Write the ownership marker, or clear it. Raises GraphRefusedError if Graph refuses the attribute."""
        confirm = self._unless_overtaken(target, link)
        for code in (await writes.update(_target_id(link), marker, confirm=confirm) or {}).values():
            raise GraphRefusedError(status=403, code=code)

    async def _reset_redemption(
        self, target: TargetDirectory, writes: Writes, link: Link, change: ResetRedemption
    ) -> Link:
        """A repeated one does no harm: nobody has redeemed it in between."""
        confirm = self._unless_overtaken(target, link)
        if not await writes.reset_redemption(_target_id(link), change.address, confirm=confirm):
            return await self._missing(target, link, begun=False)
        return await self._record(link.redeeming(due=False))

    async def _forget(self, link: Link) -> Link:
        await self.links.forget(link)
        await self.drifts.end(link.sync, link.source_id)
        return link.forgotten()

    async def _missing(self, target: TargetDirectory, link: Link, *, begun: bool) -> Link:
        """A write met a 404: the user is not visible everywhere yet, or was deleted, by us or by somebody else.

        `begun`: a deletion of ours began, and nothing is known of its end. That explains it, however long ago it was.
        """
        presence = await target.presence(_target_id(link))
        new = not link.on_create_written and self.is_new(link)
        if presence is Presence.PRESENT or (new and presence is Presence.GONE):
            raise NotVisibleYetError
        ours = begun or (link.deleted_at is not None and self.clock.now() - link.deleted_at < OUR_DELETION)
        deleted = ours and presence is Presence.SOFT_DELETED
        return await self._record(link.own_deletion_found() if deleted else link.lost())

    def is_new(self, link: Link) -> bool:
        return is_new(link, self.clock.now())

    async def _begin(self, link: Link, change: Change) -> Link:
        """Store that a write begins. A dirty link is saved too: by its new ETag another worker's save fails."""
        link = await self.links.save(link)
        if change.removes:
            await self.guard.release(link.sync, link.source_id)
        return link

    async def _call_off(self, writes: Writes, link: Link, decided: Look, error: SyncError) -> None:
        """A removal that was begun and never sent: the next look is free to decide otherwise, and counts it anew.

        If a failure stood in the way of one that a person approved, it stays begun: nobody is to be asked once more.
        If another worker has the user by now, its record stands.
        """
        if writes.sent or link.guarded is decided.link.guarded:
            return
        otherwise = isinstance(error, ConflictError | PausedError)
        if otherwise or await self.guard.ledger.knows(decided.sync, link.source_id):
            with suppress(ConflictError):
                await self.links.save(link.removal_called_off(decided.link))

    async def _record(self, link: Link) -> Link:
        try:
            return await self.links.save(link)
        except ConflictError as error:
            raise LostRecordError from error


def _referred(reference: Json) -> str | None:
    return str(reference["id"]) if isinstance(reference, dict) else None


def _target_id(link: Link) -> str:
    if link.target_id is None:
        raise ValueError("a linked user without a target id")
    return link.target_id

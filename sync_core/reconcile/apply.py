"""Carries out one change: the target tenant's writes, and the link that remembers them.

The order is the same everywhere: mark the link dirty, write, record. A worker that dies in between leaves a dirty
link, and the next look applies every attribute again instead of trusting the record.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import batched

from ..decision.look import Look, look
from ..guard.deletions import DeletionGuard
from ..model import (
    ENABLED,
    MANAGER,
    Adopt,
    Attributes,
    Change,
    Disable,
    Forget,
    Hold,
    Invite,
    Json,
    Link,
    LinkState,
    Nomination,
    Restore,
    SoftDelete,
    Sync,
    Update,
    Why,
    fingerprint,
    fingerprints,
)
from ..model.errors import (
    AccessNotTakenError,
    ConflictError,
    GraphRefusedError,
    LostRecordError,
    MissingManagerError,
    NotVisibleYetError,
    UnavailableError,
    UnknownOutcomeError,
)
from ..ports import Clock, Confirm, Links, Presence, Queues, SourceDirectory, TargetDirectory
from .fresh import read_afresh

# How long Entra may take to show a new user everywhere before its absence means that somebody deleted it.
VISIBLE_WITHIN = timedelta(minutes=15)
# A deletion that we marked this recently explains a target user whom we find deleted.
OUR_DELETION = timedelta(hours=1)
# A permit that came within this time was not waited for.
PROMPTLY = timedelta(seconds=0.5)
# Of 256 characters, the rest is the invitation's mark. https://learn.microsoft.com/graph/api/resources/user
LONGEST_NAME = 230
_REPORTS_AT_ONCE = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Applier:
    sources: Mapping[str, SourceDirectory]  # by tenant key
    targets: Mapping[str, TargetDirectory]
    links: Links
    guard: DeletionGuard
    queues: Queues
    clock: Clock

    async def apply(self, decided: Look) -> Link:
        """The link after the change; it may ask for another change at once, which the next look decides."""
        try:
            return await self._apply(decided)
        except UnavailableError as error:
            raise UnknownOutcomeError(retry_after=error.retry_after) from error

    async def _apply(self, decided: Look) -> Link:
        target = self.targets[decided.sync.target.key]
        match decided.change:
            case Invite() as change:
                return await self._invite(target, decided, change)
            case Adopt() as change:
                return await self._adopt(decided, change)
            case Update() | Disable() as change:
                out_of_scope = not (decided.source.absent or decided.verdict.in_scope)
                if change.removes and out_of_scope and not await self._still_so(decided, decided.link):
                    raise ConflictError("not to be disabled any more")
                return await self._write(target, decided, change, change.attributes)
            case Hold(meanwhile=Update() as part):
                return await self._write(target, decided, part, part.attributes)
            case Restore():
                return await self._restore(target, decided.link)
            case SoftDelete():
                return await self._soft_delete(target, decided)
            case Forget():
                return await self._forget(decided.link)
            case change:
                raise TypeError(f"{change.name} is not carried out")

    async def _invite(self, target: TargetDirectory, decided: Look, change: Invite) -> Link:
        """The intent is stored first, and its mark goes with the invitation: so its guest is found after a crash."""
        link = decided.link
        going_on = link.state is LinkState.INVITING and self.is_new(link)
        invited_at = link.invited_at if going_on else self.clock.now()
        link = await self.links.save(replace(link, state=LinkState.INVITING, invited_at=invited_at))
        name = f"{link.invitation_mark} {(change.display_name or change.address)[:LONGEST_NAME]}"

        try:
            target_id = await target.invite(change.address, name, confirm=lambda: self._is_current(link))
        except GraphRefusedError:
            await self._record(replace(link, state=LinkState.SEEN, invited_at=None))
            raise
        try:
            return await self._record(replace(link, target_id=target_id))
        except LostRecordError:
            await self._take_back(target, decided.sync, link, target_id)
            raise

    async def _take_back(self, target: TargetDirectory, sync: Sync, link: Link, target_id: str) -> None:
        """Our invitation came so late that the pair had been made and ended without it: its guest is nobody's."""

        async def nobodys() -> bool:
            now = await self.links.get(link.sync, link.source_id)
            if now is None:  # over; or every link was lost, and then the next look finds the guest by the mark
                awaited = sync.owner_attribute is not None
            else:
                awaited = now.state is LinkState.INVITING or now.target_id == target_id
            return not awaited and await self.links.owner(sync.target.id, target_id) is None

        user = await target.read_user(target_id)
        if user is not None and user.display_name.startswith(link.invitation_mark) and await nobodys():
            await target.soft_delete(target_id, confirm=nobodys)

    async def _adopt(self, decided: Look, change: Adopt) -> Link:
        link = decided.link
        owner = f"{link.sync}/{link.source_id}"
        (adopted,) = (user for user in decided.candidates if user.id == change.target_id)
        unfinished = adopted.display_name.startswith(link.invitation_mark)  # also when the link of it was lost
        invited_at = link.invited_at or (adopted.created_at or self.clock.now() if unfinished else None)
        if await self.links.claim(decided.sync.target.id, change.target_id, owner) != owner:
            raise ConflictError("another source user was linked to this target user meanwhile")
        # Who bears the marker was ours before the link was lost.
        linked_at = adopted.created_at if adopted.marker else None
        ours = replace(
            link,
            state=LinkState.LINKED,
            linked_at=linked_at or self.clock.now(),
            invited_at=invited_at,
            target_id=adopted.id,
        )
        return await self._record(replace(ours, dirty=True, created=False, adopt=None))

    async def _write(self, target: TargetDirectory, decided: Look, change: Change, attributes: Attributes) -> Link:
        link = await self._mark(_may_have_manager(decided.link, attributes), change)
        if decided.link.dirty:  # just linked, back, or not known to have been told of
            await self._nominate_reports(decided, link)
        refused = await self._send(target, decided, link, attributes)
        if refused is None:
            return await self._missing(target, link)
        if change.removes and ENABLED in refused and not await target.enabled(_target_id(link)):
            refused = {name: code for name, code in refused.items() if name != ENABLED}  # somebody did it by hand
        access_left = refused.get(ENABLED) if change.removes else None
        link = await self._record(_written(decided, change, link, attributes, refused))
        if access_left is not None:
            raise AccessNotTakenError(access_left)
        return link

    async def _send(
        self, target: TargetDirectory, decided: Look, link: Link, attributes: Attributes
    ) -> Mapping[str, str] | None:
        """What Graph refused, with its codes; None when there is no such user. A reference is a request of its own."""
        rest = {name: value for name, value in attributes.items() if name != MANAGER}
        refused = await target.update(_target_id(link), rest, confirm=self._still_marked(link)) if rest else {}
        if refused is None or MANAGER not in attributes:
            return refused
        try:
            found = await target.set_manager(_target_id(link), _referred(attributes[MANAGER]))
        except MissingManagerError:
            await self._doubt_manager(decided)
            raise
        except GraphRefusedError as error:
            return {**refused, MANAGER: error.code}
        return refused if found else None

    def _still_marked(self, link: Link) -> Confirm:
        """Who waited for a permit may have been overtaken: whoever marked the link anew has read the user since."""
        asked = self.clock.now()

        async def still_marked() -> bool:
            return self.clock.now() - asked < PROMPTLY or await self._is_current(link)

        return still_marked

    async def _is_current(self, link: Link) -> bool:
        now = await self.links.get(link.sync, link.source_id)
        return now is not None and now.etag == link.etag

    async def _nominate_reports(self, decided: Look, link: Link) -> None:
        """Those who report to this user may have been looked at before there was anybody to refer to.

        After the link says that there is, and before it is clean: so whoever looks later finds it, and a crash repeats
        this. Who is not linked yet will look for themselves, and who has this very reference need not.
        """
        sync, user_id = decided.sync, decided.source.id
        if not sync.maps_manager:
            return
        reference = fingerprint(link.reference)
        reports = await self.sources[sync.source.key].reports(user_id)
        for some in batched(reports, _REPORTS_AT_ONCE, strict=False):
            links = await self.links.digests(sync.name, some)
            waiting = [
                user
                for user, their in links.items()
                if their.state is LinkState.LINKED and their.reference != reference
            ]
            await self._nominate(sync, waiting)

    async def _doubt_manager(self, decided: Look) -> None:
        """Perhaps somebody deleted the manager's target user: a write to them that meets a 404 corrects their link."""
        link = await self.links.get(decided.sync.name, decided.source.manager or "")
        if link is None or link.state is not LinkState.LINKED or self.is_new(link):
            return
        if not link.dirty:
            await self.links.save(replace(link, dirty=True))
        await self._nominate(decided.sync, [link.source_id])

    async def _nominate(self, sync: Sync, users: Sequence[str]) -> None:
        now = self.clock.now()
        await self.queues.nominate([Nomination(sync=sync.name, user=user, why=Why.MANAGER, at=now) for user in users])

    async def _restore(self, target: TargetDirectory, link: Link) -> Link:
        # Should nobody hear of it, the account may be there again: see Engine._found_again.
        link = await self.links.save(replace(link, dirty=True))
        restored = await target.restore(_target_id(link))
        presence = Presence.PRESENT if restored else await target.presence(_target_id(link))
        match presence:
            case Presence.PRESENT:
                return await self._record(replace(link, state=LinkState.LINKED, dirty=True, linked_at=self.clock.now()))
            case Presence.SOFT_DELETED:
                raise NotVisibleYetError
            case Presence.GONE:  # purged: the pair is over, and the person is invited like anybody else
                return await self._forget(link)

    async def _soft_delete(self, target: TargetDirectory, decided: Look) -> Link:
        link = await self._mark(replace(decided.link, deleted_at=self.clock.now()), decided.change)

        deleted = await target.soft_delete(_target_id(link), confirm=lambda: self._still_so(decided, link))
        presence = Presence.SOFT_DELETED if deleted else await target.presence(_target_id(link))
        if presence is Presence.PRESENT or (presence is Presence.GONE and self.is_new(link)):
            raise NotVisibleYetError  # forgetting now would leave a leaver's account to nobody
        if presence is Presence.GONE:
            return await self._forget(link)
        # Unnoticed: whoever returns at once is not to wait.
        return await self._record(replace(link, state=LinkState.DELETED, dirty=False, permit=None, noticed_at=None))

    async def _still_so(self, decided: Look, link: Link) -> bool:
        """One more read before access is taken away."""
        source = await read_afresh(self.sources[decided.sync.source.key], decided.sync, link.source_id, link)
        return isinstance(look(decided.sync, source, link).change, type(decided.change))

    async def _forget(self, link: Link) -> Link:
        await self.links.forget(link)
        return Link(sync=link.sync, source_id=link.source_id)

    async def _missing(self, target: TargetDirectory, link: Link) -> Link:
        """A write met a 404: not visible everywhere yet, deleted by us a moment ago, or deleted by somebody else."""
        presence = await target.presence(_target_id(link))
        new = not link.created and self.is_new(link)
        if presence is Presence.PRESENT or (new and presence is Presence.GONE):
            raise NotVisibleYetError
        ours = link.deleted_at is not None and self.clock.now() - link.deleted_at < OUR_DELETION
        deleted = ours and presence is Presence.SOFT_DELETED
        return await self._record(replace(link, state=LinkState.DELETED if deleted else LinkState.LOST))

    def is_new(self, link: Link) -> bool:
        """Invited a moment ago, so that a 404 may only mean that the replica asked has not heard of it yet."""
        return link.invited_at is not None and self.clock.now() - link.invited_at < VISIBLE_WITHIN

    async def _mark(self, link: Link, change: Change) -> Link:
        """Dirty from here until the record. A deletion that was counted is not counted again when it is tried again."""
        permit = change.name if change.removes else link.permit
        # Saved even when it is dirty already: two workers must not go on under one mark, which the faster would clear.
        link = await self.links.save(replace(link, dirty=True, permit=permit))
        if change.removes:
            await self.guard.release(link.sync, link.source_id)
        return link

    async def _record(self, link: Link) -> Link:
        try:
            return await self.links.save(link)
        except ConflictError as error:
            raise LostRecordError from error


def _written(decided: Look, change: Change, link: Link, attributes: Attributes, refused: Mapping[str, str]) -> Link:
    """The record of a write. What Graph refused counts as applied, but for access that was to be taken away."""
    applied = fingerprints(attributes)
    # The first write puts more into this than later ones want of it: extension attributes of both kinds.
    shared = attributes.keys() & decided.desired.always.keys() & decided.desired.on_create.keys()
    applied |= fingerprints({name: decided.desired.always[name] for name in shared})
    tracked = [*decided.desired.always, *([ENABLED] if change.removes else [])]
    permit = None if change.removes else link.permit
    if change.removes and ENABLED in refused:
        del applied[ENABLED]
        permit = link.permit  # it was counted, and will be tried again
    known = {} if decided.link.dirty else link.applied  # of the rest, a dirty record is not to be trusted
    named = decided.desired.names - attributes.keys()
    before = {name: code for name, code in link.refused.items() if name in named}
    link = link.recorded(decided.source, {name: applied.get(name) or known.get(name, "") for name in tracked})
    return replace(
        link,
        refused={**before, **refused},
        dirty=False,
        created=link.created or decided.desired.on_create.keys() <= attributes.keys(),
        permit=permit,
        read_at=decided.source.read_at,
    )


def _may_have_manager(link: Link, attributes: Attributes) -> Link:
    """Before a reference is written: whatever comes in between, there may be one to remove from now on."""
    if attributes.get(MANAGER) is None:
        return link
    return replace(link, applied={MANAGER: "", **link.applied})


def _referred(reference: Json) -> str | None:
    return str(reference["id"]) if isinstance(reference, dict) else None


def _target_id(link: Link) -> str:
    if link.target_id is None:
        raise ValueError("a linked user without a target id")
    return link.target_id

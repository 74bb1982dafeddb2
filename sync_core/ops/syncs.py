"""Renames, moves and removes a sync with its people. Each step is safe to repeat after a crash.

An operator may take a while to confirm. So every check is repeated then, and the first write is a compare-and-swap of
the sync's record, which the function app writes when it takes a sync up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import replace
from datetime import timedelta

from ..assembly import Runtime
from ..guard.configurations import FRESH, within
from ..model import Kind, Link, LinkState, Nomination, Sync, Why
from ..model.errors import ConflictError
from ..ports import SyncRecord, note_of
from . import documents
from .documents import Step
from .errors import RefusedError
from .kept import keep
from .proposals import Proposal, propose_again

_AT_ONCE = 500
# After so many links, a look at whether the function app has taken the sync up again.
_LOOK_AFTER = 100
# A look that began with the record of before is over its reading by then.
_JUDGED_ANEW = FRESH + timedelta(seconds=1)

_KINDS = {
    Step.RENAME: Kind.RENAMED,
    Step.MOVE: Kind.MOVED,
    Step.KEEP_USERS: Kind.REMOVED,
    Step.DELETE_USERS: Kind.REMOVED,
    Step.CANCEL: Kind.REMOVED,
}

type Read = Callable[[int], None]


async def act(runtime: Runtime, proposal: Proposal, read: Read = lambda _: None, *, by: str) -> documents.SyncChange:
    """`read` takes the number of users so far. A step that is repeated after a crash is on record twice."""
    proposal = await propose_again(runtime, proposal)
    if proposal.step in {Step.RENAME, Step.MOVE, Step.KEEP_USERS}:
        proposal = await _begun(runtime, proposal)
    await _on_record(runtime, proposal, by)
    match proposal.step:
        case Step.RENAME:
            await _rename(runtime, proposal, read)
        case Step.MOVE | Step.KEEP_USERS:
            await _forget(runtime, proposal, read)
        case Step.DELETE_USERS:
            await _empty(runtime, proposal, read)
        case Step.CANCEL:
            await _judge_from_now_on(runtime, proposal.name)
    return proposal.document(done=True)


async def _on_record(runtime: Runtime, proposal: Proposal, by: str) -> None:
    """A rename under both names."""
    names, reason = [proposal.name], proposal.step.value
    if proposal.step is Step.RENAME and proposal.to is not None:
        names.append(proposal.to.name)
        reason = f"{proposal.name} to {proposal.to.name}"
    await keep(runtime, _KINDS[proposal.step], [(name, "") for name in names], by=by, reason=reason)


async def _begun(runtime: Runtime, proposal: Proposal) -> Proposal:
    """The first write: it changes nothing but the etag, and fails if the function app took the sync up since then."""
    try:
        return replace(proposal, record=await runtime.storage.syncs.save(proposal.record))
    except ConflictError as error:
        raise _taken_up(proposal.name, "nothing was done") from error


async def _links(runtime: Runtime, record: SyncRecord) -> AsyncIterator[Link]:
    """All links of a sync. Raises RefusedError once the function app has taken the sync up meanwhile."""
    count = 0
    async for link in runtime.storage.links.every(record.name):
        if count % _LOOK_AFTER == 0:
            _, records = await runtime.storage.syncs.all()
            if (present := records.get(record.name)) is None or present.etag != record.etag:
                raise _taken_up(record.name, "it was not finished")
        count += 1
        yield link


def _taken_up(name: str, so: str) -> RefusedError:
    return RefusedError(
        f"the stored record of {name} was changed meanwhile; {so}",
        hint="See that the sync.yaml that is meant is deployed, wait for the next poll, and run this again.",
    )


async def _rename(runtime: Runtime, proposal: Proposal, read: Read) -> None:
    """The guard's windows come first: a rename that breaks off is no way around them.

    Those who are linked come last: the sync of the new name is stopped as long as there are any of the old one.
    """
    old, sync = proposal.name, proposal.to
    assert sync is not None
    await _keep_pause(runtime, old, sync.name)
    for month in (False, True):
        await _add_window(runtime, old, sync.name, month=month)
    await _add_newcomers(runtime, old, sync.name)
    count = 0
    for linked in (False, True):
        async for link in _links(runtime, proposal.record):
            if (link.state is LinkState.LINKED) is linked:
                await _rename_link(runtime, sync, link)
                count += 1
                read(count)
    await _drop(runtime, proposal.record)
    await _judge_from_now_on(runtime, sync.name)


async def _keep_pause(runtime: Runtime, old: str, new: str) -> None:
    """A sync that a person paused is paused under its new name, before it has anybody to write."""
    said, ours = await runtime.pauses.read(old), await runtime.pauses.read(new)
    if ours.control.looser_than(said.control):
        await runtime.pauses.say(new, said.control, by=said.by, reason=said.reason)


async def _rename_link(runtime: Runtime, sync: Sync, link: Link) -> None:
    """The new link, the claim, and then the old link. A user whom the new sync has seen and not linked loses that."""
    links = runtime.storage.links
    await _said_under_new_name(runtime, link, sync.name)
    theirs = await links.save(_under_new_name(sync, link, await links.get(sync.name, link.source_id)))
    if link.ours and link.target_id is not None:
        owner = await links.claim(sync.target.id, link.target_id, theirs.owner)
        if owner == link.owner:
            await links.move_claim(sync.target.id, link.target_id, link.owner, theirs.owner)
    await links.forget(link)


async def _said_under_new_name(runtime: Runtime, link: Link, name: str) -> None:
    """The note of the next stage, the word to keep this user, and the hold, before there is a link that needs them."""
    guards = runtime.storage.guards
    await runtime.kept.carry(link.source_id, link.sync, name)
    hold = await guards.hold(link.sync, link.source_id)
    if hold is not None and await guards.hold(name, link.source_id) is None:
        await guards.save_hold(replace(hold, sync=name, etag=None))
    if (note := note_of(link)) is not None:
        await runtime.storage.due.note(replace(note, sync=name))


def _under_new_name(sync: Sync, link: Link, theirs: Link | None) -> Link:
    """The link as it is saved.

    Both names have the same target user after a rename that broke off, and each may have written it since then. So the
    later read counts, and the record of a linked user is not trusted.
    """
    own, _, user = (link.heir or "").partition("/")
    heir = f"{sync.name}/{user}" if own == link.sync and user else link.heir  # to another user of this very sync
    moved = replace(within(sync, link), sync=sync.name, heir=heir, etag=None if theirs is None else theirs.etag)
    if theirs is None or not theirs.ours:
        return moved
    if not link.ours:
        return theirs
    newer = theirs if link.read_at is None or (theirs.read_at is not None and theirs.read_at > link.read_at) else moved
    return replace(newer, dirty=newer.dirty or newer.state is LinkState.LINKED)


async def _add_window(runtime: Runtime, old: str, new: str, *, month: bool) -> None:
    guards = runtime.storage.guards
    theirs, ours = await guards.window(old, month=month), await guards.window(new, month=month)
    if theirs.slices:
        slices = dict(Counter(theirs.slices) + Counter(ours.slices))
        await guards.save_window(replace(ours, slices=slices, counted_at=None))
        await guards.save_window(replace(theirs, slices={}))


async def _add_newcomers(runtime: Runtime, old: str, new: str) -> None:
    """What the creation guard counted. An approval ends, as with any edit of the sync."""
    creations = runtime.storage.creations
    theirs, ours = await creations.get(old), await creations.get(new)
    if theirs.window.slices:
        slices = dict(Counter(theirs.window.slices) + Counter(ours.window.slices))
        await creations.save(replace(ours, window=replace(ours.window, slices=slices, counted_at=None)))
        await creations.save(replace(theirs, window=replace(theirs.window, slices={})))


async def _forget(runtime: Runtime, proposal: Proposal, read: Read) -> None:
    """All of them, or with a move those of the former tenants: a row of version 0.1 that was never read is one."""
    kept = proposal.to.tenants if proposal.to is not None else None
    count = 0
    async for link in _links(runtime, proposal.record):
        if kept is None or link.tenants != kept:
            await runtime.storage.links.forget(link)
            count += 1
            read(count)
    await _drop_holds(runtime, proposal.name)
    if proposal.to is None:
        await _drop(runtime, proposal.record)
    else:
        await runtime.storage.syncs.save(replace(proposal.record, tenants=proposal.to.tenants, config=""))


async def _empty(runtime: Runtime, proposal: Proposal, read: Read) -> None:
    """Say so first, and then have everybody looked at, once each process has read that.

    The full round that follows nominates every linked user again. So it finds whom no message reached, and who was
    linked by a look that was under way.
    """
    await runtime.storage.syncs.save(replace(proposal.record, removing=True, since=runtime.clock.now()))
    at = runtime.clock.now() + _JUDGED_ANEW
    count = 0
    async for portion in _portions(runtime, proposal.name):
        await runtime.storage.queues.nominate(
            [Nomination(sync=proposal.name, user=user, why=Why.OPERATOR, at=at) for user in portion],
            delay=max((at - runtime.clock.now()).total_seconds(), 0),
        )
        count += len(portion)
        read(count)


async def _portions(runtime: Runtime, name: str) -> AsyncIterator[list[str]]:
    portion: list[str] = []
    async for user in runtime.storage.links.ids(name):
        portion.append(user)
        if len(portion) == _AT_ONCE:
            yield portion
            portion = []
    if portion:
        yield portion


async def _judge_from_now_on(runtime: Runtime, name: str) -> None:
    """By sync.yaml alone, beginning with a full round. A sync without a record begins with one anyway."""
    _, records = await runtime.storage.syncs.all()
    if (record := records.get(name)) is not None:
        await runtime.storage.syncs.save(replace(record, removing=False, since=runtime.clock.now()))


async def _drop(runtime: Runtime, record: SyncRecord) -> None:
    await runtime.storage.due.forget(record.name)
    await runtime.storage.drifts.forget(record.name)
    for kept in await runtime.storage.keeps.all(record.name):
        await runtime.storage.keeps.drop(kept)
    await _drop_holds(runtime, record.name)
    await runtime.storage.syncs.drop(record)


async def _drop_holds(runtime: Runtime, name: str) -> None:
    for hold in await runtime.storage.guards.holds(name):
        await runtime.storage.guards.drop_hold(hold)

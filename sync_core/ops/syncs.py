"""Renames, moves and removes a sync with its people. Each step is safe to repeat after a crash.

The links of a sync stand under its name and are of its tenants. So an edit of sync.yaml that changes either stops the
sync, until one of these says what is meant.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, replace

from ..assembly import Runtime
from ..guard.configurations import within
from ..model import Link, LinkState, Nomination, Sync, Why
from ..ports import SyncRecord
from . import documents
from .documents import Step
from .errors import RefusedError, UsageError
from .names import find_sync

_AT_ONCE = 500
_LOOKED_AT = "The next poll looks at everybody."

type Read = Callable[[int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What would be done, after every check: `act` does it. `record` is that of the former name or tenants."""

    step: Step
    name: str
    record: SyncRecord | None
    linked: int
    others: int
    holds: int
    next: str
    to: Sync | None = None

    def document(self, *, done: bool) -> documents.SyncChange:
        return documents.SyncChange(
            step=self.step,
            sync=self.name,
            to=self.to.name if self.to is not None and self.step is Step.RENAME else None,
            linked=self.linked,
            others=self.others,
            holds=self.holds,
            done=done,
            next=self.next,
        )


async def propose_rename(runtime: Runtime, old: str, new: str) -> Proposal:
    """Give the people of `old` to `new`, which sync.yaml has in its place."""
    sync = find_sync(runtime.config, new)
    record = await _unconfigured(runtime, old)
    await _deployed(runtime, new)
    if record is not None and record.tenants != sync.tenants:
        raise RefusedError(
            f"{old} is of other tenants than {new}; nothing was renamed",
            hint=f"Give {new} the tenants of {old} first; `xtsync move {new}` then changes them.",
        )
    async for link in runtime.storage.links.every(old):
        theirs = await runtime.storage.links.get(new, link.source_id)
        if link.ours and theirs is not None and theirs.ours and theirs.target_id != link.target_id:
            raise RefusedError(
                f"{link.source_id} has a target user in {old} and another one in {new}; nothing was renamed",
                hint=f"Let go of those of {old}: `xtsync remove {old} --keep-users`.",
            )
    return await _proposal(runtime, Step.RENAME, old, record, _LOOKED_AT, to=sync)


async def propose_move(runtime: Runtime, name: str) -> Proposal:
    """Let go of the people in the former tenants; those of sync.yaml are synchronized from the beginning."""
    sync = find_sync(runtime.config, name)
    record = await _deployed(runtime, name)
    if record is None or record.tenants == sync.tenants:
        raise UsageError(
            f"{name} is of the tenants that sync.yaml says; there is nothing to move",
            hint="Change `source` or `target` in sync.yaml first, and deploy it.",
        )
    then = f"The users in the former target stay as they are. {_LOOKED_AT}"
    return await _proposal(runtime, Step.MOVE, name, record, then, to=sync)


async def propose_removal(runtime: Runtime, name: str, *, keep_users: bool) -> Proposal:
    """Forget a sync that sync.yaml no longer has; or have everybody of one that it has deleted, through the guard."""
    if keep_users:
        record = await _unconfigured(runtime, name)
        return await _proposal(
            runtime, Step.KEEP_USERS, name, record, "The users stay in the target as they are; nobody keeps them."
        )
    sync = find_sync(runtime.config, name)
    await runtime.configurations.check(sync)
    record = await _deployed(runtime, name)
    then = (
        f"Each is read once more. Deletions over the guard's limit are held: `xtsync holds --sync {name}`. Once nobody"
        f" is left, take {name} out of sync.yaml, deploy, and run `xtsync remove {name} --keep-users`."
    )
    return await _proposal(runtime, Step.DELETE_USERS, name, record, then, to=sync)


async def propose_cancel(runtime: Runtime, name: str) -> Proposal:
    """Judge by sync.yaml again. The next full round brings back those who were deleted."""
    sync = find_sync(runtime.config, name)
    record = await _deployed(runtime, name)
    if record is None or not record.removing:
        raise UsageError(f"{name} is not being removed", hint="`xtsync status` says which syncs are.")
    return await _proposal(runtime, Step.CANCEL, name, record, _LOOKED_AT, to=sync)


async def act(runtime: Runtime, proposal: Proposal, read: Read = lambda _: None) -> documents.SyncChange:
    """`read` takes the number of users so far."""
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


async def _rename(runtime: Runtime, proposal: Proposal, read: Read) -> None:
    """Those who are linked come last: the sync of the new name is stopped as long as there are any of the old one."""
    old, sync = proposal.name, proposal.to
    assert sync is not None
    await _keep_pause(runtime, old, sync.name)
    count = 0
    for linked in (False, True):
        async for link in runtime.storage.links.every(old):
            if (link.state is LinkState.LINKED) is linked:
                await _rename_link(runtime, sync, link)
                count += 1
                read(count)
    for month in (False, True):
        await _add_window(runtime, old, sync.name, month=month)
    await _drop(runtime, old, proposal.record)
    await _judge_from_now_on(runtime, sync.name)


async def _keep_pause(runtime: Runtime, old: str, new: str) -> None:
    """A sync that a person paused is paused under its new name, before it has anybody to write."""
    said, ours = await runtime.pauses.read(old), await runtime.pauses.read(new)
    if ours.control.looser_than(said.control):
        await runtime.pauses.say(new, said.control, by=said.by, reason=said.reason)


async def _rename_link(runtime: Runtime, sync: Sync, link: Link) -> None:
    """The new link, the claim, and then the old link. A user whom the new sync has seen and not linked loses that."""
    links = runtime.storage.links
    theirs = await links.get(sync.name, link.source_id)
    if theirs is None or not theirs.ours:
        etag = None if theirs is None else theirs.etag
        theirs = await links.save(replace(within(sync, link), sync=sync.name, etag=etag))
    if link.ours and link.target_id is not None:
        owner = await links.claim(sync.target.id, link.target_id, theirs.owner)
        if owner == link.owner:
            await links.move_claim(sync.target.id, link.target_id, link.owner, theirs.owner)
    await links.forget(link)


async def _add_window(runtime: Runtime, old: str, new: str, *, month: bool) -> None:
    guards = runtime.storage.guards
    theirs, ours = await guards.window(old, month=month), await guards.window(new, month=month)
    if theirs.slices:
        slices = dict(Counter(theirs.slices) + Counter(ours.slices))
        await guards.save_window(replace(ours, slices=slices, counted_at=None))
        await guards.save_window(replace(theirs, slices={}))


async def _forget(runtime: Runtime, proposal: Proposal, read: Read) -> None:
    """All of them, or with a move those of the former tenants: a row of version 0.1 that was never read is one."""
    kept = proposal.to.tenants if proposal.to is not None else None
    count = 0
    async for link in runtime.storage.links.every(proposal.name):
        if kept is None or link.tenants != kept:
            await runtime.storage.links.forget(link)
            count += 1
            read(count)
    await _drop_holds(runtime, proposal.name)
    if proposal.to is None:
        await _drop(runtime, proposal.name, proposal.record)
    elif proposal.record is not None:
        await runtime.storage.syncs.save(replace(proposal.record, tenants=proposal.to.tenants, config=""))


async def _empty(runtime: Runtime, proposal: Proposal, read: Read) -> None:
    """Say so first, and then have everybody looked at: whoever is not reached is found by the full round."""
    assert proposal.to is not None
    record = proposal.record or SyncRecord(name=proposal.name, tenants=proposal.to.tenants)
    now = runtime.clock.now()
    await runtime.storage.syncs.save(replace(record, removing=True, since=now))
    count = 0
    async for portion in _portions(runtime, proposal.name):
        await runtime.storage.queues.nominate(
            [Nomination(sync=proposal.name, user=user, why=Why.OPERATOR, at=now) for user in portion]
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


async def _unconfigured(runtime: Runtime, name: str) -> SyncRecord | None:
    """The record of a sync that neither this sync.yaml nor the deployed one has."""
    if name in runtime.config.syncs:
        raise UsageError(f"sync.yaml still has '{name}'", hint="Take it out, or give it its new name, and deploy.")
    configuration, records = await runtime.storage.syncs.all()
    record = records.get(name)
    if not configuration.leader or (record is not None and record.config):
        raise RefusedError(
            f"the function app still works by a sync.yaml that has '{name}'; nothing was done",
            hint="Deploy the sync.yaml without it, wait for the next poll, and run this again.",
        )
    if record is None and not [link async for link in _first(runtime, name)]:
        stored = ", ".join(sorted(records.keys() - runtime.config.syncs.keys())) or "none besides those of sync.yaml"
        raise UsageError(f"nothing is stored of a sync '{name}'", hint=f"Stored are: {stored}.")
    return record


async def _first(runtime: Runtime, name: str) -> AsyncIterator[Link]:
    async for link in runtime.storage.links.every(name):
        yield link
        return


async def _deployed(runtime: Runtime, name: str) -> SyncRecord | None:
    """The record of a sync of this sync.yaml, by which the function app works, too."""
    configuration, records = await runtime.storage.syncs.all()
    if configuration.leader != runtime.config.fingerprint:
        raise RefusedError(
            "the function app works by another sync.yaml; nothing was done",
            hint="Deploy this one, wait for the next poll, and run this again.",
        )
    return records.get(name)


async def _drop(runtime: Runtime, name: str, record: SyncRecord | None) -> None:
    await _drop_holds(runtime, name)
    if record is not None:
        await runtime.storage.syncs.drop(record)


async def _drop_holds(runtime: Runtime, name: str) -> None:
    for hold in await runtime.storage.guards.holds(name):
        await runtime.storage.guards.drop_hold(hold)


async def _proposal(
    runtime: Runtime, step: Step, name: str, record: SyncRecord | None, then: str, *, to: Sync | None = None
) -> Proposal:
    counted = Counter([link.state is LinkState.LINKED async for link in runtime.storage.links.every(name)])
    return Proposal(
        step=step,
        name=name,
        record=record,
        linked=counted[True],
        others=counted[False],
        holds=len(await runtime.storage.guards.holds(name)),
        next=then,
        to=to,
    )

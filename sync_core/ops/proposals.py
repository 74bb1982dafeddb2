"""What renaming, moving or removing a sync would do, after every check.

The links of a sync stand under its name and are of its tenants. So an edit of sync.yaml that changes either stops the
sync, until one of these says what is meant. syncs.py does it.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace

from ..assembly import Runtime
from ..model import Link, LinkState, Sync
from ..ports import ConfigurationRecord, SyncRecord
from . import documents
from .documents import Step
from .errors import RefusedError, UsageError
from .names import find_sync

_LOOKED_AT = "The next poll looks at everybody."


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """What would be done, after every check: `act` does it.

    `record` is that of the former name or tenants; without an etag it is yet to be stored.
    """

    step: Step
    name: str
    record: SyncRecord
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
    for each in (record, await _deployed(runtime, new)):
        _refuse_while_removing(each)
    if record.etag is None:
        record = replace(record, tenants=await runtime.configurations.tenants_of(old, sync))
    if record.tenants != sync.tenants:
        raise RefusedError(
            f"{old} is of other tenants than {new}; nothing was renamed",
            hint=f"Give {new} the tenants of {old} first; `xtsync move {new}` then changes them.",
        )
    return await _proposal(runtime, Step.RENAME, old, record, _LOOKED_AT, to=sync)


async def _refuse_link(runtime: Runtime, sync: Sync, link: Link) -> None:
    """Raises RefusedError for a link that cannot stand under this sync's name."""
    old, new = link.sync, sync.name
    if link.state is LinkState.INVITING:  # the guest bears a mark that is made of the name
        raise RefusedError(
            f"the invitation of {link.source_id} in {old} is not finished; nothing was renamed",
            hint=f"Put the name {old} back, deploy, and wait for a full round; then rename it.",
        )
    theirs = await runtime.storage.links.get(new, link.source_id)
    if theirs is not None and theirs.state is LinkState.INVITING:
        raise RefusedError(
            f"{new} is inviting {link.source_id}, and that is not finished; nothing was renamed",
            hint="Wait a quarter of an hour, and for a full round; then rename it.",
        )
    if link.ours and theirs is not None and theirs.ours and theirs.target_id != link.target_id:
        raise RefusedError(
            f"{link.source_id} has a target user in {old} and another one in {new}; nothing was renamed",
            hint=f"Let go of those of {old}: `xtsync remove {old} --keep-users`.",
        )


async def propose_move(runtime: Runtime, name: str) -> Proposal:
    """Let go of the people in the former tenants; those of sync.yaml are synchronized from the beginning."""
    sync = find_sync(runtime.config, name)
    record = await _deployed(runtime, name)
    if record is None or record.tenants == sync.tenants:
        raise UsageError(
            f"{name} is of the tenants that sync.yaml says; there is nothing to move",
            hint="Change `source` or `target` in sync.yaml first, and deploy it.",
        )
    _refuse_while_removing(record)
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
    record = await _deployed(runtime, name) or SyncRecord(name=name, tenants=sync.tenants)
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


async def propose_again(runtime: Runtime, proposal: Proposal) -> Proposal:
    """The same proposal by what is stored now. Raises what the proposal would raise."""
    name = proposal.name
    match proposal.step:
        case Step.RENAME:
            assert proposal.to is not None
            return await propose_rename(runtime, name, proposal.to.name)
        case Step.MOVE:
            return await propose_move(runtime, name)
        case Step.CANCEL:
            return await propose_cancel(runtime, name)
        case Step.KEEP_USERS | Step.DELETE_USERS:
            return await propose_removal(runtime, name, keep_users=proposal.step is Step.KEEP_USERS)


async def _unconfigured(runtime: Runtime, name: str) -> SyncRecord:
    """The record of a sync that neither this sync.yaml nor the deployed one has, which must be the same.

    Without a stored one it is yet to be stored, of the tenants of a link: of none, if version 0.1 wrote that.
    """
    if name in runtime.config.syncs:
        raise UsageError(f"sync.yaml still has '{name}'", hint="Take it out, or give it its new name, and deploy.")
    configuration, records = await runtime.storage.syncs.all()
    record = records.get(name)
    if record is not None and record.config:
        raise RefusedError(
            f"the function app still works by a sync.yaml that has '{name}'; nothing was done",
            hint="Deploy the sync.yaml without it, wait for the next poll, and run this again.",
        )
    _refuse_undeployed(runtime, configuration)
    if record is not None:
        return record
    async for link in runtime.storage.links.every(name):
        return SyncRecord(name=name, tenants=link.tenants or ("", ""))
    stored = ", ".join(sorted(records.keys() - runtime.config.syncs.keys())) or "none besides those of sync.yaml"
    raise UsageError(f"nothing is stored of a sync '{name}'", hint=f"Stored are: {stored}.")


async def _deployed(runtime: Runtime, name: str) -> SyncRecord | None:
    """The record of a sync of this sync.yaml, by which the function app works, too."""
    configuration, records = await runtime.storage.syncs.all()
    _refuse_undeployed(runtime, configuration)
    return records.get(name)


def _refuse_undeployed(runtime: Runtime, configuration: ConfigurationRecord) -> None:
    if configuration.leader != runtime.config.fingerprint:
        raise RefusedError(
            "the function app works by another sync.yaml; nothing was done",
            hint="Deploy this one, wait for the next poll, and run this again.",
        )


def _refuse_while_removing(record: SyncRecord | None) -> None:
    if record is not None and record.removing:
        name = record.name
        raise RefusedError(
            f"the users of {name} are being removed; nothing was done",
            hint=f"Put {name} into sync.yaml as it was, deploy, and let that end: or `xtsync remove {name} --cancel`.",
        )


async def _proposal(
    runtime: Runtime, step: Step, name: str, record: SyncRecord, then: str, *, to: Sync | None = None
) -> Proposal:
    """Raises RefusedError for a link that a rename cannot take along."""
    counted: Counter[bool] = Counter()
    async for link in runtime.storage.links.every(name):
        if step is Step.RENAME and to is not None:
            await _refuse_link(runtime, to, link)
        counted[link.state is LinkState.LINKED] += 1
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

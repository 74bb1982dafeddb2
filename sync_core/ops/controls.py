"""Pauses syncs and lets them go on."""

from __future__ import annotations

from collections.abc import Sequence

from ..assembly import Runtime
from ..model import Control, Kind, Sync
from ..model.messages import USERS
from ..ports import ControlRecord
from . import documents
from .kept import keep
from .resync import start_rounds


async def control(
    runtime: Runtime, syncs: Sequence[Sync], said: Control, *, by: str, reason: str
) -> documents.Controlled:
    """Every instance obeys within two seconds. Where a sync goes on, a full round of its source starts now.

    If that cannot start, the next poll begins it: the record says that it has to.
    """
    await runtime.storage.create("controls")
    before = {sync.name: (await runtime.pauses.read(sync.name)).control for sync in syncs}
    records = [await runtime.pauses.say(sync.name, said, by=by, reason=reason) for sync in syncs]
    going_on = {
        sync.source.key
        for sync, record in zip(syncs, records, strict=True)
        if record.control.looser_than(before[sync.name])
    }
    kind = Kind.RESUMED if said is Control.RUNNING else Kind.PAUSED
    what = "deletions only: " if said is Control.DELETIONS_PAUSED else ""
    await keep(runtime, kind, [(sync.name, "") for sync in syncs], by=by, reason=f"{what}{reason}")
    rounds = await start_rounds(runtime, [(tenant, USERS) for tenant in sorted(going_on)], by=by)
    return documents.Controlled(syncs=[shown_control(each) for each in records], rounds=rounds.rounds)


def shown_control(record: ControlRecord) -> documents.SyncControl:
    return documents.SyncControl(
        sync=record.sync,
        control=record.control,
        by=record.by or None,
        at=record.at,
        reason=record.reason or None,
    )

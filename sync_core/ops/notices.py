"""Receivers of notices, what they were told of, and a message to try one out."""

from __future__ import annotations

from ..assembly import Runtime
from ..model.errors import SyncError
from ..ports import Telling
from . import documents


async def list_notices(runtime: Runtime) -> documents.Notices:
    return documents.Notices(
        receivers=[
            documents.NoticeReceiver(
                receiver=each.address, kind=each.kind, events=sorted(each.occasions), syncs=sorted(each.syncs)
            )
            for each in runtime.config.receivers
        ],
        standing=[
            documents.StandingNotice(
                receiver=each.receiver,
                event=each.occasion,
                about=each.about,
                since=each.since,
                told=each.telling is not Telling.BEGUN,
            )
            for each in await runtime.storage.notices.all()
        ],
    )


async def try_receivers(runtime: Runtime) -> documents.TriedReceivers:
    """One message to each. A receiver that fails stops no other."""
    tried: list[documents.TriedReceiver] = []
    for receiver in runtime.config.receivers:
        error = None
        try:
            await runtime.upkeep.noticing.try_out(receiver)
        except SyncError as failed:
            error = str(failed)
        tried.append(documents.TriedReceiver(receiver=receiver.address, error=error))
    return documents.TriedReceivers(receivers=tried)

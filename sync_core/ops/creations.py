"""Newcomers who wait for the creation guard, and a person's word that lets in as many as that person has seen.

The code stands for one sync, the number of people, its configuration and the approval before. So it is used once, and
an edit of the sync voids it. Where more people wait by now, those come in who have waited the longest.
"""

from __future__ import annotations

from collections.abc import Iterable

from ..assembly import Runtime
from ..guard.creations import config_of
from ..model import Kind, Sync, fingerprint
from ..model.messages import USERS
from ..ports import CreationApproval
from . import documents
from .errors import RefusedError, UsageError
from .kept import keep
from .resync import start_rounds
from .words import many


async def list_creations(runtime: Runtime, syncs: Iterable[Sync]) -> documents.CreationList:
    return documents.CreationList(syncs=[await shown_creations(runtime, sync, recount=True) for sync in syncs])


async def shown_creations(runtime: Runtime, sync: Sync, *, recount: bool = False) -> documents.CreationStatus:
    """Without `recount`, the limit is that of the last count of links."""
    waiting = await runtime.creations.waiting(sync)
    ceiling = await runtime.creations.ceiling(sync, recount=recount)
    approval = (await runtime.storage.creations.get(sync.name)).approval
    return documents.CreationStatus(
        sync=sync.name,
        waiting=waiting.people,
        since=waiting.since,
        approved=waiting.approved,
        used=None if ceiling is None else ceiling.used,
        limit=None if ceiling is None else ceiling.limit,
        window_s=None if sync.creation_guard is None else sync.creation_guard.window.total_seconds(),
        code=_code(sync, waiting.people, approval) if waiting.people else None,
        approved_by=approval.by if approval else None,
        approved_at=approval.at if approval else None,
    )


async def approve(runtime: Runtime, syncs: Iterable[Sync], code: str, *, by: str) -> documents.CreationApproval:
    """Let in as many newcomers as the code says, and start a full round of their source.

    Raises UsageError for what is no code, and RefusedError unless it stands for a list as it is now.
    """
    people, sync, listed = await _listed(runtime, syncs, code)
    approval = await runtime.creations.approve(sync, people, by=by, listed=listed)
    if approval is None:
        raise _changed(code, "somebody else approved them, or nobody waits any more")
    await keep(runtime, Kind.APPROVED, [(sync.name, "")], by=by, reason=many(approval.people, "newcomer"))
    await runtime.storage.create("controls")
    await runtime.pauses.read_anew(sync.name)
    (begun,) = (await start_rounds(runtime, [(sync.source.key, USERS)], by=by)).rounds
    return documents.CreationApproval(
        sync=sync.name,
        by=by,
        approved=approval.people,
        waiting=(await runtime.creations.waiting(sync)).people,
        error=begun.error,
    )


async def _listed(runtime: Runtime, syncs: Iterable[Sync], code: str) -> tuple[int, Sync, CreationApproval | None]:
    number = code.partition("-")[0]
    if not number.isdecimal() or len(number) > 9:
        raise UsageError(
            f"'{code}' is no code", hint="`xtsync creations` shows the code of each sync, such as 4500-3f9a07c1."
        )
    for sync in syncs:
        approval = (await runtime.storage.creations.get(sync.name)).approval
        if code == _code(sync, int(number), approval):
            return int(number), sync, approval
    raise _changed(code, "the configuration was edited since, or these were approved before")


def _changed(code: str, why: str) -> RefusedError:
    return RefusedError(
        f"{code} stands for no list of now: {why}; nothing was approved",
        hint="Look at the list again with `xtsync creations`, then use its code.",
    )


def _code(sync: Sync, people: int, approval: CreationApproval | None) -> str:
    """`4500-3f9a07c1`: how many newcomers it lets in, and a digest of what they were listed under."""
    before = approval.at.isoformat() if approval else ""
    return f"{people}-{fingerprint([sync.name, people, config_of(sync), before])[:8]}"

"""Users who leave in stages: who is due when, and whom a person keeps."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime

from ..assembly import Runtime
from ..guard.keeps import LONGEST
from ..model import Kind, Nomination, Sync, Why
from ..model.errors import NewerSchemaError
from ..model.messages import format_time, parse_time
from ..ports import Due, KeepRecord
from . import documents
from .errors import UsageError, no_page
from .kept import keep as record
from .times import ahead
from .words import at_second

_NEXT = 10  # of each sync, in the status
_MOST_COUNTED = 1000
_PAGE = 100


def until_when(text: str, now: datetime) -> datetime:
    """Raises UsageError for a text that is no time, and for one that has passed or is more than a year away."""
    until = ahead(text, now)
    if not now < until <= now + LONGEST:
        raise UsageError(
            f"{at_second(until)} is not within the next {LONGEST.days} days",
            hint="Nobody is kept for longer: say a nearer date, and say it again when that comes.",
        )
    return until


async def keep_users(
    runtime: Runtime, users: Sequence[tuple[Sync, str]], until: datetime, *, by: str, reason: str
) -> documents.KeptUsers:
    """The next look of each defers what is due. A write that is on its way may still arrive."""
    of = [(sync.name, user) for sync, user in users]
    kept = [await runtime.kept.say(*each, until, by=by, reason=reason) for each in of]
    await record(runtime, Kind.KEPT, of, by=by, reason=f"until {at_second(until)}: {reason}")
    await _look_again(runtime, of)
    return documents.KeptUsers(kept=[_keep(each) for each in kept], ended=[])


async def end_keeps(runtime: Runtime, users: Sequence[tuple[Sync, str]], *, by: str) -> documents.KeptUsers:
    """Those who are kept are looked at again, and lose what is due by now. Nobody else is told of."""
    of = [(sync.name, user) for sync, user in users]
    ended = [each for each in of if await runtime.kept.end(*each) is not None]
    await record(runtime, Kind.KEEP_ENDED, ended, by=by, reason="")
    await _look_again(runtime, ended)
    return documents.KeptUsers(kept=[], ended=[documents.User(sync=sync, user=user) for sync, user in ended])


async def due_users(
    runtime: Runtime, syncs: Iterable[Sync], *, limit: int = _PAGE, after: str = ""
) -> documents.DueUsers:
    """One page. Raises UsageError for an `after` that no page gave."""
    place = _place(after)
    found: list[documents.DueUser] = []
    for sync in sorted(syncs, key=lambda each: each.name):
        if place is not None and sync.name < place.sync:
            continue
        last = place if place is not None and place.sync == sync.name else None
        while len(found) < limit:
            notes = await runtime.storage.due.page(sync.name, limit - len(found), last)
            found += [shown for note in notes if (shown := await _due(runtime, note)) is not None]
            if not notes:
                break
            last = notes[-1]
        if len(found) == limit and last is not None:
            return documents.DueUsers(due=found, more=f"{last.sync}/{format_time(last.at)}/{last.source_id}")
    return documents.DueUsers(due=found, more=None)


async def kept_now(runtime: Runtime, sync: str, user: str) -> documents.Keep | None:
    kept = await runtime.storage.keeps.get(sync, user)
    return None if kept is None or kept.until <= runtime.clock.now() else _keep(kept)


async def leaving_status(runtime: Runtime, sync: Sync) -> documents.LeavingStatus:
    notes = await runtime.storage.due.page(sync.name, _MOST_COUNTED)
    coming = await due_users(runtime, [sync], limit=_NEXT) if notes else documents.DueUsers(due=[], more=None)
    return documents.LeavingStatus(sync=sync.name, users=len({each.source_id for each in notes}), next=coming.due)


async def _due(runtime: Runtime, note: Due) -> documents.DueUser | None:
    """None for a note that is left of a stage which is over, or which comes at another time by now."""
    try:
        link = await runtime.storage.links.get(note.sync, note.source_id)
        keep = await kept_now(runtime, note.sync, note.source_id)
    except NewerSchemaError:
        return None
    leaving = link.leaving if link is not None else None
    if link is None or leaving is None or leaving.until is None or leaving.then is None or note.at < leaving.until:
        return None
    return documents.DueUser(
        sync=note.sync,
        source_id=note.source_id,
        target_id=link.target_id,
        stage=leaving.stage,
        since=leaving.since,
        then=leaving.then,
        due_at=leaving.until,
        keep=keep,
    )


def _place(after: str) -> Due | None:
    if not after:
        return None
    sync, _, rest = after.partition("/")
    at, _, source_id = rest.partition("/")
    try:
        return Due(sync=sync, source_id=source_id, at=parse_time(at))
    except ValueError:
        raise no_page() from None


def _keep(kept: KeepRecord) -> documents.Keep:
    return documents.Keep(
        sync=kept.sync, source_id=kept.source_id, until=kept.until, by=kept.by, at=kept.at, reason=kept.reason
    )


async def _look_again(runtime: Runtime, of: Sequence[tuple[str, str]]) -> None:
    now = runtime.clock.now()
    await runtime.storage.queues.nominate(
        [Nomination(sync=sync, user=user, why=Why.OPERATOR, at=now) for sync, user in of]
    )

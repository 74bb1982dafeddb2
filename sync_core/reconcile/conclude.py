"""What a reconciliation leaves in the tables: the link as its last look has it, and the note of a stage to come."""

from __future__ import annotations

import logging

from ..model import Link, Postpone, Reason, Skip, Stay
from ..model.errors import ConflictError
from ..ports import DueNotes, Links, note_of
from .engine import Reconciliation

log = logging.getLogger("xtsync.worker")

_NO_CHANGE = Skip(reason=Reason.NO_CHANGE)


async def conclude(links: Links, due: DueNotes, done: Reconciliation, *, before: Link) -> Link:
    """The link, which is stored where it says anything new. `before` is that of the beginning."""
    last, link, saved = done.last.change, _concluded(done), True
    next_note, last_note = note_of(link), note_of(before)
    if next_note is not None and isinstance(last, Stay):
        await due.note(next_note)  # before the clock of this stage is stored
    if done.last.source.absent and not link.ours:
        if link.etag is not None:
            await links.forget(link)
    # `done.link` may say of a hold that no row has it yet.
    elif not done.changes or link != done.link or last != _NO_CHANGE:
        saved = await _remember(links, link if isinstance(last, Postpone) else link.looked_at(done.last.source.read_at))
    if saved and last_note is not None and last_note != next_note:
        await due.drop(last_note)
    return link


def _concluded(done: Reconciliation) -> Link:
    last = done.last
    if isinstance(last.change, Postpone):
        return done.link.postponed(last.change, last.source.read_at)
    return done.link.concluded(
        last.change,
        source=last.source,
        verdict=last.verdict,
        desired=last.desired,
        asks_groups=bool(last.sync.groups),
    )


async def _remember(links: Links, link: Link) -> bool:
    try:
        await links.save(link)
    except ConflictError:
        # Another worker has the user now. Its read is newer, and a dirty link stays dirty.
        log.info("link.overtaken sync=%s user=%s", link.sync, link.source_id)
        return False
    return True

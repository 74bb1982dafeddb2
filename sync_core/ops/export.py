"""The copy of the record in append blobs, which a policy of the container may make immutable. Off by default.

The poll makes it, one process at a time: so events of five minutes are one block, and no look waits for it. The table
stays the truth. A blob is of one sync and one day, a line is one event as `GET activity` gives it. After a death or a
lost answer an event is there twice: the same time, sync, user and kind are the same event.
"""

from __future__ import annotations

import json
import logging
from collections import defaultdict
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

from ..assembly import Runtime
from ..config.settings import Settings
from ..deployment import record_blobs
from ..model import Event
from ..ports import RecordBlobs
from ..storage.activity import TableActivity
from .documents import as_json
from .history import shown

log = logging.getLogger("xtsync.export")

_MAX_BLOCK = 4 * 1024 * 1024  # bytes; a blob has at most 50,000 of them, and a poll needs one or a few
_MOST = 20  # times a thousand events in one poll
# The note of an event comes first. If its event did not follow within this time, there is none.
_FOLLOWS = timedelta(hours=1)


async def export_record(runtime: Runtime, settings: Settings) -> None:
    """Raises the error of storage, so that the failed poll is seen; what is left is copied by a later one."""
    notes, now = runtime.storage.activity.notes, runtime.clock.now()
    await notes.goes_on(now)
    if await notes.oldest():
        async with record_blobs(settings) as blobs:
            await copy(runtime.storage.activity, blobs, now)


async def copy(activity: TableActivity, blobs: RecordBlobs, now: datetime) -> int:
    """Append the events that are noted; how many. Its cost goes by the notes alone."""
    copied = 0
    for _ in range(_MOST):
        notes = await activity.notes.oldest()
        found = await activity.noted(notes)
        by_blob: dict[str, list[Event]] = defaultdict(list)
        for event in found.values():
            by_blob[f"{event.at:%Y/%m/%d}/{event.sync}.jsonl"].append(event)
        for name, events in sorted(by_blob.items()):
            for block in _blocks(sorted(events, key=lambda each: each.at)):
                await blobs.append(name, block)
        done = [note for note in notes if note in found or activity.noted_at(note) < now - _FOLLOWS]
        await activity.notes.drop(done)
        copied += len(found)
        if not done:
            break
    if copied:
        log.info("record.exported events=%d", copied)
    return copied


def _blocks(events: Sequence[Event]) -> Iterator[bytes]:
    block = bytearray()
    for event in events:
        line = json.dumps(as_json(shown(event)), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        if len(block) + len(line) > _MAX_BLOCK:
            yield bytes(block)
            block.clear()
        block += line
    yield bytes(block)

"""What a sync that may not write now puts off. Pure.

A postponed change was decided like any other, on a fresh read. It is recorded, nothing of it is written, and no guard
counts it. Once the sync may write, a full round decides anew about everybody.
"""

from __future__ import annotations

from ..model import Adopt, Change, Mode, Postpone, Postponed, Refuse, Skip, Sync
from .decide import made_by_us
from .look import Look


def waits_for(sync: Sync) -> Postponed | None:
    """Why this sync puts changes off; None: it makes them."""
    return Postponed.OBSERVED if sync.mode is Mode.OBSERVE else None


def postpone(decided: Look, change: Change, because: Postponed | None) -> Postpone | None:
    """The change put off, or None if it may be made.

    The adoption of our own invitation's guest is made: it records what was written before, and writes nothing.
    """
    if because is None or isinstance(change, Skip | Refuse) or _only_records(decided, change):
        return None
    return Postpone(postponed=change, because=because)


def _only_records(decided: Look, change: Change) -> bool:
    link, address = decided.situation.link, decided.source.address
    return isinstance(change, Adopt) and any(
        made_by_us(link, user, address) for user in decided.candidates if user.id == change.target_id
    )

"""What a sync that may not write now puts off. Pure.

A postponed change was decided like any other, on a fresh read. It is recorded, nothing of it is written, and no guard
counts it. Once the sync may write, a full round decides anew about everybody.
"""

from __future__ import annotations

from ..model import Adopt, Change, Control, Disable, Mode, Postpone, Postponed, Refuse, Skip, Sync
from .invited import made_by_us
from .look import Look


def waits_for(sync: Sync, control: Control) -> Postponed | None:
    """Why this sync puts changes off, all of them or those that take access away; None: it makes them."""
    if control is Control.PAUSED:
        return Postponed.PAUSED
    if sync.mode is Mode.OBSERVE:
        return Postponed.OBSERVED
    return Postponed.DELETIONS_PAUSED if control is Control.DELETIONS_PAUSED else None


def forbids(because: Postponed | None, *, removes: bool) -> bool:
    """Whether a write is put off. `removes`: it takes access away."""
    return because is not None and (removes or because is not Postponed.DELETIONS_PAUSED)


def postpone(decided: Look, change: Change, because: Postponed | None) -> Postpone | None:
    """The change put off, or None if it may be made. The part of a disabling that takes no access away is made.

    The adoption of our own invitation's guest is made: it records what was written before, and writes nothing.
    """
    if because is None or isinstance(change, Skip | Refuse) or _only_records(decided, change):
        return None
    if not forbids(because, removes=change.removes):
        return None
    meanwhile = change.rest if isinstance(change, Disable) and because is Postponed.DELETIONS_PAUSED else None
    return Postpone(postponed=change, because=because, meanwhile=meanwhile)


def _only_records(decided: Look, change: Change) -> bool:
    link, address = decided.situation.link, decided.source.address
    return isinstance(change, Adopt) and any(
        made_by_us(link, user, address) for user in decided.candidates if user.id == change.target_id
    )

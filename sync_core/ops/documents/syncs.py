"""What becomes of the stored people of a sync that is renamed, moved or removed, as documents."""

from __future__ import annotations

from enum import StrEnum

from .rendering import document


class Step(StrEnum):
    RENAME = "rename"
    MOVE = "move"
    KEEP_USERS = "remove, keep users"
    DELETE_USERS = "remove, delete users"
    CANCEL = "remove, cancel"


@document
class SyncChange:
    """What was stored of a sync: users linked to a target user, other users, and holds. `next` says what follows."""

    step: Step
    sync: str
    to: str | None
    linked: int
    others: int
    holds: int
    done: bool
    next: str

"""What people said about syncs as a whole, as documents."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from ...model import Control
from .deployment import Round
from .rendering import document


@document
class SyncControl:
    """Whether a sync is paused, and what a person said last. The author, the time and the reason may be null."""

    sync: str
    control: Control
    by: str | None
    at: datetime | None
    reason: str | None


@document
class Controlled:
    """The syncs as they are from now on, and the full rounds that start since they go on."""

    syncs: Sequence[SyncControl]
    rounds: Sequence[Round]


@document
class PauseRequest:
    """The reason is shown wherever the sync is. With `deletions_only`, all but deletions and disabling goes on."""

    reason: str
    deletions_only: bool = False

"""Messages that no function could handle, as documents, and a person's decision about them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from enum import StrEnum

from .rendering import document


@document
class PoisonedMessage:
    """One message of a work queue. `kept_at` is null while it lies on the poison queue.

    A message that is not `readable` is not base64 of UTF-8, and `body` is the text as stored.
    """

    id: str
    queue: str
    readable: bool
    kept_at: datetime | None
    body: str


@document
class PoisonedMessages:
    messages: Sequence[PoisonedMessage]


class PoisonFate(StrEnum):
    PUT_BACK = "put back"
    REMOVED = "removed"


@document
class SettledPoison:
    """Messages that are gone from where they lay."""

    fate: PoisonFate
    ids: Sequence[str]

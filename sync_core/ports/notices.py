"""The record of what a receiver was told, and the way to tell it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Protocol

from ..model import Notice, Occasion, Receiver


class Telling(StrEnum):
    """How far the telling of one thing has come. It ends with the row."""

    BEGUN = "begun"  # it is to be told
    TOLD = "told"
    OVER = "over"  # its end is to be told


@dataclass(frozen=True, slots=True, kw_only=True)
class NoticeRecord:
    """One thing of which one receiver is told. `sending_at`: a message was perhaps sent then."""

    receiver: str  # the name of its app setting
    occasion: Occasion
    about: str
    id: str
    since: datetime
    telling: Telling = Telling.BEGUN
    sending_at: datetime | None = None
    etag: str | None = None


class Notices(Protocol):
    async def all(self) -> Sequence[NoticeRecord]: ...

    async def save(self, record: NoticeRecord) -> NoticeRecord: ...

    async def drop(self, record: NoticeRecord) -> None: ...


class Messenger(Protocol):
    async def send(self, receiver: Receiver, notice: Notice) -> None:
        """Raises NotDeliveredError if it certainly did not arrive, and UnavailableError if nobody knows."""
        ...

"""What people said about each sync as a whole."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from ..model import Control


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlRecord:
    """What a person said about one sync as a whole, who, when and why."""

    sync: str
    control: Control = Control.RUNNING
    by: str = ""
    at: datetime | None = None
    reason: str = ""
    since: datetime | None = None  # when what had been put off was last let through: a full round must begin after it
    etag: str | None = None


class Controls(Protocol):
    async def get(self, sync: str) -> ControlRecord:
        """A sync about which nobody has said anything runs."""
        ...

    async def save(self, record: ControlRecord) -> ControlRecord: ...

"""What the creation guard stores of each sync: the invitations of its window, and what a person approved."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from .state import GuardWindow


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationApproval:
    """A person let in those who had waited the longest: everybody up to `last`, in the order of time and source id.

    `config` is the fingerprint of the sync and of its ceiling. Under any other one the approval has ended.
    """

    last: tuple[datetime, str]  # since when that newcomer has waited, and the source id
    config: str
    people: int
    by: str
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CreationRecord:
    """`window` counts permits that were handed out. `put_off_at` is None while nobody waits, for certain."""

    window: GuardWindow
    put_off_at: datetime | None = None  # when somebody was last put off, to a few minutes
    approval: CreationApproval | None = None
    etag: str | None = None

    @property
    def sync(self) -> str:
        return self.window.of


class Creations(Protocol):
    async def get(self, sync: str) -> CreationRecord: ...

    async def save(self, record: CreationRecord) -> CreationRecord: ...

"""What a schema holds that does not come along as it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Note:
    """`what` is a mapping's target, a filter or a setting; `why` says what happens instead."""

    what: str
    why: str

    def __str__(self) -> str:
        return f"{self.what}: {self.why}"

"""A question to Graph, and what each answer to it means."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from graph_probe.session import Session


@dataclass(frozen=True)
class Meaning:
    """What one reading says. `settings` make a tenant of the emulator answer alike."""

    says: str
    settings: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Found:
    """`reading` is a letter of the probe. `settings` go before those of its meaning."""

    reading: str
    settings: Mapping[str, Any] = field(default_factory=dict)


class UnclearError(Exception):
    """This tenant cannot answer the question, or answered otherwise than any reading. The text says what is missing."""


Run = Callable[[Session], Awaitable[str | Found]]


@dataclass(frozen=True)
class Probe:
    """`page` is the documentation that leaves the question open, or answers it by A."""

    id: str
    asks: str
    page: str
    readings: Mapping[str, Meaning]
    run: Run

    @property
    def writes(self) -> bool:
        return self.id.startswith("W")

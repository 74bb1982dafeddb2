"""A question to Graph, and what each answer to it means."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from graph_probe.asking import Seen
from graph_probe.session import Session

LEARN: Final = "https://learn.microsoft.com/graph"


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


def by_status(seen: Seen, **readings: int) -> str:
    """The reading whose status this is. Raises UnclearError for any other."""
    for letter, status in readings.items():
        if seen.status == status:
            return letter
    raise UnclearError(f"answered with {seen.status} {seen.code}")


def switch(setting: str, **readings: tuple[Any, str]) -> Mapping[str, Meaning]:
    """Readings that one setting of the emulator has: of each its value, and what it says."""
    return {letter: Meaning(says, {setting: value}) for letter, (value, says) in readings.items()}


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

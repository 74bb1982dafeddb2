"""Where all chance comes from: one seed, split into named streams, and the weather that the seed draws.

A stream is made from the seed and its own name, so that a new fault does not shift the dice of all the others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from random import Random

# Each fault with the range of its rate in seeds that have it: per operation, request, message or entry it can strike.
FAULTS: Mapping[str, tuple[float, float]] = {
    "notifications-lost": (0.05, 1.0),
    "notifications-doubled": (0.05, 0.5),
    "notifications-delayed": (0.3, 1.0),
    "notifications-shuffled": (0.3, 1.0),
    "message-lease-lost": (0.02, 0.5),
    "message-reordered": (1.0, 1.0),
    "table-refused": (0.002, 0.05),
    "table-answer-lost": (0.002, 0.05),
    "queue-refused": (0.002, 0.08),
    "queue-answer-lost": (0.002, 0.08),
    "queue-half-sent": (0.02, 0.3),
    "graph-429": (0.005, 0.15),
    "graph-503": (0.005, 0.1),
    "graph-500-applied": (0.005, 0.15),
    "graph-reset": (0.005, 0.08),
    "graph-answer-lost": (0.005, 0.15),
    "graph-truncated": (0.005, 0.08),
    "graph-404-of-a-proxy": (0.002, 0.05),
    "slow": (0.002, 0.02),
    "crash": (0.0005, 0.012),
    "meddling": (0.01, 0.25),
    "invited-by-hand": (0.1, 0.9),
    "invitation-without-user": (0.05, 0.4),
    "delta-expired": (0.02, 0.3),
    "delta-replayed": (1.0, 1.0),
    "delta-shuffled": (1.0, 1.0),
    "delta-doubled": (0.1, 0.5),
    "delta-empty-page": (0.1, 0.5),
    "delta-lag": (1.0, 1.0),
    "target-not-visible": (1.0, 1.0),
    "source-not-visible": (1.0, 1.0),
    "clock-skew": (1.0, 1.0),
    "suspended": (0.002, 0.05),
    "late-write": (0.01, 0.3),
    "source-reads-old": (1.0, 1.0),
    "target-reads-old": (1.0, 1.0),
}
# What befalls a share of the histories besides. Each has a stream of its own, and shows in "what struck" as its parts.
COURSES: Mapping[str, float] = {
    "edits": 0.2,
    "controls": 0.2,
    "refusals": 0.2,
    "hands": 0.2,
    "second-sync": 0.2,
    "stages": 0.2,
    "drift": 0.2,
}
# How likely a seed has each fault at all, by the mood of the seed.
_MOODS = ((0.0, 0.1), (0.08, 0.25), (0.25, 0.4), (0.6, 0.25))


class Chance:
    def __init__(self, seed: int) -> None:
        self.seed = seed

    def stream(self, name: str) -> Random:
        return Random(f"{self.seed}/{name}")


class Weather:
    """Which faults this seed has and how often; `strikes` is the only die, and counts what it lets happen."""

    def __init__(self, chance: Chance, *, extra: frozenset[str] = frozenset()) -> None:
        rng = chance.stream("weather")
        share = rng.choices([mood for mood, _ in _MOODS], [weight for _, weight in _MOODS])[0]
        self.rates: dict[str, float] = {}
        for name, (low, high) in FAULTS.items():
            drawn, rate = rng.random(), low * (high / low) ** rng.random()
            if name in extra or drawn < share:
                self.rates[name] = rate
        self.struck: Counter[str] = Counter()
        self._courses = {
            name for name, share in COURSES.items() if chance.stream(f"course/{name}").random() < share or name in extra
        }
        self._streams = {name: chance.stream(f"fault/{name}") for name in FAULTS}
        self._calm = False

    def calm(self) -> None:
        """No faults from here on."""
        self._calm = True

    @property
    def is_calm(self) -> bool:
        return self._calm

    def has(self, course: str) -> bool:
        return course in self._courses

    def rate(self, name: str) -> float:
        return 0.0 if self._calm else self.rates.get(name, 0.0)

    def strikes(self, name: str) -> bool:
        rate = self.rate(name)
        if not rate or self._streams[name].random() >= rate:
            return False
        self.struck[name] += 1
        return True

    def saw(self, name: str) -> None:
        """A fault that something else made happen, such as the emulator's delivery, has taken effect."""
        self.struck[name] += 1

    def amount(self, name: str, low: float, high: float) -> float:
        """How much of it: seconds, mostly."""
        return self._streams[name].uniform(low, high)

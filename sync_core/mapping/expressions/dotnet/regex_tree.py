"""The tree of a regular expression of .NET, whichever engine runs it."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Chars:
    """One character; `source` is what Python's re calls it."""

    source: str
    ignore_case: bool = False


@dataclass(frozen=True, slots=True)
class Zero:
    """A place without width: `^`, `$`, `\\b` ..., in Python's words."""

    source: str


@dataclass(frozen=True, slots=True)
class Seq:
    items: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    options: tuple[Regex, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    body: Regex
    least: int
    most: int | None
    lazy: bool


@dataclass(frozen=True, slots=True)
class Group:
    body: Regex
    key: str  # "#1" for the first unnamed group, else its name


@dataclass(frozen=True, slots=True)
class Ref:
    key: str
    ignore_case: bool


@dataclass(frozen=True, slots=True)
class Look:
    body: Regex
    ahead: bool
    negative: bool


@dataclass(frozen=True, slots=True)
class Atomic:
    body: Regex


type Regex = Chars | Zero | Seq | Alt | Loop | Group | Ref | Look | Atomic


@dataclass(slots=True)
class Parsed:
    """The tree, and .NET's numbers of its groups: the unnamed first, then the named in order."""

    tree: Regex
    numbers: dict[str, int] = field(default_factory=dict)

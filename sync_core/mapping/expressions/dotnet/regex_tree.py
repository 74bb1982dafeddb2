"""The tree of a regular expression of .NET. The parser makes it, and RE2's pattern is made from it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import Enum, auto


@dataclass(frozen=True, slots=True, kw_only=True)
class CharSet:
    """The characters in `ranges` (code points, both ends included), of `categories` (Lu, Nd, ...) and in `also`.

    `negated` turns that into all other characters. Afterwards those of `without` are taken away.
    """

    ranges: tuple[tuple[int, int], ...] = ()
    categories: frozenset[str] = frozenset()
    also: tuple[CharSet, ...] = ()
    negated: bool = False
    without: CharSet | None = None


class Place(Enum):
    """A condition on the place between two characters."""

    START = auto()  # \A, and ^ without the option m
    END = auto()  # \z
    FINAL = auto()  # \Z, and $ without the option m: the end, or before a line break that ends the text
    LINE_START = auto()  # ^ with the option m
    LINE_END = auto()  # $ with the option m
    BOUNDARY = auto()  # \b
    NO_BOUNDARY = auto()  # \B


@dataclass(frozen=True, slots=True)
class Chars:
    """One character of a set."""

    chars: CharSet


@dataclass(frozen=True, slots=True)
class Zero:
    place: Place


@dataclass(frozen=True, slots=True)
class Seq:
    items: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Alt:
    options: tuple[Node, ...]


@dataclass(frozen=True, slots=True)
class Loop:
    body: Node
    least: int
    most: int | None
    lazy: bool

    @property
    def copies(self) -> int:
        """How often a matcher without counters has to write the body out."""
        return max(self.least if self.most is None else self.most, 1)

    @property
    def may_end_early(self) -> bool:
        """Whether an empty round ends it before its last."""
        return not self.lazy and self.most not in (1, self.least)

    @property
    def keeps_empty_round(self) -> bool:
        """Whether .NET ends it with an empty round, in which its groups match nothing. RE2 does not.

        https://learn.microsoft.com/dotnet/standard/base-types/quantifiers-in-regular-expressions#quantifiers-and-empty-matches
        """
        return self.most is None and not self.lazy and can_be_empty(self.body) and has_groups(self.body)


@dataclass(frozen=True, slots=True)
class Group:
    body: Node
    key: int | str  # the number of an unnamed group, else its name


type Node = Chars | Zero | Seq | Alt | Loop | Group


@dataclass(frozen=True, slots=True, kw_only=True)
class Parsed:
    """`unnamed` groups are numbered from 1; `names` has the numbers of the others."""

    tree: Node
    unnamed: int = 0
    names: dict[str, int] = field(default_factory=dict)

    def number(self, key: int | str) -> int:
        return key if isinstance(key, int) else self.names[key]


def children(node: Node) -> tuple[Node, ...]:
    match node:
        case Seq(nodes) | Alt(nodes):
            return nodes
        case Loop(body) | Group(body):
            return (body,)
        case _:
            return ()


def copies(node: Node) -> int:
    """How often the innermost body is written out when all quantifiers are: {10} in {20} makes 200."""
    inside = max(map(copies, children(node)), default=1)
    return inside * node.copies if isinstance(node, Loop) else inside


def can_be_empty(node: Node) -> bool:
    """Whether it can match without taking a character."""
    match node:
        case Chars():
            return False
        case Zero():
            return True
        case Seq(items):
            return all(map(can_be_empty, items))
        case Alt(options):
            return any(map(can_be_empty, options))
        case Loop(body, least):
            return least == 0 or can_be_empty(body)
        case Group(body):  # pragma: no branch
            return can_be_empty(body)


def has_groups(node: Node) -> bool:
    return isinstance(node, Group) or any(map(has_groups, children(node)))


def is_empty_last(node: Node) -> bool:
    """Whether it matches nothing only when it can match nothing else, as `a*` and unlike `a*?` and `|a`."""
    if not can_be_empty(node):
        return True
    match node:
        case Alt((*first, last)):
            return not any(map(can_be_empty, first)) and is_empty_last(last)
        case Loop(_, _, _, lazy) if lazy:
            return False
        case _:
            return all(map(is_empty_last, children(node)))

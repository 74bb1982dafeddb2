"""The tree of an expression, and the canonical text of a tree."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Attribute:
    name: str
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Text:
    value: str
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Number:
    value: int | float
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Word:
    """A bare word: vbTextCompare, IgnoreAttributeFlow and their like."""

    value: str
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Omitted:
    """Nothing between two commas."""

    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Comparison:
    operator: str
    left: Node
    right: Node
    offset: int = field(default=0, compare=False)


@dataclass(frozen=True, slots=True)
class Call:
    name: str
    arguments: tuple[Node, ...]
    offset: int = field(default=0, compare=False)


type Node = Attribute | Text | Number | Word | Omitted | Comparison | Call


def unparse(node: Node) -> str:
    """The text of a tree; parsing it again gives an equal tree."""
    match node:
        case Attribute(name):
            return f"[{name}]"
        case Text(value):
            escaped = value.replace("\\", "\\\\").replace('"', '\\"')
            return f'"{escaped}"'
        case Number(value):
            return _number(value)
        case Word(value):
            return value
        case Omitted():
            return ""
        case Comparison(operator, left, right):
            return f"{unparse(left)} {operator} {unparse(right)}"
        case Call(name, arguments):  # pragma: no branch
            return f"{name}({', '.join(map(unparse, arguments))})"


def _number(value: float) -> str:
    return str(value) if isinstance(value, int) else f"{value:.17f}".rstrip("0").ljust(1) + _tail(value)


def _tail(value: float) -> str:
    """`1.0` keeps its zero, so that it reads back as a fraction."""
    return "0" if value.is_integer() else ""

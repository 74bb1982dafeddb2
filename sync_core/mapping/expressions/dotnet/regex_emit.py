"""From .NET's tree to a pattern for Python's re, and how much work that pattern can be at worst."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from math import inf

from .regex_tree import Alt, Atomic, Chars, Group, Look, Loop, Ref, Regex, Seq, Zero


class NotInPythonError(Exception):
    """Right in .NET, and without a twin in re."""


def emit(tree: Regex) -> tuple[str, dict[str, list[str]]]:
    """The pattern, and for each of .NET's groups the names of re's: .NET lets several groups share a name."""
    names: dict[str, list[str]] = {}
    return _emit(tree, names), names


def _emit(node: Regex, names: dict[str, list[str]]) -> str:
    match node:
        case Chars(source, ignore_case):
            return f"(?i:{source})" if ignore_case else source
        case Zero(source):
            return source
        case Seq(items):
            return "".join(_emit(item, names) for item in items)
        case Alt(options):
            return f"(?:{'|'.join(_emit(option, names) for option in options)})"
        case Loop(body, least, most, lazy):
            count = f"{{{least},{'' if most is None else most}}}"
            return f"(?:{_emit(body, names)}){count}{'?' if lazy else ''}"
        case Group(body, key):
            name = f"g{sum(map(len, names.values()))}"
            names.setdefault(key, []).append(name)
            return f"(?P<{name}>{_emit(body, names)})"
        case Ref(key, ignore_case):
            if len(names.get(key, ())) != 1:
                raise NotInPythonError
            return f"(?i:(?P={names[key][0]}))" if ignore_case else f"(?P={names[key][0]})"
        case Look(body, ahead, negative):
            return f"(?{'' if ahead else '<'}{'!' if negative else '='}{_emit(body, names)})"
        case Atomic(body):  # pragma: no branch
            return f"(?>{_emit(body, names)})"


@dataclass(frozen=True, slots=True)
class Cost:
    """At most `factor * (n + 1) ** degree` ways through a text of n characters from one start."""

    factor: float
    degree: float

    def steps(self, length: int, size: int) -> float:
        """At worst, over all starts; every way is at most as long as the text."""
        if self.degree == inf or self.degree > 12 or self.factor > 1e9:
            return inf
        return float(size * self.factor * (length + 1) ** (self.degree + 1))


_ONE = Cost(1, 0)
_BOUNDLESS = Cost(1, inf)


def cost(node: Regex) -> Cost:
    match node:
        case Chars() | Zero() | Ref():
            return _ONE
        case Seq(items):
            return _product(map(cost, items))
        case Alt(options):
            costs = [cost(option) for option in options]
            return Cost(sum(c.factor for c in costs), max(c.degree for c in costs))
        case Loop():
            return _loop(node)
        case Group(body) | Look(body) | Atomic(body):  # pragma: no branch
            return cost(body)


def _product(costs: Iterator[Cost]) -> Cost:
    factor, degree = 1.0, 0.0
    for one in costs:
        factor, degree = min(factor * one.factor, 1e12), degree + one.degree
    return Cost(factor, degree)


def _loop(node: Loop) -> Cost:
    """A loop over something that fits in one way only stops at one of n places; any other loop multiplies its ways."""
    inner = cost(node.body)
    rigid = inner == _ONE and width(node.body) not in (None, 0)
    if node.most is None:
        return Cost(1, 1) if rigid else _BOUNDLESS
    if rigid:
        return Cost(node.most - node.least + 1, 0) if node.most - node.least < 20 else Cost(1, 1)
    if node.most > 12:
        return _BOUNDLESS
    return Cost(min((inner.factor + 1) ** node.most, 1e12), inner.degree * node.most)


def width(node: Regex) -> int | None:
    """How many characters it takes, when that is always the same."""
    match node:
        case Chars():
            return 1
        case Zero() | Look():
            return 0
        case Ref() | Alt():  # of alternatives only a loop asks, and a loop over them is boundless anyhow
            return None
        case Seq(items):
            widths = [width(item) for item in items]
            return None if None in widths else sum(w for w in widths if w is not None)
        case Loop(body, least, most, _):
            inner = width(body)
            return inner * least if inner is not None and least == most else None
        case Group(body) | Atomic(body):  # pragma: no branch
            return width(body)


def size(node: Regex) -> int:
    match node:
        case Seq(items):
            return 1 + sum(map(size, items))
        case Alt(options):
            return 1 + sum(map(size, options))
        case Loop(body) | Group(body) | Look(body) | Atomic(body):
            return 1 + size(body)
        case _:
            return 1

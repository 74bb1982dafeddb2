"""From .NET's tree to a pattern for RE2.

https://github.com/google/re2/wiki/Syntax. The pattern is over bytes, each of which stands for a kind of character.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from .faults import DotNetError
from .regex_alphabet import Alphabet, Breaks
from .regex_tree import Alt, Chars, Group, Loop, Node, Parsed, Place, Seq, Zero, children

_PLACES = {
    Place.START: r"\A",
    Place.END: r"\z",
    Place.FINAL: "(?m:$)",  # all other line breaks have another byte
    Place.LINE_START: "(?m:^)",
    Place.LINE_END: "(?m:$)",
    Place.BOUNDARY: r"\b",
    Place.NO_BOUNDARY: r"\B",
}
_SIGNS = {(0, None): "*", (1, None): "+", (0, 1): "?"}
_MAX_NODES = 10_000  # a pattern has at most 2,000, but what is written twice multiplies


@dataclass(frozen=True, slots=True, kw_only=True)
class Emitted:
    """`groups` has, for each of .NET's numbers, those of RE2 in the order in which they close."""

    source: str
    alphabet: Alphabet
    groups: dict[int, list[int]]


def emit(parsed: Parsed) -> Emitted:
    """Raises DotNetError when RE2 has no pattern for it."""
    nodes = [*_nodes(parsed.tree)]
    places = {node.place for node in nodes if isinstance(node, Zero)}
    alphabet = Alphabet(
        {node.chars for node in nodes if isinstance(node, Chars)},
        letters=bool(places & {Place.BOUNDARY, Place.NO_BOUNDARY}),
        breaks=_breaks(places),
    )
    emitter = _Emitter(parsed, alphabet)
    return Emitted(source=emitter.emit(parsed.tree), alphabet=alphabet, groups=emitter.groups)


def _nodes(node: Node) -> Iterator[Node]:
    yield node
    for child in children(node):
        yield from _nodes(child)


def _breaks(places: set[Place]) -> Breaks:
    if Place.FINAL in places:
        return Breaks.FINAL
    return Breaks.ALL if places & {Place.LINE_START, Place.LINE_END} else Breaks.NONE


@dataclass(slots=True)
class _Emitter:
    parsed: Parsed
    alphabet: Alphabet
    groups: dict[int, list[int]] = field(default_factory=dict)
    opened: int = 0
    written: int = 0

    def emit(self, node: Node) -> str:
        self.written += 1
        if self.written > _MAX_NODES:
            raise DotNetError("the pattern becomes too large; nest fewer quantifiers")
        match node:
            case Chars(chars):
                return self.alphabet.pattern(chars)
            case Zero(place):
                return _PLACES[place]
            case Seq(items):
                return "".join(map(self.emit, items))
            case Alt(options):
                return f"(?:{'|'.join(map(self.emit, options))})"
            case Loop():
                return self._loop(node)
            case Group(body, key):  # pragma: no branch
                return self._group(body, self.parsed.number(key))

    def _group(self, body: Node, number: int) -> str:
        self.opened += 1
        mine = self.opened
        source = self.emit(body)
        self.groups.setdefault(number, []).append(mine)
        return f"({source})"

    def _loop(self, node: Loop) -> str:
        """The empty round that RE2 would give up is written out behind the loop."""
        if node.most == 0:
            return "(?:)"
        if node.keeps_empty_round:
            rounds = self._repeated(node.body, max(node.least, 1), None) + self._repeated(node.body, 0, 1)
            return f"(?:{rounds}){'' if node.least else '?'}"
        return self._repeated(node.body, node.least, node.most) + ("?" if node.lazy else "")

    def _repeated(self, body: Node, least: int, most: int | None) -> str:
        count = f"{{{least},{'' if most is None else most}}}"
        return f"(?:{self.emit(body)}){_SIGNS.get((least, most), count)}"

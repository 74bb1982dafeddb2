"""One byte for every kind of character that a pattern can tell apart.

RE2 counts bytes, its \\b knows the letters of ASCII alone, and it has no place before a final line break. So RE2 sees
neither sets nor texts as they are. Characters that no set of the pattern tells apart become one byte, in the pattern
and in the text. Letters become bytes that RE2 takes for letters. A byte is one character then, whatever its code point,
and RE2 needs no counterpart of .NET's sets, cases and boundaries. The linear engine of .NET itself does the same and
calls the kinds minterms: MintermClassifier of https://github.com/dotnet/runtime.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Iterator
from enum import Enum, auto
from itertools import chain, pairwise

from .faults import DotNetError
from .regex_tree import CharSet

CATEGORIES = frozenset(
    "Cc Cf Cn Co Cs Ll Lm Lo Lt Lu Mc Me Mn Nd Nl No Pc Pd Pe Pf Pi Po Ps Sc Sk Sm So Zl Zp Zs".split()  # noqa: SIM905
)
WORD = CharSet(categories=frozenset({"Lu", "Ll", "Lt", "Lm", "Lo", "Mn", "Nd", "Pc"}))
# Two joiners count as letters for \b alone: RegexCharClass.IsBoundaryWordChar of https://github.com/dotnet/runtime.
_LETTER = CharSet(ranges=((0x200C, 0x200D),), also=(WORD,))
_LINE_BREAK = CharSet(ranges=((0x0A, 0x0A),))
_LETTER_BYTES = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ_abcdefghijklmnopqrstuvwxyz"  # what RE2's \b takes for letters
_OTHER_BYTES = bytes({*range(256)} - {*_LETTER_BYTES, 0x0A})
_ALL = 0x110000  # code points
_SHORT = 512  # code points that are looked at one by one


class Breaks(Enum):
    """The line breaks that the places of a pattern ask for. RE2 takes every byte 0A for a line break."""

    NONE = auto()
    ALL = auto()
    FINAL = auto()


class Alphabet:
    """The bytes for the kinds of one pattern. Raises DotNetError when there are more kinds than bytes."""

    def __init__(self, sets: Iterable[CharSet], *, letters: bool, breaks: Breaks) -> None:
        asked = {*sets} | ({_LETTER} if letters else set()) | ({_LINE_BREAK} if breaks is not Breaks.NONE else set())
        self._cells = _Cells(asked)
        self._masks = {each: self._cells.mask(each) for each in asked}
        self._last_only = breaks is Breaks.FINAL
        letter_bytes, other_bytes = iter(_LETTER_BYTES), iter(_OTHER_BYTES)
        self._inner_break = next(other_bytes) if self._last_only else 0x0A
        self._byte_of_kind: dict[int, int] = {}
        for kind in _kinds(self._cells.all, self._masks.values()):
            if not letters:
                free: Iterator[int] = chain(letter_bytes, other_bytes)
            else:
                free = letter_bytes if kind & self._masks[_LETTER] else other_bytes
            byte = 0x0A if kind & self._masks.get(_LINE_BREAK, 0) else next(free, None)
            if byte is None:
                raise DotNetError("the pattern tells too many characters apart; put such as it treats alike in [...]")
            self._byte_of_kind[kind] = byte
        self._byte_of = _Memo(self._byte)
        self._ascii = bytes(map(self._byte, map(chr, range(0x80)))) + bytes(0x80)

    def encode(self, text: str) -> bytes:
        """As many bytes as the text has characters; half a surrogate pair is one, too."""
        if text.isascii():
            found = text.encode("ascii").translate(self._ascii)
        else:
            found = bytes(map(self._byte_of.__getitem__, text))
        if self._last_only and 0x0A in found[:-1]:
            return found[:-1].replace(b"\n", bytes([self._inner_break])) + found[-1:]
        return found

    def pattern(self, chars: CharSet) -> str:
        """RE2's class of all bytes that stand for characters of the set."""
        mask = self._masks[chars]
        found = {byte for kind, byte in self._byte_of_kind.items() if kind & mask}
        if 0x0A in found:
            found.add(self._inner_break)
        if not found:
            return r"[^\x00-\xff]"
        return f"[{''.join(_range(first, last) for first, last in _runs(sorted(found)))}]"

    def _byte(self, char: str) -> int:
        cell = 1 << self._cells.index(char)
        return next(byte for kind, byte in self._byte_of_kind.items() if kind & cell)


class _Memo(dict[str, int]):
    def __init__(self, byte: Callable[[str], int]) -> None:
        super().__init__()
        self._byte = byte

    def __missing__(self, char: str) -> int:
        found = self[char] = self._byte(char)
        return found


class _Cells:
    """All characters, divided at every end of a range, and by category as far as any set asks for it.

    A set is a number with one bit for each of its cells, so that &, | and ~ combine sets.
    """

    def __init__(self, sets: Iterable[CharSet]) -> None:
        parts = [part for each in sets for part in _parts(each)]
        self._edges = sorted({0, _ALL, *(edge for part in parts for a, b in part.ranges for edge in (a, b + 1))})
        wanted = {part.categories for part in parts if part.categories}
        groups: dict[tuple[bool, ...], int] = {}
        self._group = {
            category: groups.setdefault(tuple(category in each for each in wanted), len(groups))
            for category in sorted(CATEGORIES)
        }
        self._width = len(groups)
        self._column = sum(1 << i * self._width for i in range(len(self._edges) - 1))  # the cells of group 0
        self.all = sum(self._there(i, a, b) for i, (a, b) in enumerate(pairwise(self._edges)))

    def index(self, char: str) -> int:
        return (bisect_right(self._edges, ord(char)) - 1) * self._width + self._group[unicodedata.category(char)]

    def mask(self, chars: CharSet) -> int:
        found = 0
        for first, last in chars.ranges:
            start, end = (bisect_left(self._edges, edge) * self._width for edge in (first, last + 1))
            found |= (1 << end) - (1 << start)
        for group in {self._group[category] for category in chars.categories}:
            found |= self._column << group
        for each in chars.also:
            found |= self.mask(each)
        found &= self.all
        if chars.negated:
            found = self.all & ~found
        return found & ~self.mask(chars.without) if chars.without else found

    def _there(self, i: int, first: int, end: int) -> int:
        """The cells between two edges that hold a character."""
        groups = {*range(self._width)}
        if end - first <= _SHORT:
            groups = {self._group[unicodedata.category(chr(code))] for code in range(first, end)}
        return sum(1 << (i * self._width + group) for group in groups)


def _parts(chars: CharSet) -> Iterator[CharSet]:
    yield chars
    for each in (*chars.also, *([chars.without] if chars.without else [])):
        yield from _parts(each)


def _kinds(everything: int, masks: Iterable[int]) -> list[int]:
    """Cells that no set tells apart, put together."""
    kinds = [everything]
    for mask in masks:
        kinds = [part for kind in kinds for part in (kind & mask, kind & ~mask) if part]
        if len(kinds) > len(_LETTER_BYTES) + len(_OTHER_BYTES) + 1:
            break
    return kinds


def _runs(numbers: list[int]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last


def _range(first: int, last: int) -> str:
    return f"\\x{first:02x}" if first == last else f"\\x{first:02x}-\\x{last:02x}"

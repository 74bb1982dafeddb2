"""Characters and character classes of .NET's regular expressions.

https://learn.microsoft.com/dotnet/standard/base-types/character-classes-in-regular-expressions
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from dataclasses import dataclass, replace

from . import letters
from .faults import DotNetError
from .regex_alphabet import CATEGORIES, WORD
from .regex_tree import CharSet

_DIGIT = CharSet(categories=frozenset({"Nd"}))
_SPACE = CharSet(ranges=((0x09, 0x0D), (0x85, 0x85)), categories=frozenset({"Zs", "Zl", "Zp"}))
ESCAPED_CLASSES = {
    "d": _DIGIT,
    "D": replace(_DIGIT, negated=True),
    "s": _SPACE,
    "S": replace(_SPACE, negated=True),
    "w": WORD,
    "W": replace(WORD, negated=True),
}
_CONTROLS = {"a": "\a", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_CASED = frozenset({"Lu", "Ll", "Lt"})

# Blocks that names and addresses meet; .NET knows more.
_BLOCKS = {
    "IsBasicLatin": (0x0000, 0x007F),
    "IsLatin-1Supplement": (0x0080, 0x00FF),
    "IsLatinExtended-A": (0x0100, 0x017F),
    "IsLatinExtended-B": (0x0180, 0x024F),
    "IsCombiningDiacriticalMarks": (0x0300, 0x036F),
    "IsGreek": (0x0370, 0x03FF),
    "IsGreekandCoptic": (0x0370, 0x03FF),
    "IsCyrillic": (0x0400, 0x04FF),
    "IsArmenian": (0x0530, 0x058F),
    "IsHebrew": (0x0590, 0x05FF),
    "IsArabic": (0x0600, 0x06FF),
    "IsThai": (0x0E00, 0x0E7F),
    "IsHiragana": (0x3040, 0x309F),
    "IsKatakana": (0x30A0, 0x30FF),
    "IsCJKUnifiedIdeographs": (0x4E00, 0x9FFF),
    "IsHangulSyllables": (0xAC00, 0xD7AF),
}


_CATEGORY = re.compile(r"[LMNPSZC]|L[ultmo]|M[nce]|N[dlo]|P[cdseifo]|S[mcko]|Z[slp]|C[cfson]")


def one(char: str, *, ignore_case: bool = False) -> CharSet:
    return CharSet(ranges=_both_cases([(ord(char), ord(char))]) if ignore_case else ((ord(char), ord(char)),))


def literal_escape(pattern: str, at: int) -> tuple[str, int]:
    """The character that an escape at `at` stands for, and where it ends."""
    char = pattern[at + 1 : at + 2]
    for lead, digits in (("x", 2), ("u", 4)):
        if char == lead:
            return _hexadecimal(pattern, at, digits)
    if char == "c":
        control = pattern[at + 2 : at + 3].upper()
        if not control or not "@" <= control <= "_":
            raise DotNetError(f"pattern, character {at + 1}: \\c needs a control character")
        return chr(ord(control) - 64), at + 3
    octal = re.compile(r"[0-7]{1,3}").match(pattern, at + 1)
    if octal:
        return chr(int(octal[0], 8) & 0xFF), octal.end()
    if not char:
        raise DotNetError(f"pattern, character {at + 1}: the pattern ends in a backslash")
    if char.isalnum() and char.isascii() and char not in _CONTROLS:
        raise DotNetError(f"pattern, character {at + 1}: \\{char} is no escape")
    return _CONTROLS.get(char, char), at + 2


def _hexadecimal(pattern: str, at: int, digits: int) -> tuple[str, int]:
    """Two halves of a surrogate pair, which is how JSON writes an emoji, are one character."""
    match = re.compile(f"[0-9A-Fa-f]{{{digits}}}").match(pattern, at + 2)
    if match is None:
        raise DotNetError(f"pattern, character {at + 1}: \\{pattern[at + 1]} needs {digits} hexadecimal digits")
    code = int(match[0], 16)
    low = re.compile(r"\\u([Dd][C-Fc-f][0-9A-Fa-f]{2})").match(pattern, match.end())
    if 0xD800 <= code < 0xDC00 and low:
        return chr(0x10000 + (code - 0xD800) * 0x400 + int(low[1], 16) - 0xDC00), low.end()
    return chr(code), match.end()


def property_class(pattern: str, at: int, *, ignore_case: bool) -> tuple[CharSet, int]:
    """`\\p{Lu}` or `\\P{IsGreek}` at `at`, and where it ends."""
    match = re.compile(r"\\([pP])\{([\w-]+)\}", re.ASCII).match(pattern, at)
    if match is None:
        raise DotNetError(f"pattern, character {at + 1}: a Unicode category is written \\p{{Lu}}")
    name, negated = match[2], match[1] == "P"
    if name in _BLOCKS:
        return CharSet(ranges=(_BLOCKS[name],), negated=negated), match.end()
    if not _CATEGORY.fullmatch(name):
        raise DotNetError(f"pattern, character {at + 1}: the category or block '{name}' is not known here")
    categories = frozenset(each for each in CATEGORIES if each.startswith(name))
    if ignore_case and name in _CASED:
        categories = _CASED  # .NET takes one for all three then
    return CharSet(categories=categories, negated=negated), match.end()


def char_class(pattern: str, at: int, *, ignore_case: bool) -> tuple[CharSet, int]:
    """`[...]` at `at`, and where it ends. `[a-z-[aeiou]]` takes a class away from a class."""
    return _Class(pattern, ignore_case=ignore_case).whole(at, depth=0)


@dataclass(slots=True)
class _Class:
    pattern: str
    ignore_case: bool

    def whole(self, at: int, *, depth: int) -> tuple[CharSet, int]:
        pattern, i = self.pattern, at + 1
        negated = pattern.startswith("^", i)
        first = i = i + negated
        ranges: list[tuple[int, int]] = []
        also: list[CharSet] = []
        without: CharSet | None = None
        while i < len(pattern):
            if pattern[i] == "]" and i > first:
                found = _both_cases(ranges) if self.ignore_case else tuple(ranges)
                return CharSet(ranges=found, also=tuple(also), negated=negated, without=without), i + 1
            if pattern.startswith("-[", i) and i > first:
                without, i = self._subtracted(i, depth)
                continue
            item, i = self._item(i)
            if isinstance(item, CharSet):
                also.append(item)
            else:
                ranges.append(item)
        raise DotNetError(f"pattern, character {at + 1}: the class does not close")

    def _subtracted(self, at: int, depth: int) -> tuple[CharSet, int]:
        if depth == 5:
            raise DotNetError(f"pattern, character {at + 1}: classes may nest 5 deep")
        found, end = self.whole(at + 1, depth=depth + 1)
        if not self.pattern.startswith("]", end):
            raise DotNetError(f"pattern, character {end + 1}: what a class takes away stands at its end")
        return found, end

    def _item(self, at: int) -> tuple[CharSet | tuple[int, int], int]:
        """One character, range or class inside brackets."""
        pattern = self.pattern
        if _names_class(pattern, at):
            if pattern[at + 1] in ESCAPED_CLASSES:
                return ESCAPED_CLASSES[pattern[at + 1]], at + 2
            return property_class(pattern, at, ignore_case=self.ignore_case)
        low, i = _single(pattern, at)
        if not pattern.startswith("-", i) or pattern[i + 1 : i + 2] in ("", "]", "["):
            return (ord(low), ord(low)), i
        if _names_class(pattern, i + 1):
            raise DotNetError(f"pattern, character {i + 1}: a range cannot end in a class")
        high, end = _single(pattern, i + 1)
        if high < low:
            raise DotNetError(f"pattern, character {at + 1}: the range runs backwards")
        return (ord(low), ord(high)), end


def _names_class(pattern: str, at: int) -> bool:
    return pattern[at] == "\\" and pattern[at + 1 : at + 2] in {*ESCAPED_CLASSES, "p", "P"}


def _single(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] != "\\":
        return pattern[at], at + 1
    if pattern[at + 1 : at + 2] == "b":
        return "\b", at + 2
    return literal_escape(pattern, at)


def _both_cases(ranges: list[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    """The option i: with every character all that share its small letter, in the invariant culture.

    https://learn.microsoft.com/dotnet/standard/base-types/regular-expression-options#case-insensitive-matching
    """
    alike = letters.alike()
    cased = sorted(alike)
    more = {
        (ord(other), ord(other))
        for first, last in ranges
        for code in cased[bisect_left(cased, first) : bisect_right(cased, last)]
        for other in alike[code]
    }
    return tuple(sorted({*ranges, *more}))

"""Characters and character classes of .NET's regular expressions, in the words of Python's re.

https://learn.microsoft.com/dotnet/standard/base-types/character-classes-in-regular-expressions
"""

from __future__ import annotations

import re
import sys
import unicodedata
from functools import lru_cache

from .faults import DotNetError

# \\d, \\s and \\w are close enough alike in both: over Unicode, \\w with letters, digits and the underscore.
ESCAPED_CLASSES = {char: f"\\{char}" for char in "dDsSwW"}
_CONTROLS = {"a": "\a", "e": "\x1b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}

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


def escape(char: str) -> str:
    """The character itself, inside a class and outside."""
    return f"\\{char}" if char.isascii() and not char.isalnum() and char.isprintable() and char != " " else _code(char)


def _code(char: str) -> str:
    if char.isascii() and char.isalnum():
        return char
    return f"\\U{ord(char):08x}"


def literal_escape(pattern: str, at: int) -> tuple[str, int]:
    """The character that an escape at `at` stands for, and where it ends."""
    char = pattern[at + 1 : at + 2]
    for lead, form in (("x", r"[0-9A-Fa-f]{2}"), ("u", r"[0-9A-Fa-f]{4}")):
        if char == lead:
            match = re.compile(form).match(pattern, at + 2)
            if match is None:
                raise DotNetError(f"pattern, character {at + 1}: \\{lead} needs {form[-2]} hexadecimal digits")
            return chr(int(match[0], 16)), match.end()
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


def property_class(pattern: str, at: int) -> tuple[str, int]:
    """`\\p{Lu}` or `\\P{IsGreek}` at `at`, as ranges for the inside of a class, and where it ends."""
    match = re.compile(r"\\([pP])\{([\w-]+)\}", re.ASCII).match(pattern, at)
    if match is None:
        raise DotNetError(f"pattern, character {at + 1}: a Unicode category is written \\p{{Lu}}")
    if not _CATEGORY.fullmatch(match[2]) and match[2] not in _BLOCKS:
        raise DotNetError(f"pattern, character {at + 1}: the category or block '{match[2]}' is not known here")
    return _property(match[2], match[1] == "P"), match.end()


@lru_cache(maxsize=64)
def _property(name: str, negated: bool) -> str:
    if name in _BLOCKS:
        first, last = _BLOCKS[name]
        inside = [(first, last)]
    else:
        inside = _ranges(name)
    if negated:
        inside = _complement(inside)
    return "".join(f"{_code(chr(a))}-{_code(chr(b))}" for a, b in inside)


def _ranges(category: str) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for code in range(sys.maxunicode + 1):
        if unicodedata.category(chr(code)).startswith(category):
            if found and found[-1][1] == code - 1:
                found[-1] = (found[-1][0], code)
            else:
                found.append((code, code))
    return found


def _complement(ranges: list[tuple[int, int]]) -> list[tuple[int, int]]:
    edges = [-1, *(edge for pair in ranges for edge in pair), sys.maxunicode + 1]
    return [(a + 1, b - 1) for a, b in zip(edges[::2], edges[1::2], strict=True) if b - a > 1]


def char_class(pattern: str, at: int) -> tuple[str, int]:
    """`[...]` at `at` in Python's words, and where it ends. `[a-z-[aeiou]]` takes a class away from a class."""
    return _class(pattern, at, 0)


def _class(pattern: str, at: int, depth: int) -> tuple[str, int]:
    i = at + 1
    negated = pattern.startswith("^", i)
    i += negated
    items, without, first = "", "", True
    while i < len(pattern):
        if pattern[i] == "]" and not first:
            source = f"[{'^' if negated else ''}{items}]"
            return (f"(?:(?!{without}){source})" if without else source), i + 1
        if pattern.startswith("-[", i) and not first:
            if depth == 5:
                raise DotNetError(f"pattern, character {i + 1}: classes may nest 5 deep")
            without, i = _class(pattern, i + 1, depth + 1)
            if not pattern.startswith("]", i):
                raise DotNetError(f"pattern, character {i + 1}: what a class takes away stands at its end")
            continue
        item, i = _item(pattern, i)
        items, first = items + item, False
    raise DotNetError(f"pattern, character {at + 1}: the class does not close")


def _item(pattern: str, at: int) -> tuple[str, int]:
    """One character, range or class inside brackets."""
    if pattern[at] == "\\" and pattern[at + 1 : at + 2] in {*ESCAPED_CLASSES, "p", "P"}:
        char = pattern[at + 1]
        return (ESCAPED_CLASSES[char], at + 2) if char in ESCAPED_CLASSES else property_class(pattern, at)
    low, i = _single(pattern, at)
    if not pattern.startswith("-", i) or pattern[i + 1 : i + 2] in ("", "]", "["):
        return escape(low), i
    if pattern[i + 1] == "\\" and pattern[i + 2 : i + 3] in {*ESCAPED_CLASSES, "p", "P"}:
        raise DotNetError(f"pattern, character {i + 1}: a range cannot end in a class")
    high, end = _single(pattern, i + 1)
    if high < low:
        raise DotNetError(f"pattern, character {at + 1}: the range runs backwards")
    return f"{escape(low)}-{escape(high)}", end


def _single(pattern: str, at: int) -> tuple[str, int]:
    if pattern[at] != "\\":
        return pattern[at], at + 1
    if pattern[at + 1 : at + 2] == "b":
        return "\b", at + 2
    return literal_escape(pattern, at)

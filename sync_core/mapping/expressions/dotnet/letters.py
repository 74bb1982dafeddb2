"""Letters as .NET changes them: simple case mapping by culture, and title case.

.NET maps each character to exactly one (`ß` has no upper case, a final sigma is no other letter than a sigma):
https://learn.microsoft.com/dotnet/api/system.string.toupper and .../system.globalization.textinfo.totitlecase.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

_CULTURE = re.compile(r"[a-z]{2,3}(?:-[a-z]{4})?(?:-(?:[a-z]{2}|[0-9]{3}))?(?:[-_][a-z0-9]{4,8})?", re.IGNORECASE)
_TURKIC = {"tr", "az", "tur", "aze"}  # where i and ı are two letters
_DOTTED, _DOTLESS = "\u0130", "\u0131"  # İ and ı

# The Unicode categories that end a word, from the list on Microsoft's page for PCase.
_SEPARATORS = {"Zs", "Zl", "Zp", "Cc", "Cf", "Pc", "Pd", "Ps", "Pe", "Pi", "Pf", "Po", "Sm", "Sc", "Sk", "So"}


def culture_fault(culture: str) -> str | None:
    """The reason why .NET would refuse this name (RFC 4646; empty is the invariant culture)."""
    if not culture or _CULTURE.fullmatch(culture):
        return None
    return "a culture is named like en-US, ja-JP or tr"


def lower(text: str, culture: str = "") -> str:
    if text.isascii() and not culture:
        return text.lower()
    if _turkic(culture):
        text = text.replace("I", _DOTLESS).replace(_DOTTED, "i")
    elif culture:
        text = text.replace(_DOTTED, "i")
    return "".join(map(_lower, text))


def upper(text: str, culture: str = "") -> str:
    if text.isascii() and not culture:
        return text.upper()
    if _turkic(culture):
        text = text.replace("i", _DOTTED).replace(_DOTLESS, "I")
    elif culture:
        text = text.replace(_DOTLESS, "I")
    return "".join(map(_upper, text))


def _turkic(culture: str) -> bool:
    return culture.lower().split("-")[0] in _TURKIC


def _lower(char: str) -> str:
    # The invariant culture leaves the Turkic pair alone: https://learn.microsoft.com/dotnet/core/extensions/casing
    small = char if char == _DOTTED else char.lower()
    return small if len(small) == 1 else char


def _upper(char: str) -> str:
    big = char if char == _DOTLESS else char.upper()
    return big if len(big) == 1 else char


@lru_cache(maxsize=1)
def alike() -> dict[int, str]:
    """For each character with another case, all that share its small letter: for K `k`, `K` and the Kelvin sign.

    As in .NET's regular expressions: by the invariant culture, and up to U+FFFF, where .NET's characters end.
    """
    by_small: dict[str, str] = {}
    for char in map(chr, range(0x10000)):
        small = _lower(char)
        if small != char:
            by_small[small] = by_small.get(small, small) + char
    return {ord(char): family for family in by_small.values() for char in family}


def title(text: str, separators: str | None = None) -> str:
    """The first character of each word in upper case, all others in lower case, all-capital words included.

    Without separators, .NET's rule holds: a word begins with its first letter, so `21st` becomes `21St`.
    """
    out: list[str] = []
    starts = True
    for char in text:
        out.append(_upper(char) if starts else _lower(char))
        if separators is not None:
            starts = char in separators
        else:
            starts = _separates(char) or (starts and not char.isalpha())
    return "".join(out)


@lru_cache(maxsize=4096)
def _separates(char: str) -> bool:
    return unicodedata.category(char) in _SEPARATORS

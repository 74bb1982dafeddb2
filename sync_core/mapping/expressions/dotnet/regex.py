"""Regular expressions of .NET on RE2: `replace` and friends of System.Text.RegularExpressions.Regex.

RE2 finds a match in time that grows with the text's length, whatever the pattern. What cannot be matched in this way is
refused when the pattern is compiled. https://github.com/google/re2/wiki/WhyRE2
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache

from .faults import DotNetError
from .regex_alphabet import Alphabet
from .regex_emit import emit
from .regex_engine import Engine, Spans
from .regex_syntax import parse_regex


@dataclass(frozen=True, slots=True)
class Match:
    """`spans` are RE2's: the whole match comes first. `places` has RE2's groups for each of .NET's numbers."""

    spans: Spans
    places: dict[int, list[int]]

    def group(self, number: int) -> tuple[int, int] | None:
        """Where a group began and ended; None when it took no part. Of several in its name, the last one counts."""
        spans = self.spans
        start, end = max((spans[i] for i in reversed(self.places[number])), key=lambda span: span[1], default=(-1, -1))
        return None if start < 0 else (start, end)


@dataclass(frozen=True, slots=True, kw_only=True)
class Regex:
    """`names` has the number of each named group, `groups` for each number RE2's groups in the order they close."""

    names: dict[str, int]
    groups: dict[int, list[int]]
    alphabet: Alphabet
    engine: Engine

    def number(self, name: str) -> int | None:
        """Of a group by name or number; None when the pattern has no such group."""
        if name in self.names:
            return self.names[name]
        number = int(name) if name.isdecimal() and len(name) < 5 else 0
        return number if number in self.groups else None

    def matches(self, text: str) -> Iterator[Match]:
        """All matches from left to right."""
        return (Match(spans, self.groups) for spans in self.spans(text))

    def spans(self, text: str) -> Iterator[Spans]:
        """RE2's spans of each match. After an empty one the next begins a character further on."""
        data, at = self.alphabet.encode(text), 0
        while at <= len(data):
            spans = self.engine.search(data, at)
            if spans is None:
                return
            yield spans
            start, end = spans[0]
            at = end + (start == end)

    def is_in(self, text: str) -> bool:
        return self.engine.search(self.alphabet.encode(text), 0) is not None

    def is_all_of(self, text: str) -> bool:
        return self.engine.matches_whole(self.alphabet.encode(text))


@lru_cache(maxsize=64)
def compile_regex(pattern: str) -> Regex:
    """Raises DotNetError with the place in the pattern, or with what makes it too large."""
    parsed = parse_regex(pattern)
    emitted = emit(parsed)
    numbers = {*range(1, parsed.unnamed + 1), *parsed.names.values()}
    return Regex(
        names=parsed.names,
        groups={number: emitted.groups.get(number, []) for number in sorted(numbers)},
        alphabet=emitted.alphabet,
        engine=Engine(emitted.source),
    )


def replace_all(regex: Regex, text: str, put: str, limit: int) -> str:
    """`replace` by one and the same text, as most mappings do, without a look at groups."""
    pieces: list[str] = []
    at = 0
    for spans in regex.spans(text):
        start, end = spans[0]
        pieces.append(text[at:start])
        at = end
    pieces.append(text[at:])
    if sum(map(len, pieces)) + (len(pieces) - 1) * len(put) > limit:
        raise DotNetError(f"gives more than {limit:,} characters")
    return put.join(pieces)


def replace(regex: Regex, text: str, write: Callable[[Match], str], limit: int) -> str:
    """Regex.Replace: every match by what `write` makes of it. Raises DotNetError past `limit` characters."""
    out: list[str] = []
    at = total = 0
    for match in regex.matches(text):
        start, end = match.spans[0]
        out += [text[at:start], write(match)]
        total += len(out[-1]) + len(out[-2])
        if total > limit:
            raise DotNetError(f"gives more than {limit:,} characters")
        at = end
    return "".join([*out, text[at:]])


_SUBSTITUTION = re.compile(r"\$(?:(?P<special>[$&`'+_])|(?P<number>\d+)|\{(?P<name>\w+)\})")


def expand(template: str, regex: Regex, text: str, match: Match) -> str:
    """A replacement with its `$1`, `${name}`, `$&` ... filled in; a group that the pattern lacks stays as written.

    https://learn.microsoft.com/dotnet/standard/base-types/substitutions-in-regular-expressions
    """
    return _SUBSTITUTION.sub(lambda found: _substitute(found, regex, text, match), template)


def _substitute(found: re.Match[str], regex: Regex, text: str, match: Match) -> str:
    start, end = match.spans[0]
    match found["special"]:
        case "$":
            return "$"
        case "&":
            return text[start:end]
        case "`":
            return text[:start]
        case "'":
            return text[end:]
        case "_":
            return text
        case "+":
            return _captured(max(regex.groups), text, match) if regex.groups else ""
    name = found["number"] or found["name"]
    if name == "0":
        return text[start:end]
    number = regex.number(name)
    return found[0] if number is None else _captured(number, text, match)


def _captured(number: int, text: str, match: Match) -> str:
    start, end = match.group(number) or (0, 0)
    return text[start:end]

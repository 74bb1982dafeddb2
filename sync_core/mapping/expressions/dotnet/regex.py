"""Regular expressions of .NET over Python's re, bounded: `replace` and friends of System.Text.RegularExpressions.Regex.

Two engines. When the pattern's shape and the text's length bound the work, re does it. When they do not (nested
quantifiers, many `.*` over a long text), or re lacks a construct, a matcher that counts its steps does. Both draw on
one allowance per evaluation; beyond it the expression fails. No clock is involved, so the outcome is repeatable.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from .faults import DotNetError
from .regex_emit import Cost, NotInPythonError, cost, emit, size
from .regex_machine import Machine, OutOfStepsError, Steps
from .regex_syntax import parse_regex
from .regex_tree import Parsed

_C_STEPS = 500  # steps of re that take as long as one of the machine, measured
_SHARE = 2  # re may bet half of what is left on one call; what it really takes is far less


class Allowance(Protocol):
    """Who runs the evaluation: `steps` is what is left."""

    steps: int


@dataclass(frozen=True, slots=True)
class Match:
    start: int
    end: int
    groups: dict[str, tuple[int, int]]  # of the groups that took part


@dataclass(slots=True)
class Regex:
    parsed: Parsed
    fast: re.Pattern[str] | None
    names: dict[str, list[str]]
    cost: Cost
    size: int
    _machine: Machine | None = field(default=None, repr=False)

    def has_group(self, name: str) -> bool:
        return self.key(name) is not None

    def key(self, name: str) -> str | None:
        """A group by name or number."""
        if name in self.parsed.numbers and not name.startswith("#"):
            return name
        if name.isdecimal() and len(name) < 5:
            return next((key for key, number in self.parsed.numbers.items() if number == int(name)), None)
        return None

    def matches(self, text: str, allowance: Allowance) -> Iterator[Match]:
        """All matches from left to right. Raises DotNetError when they take too many steps."""
        if self.fast and self.affords(text, allowance):
            return map(self._from_re, self.fast.finditer(text))
        return self._counted(text, allowance)

    def affords(self, text: str, allowance: Allowance) -> bool:
        """Whether re may do it; takes the worst case off the allowance when it may."""
        if not self.fast:
            return False
        estimate = self.cost.steps(len(text), self.size) / _C_STEPS
        if estimate * _SHARE > allowance.steps:
            return False
        allowance.steps -= int(estimate)
        return True

    def _from_re(self, match: re.Match[str]) -> Match:
        groups = {}
        for key, names in self.names.items():
            spans = [match.span(name) for name in names]
            last = max(spans, key=lambda span: span[1])
            if last[0] >= 0:
                groups[key] = last
        return Match(match.start(), match.end(), groups)

    def _counted(self, text: str, allowance: Allowance) -> Iterator[Match]:
        if self._machine is None:
            self._machine = Machine(self.parsed.tree, list(self.parsed.numbers))
        machine, at, last_empty = self._machine, 0, -1
        steps = Steps(allowance.steps)
        try:
            while at <= len(text):
                slots = machine.search(text, at, steps)
                if slots is None:
                    break
                start, end = slots[0], slots[1]
                groups = {key: slots[i : i + 2] for key, i in machine.groups.items() if slots[i] >= 0}
                yield Match(start, end, groups)  # type: ignore[arg-type]
                last_empty = end if start == end else last_empty
                at = end + (start == end)
        except OutOfStepsError:
            raise DotNetError("the pattern takes too long on this text; make it simpler") from None
        finally:
            allowance.steps = max(0, steps.left)


@lru_cache(maxsize=512)
def compile_regex(pattern: str) -> Regex:
    """Raises DotNetError with the place in the pattern."""
    parsed = parse_regex(pattern)
    fast: re.Pattern[str] | None = None
    names: dict[str, list[str]] = {}
    try:
        source, names = emit(parsed.tree)
        fast = re.compile(source)
    except (NotInPythonError, re.error, OverflowError, RecursionError):
        fast = None  # a look-behind of variable width, say: the machine can
    return Regex(parsed, fast, names, cost(parsed.tree), size(parsed.tree))


def replace_all(regex: Regex, text: str, put: str, allowance: Allowance, limit: int) -> str:
    """`replace` by one and the same text, which is what most mappings do."""
    if not regex.affords(text, allowance) or len(text) + (len(text) + 1) * len(put) > limit:
        return replace(regex, text, lambda _match: put, allowance, limit)
    assert regex.fast
    return regex.fast.sub(lambda _match: put, text)


def replace(regex: Regex, text: str, write: Callable[[Match], str], allowance: Allowance, limit: int) -> str:
    """Regex.Replace: every match by what `write` makes of it. Raises DotNetError past `limit` characters."""
    out: list[str] = []
    at = total = 0
    for match in regex.matches(text, allowance):
        out += [text[at : match.start], write(match)]
        total += len(out[-1]) + len(out[-2])
        if total > limit:
            raise DotNetError(f"gives more than {limit:,} characters")
        at = match.end
    return "".join([*out, text[at:]])


_SUBSTITUTION = re.compile(r"\$(?:(?P<special>[$&`'+_])|(?P<number>\d+)|\{(?P<name>\w+)\})")


def expand(template: str, regex: Regex, text: str, match: Match) -> str:
    """A replacement with its `$1`, `${name}`, `$&` ... filled in; a group that the pattern lacks stays as written.

    https://learn.microsoft.com/dotnet/standard/base-types/substitutions-in-regular-expressions
    """
    return (
        _SUBSTITUTION.sub(lambda found: _substitute(found, regex, text, match), template)
        if "$" in template
        else template
    )


def _substitute(found: re.Match[str], regex: Regex, text: str, match: Match) -> str:
    match found["special"]:
        case "$":
            return "$"
        case "&":
            return text[match.start : match.end]
        case "`":
            return text[: match.start]
        case "'":
            return text[match.end :]
        case "_":
            return text
        case "+":
            last = max(regex.parsed.numbers, key=regex.parsed.numbers.__getitem__, default=None)
            return _captured(last, text, match)
    name = found["number"] or found["name"]
    if name == "0":
        return text[match.start : match.end]
    key = regex.key(name)
    return found[0] if key is None else _captured(key, text, match)


def _captured(key: str | None, text: str, match: Match) -> str:
    start, end = match.groups.get(key or "", (0, 0))
    return text[start:end]

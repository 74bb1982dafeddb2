"""Regular expressions of .NET: their tree, and the parser that makes it.

https://learn.microsoft.com/dotnet/standard/base-types/regular-expression-language-quick-reference. Refused with a
reason: balancing groups, conditionals, \\G, and what .NET itself refuses. RightToLeft is an option that no pattern
can switch on.
"""

from __future__ import annotations

import re

from .faults import DotNetError
from .regex_classes import ESCAPED_CLASSES, char_class, escape, literal_escape, property_class
from .regex_tree import Alt, Atomic, Chars, Group, Look, Loop, Parsed, Ref, Regex, Seq, Zero

MAX_PATTERN = 2_000
_MAX_DEPTH = 40
_MAX_COUNT = 1_000
_QUANTIFIER = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
_OCTAL = re.compile(r"[0-3][0-7]{2}")  # three octal digits are a character, fewer refer to a group
_NAME = re.compile(r"\w+")
_INLINE = re.compile(r"([imnsx]*)(?:-([imnsx]*))?([:)])")


def parse_regex(pattern: str) -> Parsed:
    """Raises DotNetError with the place in the pattern."""
    if len(pattern) > MAX_PATTERN:
        raise DotNetError(f"a pattern may have {MAX_PATTERN:,} characters")
    return _Parser(pattern).whole()


class _Parser:
    def __init__(self, pattern: str) -> None:
        self._pattern = pattern
        self._at = 0
        self._flags: frozenset[str] = frozenset()
        self._depth = 0
        self._unnamed = 0
        self._named: dict[str, None] = {}
        self._refs: list[tuple[str, int]] = []

    def whole(self) -> Parsed:
        tree = self._alternatives()
        if self._at < len(self._pattern):
            raise self._error("')' closes nothing")
        keys = [f"#{i + 1}" for i in range(self._unnamed)]
        numbers = {key: i + 1 for i, key in enumerate(keys)}
        numbers |= {name: int(name) for name in self._named if name.isdecimal()}
        free = (n for n in range(1, 10_000) if n not in numbers.values())
        for name in self._named:
            if name not in numbers:
                numbers[name] = next(free)
        by_number = {number: key for key, number in numbers.items()}
        return Parsed(self._resolve(tree, numbers, by_number), numbers)

    def _error(self, message: str) -> DotNetError:
        return DotNetError(f"pattern, character {self._at + 1}: {message}")

    def _resolve(self, node: Regex, numbers: dict[str, int], by_number: dict[int, str]) -> Regex:
        """References by number, now that every group has one."""
        match node:
            case Ref(key, ignore_case):
                found = key if key in numbers else by_number.get(int(key)) if key.isdecimal() else None
                if found is None:
                    raise DotNetError(f"pattern: it refers to the group '{key}', which it does not have")
                return Ref(found, ignore_case)
            case Seq(items):
                return Seq(tuple(self._resolve(item, numbers, by_number) for item in items))
            case Alt(options):
                return Alt(tuple(self._resolve(option, numbers, by_number) for option in options))
            case Loop(body, least, most, lazy):
                return Loop(self._resolve(body, numbers, by_number), least, most, lazy)
            case Group(body, key):
                return Group(self._resolve(body, numbers, by_number), key)
            case Look(body, ahead, negative):
                return Look(self._resolve(body, numbers, by_number), ahead, negative)
            case Atomic(body):
                return Atomic(self._resolve(body, numbers, by_number))
            case _:
                return node

    # --- grammar ------------------------------------------------------------------------------------------------

    def _peek(self, text: str) -> bool:
        return self._pattern.startswith(text, self._at)

    def _eat(self, text: str) -> bool:
        found = self._peek(text)
        self._at += len(text) if found else 0
        return found

    def _alternatives(self) -> Regex:
        """Inline options such as (?i) hold to the end of the group, across its alternatives."""
        options = [self._sequence()]
        while self._eat("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Alt(tuple(options))

    def _sequence(self) -> Regex:
        items: list[Regex] = []
        while self._at < len(self._pattern) and self._pattern[self._at] not in "|)":
            if self._skip():
                continue
            item = self._atom()
            if item is not None:
                items.append(self._quantified(item))
        return items[0] if len(items) == 1 else Seq(tuple(items))

    def _skip(self) -> bool:
        """Comments, and white space under the option x."""
        if self._eat("(?#"):
            end = self._pattern.find(")", self._at)
            if end < 0:
                raise self._error("the comment does not close")
            self._at = end + 1
            return True
        if "x" not in self._flags:
            return False
        match = re.compile(r"\s+|#[^\n]*").match(self._pattern, self._at)
        self._at = match.end() if match else self._at
        return match is not None

    def _quantified(self, item: Regex) -> Regex:
        while self._skip():
            pass
        bounds = self._quantifier()
        if bounds is None:
            return item
        lazy = self._eat("?")
        if self._quantifier() is not None:
            raise self._error("a quantifier follows a quantifier")
        least, most = bounds
        if most is not None and most < least:
            raise self._error("the quantifier ends below its beginning")
        return Loop(item, least, most, lazy)

    def _quantifier(self) -> tuple[int, int | None] | None:
        for sign, bounds in (("*", (0, None)), ("+", (1, None)), ("?", (0, 1))):
            if self._eat(sign):
                return bounds
        match = _QUANTIFIER.match(self._pattern, self._at)
        if match is None:
            return None  # any other { is a literal
        self._at = match.end()
        if any(len(digits or "") > 6 for digits in (match[1], match[3])):
            raise self._error("the quantifier is too large")
        least = int(match[1])
        most = least if match[2] is None else int(match[3]) if match[3] else None
        if max(least, most or 0) > _MAX_COUNT:
            raise self._error(f"a quantifier may count to {_MAX_COUNT}")
        return least, most

    def _atom(self) -> Regex | None:
        char = self._pattern[self._at]
        if char == "(":
            return self._group()
        if char == "[":
            source, self._at = char_class(self._pattern, self._at)
            return self._chars(source)
        if char == "\\":
            return self._escape()
        if self._quantifier() is not None:
            raise self._error("a quantifier follows nothing")
        self._at += 1
        match char:
            case ".":
                return Chars("(?s:.)" if "s" in self._flags else r"[^\n]")
            case "^":
                return Zero("(?m:^)" if "m" in self._flags else "^")
            case "$":
                return Zero("(?m:$)" if "m" in self._flags else "$")
            case _:
                return self._chars(escape(char))

    def _chars(self, source: str) -> Chars:
        return Chars(source, "i" in self._flags)

    def _escape(self) -> Regex:
        start = self._at
        self._at += 1
        if self._at == len(self._pattern):
            raise self._error("the pattern ends in a backslash")
        char = self._pattern[self._at]
        if char in ESCAPED_CLASSES:
            self._at += 1
            return Chars(ESCAPED_CLASSES[char])
        if char in "pP":
            source, self._at = property_class(self._pattern, start)
            return Chars(f"[{source}]")
        if char in "AbBZz":
            self._at += 1
            return Zero({"A": r"\A", "b": r"\b", "B": r"\B", "Z": r"(?=\n?\Z)", "z": r"\Z"}[char])
        if char == "G":
            raise self._error("\\G is not supported")
        if char == "k" or (char in "123456789" and not _OCTAL.match(self._pattern, self._at)):
            return self._reference(char)
        value, self._at = literal_escape(self._pattern, start)
        return self._chars(escape(value))

    def _reference(self, char: str) -> Regex:
        if char == "k":
            match = re.compile(r"k(?:<(\w+)>|'(\w+)'|\{(\w+)\})").match(self._pattern, self._at)
        else:
            match = re.compile(r"([1-9]\d?)()()", re.ASCII).match(self._pattern, self._at)
        if match is None:
            raise self._error("a reference is written \\k<name>")
        self._at = match.end()
        return Ref(match[1] or match[2] or match[3], "i" in self._flags)

    # --- groups -------------------------------------------------------------------------------------------------

    def _group(self) -> Regex | None:
        self._at += 1
        if not self._eat("?"):
            if "n" in self._flags:
                return self._body()
            self._unnamed += 1
            key = f"#{self._unnamed}"
            return Group(self._body(), key)
        for sign, ahead, negative in (("=", True, False), ("!", True, True), ("<=", False, False), ("<!", False, True)):
            if self._eat(sign):
                return Look(self._body(), ahead, negative)
        if self._eat(">"):
            return Atomic(self._body())
        if self._eat("<") or self._eat("'"):
            return self._named_group()
        if self._eat("("):
            raise self._error("conditional groups are not supported")
        return self._options()

    def _named_group(self) -> Regex:
        close = ">" if self._pattern[self._at - 1] == "<" else "'"
        match = _NAME.match(self._pattern, self._at)
        if match is None or not self._pattern.startswith(close, match.end()):
            raise self._error(
                "a group is named (?<name>...) with letters and digits; balancing groups are not supported"
            )
        name = match[0]
        if name.isdecimal() and (len(name) > 4 or name.startswith("0") or not name.isascii()):
            raise self._error("a group's number runs from 1 to 9999")
        self._at = match.end() + 1
        self._named[name] = None
        return Group(self._body(), name)

    def _options(self) -> Regex | None:
        match = _INLINE.match(self._pattern, self._at)
        if match is None:
            raise self._error("this group construct is not known")
        self._at = match.end()
        before = self._flags
        self._flags = (before | set(match[1] or "")) - set(match[2] or "")
        if match[3] == ")":
            return None
        return self._body(before)

    def _body(self, flags: frozenset[str] | None = None) -> Regex:
        """Up to the closing parenthesis; options set inside end with it."""
        if self._depth == _MAX_DEPTH:
            raise self._error(f"groups may nest {_MAX_DEPTH} deep")
        outside = self._flags if flags is None else flags
        self._depth += 1
        body = self._alternatives()
        self._depth -= 1
        if not self._eat(")"):
            raise self._error("a group does not close")
        self._flags = outside
        return body

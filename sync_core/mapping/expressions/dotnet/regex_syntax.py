"""The parser of .NET's regular expressions.

https://learn.microsoft.com/dotnet/standard/base-types/regular-expression-language-quick-reference. Refused is what .NET
itself refuses, and whatever needs backtracking: see _INSTEAD. RightToLeft is an option that no pattern can switch on.
"""

from __future__ import annotations

import re

from .faults import DotNetError
from .regex_classes import ESCAPED_CLASSES, char_class, literal_escape, one, property_class
from .regex_tree import Alt, Chars, CharSet, Group, Loop, Node, Parsed, Place, Seq, Zero, copies, is_empty_last

MAX_PATTERN = 2_000
MAX_COUNT = 1_000  # RE2's own limit, for nested quantifiers together: https://github.com/google/re2/wiki/Syntax
_MAX_DEPTH = 40
_QUANTIFIER = re.compile(r"\{(\d+)(,(\d*))?\}", re.ASCII)
_OCTAL = re.compile(r"[0-3][0-7]{2}")  # three octal digits are a character, fewer refer to a group
_NAME = re.compile(r"\w+")
_BLANK = re.compile(r"[\t\n\f\r ]+|#[^\n]*")  # what the option x leaves out
_INLINE = re.compile(r"([imnsx]*)(?:-([imnsx]*))?([:)])")
_ANY = CharSet(negated=True)
_NO_BREAK = CharSet(ranges=((0x0A, 0x0A),), negated=True)
_PLACES = {"A": Place.START, "z": Place.END, "Z": Place.FINAL, "b": Place.BOUNDARY, "B": Place.NO_BOUNDARY}

# What would need backtracking, and what to write instead.
_INSTEAD = {
    "(?=": "look-ahead (?=...) cannot be used; match what follows, too, and put it back with a group, as $1",
    "(?!": "look-ahead (?!...) cannot be used; say what may follow, as [^a]; a filter has NOT REGEX MATCH",
    "(?<=": "look-behind (?<=...) cannot be used; match what comes before, too, and put it back with a group, as $1",
    "(?<!": "look-behind (?<!...) cannot be used; say what may come before, as [^a]; a filter has NOT REGEX MATCH",
    "(?>": "an atomic group (?>...) cannot be used; write (?:...), as no pattern can run away",
    "(?(": "a condition (?(...)...) cannot be used; write both cases with |",
}
_NO_REFERENCE = "a pattern cannot refer to what a group matched; write out what may stand there"
_NO_BALANCE = "a group is named (?<name>...) with letters and digits; balancing groups (?<a-b>...) cannot be used"
_NO_EMPTY_FIRST = "what would rather match nothing, as in (a*?)* and (|a)+, cannot be repeated; write (a*) or (a|)+"
_NO_MIX = r"\Z, or $ outside the option m, cannot stand beside ^ or $ under it; write \n?\z for it"


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
        self._places: dict[Place, int] = {}  # where each was asked for first

    def whole(self) -> Parsed:
        tree = self._alternatives()
        if self._at < len(self._pattern):
            raise self._error("')' closes nothing")
        if Place.FINAL in self._places and self._places.keys() & {Place.LINE_START, Place.LINE_END}:
            raise self._error(_NO_MIX, self._places[Place.FINAL])
        return Parsed(tree=tree, unnamed=self._unnamed, names=self._numbered())

    def _numbered(self) -> dict[str, int]:
        """The unnamed groups come first, then the named in their order; a name of digits is a number.

        https://learn.microsoft.com/dotnet/standard/base-types/grouping-constructs-in-regular-expressions#named-matched-subexpressions
        """
        names = {name: int(name) for name in self._named if name.isdecimal()}
        taken = {*range(1, self._unnamed + 1), *names.values()}
        free = (number for number in range(1, 10_000) if number not in taken)
        return names | {name: next(free) for name in self._named if name not in names}

    def _error(self, message: str, at: int | None = None) -> DotNetError:
        return DotNetError(f"pattern, character {(self._at if at is None else at) + 1}: {message}")

    # --- grammar ------------------------------------------------------------------------------------------------

    def _peek(self, text: str) -> bool:
        return self._pattern.startswith(text, self._at)

    def _eat(self, text: str) -> bool:
        found = self._peek(text)
        self._at += len(text) if found else 0
        return found

    def _alternatives(self) -> Node:
        """Inline options such as (?i) hold to the end of the group, across its alternatives."""
        options = [self._sequence()]
        while self._eat("|"):
            options.append(self._sequence())
        return options[0] if len(options) == 1 else Alt(tuple(options))

    def _sequence(self) -> Node:
        items: list[Node] = []
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
        match = _BLANK.match(self._pattern, self._at)
        self._at = match.end() if match else self._at
        return match is not None

    def _quantified(self, item: Node) -> Node:
        while self._skip():
            pass
        start = self._at
        bounds = self._quantifier()
        if bounds is None:
            return item
        lazy = self._eat("?")
        if self._quantifier() is not None:
            raise self._error("a quantifier follows a quantifier")
        least, most = bounds
        if most is not None and most < least:
            raise self._error("the quantifier ends below its beginning")
        loop = Loop(item, least, most, lazy)
        if copies(loop) > MAX_COUNT:
            message = f"quantifiers may count to {MAX_COUNT:,}, multiplied where they nest; write * or + instead"
            raise self._error(message, start)
        if loop.may_end_early and not is_empty_last(item):
            raise self._error(_NO_EMPTY_FIRST, start)
        return loop

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
        return least, least if match[2] is None else int(match[3]) if match[3] else None

    def _atom(self) -> Node | None:
        char = self._pattern[self._at]
        if char == "(":
            return self._group()
        if char == "[":
            chars, self._at = char_class(self._pattern, self._at, ignore_case="i" in self._flags)
            return Chars(chars)
        if char == "\\":
            return self._escape()
        if self._quantifier() is not None:
            raise self._error("a quantifier follows nothing")
        self._at += 1
        match char:
            case ".":
                return Chars(_ANY if "s" in self._flags else _NO_BREAK)
            case "^":
                return self._zero(Place.LINE_START if "m" in self._flags else Place.START, self._at - 1)
            case "$":
                return self._zero(Place.LINE_END if "m" in self._flags else Place.FINAL, self._at - 1)
            case _:
                return self._one(char)

    def _zero(self, place: Place, at: int) -> Zero:
        self._places.setdefault(place, at)
        return Zero(place)

    def _one(self, char: str) -> Chars:
        return Chars(one(char, ignore_case="i" in self._flags))

    def _escape(self) -> Node:
        start = self._at
        self._at += 1
        if self._at == len(self._pattern):
            raise self._error("the pattern ends in a backslash")
        char = self._pattern[self._at]
        if char in ESCAPED_CLASSES:
            self._at += 1
            return Chars(ESCAPED_CLASSES[char])
        if char in "pP":
            chars, self._at = property_class(self._pattern, start, ignore_case="i" in self._flags)
            return Chars(chars)
        if char in _PLACES:
            self._at += 1
            return self._zero(_PLACES[char], start)
        if char == "G":
            raise self._error(r"\G cannot be used; ^ is the beginning of the text", start)
        if char == "k" or (char in "123456789" and not _OCTAL.match(self._pattern, self._at)):
            raise self._error(_NO_REFERENCE, start)
        value, self._at = literal_escape(self._pattern, start)
        return self._one(value)

    # --- groups -------------------------------------------------------------------------------------------------

    def _group(self) -> Node | None:
        for construct, message in _INSTEAD.items():
            if self._peek(construct):
                raise self._error(message)
        self._at += 1
        if not self._eat("?"):
            if "n" in self._flags:
                return self._body()
            self._unnamed += 1
            number = self._unnamed
            return Group(self._body(), number)
        if self._eat("<") or self._eat("'"):
            return self._named_group()
        return self._options()

    def _named_group(self) -> Node:
        close = ">" if self._pattern[self._at - 1] == "<" else "'"
        match = _NAME.match(self._pattern, self._at)
        if match is None or not self._pattern.startswith(close, match.end()):
            raise self._error(_NO_BALANCE)
        name = match[0]
        if name.isdecimal() and (len(name) > 4 or name.startswith("0") or not name.isascii()):
            raise self._error("a group's number runs from 1 to 9999")
        self._at = match.end() + 1
        self._named[name] = None
        return Group(self._body(), name)

    def _options(self) -> Node | None:
        match = _INLINE.match(self._pattern, self._at)
        if match is None:
            raise self._error("this group construct is not known")
        self._at = match.end()
        before = self._flags
        self._flags = (before | set(match[1] or "")) - set(match[2] or "")
        if match[3] == ")":
            return None
        return self._body(before)

    def _body(self, flags: frozenset[str] | None = None) -> Node:
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

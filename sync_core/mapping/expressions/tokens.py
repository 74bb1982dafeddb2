"""Cuts the text of an expression into tokens.

Rules: https://learn.microsoft.com/entra/identity/app-provisioning/functions-for-customizing-application-data
(syntax overview). White space separates tokens and means nothing else.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum, auto

from .errors import CompileError, Position

MAX_LENGTH = 10_000  # Microsoft's limit for one mapping expression
_MAX_NUMBER = 40  # characters: far above any date or identifier, far below where conversion gets slow

_SPACE = re.compile(r"\s*")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_NUMBER = re.compile(r"&[Hh][0-9A-Fa-f]+|[+-]?[0-9]+(?:\.[0-9]+)?")
_OPERATOR = re.compile(r"<>|<=|>=|[=<>]")
_STRING = re.compile(r'"((?:[^"\\]|\\.)*)"', re.DOTALL)
_ESCAPE = re.compile(r'\\([\\"])')


class Kind(Enum):
    NAME = auto()
    ATTRIBUTE = auto()
    STRING = auto()
    NUMBER = auto()
    OPERATOR = auto()
    OPEN = auto()
    CLOSE = auto()
    COMMA = auto()
    END = auto()


_PUNCTUATION = {"(": Kind.OPEN, ")": Kind.CLOSE, ",": Kind.COMMA}


@dataclass(frozen=True, slots=True)
class Token:
    kind: Kind
    value: str
    offset: int

    def __str__(self) -> str:
        return "the end" if self.kind is Kind.END else f"'{self.value[:40]}'"


def tokenize(text: str) -> Iterator[Token]:
    """All tokens, then END. Raises CompileError."""
    if len(text) > MAX_LENGTH:
        message = f"an expression may have {MAX_LENGTH:,} characters; this one has {len(text):,}"
        raise CompileError(message, Position.of(text, MAX_LENGTH))
    at = _skip(text, 0)
    while at < len(text):
        token, end = _token(text, at)
        yield token
        at = _skip(text, end)
    yield Token(Kind.END, "", len(text))


def number(text: str) -> int | float | None:
    """A number as VBA writes it: `10`, `-10`, `42568.75` or `&HF`; None when it is none."""
    if len(text) > _MAX_NUMBER or not _NUMBER.fullmatch(text):
        return None
    if text[0] == "&":
        return int(text[2:], 16)
    return float(text) if "." in text else int(text)


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _token(text: str, at: int) -> tuple[Token, int]:
    char = text[at]
    if char in _PUNCTUATION:
        return Token(_PUNCTUATION[char], char, at), at + 1
    if char == '"':
        return _string(text, at)
    if char == "[":
        return _attribute(text, at)
    for kind, pattern in ((Kind.NAME, _NAME), (Kind.NUMBER, _NUMBER), (Kind.OPERATOR, _OPERATOR)):
        match = pattern.match(text, at)
        if match:
            if kind is Kind.NUMBER and number(match[0]) is None:
                raise CompileError(f"a number may have {_MAX_NUMBER} characters", Position.of(text, at))
            return Token(kind, match[0], at), match.end()
    raise CompileError(f"{char!r} means nothing here{_remedy(char)}", Position.of(text, at))


def _remedy(char: str) -> str:
    if char in "'“”‘’„":
        return '; text stands in straight double quotes: "..."'
    return {
        "]": "; an attribute is written [name]",
        "&": "; use Append or Join to put texts together",
        "!": "; not equal is written <>",
        "%": "; what stands for a value is written [name]",
    }.get(char, "")


def _string(text: str, at: int) -> tuple[Token, int]:
    match = _STRING.match(text, at)
    if match is None:
        raise CompileError('this text has no closing quote (a quote inside is written \\")', Position.of(text, at))
    # Only \\ and \" are escapes; \+ and the like stay as written: a published example relies on it.
    return Token(Kind.STRING, _ESCAPE.sub(r"\1", match[1]), at), match.end()


def _attribute(text: str, at: int) -> tuple[Token, int]:
    """`[name]`; brackets inside pair up, as in SCIM's `[emails[type eq "work"].value]`."""
    depth = 0
    for i in range(at, len(text)):
        depth += {"[": 1, "]": -1}.get(text[i], 0)
        if depth == 0:
            name = text[at + 1 : i].strip()
            if not name:
                raise CompileError("an attribute needs a name: [name]", Position.of(text, at))
            return Token(Kind.ATTRIBUTE, name, at), i + 1
    raise CompileError("this attribute has no closing bracket", Position.of(text, at))

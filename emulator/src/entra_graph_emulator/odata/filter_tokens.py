"""The tokens of a `$filter`, each with its end position, which Graph's syntax errors name."""

import re
from typing import Final, NamedTuple

from entra_graph_emulator.wire.errors import GraphError

_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<guid>[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12})(?![\w-])|(?P<time>\d{4}-\d\d-\d\d(?:T[\d:.]+(?:Z|[+-]\d\d:\d\d)?)?(?![\w-]))"
    r"|(?P<number>-?\d+(?:\.\d+)?)(?![\w-])|(?P<name>[A-Za-z_@$][\w.@$]*(?:/[\w.@$]+)*)|(?P<mark>[(),:]))",
    re.ASCII,
)


class Token(NamedTuple):
    kind: str
    text: str
    end: int


def tokens(text: str) -> list[Token]:
    """Raises 400 at the first character that no token can have."""
    found: list[Token] = []
    at, end = 0, len(text.rstrip())
    while at < end:
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise syntax_error(at, text)
        at = match.end()
        found.append(Token(match.lastgroup, match[match.lastgroup], at))
    return found


def syntax_error(position: int, text: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Invalid filter clause: Syntax error at position {position} in '{text}'.")

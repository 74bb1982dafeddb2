"""`$search`: https://learn.microsoft.com/graph/search-query-parameter, "Using $search on directory object collections"

`displayName` and `description` are searched by word, any other property by the start of its value.
"""

import re
from collections.abc import Callable
from typing import Final, TypeAlias

from entra_graph_emulator.odata.entities import EntityType
from entra_graph_emulator.odata.filters import Getter
from entra_graph_emulator.wire.errors import GraphError, unsupported_query

_CLAUSE: Final = re.compile(r'\s*(?:"(?P<name>\w+):(?P<value>(?:[^"\\]|\\.)*)"|(?P<word>AND|OR)\b|(?P<mark>[()]))')
_WORDS: Final = frozenset({"displayName", "description"})
# A word ends at a space, a symbol, or a change of case or kind of character.
_PARTS: Final = re.compile(r"[A-Z]?[a-z\u00df-\uffff]+|[A-Z]+(?![a-z])|\d+")

Test: TypeAlias = Callable[[Getter], bool]


def parse_search(text: str, of: EntityType) -> Test:
    """Raises 400 for text that is no search, or for a property that cannot be searched."""
    clauses: list[list[Test]] = [[]]
    at, text, joined = 0, text.strip(), True
    while at < len(text):
        match = _CLAUSE.match(text, at)
        if match is None:
            raise _syntax(at, text)
        at = match.end()
        if match["word"] is not None:
            if joined:
                raise _syntax(at, text)
            joined = True
            if match["word"] == "OR":
                clauses.append([])
        elif match["name"] is not None:
            if not joined:
                raise _syntax(at, text)
            joined = False
            clauses[-1].append(_clause(match["name"], match["value"], of))
    if joined:
        raise _syntax(at, text)
    return lambda get: any(all(test(get) for test in group) for group in clauses)


def _clause(name: str, value: str, of: EntityType) -> Test:
    name = next((each for each in of.searchable if each.lower() == name.lower()), name)
    if name not in of.searchable:
        raise unsupported_query(f"Unsupported property '{name}' in $search of resource '{of.resource}'.")
    plain = value.replace('\\"', '"').replace("\\\\", "\\").lower()
    if name not in _WORDS:
        return lambda get: any(each.lower().startswith(plain) for each in _texts(get(name)))
    wanted = [part.lower() for part in re.split(r"[\W_]+", plain) if part]
    return lambda get: _holds(get(name), wanted)


def _holds(value: object, wanted: list[str]) -> bool:
    """Whether every wanted word begins some word of the text."""
    if not isinstance(value, str):
        return False
    words = [each.lower() for each in (*re.split(r"[\W_]+", value), *_PARTS.findall(value))]
    return all(any(word.startswith(each) for word in words) for each in wanted)


def _texts(value: object) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str)]


def _syntax(position: int, text: str) -> GraphError:
    return GraphError(
        400, "BadRequest", f"Syntax error: character at position {position} is not valid in the $search '{text}'."
    )

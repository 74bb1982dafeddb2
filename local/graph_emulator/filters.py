"""`$filter`: a parser for the part of OData that Graph's user collections understand.

https://learn.microsoft.com/graph/filter-query-parameter; which operators need an advanced query (header
`ConsistencyLevel: eventual` and `$count=true`): https://learn.microsoft.com/graph/aad-advanced-queries.
Text compares without regard to case, as the directory does.
"""

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from local.graph_emulator.errors import GraphError, unsupported_query
from local.graph_emulator.schema import filterable

type Getter = Callable[[str], Any]
type Keys = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Filter:
    """A parsed clause. `keys`, where not None, are (property, lower-case value) pairs of which every match has one."""

    test: Callable[[Getter], bool]
    keys: Keys | None = None


_TOKEN: Final = re.compile(
    r"\s*(?:(?P<text>'(?:[^']|'')*')|(?P<time>\d{4}-\d\d-\d\dT[\d:.]+(?:Z|[+-]\d\d:\d\d)?)|(?P<number>-?\d+(?:\.\d+)?)"
    r"|(?P<name>[A-Za-z_@$][\w.@$]*(?:/[\w.@$]+)*)|(?P<mark>[(),:]))"
)
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_ADVANCED: Final = frozenset({"ne", "not", "endswith"})
_COMPARISONS: Final = frozenset({"eq", "ne", "ge", "le", "gt", "lt"})
_FUNCTIONS: Final = {"startswith": str.startswith, "endswith": str.endswith}


def parse_filter(text: str, *, advanced: bool) -> Filter:
    """Raises GraphError 400 for what cannot be read, is not filterable, or needs an advanced query that this is not."""
    parser = _Parser(text)
    clause = parser.whole()
    if parser.advanced and not advanced:
        raise unsupported_query(
            f"Operator '{parser.advanced}' is not supported because the required parameters might be missing. Try "
            "adding $count=true query parameter and ConsistencyLevel:eventual header. Refer to "
            "https://aka.ms/graph-docs/advanced-queries for more information"
        )
    return clause


class _Parser:
    def __init__(self, text: str) -> None:
        self._tokens = list(_tokens(text))
        self._at = 0
        self._variable: str | None = None
        self.advanced = ""

    def whole(self) -> Filter:
        clause = self._either()
        if self._peek() != ("end", ""):
            raise _syntax(self._peek()[1])
        return clause

    def _either(self) -> Filter:
        clauses = [self._both()]
        while self._take("or"):
            clauses.append(self._both())
        return clauses[0] if len(clauses) == 1 else _any_of(clauses)

    def _both(self) -> Filter:
        clauses = [self._unary()]
        while self._take("and"):
            clauses.append(self._unary())
        return clauses[0] if len(clauses) == 1 else _all_of(clauses)

    def _unary(self) -> Filter:
        if self._take("not"):
            self._needs_advanced("not")
            inner = self._unary()
            return Filter(test=lambda get: not inner.test(get))
        if self._take("("):
            inner = self._either()
            self._expect(")")
            return inner
        return self._term()

    def _term(self) -> Filter:
        name = self._next("name")
        if name.lower() in _FUNCTIONS and self._take("("):
            return self._function(name)
        if name.endswith("/any") and self._take("("):
            return self._lambda(name.removesuffix("/any"))
        self._check(name)
        operator = self._next("name")
        if operator == "in":
            return self._membership(name)
        if operator not in _COMPARISONS:
            raise _syntax(operator)
        if operator == "ne":
            self._needs_advanced("ne")
        return _comparison(name, operator, self._literal())

    def _function(self, name: str) -> Filter:
        if name.lower() in _ADVANCED:
            self._needs_advanced(name)
        path = self._next("name")
        self._check(path)
        self._expect(",")
        part = self._literal()
        self._expect(")")
        if not isinstance(part, str):
            raise _syntax(str(part))
        probe, holds = part.lower(), _FUNCTIONS[name.lower()]
        return Filter(test=lambda get: isinstance(value := get(path), str) and holds(value.lower(), probe))

    def _lambda(self, collection: str) -> Filter:
        self._check(collection)
        outer, self._variable = self._variable, self._next("name")
        variable = self._variable
        self._expect(":")
        inner = self._either()
        self._expect(")")
        self._variable = outer
        keys = inner.keys and tuple((collection, value) for path, value in inner.keys if path == variable)
        return Filter(
            test=lambda get: any(inner.test(_item(variable, item)) for item in get(collection) or ()),
            keys=keys or None,
        )

    def _membership(self, name: str) -> Filter:
        self._expect("(")
        values = [self._literal()]
        while self._take(","):
            values.append(self._literal())
        self._expect(")")
        return _any_of([_comparison(name, "eq", value) for value in values])

    def _check(self, path: str) -> None:
        head = path.partition("/")[0]
        if head != self._variable and not filterable(path):
            raise unsupported_query(
                f"Unsupported or invalid query filter clause specified for property '{path}' of resource 'User'."
            )

    def _needs_advanced(self, operator: str) -> None:
        self.advanced = self.advanced or operator

    def _literal(self) -> Any:
        kind, text = self._peek()
        self._at += 1
        if kind == "text":
            return text[1:-1].replace("''", "'")
        if kind == "number":
            return float(text)
        if kind == "time":
            return text
        if kind == "name" and text in _CONSTANTS:
            return _CONSTANTS[text]
        raise _syntax(text)

    def _peek(self) -> tuple[str, str]:
        return self._tokens[self._at] if self._at < len(self._tokens) else ("end", "")

    def _take(self, text: str) -> bool:
        kind, found = self._peek()
        if found != text or kind == "text":
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise _syntax(self._peek()[1])

    def _next(self, kind: str) -> str:
        found, text = self._peek()
        if found != kind:
            raise _syntax(text)
        self._at += 1
        return text


def _tokens(text: str) -> Iterable[tuple[str, str]]:
    at, text = 0, text.strip()
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None or match.lastgroup is None:
            raise _syntax(text[at : at + 10])
        yield match.lastgroup, match[match.lastgroup]
        at = match.end()


def _syntax(near: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Invalid filter clause: Syntax error near '{near}'.")


def _item(variable: str, item: Any) -> Getter:
    def get(path: str) -> Any:
        if path == variable:
            return item
        return item.get(path.partition("/")[2]) if isinstance(item, dict) else None

    return get


def _any_of(clauses: list[Filter]) -> Filter:
    keys: list[tuple[str, str]] = []
    for clause in clauses:
        if clause.keys is None:
            return Filter(test=lambda get: any(each.test(get) for each in clauses))
        keys += clause.keys
    return Filter(test=lambda get: any(each.test(get) for each in clauses), keys=tuple(keys))


def _all_of(clauses: list[Filter]) -> Filter:
    keys = next((each.keys for each in clauses if each.keys is not None), None)
    return Filter(test=lambda get: all(each.test(get) for each in clauses), keys=keys)


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _comparison(path: str, operator: str, literal: Any) -> Filter:
    wanted = _folded(literal)
    if operator == "eq":
        keys = ((path, wanted),) if isinstance(wanted, str) else None
        return Filter(test=lambda get: bool(_folded(get(path)) == wanted), keys=keys)
    if operator == "ne":
        return Filter(test=lambda get: bool(_folded(get(path)) != wanted))

    def ordered(get: Getter) -> bool:
        value = _folded(get(path))
        if not isinstance(value, str) or not isinstance(wanted, str):
            return False
        if operator in {"ge", "le"} and value == wanted:
            return True
        return value > wanted if operator in {"ge", "gt"} else value < wanted

    return Filter(test=ordered)

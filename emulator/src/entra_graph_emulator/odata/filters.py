"""`$filter`: a parser for the part of OData that Graph's directory collections understand.

https://learn.microsoft.com/graph/filter-query-parameter. Operators that need an advanced query (header
`ConsistencyLevel: eventual` and `$count=true`): https://learn.microsoft.com/graph/aad-advanced-queries.
"""

from collections.abc import Mapping
from typing import Any, Final

from entra_graph_emulator.odata.entities import USER, EntityType
from entra_graph_emulator.odata.filter_clauses import Filter, Getter, Moment, all_of, any_of, comparison, item_getter
from entra_graph_emulator.odata.filter_tokens import Token, syntax_error, tokens
from entra_graph_emulator.odata.rules import Kind
from entra_graph_emulator.wire.errors import GraphError, unsupported_query

__all__ = ["Filter", "Getter", "parse_filter"]

_MOST_CLAUSES: Final = 15
_COUNTS: Final = (0.0, 1.0)  # of collections: https://learn.microsoft.com/graph/aad-advanced-queries
_CONSTANTS: Final = {"true": True, "false": False, "null": None}
_COMPARISONS: Final = frozenset({"eq", "ne", "ge", "le", "gt", "lt"})
_FUNCTIONS: Final = {"startswith": str.startswith, "endswith": str.endswith}
# OData has these functions; the directory refuses them.
_REFUSED_FUNCTIONS: Final = frozenset({"contains", "indexof", "length", "substring", "tolower", "toupper", "trim"})


def parse_filter(text: str, *, advanced: bool, of: EntityType = USER) -> Filter:
    """Raises 400 for a clause that cannot be read, is not supported, or needs an advanced query."""
    parser = _Parser(text, of, advanced=advanced)
    try:
        clause = parser.whole()
    except RecursionError:
        raise syntax_error(len(text), text) from None
    if parser.missing and not advanced:
        raise unsupported_query(
            f"Operator '{parser.missing}' is not supported because the required parameters might be missing. Try "
            "adding $count=true query parameter and ConsistencyLevel:eventual header. Refer to "
            "https://aka.ms/graph-docs/advanced-queries for more information"
        )
    return clause


class _Parser:
    """`missing` is the first operator that needs an advanced query."""

    def __init__(self, text: str, of: EntityType, *, advanced: bool) -> None:
        self._text = text
        self._of = of
        self._advanced = advanced
        self._tokens = tokens(text)
        self._at = 0
        self._variable: str | None = None
        self._collection = ""
        self._members: dict[str, Any] = {}
        self.missing = ""

    def whole(self) -> Filter:
        clause = self._either()
        if self._peek().kind != "end":
            raise self._syntax()
        return clause

    def _either(self) -> Filter:
        clauses = [self._both()]
        while self._take("or"):
            clauses.append(self._both())
        if len(clauses) > _MOST_CLAUSES:
            raise unsupported_query(
                "Too many child clauses specified in search filter expression containing 'OR' operators: "
                f"{len(clauses)}. Max allowed: {_MOST_CLAUSES}."
            )
        return clauses[0] if len(clauses) == 1 else any_of(clauses)

    def _both(self) -> Filter:
        clauses = [self._unary()]
        while self._take("and"):
            clauses.append(self._unary())
        return clauses[0] if len(clauses) == 1 else all_of(clauses)

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
        if self._peek().text == "(" and "/" not in name:
            self._take("(")
            return self._function(name)
        if name.endswith("/any") and self._take("("):
            return self._lambda(name.removesuffix("/any"))
        name = self._known(name)
        operator = self._next("name").lower()
        if operator == "in":
            return self._membership(name)
        if operator not in _COMPARISONS:
            raise self._syntax(-1)
        value = self._literal()
        self._fits(name, value, operator)
        self._check(name, operator, value)
        if name.partition("/")[0] == self._variable:
            self._members[name.partition("/")[2]] = value
        return comparison(name, operator, value)

    def _function(self, name: str) -> Filter:
        if name.lower() in _REFUSED_FUNCTIONS:
            raise unsupported_query(f"Filter operator '{name[0].upper()}{name[1:]}' is not supported.")
        if name.lower() not in _FUNCTIONS:
            raise GraphError(
                400,
                "BadRequest",
                f"Invalid filter clause: An unknown function with name '{name}' was found. This may also be a function "
                "import or a key lookup on a navigation property, which is not allowed.",
            )
        path = self._known(self._next("name"))
        self._expect(",")
        part = self._literal()
        self._expect(")")
        if not isinstance(part, str):
            raise self._syntax(-1)
        self._check(path, name.lower(), part)
        probe, holds = part.lower(), _FUNCTIONS[name.lower()]
        return Filter(test=lambda get: isinstance(value := get(path), str) and holds(value.lower(), probe))

    def _lambda(self, collection: str) -> Filter:
        collection = self._known(collection)
        if not self._of.is_collection(collection):
            raise _invalid("Any/All may only be used following a collection.")
        outer, self._variable, self._collection = self._variable, self._next("name"), collection
        self._members = {}
        variable = self._variable
        self._expect(":")
        inner = self._either()
        self._expect(")")
        self._variable = outer
        if collection == "identities" and not _identifies(self._members):
            raise self._refused(collection)
        keys = inner.keys and tuple((collection, value) for path, value in inner.keys if path == variable)
        return Filter(
            test=lambda get: any(inner.test(item_getter(variable, item)) for item in get(collection) or ()),
            keys=keys or None,
        )

    def _membership(self, name: str) -> Filter:
        self._expect("(")
        values = [self._literal()]
        while self._take(","):
            values.append(self._literal())
        self._expect(")")
        for value in values:
            self._fits(name, value, "eq")
        if len(values) > _MOST_CLAUSES and not self._advanced:
            raise unsupported_query(f"Too many values of 'in': {len(values)}. Max allowed: {_MOST_CLAUSES}.")
        self._check(name, "in", values)
        return any_of([comparison(name, "eq", value) for value in values])

    def _known(self, path: str) -> str:
        """The path with the official spelling of its property. Raises 400 for an unknown property."""
        head, slash, member = path.partition("/")
        if head == self._variable:
            return path
        head = self._of.official(head)
        if not self._of.has(head):
            raise _invalid(f"Could not find a property named '{head}' on type '{self._of.full_name}'.")
        return f"{head}{slash}{member}"

    def _check(self, path: str, operator: str, value: Any) -> None:
        """Raises 400 if the property does not take the operator. `missing` notes one that needs an advanced query."""
        head, _, member = path.partition("/")
        head = self._collection if head == self._variable else head
        rules = self._of.operators_of(path if head != self._collection else head)
        wanted = "$count" if member == "$count" else "null" if value is None and operator == "eq" else operator
        if rules is None or wanted not in rules.default | rules.advanced:
            raise self._refused(head)
        if wanted == "$count" and (operator not in {"eq", "ne"} or value not in _COUNTS):
            raise self._refused(head)
        if wanted in rules.default:
            return
        if wanted in {"ne", "endswith", "$count"}:
            self._needs_advanced("endsWith" if wanted == "endswith" else wanted)
        elif not self._advanced:
            raise self._refused(head)

    def _refused(self, name: str) -> GraphError:
        return unsupported_query(
            f"Unsupported or invalid query filter clause specified for property '{name}' of resource "
            f"'{self._of.resource}'."
        )

    def _fits(self, path: str, value: Any, operator: str) -> None:
        """Raises 400 unless text is compared with text, a flag with a flag, a time with a time."""
        if value is None or "/" in path or path == self._variable:
            return
        kind = self._of.kinds.get(path)
        expected = _EDM[kind] if kind is not None else None
        found = _edm(value)
        if expected is not None and expected != found:
            name = {"eq": "Equal", "ne": "NotEqual", "ge": "GreaterThanOrEqual", "le": "LessThanOrEqual"}
            raise _invalid(
                "A binary operator with incompatible types was detected. Found operand types "
                f"'{expected}' and '{found}' for operator kind '{name.get(operator, operator)}'."
            )

    def _needs_advanced(self, operator: str) -> None:
        self.missing = self.missing or operator

    def _literal(self) -> Any:
        token = self._peek()
        self._at += 1
        match token.kind:
            case "text":
                return token.text[1:-1].replace("''", "'")
            case "guid":  # stands without quotes
                return token.text
            case "number":
                return float(token.text)
            case "time":
                return Moment(token.text if "T" in token.text else f"{token.text}T00:00:00Z")
            case "name" if token.text.lower() in _CONSTANTS:
                return _CONSTANTS[token.text.lower()]
        raise self._syntax(-1)

    def _peek(self) -> Token:
        return self._tokens[self._at] if self._at < len(self._tokens) else Token("end", "", len(self._text))

    def _take(self, text: str) -> bool:
        token = self._peek()
        if token.kind == "text" or token.text.lower() != text:
            return False
        self._at += 1
        return True

    def _expect(self, text: str) -> None:
        if not self._take(text):
            raise self._syntax()

    def _next(self, kind: str) -> str:
        token = self._peek()
        if token.kind != kind:
            raise self._syntax()
        self._at += 1
        return token.text

    def _syntax(self, step: int = 0) -> GraphError:
        at = max(0, self._at + step)
        token = self._tokens[at] if at < len(self._tokens) else Token("end", "", len(self._text))
        return syntax_error(token.end, self._text)


_EDM: Final = {
    Kind.TEXT: "Edm.String",
    Kind.FLAG: "Edm.Boolean",
    Kind.TIME: "Edm.DateTimeOffset",
    Kind.TEXTS: "Collection(Edm.String)",
    Kind.OBJECT: "Edm.ComplexType",
    Kind.OBJECTS: "Collection(Edm.ComplexType)",
}


# https://learn.microsoft.com/graph/api/resources/objectidentity, "Filtering on the identities property of a user"
_LONE_ISSUERS: Final = frozenset({"google.com", "facebook.com", "mail", "phone"})


def _identifies(members: Mapping[str, Any]) -> bool:
    """Whether identities can be filtered by these members: an id with its issuer, or one of a few issuers alone."""
    issuer = str(members.get("issuer", "")).lower()
    alone = "issuerAssignedId" not in members
    of_principal_name = str(members.get("signInType", "")).lower() == "userprincipalname"
    return bool(issuer) and not of_principal_name and (not alone or issuer in _LONE_ISSUERS)


def _edm(value: Any) -> str:
    if isinstance(value, bool):
        return "Edm.Boolean"
    if isinstance(value, Moment):
        return "Edm.DateTimeOffset"
    return "Edm.String" if isinstance(value, str) else "Edm.Int32"


def _invalid(message: str) -> GraphError:
    return GraphError(400, "BadRequest", f"Invalid filter clause: {message}")

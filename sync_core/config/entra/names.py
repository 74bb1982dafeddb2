"""What Entra's schemas and Graph call the same attribute, alone and within expressions."""

from __future__ import annotations

import re
from collections.abc import Mapping

from ...mapping.attributes import ENTRA_NAMES
from ...mapping.expressions.parser import parse
from ...mapping.expressions.syntax import Attribute, Call, Comparison, Node

_GRAPH_TO_ENTRA = {graph: entra for entra, graph in ENTRA_NAMES.items()}

# Mappings that every cross-tenant schema has, and what does their work here.
FIXED: dict[str, str] = {
    "alternativeSecurityIds": "Microsoft's matching attribute; users are matched by their link here",
    "IsSoftDeleted": "deletion is a decision of its own here (deprovision)",
    "userPrincipalName": "the invitation makes it",
}
# (source expression, matching priority) of the fixed ones that go out again; a schema without them is refused.
FIXED_SOURCES: dict[str, tuple[str, int]] = {
    "alternativeSecurityIds": ("AltSecIdFromNetId([netId])", 1),
    "IsSoftDeleted": ("[IsSoftDeleted]", 0),
    "userPrincipalName": ("[userPrincipalName]", 0),
}


def to_graph(name: str) -> str:
    return ENTRA_NAMES.get(name, name)


def to_entra(name: str) -> str:
    return _GRAPH_TO_ENTRA.get(name, name)


def expression_to_graph(text: str) -> str:
    """Raises CompileError."""
    return _renamed(text, ENTRA_NAMES)


def expression_to_entra(text: str) -> str:
    return _renamed(text, _GRAPH_TO_ENTRA)


def _renamed(text: str, names: Mapping[str, str]) -> str:
    """The text as it was written, but for the names of attributes."""
    for node in sorted(_attributes(parse(text)), key=lambda node: -node.offset):
        if node.name in names:
            rest = re.sub(r"^\[[^\]]*\]", f"[{names[node.name]}]", text[node.offset :], count=1)
            text = text[: node.offset] + rest
    return text


def _attributes(node: Node) -> list[Attribute]:
    match node:
        case Attribute():
            return [node]
        case Comparison():
            return _attributes(node.left) + _attributes(node.right)
        case Call():
            return [found for argument in node.arguments for found in _attributes(argument)]
        case _:
            return []

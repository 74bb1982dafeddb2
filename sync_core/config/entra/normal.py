"""When two schemas ask for the same: the part that both sides have, in one spelling.

Taken out: the directories, metadata, ids and versions (Entra writes them itself); the fixed mappings and those that
cannot be carried over; object mappings of anything but users; filter groups that no administrator sets; the order of
attribute mappings. Made equal: null and empty defaults; the spelling of operators and of white space in expressions;
`parameters`, which repeat what the expression says; FlowAlways and FlowWhenChanged; ValueAddOnly and Always,
AttributeAddOnly and ObjectAddOnly (see the notes of `read_schema`); "true" and "True" where the target is a boolean.
"""

from __future__ import annotations

from typing import Any

from ...mapping.attributes import target_attribute
from ...mapping.expressions.parser import parse
from ...mapping.expressions.syntax import unparse
from .names import expression_to_entra, to_entra
from .read import read_schema


def normalise(schema: Any) -> dict[str, Any]:
    """Raises ConfigError when it is no synchronization schema."""
    sync = read_schema(schema).sync
    return {
        "mappings": {to_entra(keys["target"]): _mapping(keys) for keys in sync["mapping"]},
        "groups": sync["scope"].get("filters", []),
        "deletes": "deprovision" not in sync,
    }


def _mapping(keys: dict[str, Any]) -> dict[str, Any]:
    known = target_attribute(keys["target"])
    assert known is not None  # others were left out
    return {
        "source": to_entra(keys["source"]) if "source" in keys else None,
        "constant": keys.get("constant"),
        "expression": unparse(parse(expression_to_entra(keys["expression"]))) if "expression" in keys else None,
        "default": keys.get("default"),
        "once": keys.get("apply") == "on_create",
    }

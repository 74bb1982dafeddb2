"""When two schemas ask for the same: the part that both sides have, in one spelling.

Taken out are the directories, metadata, ids and versions, which Entra writes itself. Taken out are the fixed mappings,
those that cannot be carried over, and object mappings of anything but users. Taken out are filter groups that no
administrator sets, and the order of attribute mappings.

Made equal are null and empty defaults, and the spelling of operators and of white space in expressions. `parameters`
repeat what the expression says. FlowAlways equals FlowWhenChanged, ValueAddOnly equals Always, and AttributeAddOnly
equals ObjectAddOnly (see the notes of `read_schema`). "true" equals "True" where the target is a boolean.
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

"""`$expand`: related objects within an object. https://learn.microsoft.com/graph/query-parameters"""

import re
from dataclasses import dataclass
from typing import Any, Final, Self

from local.graph_emulator import relations
from local.graph_emulator.call import Call
from local.graph_emulator.entities import BY_NAME, OBJECT, EntityType
from local.graph_emulator.errors import GraphError, unsupported_query
from local.graph_emulator.objects import DirectoryObject, User
from local.graph_emulator.views import shown, typed

_CLAUSE: Final = re.compile(r"(?P<name>[A-Za-z]\w*)(?:\((?P<options>[^()]*)\))?")
_MOST: Final = 20  # directory objects expand no further


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    name: str
    select: tuple[str, ...] | None = None

    @classmethod
    def parse(cls, text: str | None, of: EntityType) -> Self | None:
        """Raises 400 for an unknown relation and for more than one."""
        if text is None:
            return None
        match = _CLAUSE.fullmatch(text.strip())
        if match is None:
            raise unsupported_query(f"The expand clause '{text}' is not supported.")
        name = match["name"]
        if name not in of.relations:
            raise GraphError(
                400,
                "BadRequest",
                f"Parsing OData Select and Expand failed: Could not find a property named '{name}' on type "
                f"'{of.full_name}'.",
            )
        return cls(name=name, select=_select(match["options"], name))

    @property
    def in_context(self) -> str:
        return f"{self.name}({','.join(self.select or ())})"


def expanded(call: Call, item: DirectoryObject, expansion: Expansion) -> dict[str, Any]:
    """A user without a manager comes without the property; collections come with at most twenty."""

    def body(each: DirectoryObject) -> dict[str, Any]:
        return typed(each.kind, shown(each, expansion.select, BY_NAME[each.kind]))

    if expansion.name == "manager":
        manager = relations.manager(call.tenant, item) if isinstance(item, User) else None
        return {} if manager is None else {"manager": body(manager)}
    found = [each for each in relations.related(call.tenant, item, expansion.name) if call.visible(each)]
    return {expansion.name: [body(each) for each in found[:_MOST]]}


def _select(options: str | None, name: str) -> tuple[str, ...] | None:
    for option in (options or "").split(";"):
        key, _, value = option.strip().partition("=")
        if key.lower().removeprefix("$") == "select":
            return OBJECT.parse_select(value)
        if key:
            raise unsupported_query(f"The option '{key}' is not supported in the expansion of '{name}'.")
    return None

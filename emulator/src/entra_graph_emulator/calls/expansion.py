"""`$expand`: related objects within an object. https://learn.microsoft.com/graph/query-parameters"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

from entra_graph_emulator.calls.call import Call
from entra_graph_emulator.calls.views import guarded, shown, typed
from entra_graph_emulator.directory import relations
from entra_graph_emulator.directory.objects import DirectoryObject, User
from entra_graph_emulator.odata.entities import BY_NAME, OBJECT, EntityType
from entra_graph_emulator.wire.errors import unknown_property, unsupported_query

_CLAUSE: Final = re.compile(r"(?P<name>[A-Za-z]\w*)(?:\((?P<options>[^()]*)\))?")
_MOST: Final = 20  # related objects in one $expand of a directory object
_MOST_LEVELS: Final = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    name: str
    select: tuple[str, ...] | None = None
    levels: int = 1

    @classmethod
    def parse(cls, text: str | None, of: EntityType) -> Self | None:
        """Raises 400 for an unknown relation and for more than one."""
        if text is None:
            return None
        match = _CLAUSE.fullmatch(text.strip())
        if match is None:
            raise unsupported_query(f"The expand clause '{text}' is not supported.")
        name = of.official(match["name"])
        if name not in of.relations:
            raise unknown_property(name, of.full_name)
        options = _options(match["options"], name)
        return cls(name=name, select=OBJECT.parse_select(options.get("select")), levels=_levels(options.get("levels")))

    @property
    def in_context(self) -> str:
        return f"{self.name}({','.join(self.select or ())})"


def expanded(call: Call, item: DirectoryObject, expansion: Expansion) -> dict[str, Any]:
    """The expanded property: at most twenty objects of a collection; without a manager, no property at all."""

    def body(each: DirectoryObject) -> dict[str, Any]:
        return typed(each.kind, guarded(shown(each, expansion.select, BY_NAME[each.kind]), call.caller))

    if expansion.name == "manager":
        return _chain([body(each) for each in _managers(call, item, expansion.levels)])
    found = [each for each in relations.related(call.tenant, item, expansion.name) if call.visible(each)]
    return {expansion.name: [body(each) for each in found[:_MOST]]}


def _managers(call: Call, item: DirectoryObject, levels: int) -> list[User]:
    """The managers above, the nearest first. In a circle of managers nobody comes twice."""
    found: list[User] = []
    above = relations.manager(call.tenant, item) if isinstance(item, User) else None
    while above is not None and len(found) < levels and above is not item and above not in found:
        found.append(above)
        above = relations.manager(call.tenant, above)
    return found


def _chain(managers: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Each manager nested in the entry of the user below."""
    chain: dict[str, Any] = {}
    for each in reversed(managers):
        chain = {"manager": each | chain}
    return chain


def _options(text: str | None, name: str) -> dict[str, str]:
    options: dict[str, str] = {}
    for option in (text or "").split(";"):
        key, _, value = option.strip().partition("=")
        official = key.lower().removeprefix("$")
        if official == "select" or (official == "levels" and name == "manager"):
            options[official] = value
        elif key:
            raise unsupported_query(f"The option '{key}' is not supported in the expansion of '{name}'.")
    return options


def _levels(text: str | None) -> int:
    """https://learn.microsoft.com/graph/api/user-list-manager: `max`, or 1 to 1000."""
    wanted = text or "1"
    number = _MOST_LEVELS if wanted == "max" else int(wanted) if wanted.isascii() and wanted.isdecimal() else 0
    if not 1 <= number <= _MOST_LEVELS:
        raise unsupported_query(f"The value '{wanted}' of $levels must be max or a number from 1 to {_MOST_LEVELS}.")
    return number

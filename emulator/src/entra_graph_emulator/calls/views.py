"""Directory objects as the JSON that a read shows."""

from collections.abc import Mapping, Sequence
from typing import Any

from entra_graph_emulator.directory.objects import DirectoryObject
from entra_graph_emulator.odata.entities import BY_NAME, EntityType
from entra_graph_emulator.odata.user_schema import GUARDED, is_extension
from entra_graph_emulator.wire.errors import unknown_property
from entra_graph_emulator.wire.tokens import Caller


def shown(
    item: DirectoryObject, select: Sequence[str] | None, of: EntityType | None = None, *, add_id: bool = True
) -> dict[str, Any]:
    """Every selected property. An unset one is null or []; an unset directory extension is left out."""
    of = of or BY_NAME[item.kind]
    stored = item.properties
    body: dict[str, Any] = {}
    for name in select if select is not None else of.default_select:
        value = stored.get(name)
        if value is not None:
            body[name] = value
        elif of.is_collection(name):
            body[name] = []
        elif name not in of.relations and not is_extension(name) and of.has(name):
            body[name] = None
    if add_id or select is None or "id" in select:
        body["id"] = item.id
    return body


def guarded(body: dict[str, Any], caller: Caller) -> dict[str, Any]:
    """The body without the values that the caller has no permission to see."""
    for name, roles in GUARDED.items():
        if body.get(name) is not None and not caller.may(roles):
            body[name] = None
    return body


def chosen(body: Mapping[str, Any], select: str | None, kind: str) -> dict[str, Any]:
    """The properties that `$select` names, of a resource that is no directory object. Raises 400 for an unknown one."""
    wanted = [name.strip() for name in (select or "").split(",") if name.strip()]
    spellings = {name.lower(): name for name in body}
    for name in wanted:
        if name.lower() not in spellings:
            raise unknown_property(name, f"microsoft.graph.{kind}")
    names = [spellings[name.lower()] for name in wanted] or body
    return {name: body[name] for name in names}


def context(
    origin: str, collection: str, select: Sequence[str] | None, *, entity: bool = False, expand: str = ""
) -> str:
    """`@odata.context`. `expand` is an expansion such as `manager(id)`, which follows the selected names."""
    names = [*(select or ()), *([expand] if expand else [])]
    picked = f"({','.join(names)})" if names else ""
    return f"{origin}/v1.0/$metadata#{collection}{picked}{'/$entity' if entity else ''}"


def typed(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """The body with its type in front, as in collections of mixed type."""
    return {"@odata.type": f"#microsoft.graph.{kind}", **body}

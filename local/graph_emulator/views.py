"""Directory objects as JSON: what a read shows of a stored one."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from local.graph_emulator.entities import BY_NAME, EntityType
from local.graph_emulator.errors import unknown_property
from local.graph_emulator.objects import DirectoryObject
from local.graph_emulator.schema import is_extension


def shown(
    item: DirectoryObject, select: Sequence[str] | None, of: EntityType | None = None, *, add_id: bool = True
) -> dict[str, Any]:
    """Every selected property, unset ones as null or []; only directory extensions are left out when unset."""
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


def changed(
    item: DirectoryObject, select: Iterable[str], *, since: frozenset[str], only: frozenset[str] | None
) -> dict[str, Any]:
    """As delta shows it: never-set properties are left out, and one cleared since the last round is null.

    `only` limits it to the properties that changed (`Prefer: return=minimal`).
    """
    body: dict[str, Any] = {"id": item.id}
    for name in select:
        if name == "id" or (only is not None and name not in only):
            continue
        value = item.properties.get(name)
        if value is not None or (name in since and name in item.properties):
            body[name] = value
    return body


def chosen(body: Mapping[str, Any], select: str | None, kind: str) -> dict[str, Any]:
    """What a `$select` leaves of a resource that is no directory object. Raises 400 for what the type does not have."""
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
    """`expand` is an expansion as contexts show it, such as `manager(id)`; it stands behind what is selected."""
    names = [*(select or ()), *([expand] if expand else [])]
    picked = f"({','.join(names)})" if names else ""
    return f"{origin}/v1.0/$metadata#{collection}{picked}{'/$entity' if entity else ''}"


def typed(kind: str, body: Mapping[str, Any]) -> dict[str, Any]:
    """For collections of mixed type: the annotation comes first."""
    return {"@odata.type": f"#microsoft.graph.{kind}", **body}
